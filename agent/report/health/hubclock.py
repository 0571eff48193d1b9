"""How far this machine's wall clock is from the hub's."""

import time
from collections.abc import Callable

from agent.report.clock import HubClock
from agent.report.health.probe import Probe, Reading

ERROR_STEP_MS = 10.0


def probe(
    clock: HubClock, mono_ns: Callable[[], int] = time.monotonic_ns, wall_ns: Callable[[], int] = time.time_ns
) -> Probe:
    """`clock_offset_ms`: hub minus wall clock; `clock_error_ms`: its bound; `clock_source`: `exchange` or `wall`.

    Without an exchange with the hub in this boot there is no offset.
    """

    def look() -> Reading:
        now_ns, wall = mono_ns(), wall_ns()
        if not clock.heard:
            return {"clock_offset_ms": None, "clock_error_ms": None, "clock_source": "wall"}
        return {
            "clock_offset_ms": round((clock.hub_ns(now_ns) - wall) / 1e6),
            "clock_error_ms": round(clock.error_ns(now_ns) / 1e6, 1),
            "clock_source": "exchange",
        }

    always = frozenset({"clock_offset_ms"})
    return Probe("clock", look, always=always, steps={"clock_error_ms": ERROR_STEP_MS})
