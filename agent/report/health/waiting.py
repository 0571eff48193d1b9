"""What waits for the hub."""

import time
from collections.abc import Callable

from agent.report.health.probe import Probe, Reading
from agent.report.outbox import Depth

AGE_STEP_S = 5.0
"""Rows that wait less than this are on their way."""


def probe(
    name: str,
    depth: Callable[[], Depth],
    boot: str,
    *,
    wall: Callable[[], float] = time.time,
    mono_ns: Callable[[], int] = time.monotonic_ns,
) -> Probe:
    """Rows that wait in an outbox, age of the oldest in seconds, and rows given up since the service started.

    Args:
        name: of the outbox, `telemetry` or `event`; the fields begin with it.
        depth: how much waits.
        boot: this boot: the age of its rows is judged by the monotonic clock.
        wall: this machine's wall clock, by which older rows are judged.
        mono_ns: the monotonic clock.
    """

    def look() -> Reading:
        now = depth()
        age_s = round(now.age_s(boot, mono_ns(), wall()), 1)
        return {f"{name}_rows": now.rows, f"{name}_age_s": age_s, f"{name}_dropped": now.dropped}

    return Probe(f"{name} outbox", look, always=frozenset({f"{name}_rows"}), steps={f"{name}_age_s": AGE_STEP_S})
