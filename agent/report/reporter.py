"""What the parts of the agent report through: one call a sample, from any thread."""

import itertools
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from agent.report.outbox import Outbox, Sample

NAME_LIMIT = 64
"""Longest id and kind that the hub takes; a row that it refuses would hold up all rows behind it."""


class Ledger:
    """Appends each row's id before the row reaches its outbox, so that losses can be counted from outside."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file: TextIO = path.open("a", encoding="ascii", buffering=1)
        self._lock = threading.Lock()

    def note(self, identifier: str) -> None:
        """Write one id down.

        Raises:
            OSError: the disk is full.
        """
        with self._lock:
            self._file.write(f"{identifier}\n")

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()

    @staticmethod
    def read(folder: Path) -> list[str]:
        """Every id in every ledger of a folder."""
        return [line for path in sorted(folder.glob("*.txt")) for line in path.read_text(encoding="ascii").split()]


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

    def telemetry(self, kind: str, data: dict[str, Any] | None = None) -> bool:
        """Report a sample that a newer one makes worthless; the first to go when there is no room."""
        return self._put(self._telemetry, kind, data or {})

    def event(self, kind: str, data: dict[str, Any] | None = None) -> bool:
        """Report something that happened; False where the disk is full and it was given up."""
        return self._put(self._events, kind, data or {})

    def _put(self, box: Outbox, kind: str, data: dict[str, Any]) -> bool:
        mark = f"{self._prefix}-{next(self._numbers)}"
        sample = Sample(mark, kind[:NAME_LIMIT], self._boot, self._mono_ns(), self._wall(), data)
        if self._ledger is not None:
            try:
                self._ledger.note(mark)
            except (OSError, ValueError):
                self._ledger = None  # a witness that cannot write must not silence the witness that can
        return box.put(sample)
