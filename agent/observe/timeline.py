"""`timeline.jsonl`: written line by line, read back after anything, told in a few figures."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from agent.platform import sync_folder
from contract.observation import Observation
from contract.result import PeopleCount, TimelineSummary
from measures.people import INTERVAL_S, Sample, typical_count
from measures.slides import SlideShown, slide_count
from measures.speech import Turn, talk_time

log = logging.getLogger(__name__)

SYNC_S = 0.5
"""Longest time between a line and the disk: what a power cut may take."""
WAITING_LIMIT_BYTES = 4 << 20
"""What may wait for a full disk; about two hours of observations."""


@dataclass
class TimelineCounts:
    """What became of the lines."""

    written: int = 0
    """Lines handed to the file."""
    dropped: int = 0
    """Lines refused because too much was waiting for the disk; the newest are dropped, so order stays."""
    failures: int = 0
    """Times the disk refused."""


class TimelineWriter:
    """Appends observations to a file on a thread of its own; `write` never waits for the disk.

    A line that a crash tore at the end of the file is cut off first. When the disk is full, lines wait
    (up to 4 MB), the trouble is told once, and they follow in order when there is room again.
    """

    def __init__(self, path: Path, on_trouble: Callable[[str], None], sync_s: float = SYNC_S) -> None:
        """Open `path` for appending; its folder must exist.

        Raises:
            OSError: it cannot be opened.
        """
        self.counts = TimelineCounts()
        self._path = path
        self._on_trouble = on_trouble
        self._sync_s = sync_s
        _cut_torn_line(path)
        self._file = path.open("ab", buffering=0)
        sync_folder(path.parent)
        self._waiting = bytearray()
        self._told = False
        self._closing = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="observe.timeline", daemon=True)
        self._thread.start()

    def write(self, observation: Observation) -> None:
        """Take one observation; never blocks for the disk.

        Raises:
            ValueError: the timeline is closed.
        """
        line = observation.model_dump_json().encode() + b"\n"
        with self._wake:
            if self._closing:
                raise ValueError(f"{self._path} is closed; nothing may be added")
            if len(self._waiting) + len(line) > WAITING_LIMIT_BYTES:
                self.counts.dropped += 1
                return
            self._waiting += line
            self._wake.notify()

    def close(self) -> None:
        """Write and sync what waits, then close; what a full disk still refuses is lost and counted."""
        with self._wake:
            if self._closing:
                return
            self._closing = True
            self._wake.notify()
        self._thread.join()
        if self._waiting:
            self.counts.dropped += self._waiting.count(b"\n")
        self._file.close()
        _cut_torn_line(self._path)

    def _run(self) -> None:
        synced_at = float("-inf")
        dirty = False
        while True:
            with self._wake:
                due_s = synced_at + self._sync_s - time.monotonic() if dirty else None
                self._wake.wait_for(lambda: self._waiting or self._closing, due_s)
                closing = self._closing
            whole = self._write_waiting()
            dirty = True
            if closing or time.monotonic() - synced_at >= self._sync_s:
                self._sync()
                synced_at, dirty = time.monotonic(), False
            if closing:
                return
            if not whole:
                with self._wake:
                    self._wake.wait_for(lambda: self._closing, self._sync_s)

    def _write_waiting(self) -> bool:
        """Write what waits; the disk may take a part of it, and the rest stays in order."""
        with self._wake:
            data = bytes(self._waiting)
        done = 0
        try:
            while done < len(data):
                done += self._file.write(data[done:]) or 0
        except OSError as error:
            self._failed(error)
        else:
            self._told = self._told and not data
        with self._wake:
            self.counts.written += self._waiting[:done].count(b"\n")
            del self._waiting[:done]
        return done == len(data)

    def _sync(self) -> None:
        try:
            # Without the file's times, where the system can: half the writes.
            getattr(os, "fdatasync", os.fsync)(self._file.fileno())
        except OSError as error:
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        self.counts.failures += 1
        self._tell_once(f"the timeline {self._path} cannot be written: {error.strerror}; free space on the disk")

    def _tell_once(self, words: str) -> None:
        if self._told:
            return
        self._told = True
        log.warning("%s", words)
        self._on_trouble(words)


def _cut_torn_line(path: Path) -> None:
    """Cut off what stands behind the last line's end."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)


@dataclass(frozen=True, slots=True)
class Timeline:
    """What a timeline file holds."""

    observations: tuple[Observation, ...]
    torn: bool = False
    """Whether the last line was cut off by a crash; it is left out."""
    unreadable: int = 0
    """Other lines that are not observations; they are left out."""


def read_timeline(path: Path) -> Timeline:
    """Read a timeline, also one that a crash ended or that does not exist (which is empty).

    Raises:
        OSError: it is there and cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Timeline(())
    lines = content.split(b"\n")
    torn = bool(lines.pop())
    found: list[Observation] = []
    unreadable = 0
    for line in lines:
        try:
            found.append(Observation.model_validate_json(line))
        except ValidationError:
            unreadable += 1
    return Timeline(tuple(found), torn, unreadable)


def summary(lines: Iterable[Observation], seconds: float | None = None) -> TimelineSummary:
    """A room's timeline in a few figures.

    Args:
        lines: observations in any order.
        seconds: length of the session, in seconds; only [0, seconds) counts. Without it everything from 0 on.
    """
    end = float("inf") if seconds is None else seconds
    kept = [line for line in lines if line.t < end and line.t + line.seconds >= 0]
    turns = [
        Turn(max(0.0, line.t), min(end, line.t + line.seconds) - max(0.0, line.t))
        for line in kept
        if line.kind == "speech"
    ]
    shown = [SlideShown(line.t, int(line.value.get("index", 0))) for line in kept if line.kind == "slide"]
    return TimelineSummary(
        observations=len(kept),
        speech_seconds=round(talk_time(turns), 3),
        people=_people(kept, seconds),
        slides=slide_count(shown),
    )


def _people(lines: list[Observation], seconds: float | None) -> PeopleCount:
    samples = [Sample(line.t, line.value.get("count")) for line in lines if line.kind == "people"]
    if not samples:
        return PeopleCount()
    told = [line.value.get("people_s") for line in lines if line.kind == "cadence"]
    interval = next((float(one) for one in reversed(told) if one), INTERVAL_S)
    start = 0.0 if seconds is not None else min(one.t_s for one in samples)
    end = seconds if seconds is not None else max(one.t_s for one in samples) + interval
    count = typical_count(samples, start, end, interval)
    return PeopleCount(median=count.median, known=count.known)
