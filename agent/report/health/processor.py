"""How busy the machine is."""

import psutil

from agent.report.health.probe import Probe, Reading

SECONDS_STEP = 60.0


class Load:
    """Load since the last look.

    Counted here: psutil keeps the last reading by thread, and every look has a thread of its own.
    """

    def __init__(self) -> None:
        self._before = _busy_and_all()

    def look(self) -> Reading:
        """Load of the whole machine, in per cent, and the CPU seconds that this process has used."""
        busy, every = _busy_and_all()
        busy_before, every_before = self._before
        self._before = (busy, every)
        share = (busy - busy_before) / (every - every_before) if every > every_before else 0.0
        own = psutil.Process().cpu_times()
        percent = round(100 * min(1.0, max(0.0, share)), 1)
        return {"cpu_percent": percent, "cpu_seconds": round(own.user + own.system, 1)}


def _busy_and_all() -> tuple[float, float]:
    """CPU seconds spent at work and altogether, over all cores."""
    times = psutil.cpu_times()
    # Linux counts a guest's time in `user` as well.
    every = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return every - times.idle - getattr(times, "iowait", 0.0), every


def probe() -> Probe:
    """`cpu_percent`, `cpu_seconds`."""
    return Probe("processor", Load().look, always=frozenset({"cpu_percent"}), steps={"cpu_seconds": SECONDS_STEP})
