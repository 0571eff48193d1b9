"""What a media file holds, found out before the lesson and told in words where it cannot be used."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError

from agent.capture.spec import SourceRefused

SAME_END_S = 0.5
"""Sound and picture that end this close together loop at the picture's end."""
STILL_S = 3600.0
"""A file with one picture stands for this long before it is opened anew."""
PROBE_PACKETS = 500


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a file holds."""

    path: Path
    has_picture: bool
    has_sound: bool
    zero_s: float
    """Time stamp of the file's beginning, in seconds."""
    loop_s: float
    """Length of one pass, in seconds; of sound alone this is an estimate, its pass ends with the file."""


def open_file(path: Path) -> InputContainer:
    """Open a media file for reading.

    Raises:
        FFmpegError, OSError: it cannot be opened.
    """
    # An absolute path cannot be taken for a protocol; tags in old encodings (GBK) must not refuse a file.
    return av.open(str(path.resolve()), metadata_errors="replace")


def probe(path: Path) -> FileFacts:
    """Look into a file and decode the first picture and sound of it.

    Raises:
        SourceRefused: it is no media file, is damaged, or holds neither picture nor sound.
    """
    try:
        with open_file(path) as container:
            return _facts(path, container)
    except (FFmpegError, OSError) as error:
        reason = error.strerror or str(error)
        raise SourceRefused(
            f"{path} cannot be read as video or sound ({reason}); play it once on this machine, "
            "or convert it, for example to lesson.mp4 with H.264 and AAC"
        ) from error


def picture_stream(container: InputContainer) -> av.VideoStream | None:
    """The moving picture of a file; a cover image does not count."""
    return next((one for one in container.streams.video if not one.disposition & one.disposition.attached_pic), None)


def _facts(path: Path, container: InputContainer) -> FileFacts:
    seen = picture_stream(container)
    heard = container.streams.audio[0] if container.streams.audio else None
    if seen is None and heard is None:
        raise SourceRefused(f"{path} holds neither picture nor sound; name a video or sound file")
    streams = [one for one in (seen, heard) if one is not None]
    starts = [float(one.start_time * (one.time_base or 1)) for one in streams if one.start_time is not None]
    zero_s = min(starts, default=0.0)
    ends = {one.index: _end_s(container, one, zero_s) for one in streams}
    if any(end is None for end in ends.values()):
        ends.update(_scanned(path, zero_s))
    loop_s = _loop_s(ends.get(seen.index) if seen else None, ends.get(heard.index) if heard else None)
    if seen is not None and heard is None and ("image2" in container.format.name or "_pipe" in container.format.name):
        loop_s = STILL_S
    _decodes(path, container, streams)
    return FileFacts(path, seen is not None, heard is not None, zero_s, max(loop_s, 0.02))


def _end_s(container: InputContainer, stream: av.VideoStream | av.AudioStream, zero_s: float) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float((stream.duration + (stream.start_time or 0)) * stream.time_base) - zero_s
    return container.duration / av.time_base if container.duration else None


def _scanned(path: Path, zero_s: float) -> dict[int, float]:
    """Ends of the streams of a file that does not say them, from all its packets."""
    ends: dict[int, float] = {}
    with open_file(path) as container:
        for packet in container.demux():
            if packet.pts is not None:
                end = float((packet.pts + (packet.duration or 0)) * (packet.time_base or Fraction(1))) - zero_s
                ends[packet.stream.index] = max(end, ends.get(packet.stream.index, 0.0))
    return ends


def _loop_s(seen_s: float | None, heard_s: float | None) -> float:
    if seen_s is None or heard_s is None:
        return seen_s or heard_s or 0.0
    return seen_s if abs(seen_s - heard_s) < SAME_END_S else max(seen_s, heard_s)


def _decodes(path: Path, container: InputContainer, streams: list[av.VideoStream | av.AudioStream]) -> None:
    wanted = {stream.index for stream in streams}
    for number, packet in enumerate(container.demux(*streams)):
        try:
            if packet.stream.index in wanted and packet.decode():
                wanted.discard(packet.stream.index)
        except FFmpegError:
            continue  # One bad packet is common in cut files; what counts is that something decodes.
        if not wanted or number > PROBE_PACKETS:
            break
    if len(wanted) == len(streams):
        raise SourceRefused(f"{path} is damaged: nothing in it can be decoded; copy or convert the file anew")
