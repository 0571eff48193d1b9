"""Network cameras and recording hosts by RTSP over TCP; one connection gives picture and sound."""

import queue
import threading
from collections.abc import Iterator
from time import monotonic_ns

import av
import av.stream
import numpy as np
from av.error import FFmpegError

from agent.capture.frame import SOUND_RATE_HZ, Block, Frame, SourceLost
from agent.capture.pace import NS_A_SECOND
from agent.capture.picture import Letterbox
from agent.capture.spec import shown

OPEN_S = 5.0
READ_S = 3.0
"""A stream that gives nothing for this long is lost."""
HELD = 50
"""Pieces of sound waiting at most; the oldest is dropped."""
POLL_S = 0.05


class RtspSound:
    """The sound of an RTSP stream, fed by its picture, or read alone where the picture comes from elsewhere."""

    def __init__(self, url: str, *, alone: bool) -> None:
        self._url, self._alone = url, alone
        self._pieces: queue.Queue[Block] = queue.Queue(HELD)
        self._resampler = av.AudioResampler("s16", "mono", SOUND_RATE_HZ)

    def blocks(self, stop: threading.Event) -> Iterator[Block]:
        """Yield pieces of sound as they arrive; they are of any length.

        Raises:
            SourceLost: read alone, the stream cannot be opened or ended.
        """
        if self._alone:
            for heard, mono_ns in _received(self._url, stop, picture=False):
                if isinstance(heard, av.AudioFrame):
                    yield from self.mono(heard, mono_ns)
            return
        while not stop.is_set():
            try:
                yield self._pieces.get(timeout=POLL_S)
            except queue.Empty:
                continue

    def feed(self, heard: av.AudioFrame, mono_ns: int) -> None:
        """Take sound that came with the picture; never blocks."""
        for piece in self.mono(heard, mono_ns):
            if self._pieces.full():
                self._pieces.get_nowait()
            self._pieces.put_nowait(piece)

    def mono(self, heard: av.AudioFrame, mono_ns: int) -> list[Block]:
        """As mono at 48 kHz; what was received at `mono_ns` began its own length earlier."""
        heard.pts = None
        begun_ns = mono_ns - heard.samples * NS_A_SECOND // (heard.sample_rate or SOUND_RATE_HZ)
        parts = self._resampler.resample(heard)
        return [Block(part.to_ndarray()[0].astype(np.int16, copy=False), begun_ns) for part in parts]


class RtspPicture:
    """The picture of an RTSP stream at the track's size, at most `fps` a second; capture time is arrival."""

    def __init__(self, url: str, size: tuple[int, int], fps: int, sound: RtspSound | None) -> None:
        self.width, self.height = size
        self.fps = fps
        self._url, self._sound = url, sound

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Yield pictures as they arrive.

        Raises:
            SourceLost: the stream cannot be opened, gives no picture, or ended.
        """
        letterbox = Letterbox((self.width, self.height))
        period_ns = NS_A_SECOND // self.fps
        free_ns = 0
        for received, mono_ns in _received(self._url, stop, picture=True):
            if isinstance(received, av.AudioFrame):
                if self._sound is not None:
                    self._sound.feed(received, mono_ns)
            elif mono_ns >= free_ns - period_ns // 2:
                free_ns = max(free_ns, mono_ns - period_ns) + period_ns
                yield Frame(letterbox.put(received), mono_ns)


def _received(url: str, stop: threading.Event, *, picture: bool) -> Iterator[tuple[av.VideoFrame | av.AudioFrame, int]]:
    """Decoded pictures and sound with the monotonic time of their arrival, until `stop` or the stream's end."""
    try:
        with av.open(url, options={"rtsp_transport": "tcp"}, timeout=(OPEN_S, READ_S)) as container:
            seen = container.streams.video[:1] if picture else ()
            if picture and not seen:
                raise SourceLost(f"{shown(url)} gives no picture; check the address in the camera's own settings")
            for stream in seen:
                stream.thread_type = "NONE"  # Threads of the decoder would each hold a picture back.
            for packet in container.demux(*seen, *container.streams.audio[:1]):
                mono_ns = monotonic_ns()
                if stop.is_set():
                    return
                for one in _decoded(packet):
                    yield one, mono_ns
    except (FFmpegError, OSError) as error:
        raise SourceLost(
            f"{shown(url)} cannot be received ({error.strerror}); "
            "check that the camera is on, its address, and its user and password"
        ) from error
    raise SourceLost(f"{shown(url)} ended the stream")


def _decoded(
    packet: "av.Packet[av.stream.Stream]",
) -> list[av.VideoFrame | av.AudioFrame]:
    """What a packet holds; nothing where it came damaged."""
    try:
        return [one for one in packet.decode() if isinstance(one, av.VideoFrame | av.AudioFrame)]
    except av.error.InvalidDataError:
        return []
