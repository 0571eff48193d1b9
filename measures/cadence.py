"""How often one thing was looked at, where that changed during the lesson."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Cadence:
    """From each time on, one look in so many seconds."""

    since_s: Sequence[float]
    """In order."""
    every_s: Sequence[float]
    """One for each."""
    default_s: float
    """Where nothing is said."""

    @classmethod
    def told(cls, changes: Iterable[tuple[float, float]], default_s: float) -> Self:
        """From changes in any order, each a time and the seconds between two looks from then on."""
        ordered = sorted(changes)
        return cls([since for since, _ in ordered], [every for _, every in ordered], default_s)

    def interval_s(self, start_s: float, end_s: float) -> float:
        """Mean interval between looks from `start_s` to `end_s`: their length / the number of looks due.

        Formula: length / sum over the stretches of one cadence of (stretch / its interval).
        """
        first = bisect_right(self.since_s, start_s)
        cuts = [start_s, *(t for t in self.since_s[first:] if t < end_s), end_s]
        rates = [self.every_s[first - 1] if first else self._before(), *self.every_s[first : first + len(cuts) - 2]]
        due = sum((cuts[at + 1] - cuts[at]) / rate for at, rate in enumerate(rates))
        return (end_s - start_s) / due if due > 0 else rates[0]

    def _before(self) -> float:
        """Before the first line, which is told once the models are loaded, what it says holds too."""
        return self.every_s[0] if self.every_s else self.default_s
