"""Video and sound files as sources, looped at their own pace, picture and sound in step.

Picture and sound are read by two containers with one common start, so no thread is needed and
neither waits for the other; each pass begins at a whole multiple of the file's length.
"""

import threading
from collections.abc import Iterator
from itertools import count
from time import monotonic_ns

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from agent.capture.frame import BLOCK_SAMPLES, SOUND_RATE_HZ, Block, Frame, SourceLost
from agent.capture.pace import NS_A_SECOND, CommonStart, block_times, wait_until
from agent.capture.picture import Letterbox, again
from agent.capture.probe import FileFacts, open_file, picture_stream

REPEAT_NS = 200_000_000
"""A picture that stands longer than this is yielded again, so that nobody waits for one."""
LATE_NS = 200_000_000
"""Pictures that come out of the decoder later than this are left out."""
SEEK_S = 2.0
"""A pass that is joined later than this into it seeks; before, it decodes and throws away."""
BIG_PIXELS = 1920 * 1080
GAP_S = 0.05
"""A jump of the sound's time stamps beyond this is filled with silence."""


class FilePicture:
    """The picture of a file at the track's size, in its own rhythm, at most `fps` a second."""

    def __init__(self, facts: FileFacts, size: tuple[int, int], fps: int, start: CommonStart) -> None:
        self.width, self.height = size
        self.fps = fps
        self._facts, self._start = facts, start

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Yield pictures when they are due until `stop` is set.

        Raises:
            SourceLost: the file went away or cannot be decoded any more.
        """
        letterbox = Letterbox((self.width, self.height))
        start_ns, period_ns = self._start.get(), NS_A_SECOND // self.fps
        last: Frame | None = None
        free_ns = 0
        for picture, at_s, aspect in self._endless((monotonic_ns() - start_ns) / NS_A_SECOND):
            due_ns = start_ns + round(at_s * NS_A_SECOND)
            while last is not None and due_ns - last.mono_ns > REPEAT_NS:
                last = Frame(again(last.picture), last.mono_ns + REPEAT_NS)
                if not wait_until(last.mono_ns, stop):
                    return
                yield last
            if stop.is_set():
                return
            if picture is None or due_ns < free_ns - period_ns // 4:
                continue
            if last is not None and (due_ns <= last.mono_ns or monotonic_ns() - due_ns > LATE_NS):
                # Repeated below the floor all the same, for a machine that decodes too slowly for the file.
                if monotonic_ns() - last.mono_ns < LATE_NS + REPEAT_NS:
                    continue
                due_ns = max(due_ns, last.mono_ns + 1)
            fitted = letterbox.put(picture, aspect)
            if not wait_until(due_ns, stop):
                return
            free_ns = max(free_ns, due_ns - period_ns) + period_ns
            last = Frame(fitted, due_ns)
            yield last

    def _endless(self, from_s: float) -> Iterator[tuple[av.VideoFrame | None, float, float]]:
        """Pictures of one pass after the other with their time since the start; None at the end of each pass."""
        loop_s = self._facts.loop_s
        first = int(from_s // loop_s)
        for lap in count(first):
            empty = True
            for picture, at_s, aspect in self._pass(from_s - lap * loop_s if lap == first else 0.0):
                if at_s >= loop_s - 0.001 and not empty:
                    break
                empty = False
                yield picture, lap * loop_s + at_s, aspect
            if empty and lap > first:
                raise SourceLost(f"{self._facts.path} holds no picture any more; put the file back")
            yield None, (lap + 1) * loop_s, 1.0

    def _pass(self, from_s: float) -> Iterator[tuple[av.VideoFrame, float, float]]:
        try:
            with open_file(self._facts.path) as container:
                stream = picture_stream(container)
                if stream is None:
                    return
                big = stream.codec_context.width * stream.codec_context.height > BIG_PIXELS
                stream.thread_type = "AUTO" if big else "NONE"
                aspect = float(stream.sample_aspect_ratio or 1) or 1.0
                if from_s > SEEK_S:
                    container.seek(int((from_s + self._facts.zero_s) * av.time_base))
                for packet in container.demux(stream):
                    for picture in _decoded(packet):
                        if isinstance(picture, av.VideoFrame) and picture.time is not None:
                            at_s = picture.time - self._facts.zero_s
                            if at_s >= from_s - REPEAT_NS / NS_A_SECOND:
                                yield picture, at_s, aspect
        except (FFmpegError, OSError) as error:
            raise SourceLost(f"{self._facts.path} cannot be read any more ({error.strerror}); put it back") from error


class FileSound:
    """The sound of a file as mono at 48 kHz, without a gap from one pass to the next."""

    def __init__(self, facts: FileFacts, start: CommonStart) -> None:
        self._facts, self._start = facts, start

    def blocks(self, stop: threading.Event) -> Iterator[Block]:
        """Yield blocks when they are over until `stop` is set.

        Raises:
            SourceLost: the file went away or cannot be decoded any more.
        """
        # With a picture, sound keeps the picture's place; alone it begins where it is begun.
        start_ns = self._start.get() if self._facts.has_picture else monotonic_ns()
        held: NDArray[np.int16] = np.zeros(0, np.int16)
        pieces: Iterator[NDArray[np.int16]] | None = None
        for number, mono_ns in block_times(start_ns, stop):
            pieces = pieces or self._endless(number * BLOCK_SAMPLES)
            while held.size < BLOCK_SAMPLES:
                held = np.concatenate([held, next(pieces)])
                if stop.is_set():
                    return
            yield Block(held[:BLOCK_SAMPLES], mono_ns)
            held = held[BLOCK_SAMPLES:]

    def _endless(self, from_sample: int) -> Iterator[NDArray[np.int16]]:
        """Sound from `from_sample` after the start on, pass after pass."""
        if not self._facts.has_picture:
            while True:
                yield from self._pass(0, None)
        length = self._facts.loop_s * SOUND_RATE_HZ
        lap = int(from_sample // length)
        skip = from_sample - round(lap * length)
        for number in count(lap):
            # Rounded ends, not rounded lengths: an hour of passes is as long as it should be.
            span = round((number + 1) * length) - round(number * length)
            yield from self._pass(skip if number == lap else 0, span)

    def _pass(self, skip: int, span: int | None) -> Iterator[NDArray[np.int16]]:
        """One pass from sample `skip` on, exactly `span` samples long in all, or as long as the file."""
        at = skip
        for start, samples in self._decoded_from(skip):
            if start > at:
                silent = min(start, span or start) - at
                yield np.zeros(max(0, silent), np.int16)
                at += max(0, silent)
            fresh = samples[max(0, at - start) : None if span is None else max(0, span - start)]
            at += fresh.size
            yield fresh
            if span is not None and at >= span:
                return
        if span is not None and at < span:
            yield np.zeros(span - at, np.int16)
        elif at == skip:
            raise SourceLost(f"{self._facts.path} holds no sound any more; put the file back")

    def _decoded_from(self, skip: int) -> Iterator[tuple[int, NDArray[np.int16]]]:
        """Pieces of sound with the place of their first sample in the pass."""
        resampler = av.AudioResampler("s16", "mono", SOUND_RATE_HZ)
        at: int | None = None
        try:
            with open_file(self._facts.path) as container:
                stream = container.streams.audio[0]
                if skip > SEEK_S * SOUND_RATE_HZ:
                    container.seek(int((skip / SOUND_RATE_HZ - 0.2 + self._facts.zero_s) * av.time_base))
                for packet in container.demux(stream):
                    for heard in _decoded(packet):
                        if not isinstance(heard, av.AudioFrame):
                            continue
                        if heard.time is not None:
                            place = round((heard.time - self._facts.zero_s) * SOUND_RATE_HZ)
                            if at is None or abs(place - at) > GAP_S * SOUND_RATE_HZ:
                                at = place
                        heard.pts = None  # The resampler would fill or refuse gaps by its own rules.
                        for piece in resampler.resample(heard):
                            samples = piece.to_ndarray()[0].astype(np.int16, copy=False)
                            yield at or 0, samples
                            at = (at or 0) + samples.size
                for piece in resampler.resample(None) if at is not None else ():
                    yield at or 0, piece.to_ndarray()[0].astype(np.int16, copy=False)
        except (FFmpegError, OSError, IndexError) as error:
            raise SourceLost(f"{self._facts.path} cannot be read any more ({error}); put the file back") from error


def _decoded(packet: "av.Packet[av.VideoStream] | av.Packet[av.AudioStream]") -> list[av.VideoFrame | av.AudioFrame]:
    """What a packet holds; nothing where it is damaged, the next one may be whole."""
    try:
        return [one for one in packet.decode() if isinstance(one, av.VideoFrame | av.AudioFrame)]
    except av.error.InvalidDataError:
        return []
