"""What befalls the fleet meanwhile: pure; who acts is handed in."""

from collections.abc import Callable
from dataclasses import dataclass

CUT_SHARE = 0.1
"""Part of the fleet that outages cut."""
BURST_ROWS = 10
OUTAGES = ((0.2, "cut"), (0.55, "freeze"))
"""When each begins, as a part of the whole, and what the network does."""
BURSTS = (0.1, 0.45, 0.9)
OUTAGE_SHARE, OUTAGE_MAX_S = 0.15, 30.0
"""How long an outage lasts, as a part of the whole, and at most."""
DAY_S = 86_400.0
SKEWED_EVERY = 20
"""Of so many devices one begins in 1970 and one lives a day ahead."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that is done to the fleet."""

    at_s: float
    """Seconds from the beginning."""
    act: Callable[[], None]


def outages(seconds: float, breaking: dict[str, Callable[[], None]], mend: Callable[[], None]) -> list[Moment]:
    """The moments of every outage: each begins with one of `breaking` and ends with `mend`."""
    lasts_s = min(OUTAGE_MAX_S, OUTAGE_SHARE * seconds)
    moments = []
    for share, how in OUTAGES:
        moments += [Moment(share * seconds, breaking[how]), Moment(share * seconds + lasts_s, mend)]
    return moments


def bursts(seconds: float, burst: Callable[[int], None]) -> list[Moment]:
    """The moments at which every device says `BURST_ROWS` events at once, as when the bell rings."""
    return [Moment(share * seconds, lambda: burst(BURST_ROWS)) for share in BURSTS]


def skew_s(number: int, wall: float) -> float:
    """How far the clock of device `number` is off: most are right, one in twenty is in 1970, one a day ahead."""
    return {0: -wall, 1: DAY_S}.get(number % SKEWED_EVERY, 0.0)
