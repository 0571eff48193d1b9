"""After a crash: cut a part's torn tail, count what is whole. Reads files that may hold anything."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av

SOUND_PACKET_S = 0.02
"""Every sound packet of ours is one Opus frame of 20 ms."""
KNOWN = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"mfra", b"sidx", b"free", b"skip", b"emsg", b"prft"})
"""Boxes that may stand at the top of a fragmented file (ISO/IEC 14496-12)."""


@dataclass(frozen=True, slots=True)
class Box:
    """One box at the top of the file."""

    kind: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What a part holds."""

    seconds: float = 0.0
    """From time zero to the end of the last packet."""
    video_frames: int = 0
    audio_seconds: float = 0.0


def boxes(file: BinaryIO, size: int) -> Iterator[Box]:
    """Walk the whole boxes at the top of a file of `size` bytes; ends at the first that is torn or unknown."""
    start = 0
    while start + 8 <= size:
        file.seek(start)
        head = file.read(16)
        length, kind = struct.unpack_from(">I4s", head)
        least = 8
        if length == 1:  # 64-bit length follows
            if len(head) < 16:
                return
            (length,) = struct.unpack_from(">Q", head, 8)
            least = 16
        end = start + length
        if kind not in KNOWN or length < least or end > size:
            return
        yield Box(kind, start, end)
        start = end


def whole_end(path: Path) -> int:
    """Where the last complete fragment (`moof` with its `mdat`) ends, in bytes; 0 where the header is not whole.

    A file whose header is whole but holds no fragment ends behind its header.

    Raises:
        OSError: the file cannot be read.
    """
    end = 0
    begun = False
    moof = False
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        for box in boxes(file, size):
            if box.kind == b"moov":
                begun = True
                end = box.end
            elif not begun:
                continue
            elif box.kind == b"moof":
                moof = True
            elif box.kind == b"mdat" and not moof:
                return end
            else:
                moof = False
                end = box.end
    return end


def cut_torn_tail(path: Path) -> int:
    """Cut a part behind its last complete fragment; returns the bytes cut.

    Raises:
        OSError: the file cannot be read or written.
    """
    end = whole_end(path)
    with path.open("r+b") as file:
        torn = file.seek(0, os.SEEK_END) - end
        if torn > 0:
            file.truncate(end)
            os.fsync(file.fileno())
    return torn


def mend_lines(path: Path) -> int:
    """Cut a file of lines behind its last whole line; returns the bytes cut.

    Raises:
        OSError: the file cannot be read or written.
    """
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        end, step = size, 4096
        while end > 0:
            start = max(0, end - step)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        if end < size:
            file.truncate(end)
            os.fsync(file.fileno())
    return size - end


def measure(path: Path) -> Figures:
    """Count what a part holds, by reading every packet; a file that cannot be read holds nothing."""
    frames = sounds = 0
    seconds = 0.0
    try:
        with av.open(str(path), "r", format="mp4") as container:
            for packet in container.demux():
                if packet.size == 0 or packet.pts is None:
                    continue
                if packet.stream.type == "video":
                    frames += 1
                else:
                    sounds += 1
                seconds = max(seconds, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    except (av.FFmpegError, OSError):  # what was counted before the damage is still there
        pass
    return Figures(round(seconds, 6), frames, round(sounds * SOUND_PACKET_S, 6))
