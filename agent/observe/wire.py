"""How service and observing process talk: binary messages down its stdin, JSON lines up its stdout.

A message is a header (kind, length, time) and so many bytes. Pictures begin with their
width and height; sound is int16 at 48 kHz. Plain pipes, so that it is the same on every system.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct("<BIq")
"""Kind, bytes that follow, nanoseconds on the monotonic clock."""
SIZE = struct.Struct("<HH")
"""Width and height of a picture, in pixels."""
NO_SLIDE_TEXT = "--no-slide-text"
"""Given to a process that is not to read the words of slides."""
FACE_MODEL = "--face-model="
"""The beginning of the argument that names a file to find faces with."""
MESSAGE_LIMIT_BYTES = 8 << 20
"""Nothing that is sent comes near; a longer message is garbage."""


class Kind(IntEnum):
    """What a message down the pipe is."""

    SOUND = 1
    """int16 samples at 48 kHz; a step in their times is a hole in the sound."""
    CAMERA = 2
    """A picture in BGR."""
    SLIDES = 3
    """A picture in grey."""
    PING = 4
    """Answer, to show that you live."""
    STOP = 5
    """Tell what is still open, and end."""
    RESUME = 6
    """What the process before last said it would need to go on (JSON)."""
    PLAYED = 7
    """As `SOUND`: what the loudspeaker plays, ahead of the room's sound of its time; nothing while it is silent."""
    PACE = 8
    """How often to look, as far as the process itself decides it (JSON: `bodies_s`, in seconds)."""
    TEACHER = 9
    """As `SOUND`: what the teacher's own microphone hears."""
    STRETCH = 10
    """To the recognising process: here the teacher spoke, for so long (a double, in seconds)."""


class WireBroken(Exception):
    """The other end is gone, or what came is not ours."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message down the pipe."""

    kind: Kind
    mono_ns: int
    payload: bytes = b""


def write_message(stream: BinaryIO, message: Message) -> None:
    """Write one message and flush; blocks while the other end does not read.

    Raises:
        WireBroken: the other end is gone.
    """
    try:
        stream.write(HEADER.pack(message.kind, len(message.payload), message.mono_ns))
        stream.write(message.payload)
        stream.flush()
    except (OSError, ValueError) as error:  # ValueError: the stream was closed here
        raise WireBroken(f"the observing process does not listen any more: {error}") from error


def read_message(stream: BinaryIO) -> Message | None:
    """Read one message; None at the end of the stream.

    Raises:
        WireBroken: it ends within a message, or what came is not a message.
    """
    head = stream.read(HEADER.size)
    if not head:
        return None
    if len(head) < HEADER.size:
        raise WireBroken("the stream ends within a header")
    kind, size, mono_ns = HEADER.unpack(head)
    if size > MESSAGE_LIMIT_BYTES or kind not in set(Kind):
        raise WireBroken(f"not a message: kind {kind}, {size} bytes")
    payload = stream.read(size)
    if len(payload) < size:
        raise WireBroken(f"the stream ends within a message: {len(payload)} of {size} bytes")
    return Message(Kind(kind), mono_ns, payload)


def packed_picture(picture: NDArray[np.uint8]) -> bytes:
    """A picture as payload: shape (height, width) or (height, width, 3)."""
    high, wide = picture.shape[:2]
    return SIZE.pack(wide, high) + np.ascontiguousarray(picture).tobytes()


def unpacked_picture(payload: bytes, channels: int) -> NDArray[np.uint8]:
    """The picture of a payload: shape (height, width) for one channel, else (height, width, channels).

    Raises:
        WireBroken: the bytes are not of the size that they say.
    """
    if len(payload) < SIZE.size:
        raise WireBroken("a picture without a size")
    wide, high = SIZE.unpack_from(payload)
    if len(payload) != SIZE.size + wide * high * channels:
        raise WireBroken(f"a picture of {wide}x{high}x{channels} in {len(payload)} bytes")
    pixels = np.frombuffer(payload, np.uint8, offset=SIZE.size)
    return pixels.reshape((high, wide) if channels == 1 else (high, wide, channels))
