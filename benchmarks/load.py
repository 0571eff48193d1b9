"""What else this machine was doing: the processor time that others used beside a measurement."""

import os
import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Load:
    """Between `begin` and `told`."""

    at: float
    busy_s: float

    @classmethod
    def begin(cls) -> "Load":
        return cls(time.monotonic(), _busy_s())

    def told(self) -> str:
        """In words, for the table."""
        ran_s = time.monotonic() - self.at
        busy = (_busy_s() - self.busy_s) / ran_s
        return (
            f"Whole machine meanwhile: {busy:.2f} of {os.cpu_count()} cores busy, all processes of the measurement "
            f"included; load average at the end {os.getloadavg()[0]:.1f}."
        )


def _busy_s() -> float:
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)
