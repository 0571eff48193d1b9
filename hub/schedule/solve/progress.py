"""How far the planner has come, and how long it may."""

import time
from collections.abc import Callable
from dataclasses import dataclass

TELL_EVERY_S = 0.2
"""The same phase is told anew only so often."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it has come."""

    phase: str
    """What it does now: `reading`, `greedy`, `compiling`, `bound`, `search`, `polish` or `checking`."""
    seconds: float
    """Since it began."""
    work: int = 0
    """Moves made."""
    points: int | None = None
    """What the best answer so far is worth."""
    served: int | None = None
    """Requests that it serves."""
    bound: float | None = None
    """No plan is worth more."""

    def told(self) -> dict[str, str | float | int | None]:
        """As the desk's solving process tells it."""
        return {
            "stage": self.phase,
            "elapsed_s": self.seconds,
            "points": self.points,
            "served": self.served,
            "bound": self.bound,
        }


class Allowance:
    """How long the planner may: so many seconds, or until its work is done, or until somebody says stop.

    Args:
        seconds: how long; None where the work is counted, and the clock has no say.
        stop: whether somebody says so.
    """

    def __init__(self, seconds: float | None, stop: Callable[[], bool]) -> None:
        self._begun = time.monotonic()
        self._free_s = 0.0
        self._seconds = seconds
        self._stop = stop

    @property
    def timed(self) -> bool:
        """Whether the clock has a say."""
        return self._seconds is not None

    def keep_back(self, seconds: float) -> None:
        """Have so many be left in the end."""
        if self._seconds is not None:
            self._seconds = max(0.0, self._seconds - seconds)

    def give(self, seconds: float) -> None:
        """So many were spent on something that does not count."""
        self._free_s += seconds

    def elapsed(self) -> float:
        """Seconds since it began, for people."""
        return time.monotonic() - self._begun

    def left(self, share: float = 1.0) -> float:
        """Seconds until a share of all of them is spent; never less than 0, infinite where the work is counted."""
        if self._seconds is None:
            return float("inf")
        return max(0.0, self._seconds * share + self._free_s - self.elapsed())

    def over(self, share: float = 1.0) -> bool:
        """Whether that share is spent, or somebody says stop."""
        return self.stopped() or self.left(share) <= 0

    def stopped(self) -> bool:
        """Whether somebody says stop."""
        return self._stop()
