"""What an observation's value holds, read with doubt: a room may have written anything, a crash may have torn it."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from contract.observation import Observation

SIGNS_MOST = 200
"""Longest title that is shown, in signs."""
PEOPLE_MOST = 1000
"""More people are in no classroom: the count is a fault."""
INTERVAL_MOST_S = 3600.0
"""A longer time between two samples is a fault."""


def number(told: Any, low: float, high: float) -> float | None:
    """A number within these bounds; None for anything else, such as a truth value, a text or no number at all."""
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    return float(told) if math.isfinite(told) and low <= told <= high else None


def whole(told: Any, low: int, high: int) -> int | None:
    """A whole number within these bounds; None for anything else."""
    return told if isinstance(told, int) and not isinstance(told, bool) and low <= told <= high else None


def words(told: Any) -> str:
    """A text in one line of printable signs, at most `SIGNS_MOST`; empty for anything else."""
    if not isinstance(told, str):
        return ""
    return "".join(sign for sign in " ".join(told.split()) if sign.isprintable())[:SIGNS_MOST].strip()


def moment(t: float) -> float:
    """A session time as the report tells it, to the millisecond."""
    return round(t, 3)


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often one thing is looked at, over a lesson: from each time on, one look in so many seconds."""

    since_s: Sequence[float]
    """In order."""
    every_s: Sequence[float]
    """One for each; where it is not looked at, what it would be by default."""
    default_s: float

    @classmethod
    def of(cls, lines: Iterable[Observation], keys: Sequence[str], default_s: float) -> "Cadence":
        """The cadence under the first of these keys that a `cadence` line has."""
        told = sorted((one for one in lines if one.kind == "cadence"), key=lambda one: one.t)
        every = [
            next((found for key in keys if (found := number(one.value.get(key), 1e-3, INTERVAL_MOST_S))), default_s)
            for one in told
        ]
        return cls([one.t for one in told], every, default_s)

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
