"""What a long lesson does to a room's memory: it sends to two rooms, records, and receives from them.

Takes half an hour, so `make bench` runs it only when it is named. SOAK_MINUTES in the environment makes it shorter.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.memory_room import BITRATE_BPS, SIZE

TITLE = "Memory over a long lesson"
ROOMS = ("lead", "east", "west")
MINUTES = float(os.environ.get("SOAK_MINUTES", "30"))
WARM_S = 120.0
"""Memory is looked at from here on: by then every queue and cache has been in use."""
SAMPLE_S = 10.0
EDGE = 6
"""Samples at the beginning and at the end, a minute of each, whose medians are compared."""
GOAL = 0.05
CLOSE_S = 60.0
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Growth:
    """One run."""

    rss_mib: list[float]
    """Resident memory of the lead room's process, each `SAMPLE_S` after `WARM_S`."""
    received: dict[str, int]
    """Pictures that it decoded, by room."""
    recorded: int
    """Pictures in its recording."""
    seen: dict[str, int]
    """Pictures of it that each other room decoded."""
    moves: dict[str, list[list[Any]]]
    """What each other room told of its connection and of its ladder's rung, with the second at which it did."""

    @property
    def begin_mib(self) -> float:
        return median(self.rss_mib[:EDGE])

    @property
    def end_mib(self) -> float:
        return median(self.rss_mib[-EDGE:])

    @property
    def share(self) -> float:
        """By how much memory grew; 0.05 is 5 %."""
        return self.end_mib / self.begin_mib - 1


class Room:
    """One room's process; hands its signals on, as a hub would, and counts the pictures it saw."""

    def __init__(self, name: str, command: list[str], lesson: dict[str, "Room"]) -> None:
        self.name = name
        self.seen = 0
        self.moves: list[list[Any]] = []
        """What it told of its connection, and of the rungs of its ladder."""
        self.held: dict[str, Any] | None = None
        self._lesson = lesson
        self._begin = time.monotonic()
        self._writing = threading.Lock()
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def hear(self, line: str) -> None:
        assert self.process.stdin is not None
        with self._writing, contextlib.suppress(BrokenPipeError, ValueError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def leave(self) -> None:
        """Let it end by itself."""
        assert self.process.stdin is not None
        with self._writing, contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._listening.join(CLOSE_S)

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            if line.startswith('["picture"'):
                self.seen += 1
            elif line.startswith(('["state"', '["rung"')):
                self.moves.append([round(time.monotonic() - self._begin), *json.loads(line)])
            elif line.startswith('{"signal"'):
                signal = json.loads(line)["signal"]
                if signal["to"] in self._lesson:
                    self._lesson[signal["to"]].hear(json.dumps(signal))
            elif line.startswith('{"held"'):
                self.held = json.loads(line)["held"]


def measured(minutes: float, warm_s: float = WARM_S, *, trace: bool = False) -> Growth:
    """Hold a lesson.

    Args:
        minutes: in all.
        warm_s: from when on memory is looked at, in seconds.
        trace: have the lead room say which lines of the code hold more at the end; it is slower then, and larger.

    Raises:
        RuntimeError: a room ended by itself.
    """
    names, lesson = ",".join(ROOMS), {}  # type: ignore[var-annotated]
    with tempfile.TemporaryDirectory() as folder:
        lead = ["benchmarks.memory_room", folder, names, *(["--trace", str(warm_s)] if trace else [])]
        try:
            lesson[ROOMS[0]] = Room(ROOMS[0], lead, lesson)
            for name in ROOMS[1:]:
                lesson[name] = Room(name, ["tests.faults.hold_room", name, "receiving", names, str(SIZE[0])], lesson)
            rss_mib = _sampled(list(lesson.values()), minutes * 60, warm_s)
        finally:
            for room in lesson.values():
                room.leave()
    held = lesson[ROOMS[0]].held
    if held is None:
        raise RuntimeError("the lead room did not tell what it held")
    seen = {name: lesson[name].seen for name in ROOMS[1:]}
    moves = {name: lesson[name].moves for name in ROOMS[1:]}
    return Growth(rss_mib, held["received"], held["recorded"], seen, moves)


def _sampled(rooms: list[Room], seconds: float, warm_s: float) -> list[float]:
    begin, lead = time.monotonic(), psutil.Process(rooms[0].process.pid)
    samples = []
    due = begin + warm_s
    while due <= begin + seconds:
        time.sleep(max(0.0, due - time.monotonic()))
        if (ended := next((room.name for room in rooms if room.process.poll() is not None), None)) is not None:
            raise RuntimeError(f"the room {ended} ended by itself")
        samples.append(lead.memory_info().rss / (1 << 20))
        due += SAMPLE_S
    return samples


def table() -> list[str]:
    """Run it and return the table's lines, in Markdown."""
    found = measured(MINUTES)
    received = sum(found.received.values())
    row = (
        f"| {MINUTES:g} | {found.begin_mib:.1f} MiB | {found.end_mib:.1f} MiB | {max(found.rss_mib):.1f} MiB "
        f"| {found.share:+.1%} | at most {GOAL:.0%} | {found.recorded} pictures | {received} "
        f"| {' and '.join(str(count) for count in found.seen.values())} |"
    )
    return [
        f"One room's process: a camera of {SIZE[0]}x{SIZE[1]} at 25 fps and {BITRATE_BPS / 1000:.0f} kbps and a",
        "microphone, sent to two rooms and recorded, while it receives and decodes theirs (320x180). Resident memory",
        f"each {SAMPLE_S:.0f} s after {WARM_S / 60:.0f} minutes of warm-up; the median of the first minute against",
        "that of the last.",
        "",
        "| minutes | first | last | most | growth | goal | recorded | received | seen by the other rooms |",
        "|---|---|---|---|---|---|---|---|---|",
        row,
    ]
