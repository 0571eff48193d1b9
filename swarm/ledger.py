"""What the fleet produced, written down before a row reaches any box, and how long rows took."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.report.outbox import Sample


@dataclass(frozen=True, slots=True)
class Line:
    """One row that was produced."""

    id: str
    wall: float
    """When, by the clock of this machine, which the simulated devices' clocks may differ from."""


class Produced:
    """Appends a line a row; read back at the end, so that nothing depends on what the fleet remembers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("w", encoding="ascii", buffering=1 << 16)
        self._lock = threading.Lock()

    def note(self, mark: str) -> None:
        """Row `mark` is about to be put."""
        with self._lock:
            self._file.write(f"{mark} {time.time():.6f}\n")

    def close(self) -> None:
        """Everything is written."""
        self._file.close()

    @staticmethod
    def read(path: Path) -> list[Line]:
        """Every row, in the order of production."""
        found = []
        with path.open(encoding="ascii") as file:
            for line in file:
                mark, _, wall = line.partition(" ")
                found.append(Line(mark, float(wall)))
        return found


@dataclass(frozen=True, slots=True)
class Spread:
    """Times of many rows, in milliseconds."""

    rows: int
    p50: float
    p99: float
    longest: float

    @classmethod
    def of(cls, waits_s: Sequence[float]) -> "Spread | None":
        """From seconds; None where there are none."""
        if not waits_s:
            return None
        ordered = sorted(waits_s)
        at = (ordered[int(len(ordered) * share)] for share in (0.5, 0.99))
        p50, p99 = (round(1000 * one, 1) for one in at)
        return cls(len(ordered), p50, p99, round(1000 * ordered[-1], 1))


class Waits:
    """From production to the arrival of the watermark that covers it, by the device's monotonic clock."""

    def __init__(self) -> None:
        self.steady: list[float] = []
        """Samples of devices that nobody cut."""
        self.cut: list[float] = []
        """Rows of devices that an outage cut, whenever they were made."""
        self.bursts: list[float] = []
        """Events of a burst, of devices that nobody cut."""

    def add(self, rows: Sequence[Sample], *, cut: bool) -> None:
        """The hub has acknowledged these rows, just now."""
        now_ns = time.monotonic_ns()
        for row in rows:
            into = self.cut if cut else self.bursts if row.kind == BURST else self.steady
            into.append((now_ns - row.mono_ns) / 1e9)


SAMPLE = "health"
BURST = "burst"
DATA = {
    "cpu": 0.31,
    "memory_free_bytes": 3_481_272_320,
    "disk_free_bytes": 81_604_378_624,
    "temperature_c": 51.0,
    "uplink_ms": 14.2,
    "clock": {"offset_ns": 48_211_904, "bound_ns": 1_902_113, "drift_ppm": -3.1},
    "sources": {"camera": "ok", "slides": "ok", "sound": "ok"},
    "outbox": {"tele": 3, "event": 0},
}
"""What a sample holds, of the size of a real one's."""
