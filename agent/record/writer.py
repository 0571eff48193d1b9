"""One track's writer: a thread that owns the file and turns packets into parts."""

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

import av

from agent.encode.packet import SoundPacket, VideoPacket
from agent.record.part_file import PartFile, may_begin
from agent.record.repair import Figures, cut_torn_tail, measure

log = logging.getLogger(__name__)

QUEUE_PACKETS = 1500
"""Packets that wait for the disk at the most: 20 s of 25 fps with sound."""
QUEUE_BYTES = 24 << 20
EARLY_SOUNDS = 100
"""Sound packets kept while the first keyframe is awaited: 2 s."""
KEYFRAME_AGAIN_S = 0.5
"""While a keyframe is awaited it is asked for this often, in seconds."""
SPACE_CHECK_S = 3.0
SPACE_CHECK_MOST_S = 60.0
"""Space is looked for every 3 s at first, every 60 s where new parts keep failing."""
CALM_S = 30.0
"""Trouble after this many seconds of writing is new trouble and is told again."""
RESERVE_BYTES = 32 << 20
"""Recording stops before the volume is full to the last byte: manifests and outboxes live there too."""

Closed = Literal["end", "crash", "disk-full", "source-lost"]


class PartBook(Protocol):
    """Keeps account of a track's parts; `PackageDraft` is one."""

    def begin_part(self, track: str, first: VideoPacket, *, fps: int, sound: bool) -> Path:
        """Name a new part durably, before its file is created; raises OSError where that cannot be."""

    def end_part(self, file: str, figures: Figures, *, dropped: int, closed: Closed) -> None:
        """Keep what a part holds; never raises for the volume's sake."""


class WriterState(StrEnum):
    """What a track's writer does with the next packet."""

    WAITING = "waiting"
    """No part is open; the next keyframe begins one."""
    WRITING = "writing"
    """A part is open."""
    HALTED = "halted"
    """The volume takes nothing; packets are let go until there is space."""
    CLOSED = "closed"
    """Ended; nothing may be added."""


MOVES: Mapping[WriterState, frozenset[WriterState]] = {
    WriterState.WAITING: frozenset({WriterState.WRITING, WriterState.HALTED, WriterState.CLOSED}),
    WriterState.WRITING: frozenset({WriterState.WAITING, WriterState.HALTED, WriterState.CLOSED}),
    WriterState.HALTED: frozenset({WriterState.WAITING, WriterState.CLOSED}),
    WriterState.CLOSED: frozenset(),
}


def moved(state: WriterState, to: WriterState) -> WriterState:
    """Return `to`, or raise ValueError where a writer cannot go there."""
    if to is state or to in MOVES[state]:
        return to
    raise ValueError(f"a writer that is {state} cannot become {to}")


@dataclass(frozen=True, slots=True)
class Needs:
    """What a writer asks of the house around it."""

    free_bytes: Callable[[], int]
    """Free space of the volume, in bytes."""
    request_keyframe: Callable[[str], None]
    """Asks the encoder of this track for a keyframe; returns at once."""
    on_trouble: Callable[[str], None]
    """Told once, in words, when something goes wrong."""
    monotonic: Callable[[], float] = time.monotonic
    reserve_bytes: int = RESERVE_BYTES
    space_check_s: float = SPACE_CHECK_S
    queue_packets: int = QUEUE_PACKETS


class TrackWriter:
    """Takes packets from encoder threads and never makes them wait.

    The queue is bounded: what does not fit is dropped and counted, and video then waits for
    the next keyframe. Packets captured before `begin_ns`, or at or after the end, are not taken.
    """

    def __init__(
        self, track: str, book: PartBook, needs: Needs, *, fps: int, sound: bool, begin_ns: int, end_ns: int | None
    ) -> None:
        self.track = track
        self.state = WriterState.WAITING
        self.dropped = 0
        """Frames that the queue did not take, over all parts."""
        self.past_end = threading.Event()
        """Set once a picture captured at or after the end has come."""
        self._book = book
        self._needs = needs
        self._fps = fps
        self._sound = sound
        self._begin_ns = begin_ns
        self._end_ns = end_ns
        self._ready = threading.Condition()
        self._queue: deque[VideoPacket | SoundPacket] = deque()
        self._queued_bytes = 0
        self._skipping = False
        self._stopping = False
        self._early: deque[SoundPacket] = deque(maxlen=EARLY_SOUNDS)
        self._part: PartFile | None = None
        self._part_dropped = 0
        self._part_since = 0.0
        self._asked_at = float("-inf")
        self._look_at = 0.0
        self._pause_s = needs.space_check_s
        self._told = False
        self._thread = threading.Thread(target=self._run, name=f"record.{track}", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def end_at(self, mono_ns: int) -> None:
        """Take nothing captured at or after `mono_ns`; what is on disk already stays."""
        with self._ready:
            self._end_ns = mono_ns if self._end_ns is None else min(self._end_ns, mono_ns)

    def stop(self, timeout_s: float | None = None) -> bool:
        """Write what waits, close the part and end; returns whether the thread ended in time."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def take_video(self, packet: VideoPacket) -> None:
        """Take one picture; returns at once."""
        with self._ready:
            if not self._in_time(packet.mono_ns):
                if self._end_ns is not None and packet.mono_ns >= self._end_ns:
                    self.past_end.set()
                return
            if self._skipping and packet.keyframe and not self._full():
                self._skipping = False
            if self._skipping or self._full():
                self._skipping = True
                self.dropped += 1
                self._part_dropped += 1
                return
            self._put(packet)
            self._ready.notify()

    def take_sound(self, packet: SoundPacket) -> None:
        """Take 20 ms of sound; returns at once. It is written with the next picture: one waking for both."""
        with self._ready:
            if self._sound and self._in_time(packet.mono_ns) and not self._full():
                self._put(packet)

    def _in_time(self, mono_ns: int) -> bool:
        ended = self._end_ns is not None and mono_ns >= self._end_ns
        return mono_ns >= self._begin_ns and not ended and not self._stopping

    def _full(self) -> bool:
        return len(self._queue) >= self._needs.queue_packets or self._queued_bytes >= QUEUE_BYTES

    def _put(self, packet: VideoPacket | SoundPacket) -> None:
        self._queue.append(packet)
        self._queued_bytes += len(packet.data)

    def _next(self) -> VideoPacket | SoundPacket | None:
        with self._ready:
            if not self._queue and not self._stopping:
                self._ready.wait(KEYFRAME_AGAIN_S)
            if not self._queue:
                return None
            packet = self._queue.popleft()
            self._queued_bytes -= len(packet.data)
            return packet

    def _run(self) -> None:
        try:
            self._work()
        except Exception:
            log.exception("the writer of %s ended", self.track)
            self._tell(f"the {self.track} recording stopped because of a fault in the program; the log has it")

    def _work(self) -> None:
        while True:
            packet = self._next()
            if packet is None and self._stopping:
                break
            if self.state is WriterState.HALTED:
                self._look_for_space()
            if packet is not None and self.state is not WriterState.HALTED:
                self._record(packet)
            if self._skipping:
                self._tell("the disk is too slow for the recording: frames were left out; check the disk")
                self._ask_keyframe()
        self._close_part("end")
        self._move(WriterState.CLOSED)

    def _record(self, packet: VideoPacket | SoundPacket) -> None:
        if isinstance(packet, SoundPacket):
            if self._part is None:
                self._early.append(packet)
            else:
                self._write(self._part, packet)
            return
        if self._part is not None and (packet.width, packet.height) != self._part.size:
            self._close_part("end")
            self._move(WriterState.WAITING)
        if self._part is None:
            if not may_begin(packet):
                self._ask_keyframe()
                return
            self._begin_part(packet)
        if self._part is not None:
            self._write(self._part, packet)

    def _begin_part(self, first: VideoPacket) -> None:
        try:
            path = self._book.begin_part(self.track, first, fps=self._fps, sound=self._sound)
            self._part = PartFile(path, first, fps=self._fps, sound=self._sound)
        except OSError as error:
            self._halt(error)
            return
        self._part_since = self._needs.monotonic()
        self._move(WriterState.WRITING)
        early = [one for one in self._early if one.mono_ns >= first.mono_ns]
        self._early.clear()
        # The muxer needs the keyframe first; the sound that waited for it follows.
        with self._ready:
            for one in reversed(early):
                self._queue.appendleft(one)
                self._queued_bytes += len(one.data)

    def _write(self, part: PartFile, packet: VideoPacket | SoundPacket) -> None:
        before = part.synced_bytes
        try:
            if isinstance(packet, VideoPacket):
                part.video(packet)
            else:
                part.sound(packet)
        except (av.FFmpegError, ValueError) as error:
            self._tell(f"the {self.track} recording was given a packet that no file can hold: {error}")
            part.give_up(OSError(f"unusable packet: {error}"))
            self._close_part("source-lost")
            self._move(WriterState.WAITING)
            return
        if part.trouble is not None:
            self._halt(part.trouble)
        elif part.synced_bytes != before:
            self._keep_reserve()

    def _keep_reserve(self) -> None:
        try:
            free = self._needs.free_bytes()
        except OSError as error:
            self._halt(error)
            return
        if free < self._needs.reserve_bytes:
            self._halt(OSError(f"only {free >> 20} MiB are free"))
        elif self._needs.monotonic() - self._part_since >= CALM_S:
            self._told = False
            self._pause_s = self._needs.space_check_s

    def _halt(self, error: OSError) -> None:
        words = error.strerror or str(error)
        self._tell(f"the {self.track} recording stopped: {words}; free space on the disk, it goes on by itself")
        self._close_part("disk-full")
        self._move(WriterState.HALTED)
        self._look_at = self._needs.monotonic() + self._pause_s
        self._pause_s = min(SPACE_CHECK_MOST_S, self._pause_s * 2)

    def _look_for_space(self) -> None:
        now = self._needs.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + self._needs.space_check_s
        with contextlib.suppress(OSError):  # a volume that cannot be asked has no space; it is asked again
            if self._needs.free_bytes() >= 2 * self._needs.reserve_bytes:
                self._early.clear()
                self._move(WriterState.WAITING)
                self._ask_keyframe()

    def _close_part(self, closed: Closed) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        figures = part.close()
        if figures is None:
            with contextlib.suppress(OSError):  # measured as it is; mended again when the package is next opened
                cut_torn_tail(part.path)
            figures = measure(part.path)
            closed = closed if closed != "end" else "disk-full"
        with self._ready:
            dropped, self._part_dropped = self._part_dropped, 0
        self._book.end_part(part.path.name, figures, dropped=dropped, closed=closed)

    def _ask_keyframe(self) -> None:
        now = self._needs.monotonic()
        if now - self._asked_at >= KEYFRAME_AGAIN_S:
            self._asked_at = now
            self._needs.request_keyframe(self.track)

    def _tell(self, words: str) -> None:
        if not self._told:
            self._told = True
            log.warning(words)
            self._needs.on_trouble(words)

    def _move(self, to: WriterState) -> None:
        self.state = moved(self.state, to)
