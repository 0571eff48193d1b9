"""What the parts of the agent report through: one call a sample, from any thread."""

import itertools
import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from agent.report.outbox import Outbox, Sample

NAME_LIMIT = 64
"""Longest id and kind that the hub takes; a row that it refuses would hold up all rows behind it."""
TAIL_BYTES = 256 << 10
"""Longer than the longest line of a ledger."""


class Ledger:
    """Appends each row before it reaches its outbox, so that losses can be counted from outside.

    One line a row: its id, a tab, and the row itself: a kill between the ledger and
    the outbox leaves the last line to be made good at the next start.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file: TextIO = path.open("a", encoding="utf-8", buffering=1)

    def note(self, box: str, sample: Sample) -> None:
        """Write one row down.

        Raises:
            OSError: the disk is full.
            ValueError: the ledger is closed.
        """
        text = json.dumps({"box": box, **asdict(sample)}, separators=(",", ":"), default=str)
        self._file.write(f"{sample.id}\t{text}\n")

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()

    @staticmethod
    def read(folder: Path) -> list[str]:
        """Every id in every ledger of a folder; a line torn by a power cut does not count."""
        texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))]
        return [line.partition("\t")[0] for text in texts for line in text.split("\n") if line.endswith("}")]

    @staticmethod
    def last(folder: Path) -> tuple[str, Sample] | None:
        """The last row of the newest ledger, and the name of its outbox; None where there is none whole."""
        written = [path for path in folder.glob("*.txt") if path.stat().st_size]
        if not written:
            return None
        with max(written, key=lambda path: path.stat().st_mtime_ns).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            line = file.read().rstrip(b"\n").rpartition(b"\n")[2]
        try:
            row = json.loads(line.partition(b"\t")[2])
            return str(row.pop("box")), Sample(**row)
        except (ValueError, TypeError, KeyError):
            return None


class Reporter:
    """Stamps samples and events and puts them into their outboxes; never raises for a full disk."""

    def __init__(
        self,
        telemetry: Outbox,
        events: Outbox,
        *,
        device: str,
        boot: str,
        ledger: Ledger | None = None,
        mono_ns: Callable[[], int] = time.monotonic_ns,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._telemetry = telemetry
        self._events = events
        self._boot = boot
        self._ledger = ledger
        self._mono_ns = mono_ns
        self._wall = wall
        self._prefix = f"{device[:32]}-{secrets.token_hex(4)}"
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def telemetry(self, kind: str, data: dict[str, Any] | None = None) -> bool:
        """Report a sample that a newer one makes worthless; the first to go when there is no room."""
        return self._put(self._telemetry, kind, data or {})

    def event(self, kind: str, data: dict[str, Any] | None = None) -> bool:
        """Report something that happened; False where the disk is full and it was given up."""
        return self._put(self._events, kind, data or {})

    def _put(self, box: Outbox, kind: str, data: dict[str, Any]) -> bool:
        with self._lock:  # one row at a time between ledger and outbox, so that at most one can be cut off
            mark = f"{self._prefix}-{next(self._numbers)}"
            sample = Sample(mark, kind[:NAME_LIMIT], self._boot, self._mono_ns(), self._wall(), data)
            if self._ledger is not None:
                try:
                    self._ledger.note(box.path.stem, sample)
                except (OSError, ValueError):
                    self._ledger = None  # a witness that cannot write must not silence the witness that can
            return box.put(sample)


def make_good(folder: Path, boxes: tuple[Outbox, ...]) -> bool:
    """Put the row that a kill cut off between ledger and outbox; whether there was one."""
    cut = Ledger.last(folder)
    if cut is None:
        return False
    name, sample = cut
    box = next((one for one in boxes if one.path.stem == name), None)
    return box is not None and box.newest() != sample.id and box.put(sample)
