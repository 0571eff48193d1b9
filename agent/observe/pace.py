"""How often the room is looked at: steps down by itself where the machine is short, and up again slowly.

Speech is never slowed: it costs little, and a hole in it could not be mended.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SETTLE_S: Final = 5.0
"""What a process does in its first seconds, and in those after a change, says nothing: it works off what waited."""
RECENT_S: Final = 10.0
"""Pictures that were replaced or came late within this time, in seconds, count as a shortage now."""
WINDOW_S: Final = 60.0
"""Processor time is looked at over this, in seconds: reading one slide takes a second of it at once."""
MOST_REPLACED: Final = 2
"""Pictures replaced, or looked at late, within `RECENT_S` from which on the machine is short."""
EASY_SHARE: Final = 0.6
"""Up again only where the process takes no more than this of what it may: a level more costs up to twice as much."""
REST_S: Final = 60.0
"""Seconds on a level before the first attempt to step up; doubles with each attempt that did not last."""
REST_MOST_S: Final = 600.0
LASTED_S: Final = 120.0
"""An attempt to step up that lasts so long has succeeded."""


class Level(StrEnum):
    """How often pictures are looked at."""

    FULL = "full"
    """As the settings say."""
    HALF = "half"
    """People and bodies half as often."""
    QUARTER = "quarter"
    """People and bodies a quarter as often, slides half."""
    LEAST = "least"
    """People and bodies a tenth as often, slides a quarter; never less."""


class Strain(StrEnum):
    """What the machine is to the level it is on."""

    SHORT = "short"
    """Pictures wait for too long, or the process takes more than it may."""
    FAIR = "fair"
    """It can bear this level."""
    EASY = "easy"
    """It could bear more."""


@dataclass(frozen=True, slots=True)
class Slower:
    """By how much the time between two looks grows."""

    people: float
    bodies: float
    slides: float


SLOWER: Final[Mapping[Level, Slower]] = {
    Level.FULL: Slower(1, 1, 1),
    Level.HALF: Slower(2, 2, 1),
    Level.QUARTER: Slower(4, 4, 2),
    Level.LEAST: Slower(10, 10, 4),
}
MOVES: Final[Mapping[tuple[Level, Strain], Level]] = {
    (Level.FULL, Strain.SHORT): Level.HALF,
    (Level.HALF, Strain.SHORT): Level.QUARTER,
    (Level.QUARTER, Strain.SHORT): Level.LEAST,
    (Level.LEAST, Strain.EASY): Level.QUARTER,
    (Level.QUARTER, Strain.EASY): Level.HALF,
    (Level.HALF, Strain.EASY): Level.FULL,
}
"""What is not here stays where it is."""


def moved(level: Level, strain: Strain) -> Level:
    """The level after this one."""
    return MOVES.get((level, strain), level)


@dataclass(frozen=True, slots=True)
class Cadence:
    """Seconds between two looks."""

    people_s: float
    bodies_s: float
    slides_s: float

    def slowed(self, level: Level) -> "Cadence":
        """On another level."""
        slower = SLOWER[level]
        times = (self.people_s * slower.people, self.bodies_s * slower.bodies, self.slides_s * slower.slides)
        return Cadence(*times)


@dataclass(frozen=True, slots=True)
class Told:
    """How the observing process stands; all but the time are sums since it began."""

    at_s: float
    """On any clock that does not step, in seconds."""
    cpu_s: float
    """Processor time, in seconds."""
    replaced: int
    """Pictures that a newer one replaced before they were looked at."""
    late: int
    """Pictures that were looked at late."""


class Pacer:
    """Follows the process and says on which level it is to look."""

    def __init__(self, share: float) -> None:
        """`share`: what the process may take of one core, over a minute."""
        self.level = Level.FULL
        self.why = ""
        """Why the level is another than it was, in words."""
        self._share = share
        self._told: deque[Told] = deque()
        self._begun_s: float | None = None
        self._rest_s = REST_S
        self._since_s: float | None = None
        """When the level last changed."""
        self._rose_s: float | None = None
        """When it last rose."""

    def begin(self) -> None:
        """Another process begins: its sums begin at zero, and loading it is no shortage. The level stays."""
        self._told.clear()
        self._begun_s = None

    def update(self, told: Told) -> bool:
        """Take how it stands, every few seconds; whether the level changed."""
        if self._begun_s is None:
            self._begun_s = told.at_s
        if told.at_s - self._begun_s < SETTLE_S:
            return False
        if self._since_s is None:
            self._since_s = told.at_s
        self._told.append(told)
        while told.at_s - self._told[0].at_s > WINDOW_S:
            self._told.popleft()
        if self._rose_s is not None and told.at_s - self._rose_s > LASTED_S:
            self._rest_s, self._rose_s = REST_S, None
        strain, why = self._strain()
        level = moved(self.level, strain)
        if level is self.level:
            return False
        if strain is Strain.EASY:
            self._rose_s = told.at_s
        elif self._rose_s is not None:
            self._rest_s, self._rose_s = min(REST_MOST_S, 2 * self._rest_s), None
        self.level, self.why, self._since_s = level, why, told.at_s
        self._told.clear()
        self._begun_s = told.at_s  # what waited at the moment of the change must not count twice
        return True

    def _strain(self) -> tuple[Strain, str]:
        last = self._told[-1]
        before = next(one for one in self._told if last.at_s - one.at_s <= RECENT_S)
        if last.replaced - before.replaced >= MOST_REPLACED:
            return Strain.SHORT, "pictures were replaced before they were looked at"
        if last.late - before.late >= MOST_REPLACED:
            return Strain.SHORT, "pictures were looked at late"
        first = self._told[0]
        seconds = last.at_s - first.at_s
        if seconds < WINDOW_S * 0.9:
            return Strain.FAIR, ""
        share = (last.cpu_s - first.cpu_s) / seconds
        if share > self._share:
            return Strain.SHORT, f"observing took {share:.0%} of a core, more than {self._share:.0%}"
        calm = last.replaced == first.replaced and last.late == first.late
        rested = self._since_s is not None and last.at_s - self._since_s >= self._rest_s
        if calm and rested and share <= EASY_SHARE * self._share:
            return Strain.EASY, "the machine has time again"
        return Strain.FAIR, ""
