"""A lesson's time along a line."""

from dataclasses import dataclass

STEPS_S = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400)
TICKS_MOST = 12


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """From second 0 to `seconds`, between two places of a drawing."""

    seconds: float
    left: float
    right: float

    def x(self, t: float) -> float:
        """Where a moment lies; one outside of the lesson lies at its edge."""
        share = min(1.0, max(0.0, t / self.seconds)) if self.seconds > 0 else 0.0
        return self.left + share * (self.right - self.left)

    def between(self, t: float, seconds: float) -> tuple[float, float]:
        """From where to where a stretch lies."""
        return self.x(t), self.x(t + seconds)

    def ticks(self) -> list[int]:
        """Round moments, in seconds, at most `TICKS_MOST` and the first at 0."""
        step = next((one for one in STEPS_S if self.seconds / one <= TICKS_MOST), STEPS_S[-1])
        return list(range(0, int(self.seconds) + 1, step))
