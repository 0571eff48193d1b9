"""What stands between a request and a lesson."""

from dataclasses import dataclass, field
from typing import Literal

from hub.schedule.explain.change import FactChange
from hub.schedule.slots import Slot
from hub.schedule.words import Words

ObstacleKind = Literal[
    "topic",
    "unit",
    "weeks",
    "ban",
    "pin",
    "overlap",
    "time",
    "away",
    "closed",
    "class-busy",
    "assistant-busy",
    "observer-busy",
    "no-room",
    "rooms-full",
    "uplink-full",
    "fan-out-full",
    "other-time",
    "lead-busy",
    "most-a-day",
    "lead-time",
]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One fact that is in the way."""

    kind: ObstacleKind
    words: Words
    changes: tuple[FactChange, ...] = ()
    """What would take it out of the way, the smallest first; nothing where no fact does."""

    @property
    def cost(self) -> int:
        """Of the smallest change."""
        return self.changes[0].cost if self.changes else NO_CHANGE


NO_CHANGE = 1000
"""Cost of an obstacle that no change of facts takes away."""
MORE_THAN_ONE = 100
"""Added for each change beyond the first: one large change is smaller than two small ones."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a request could be served, and what is in it."""

    lesson: str | None
    """None for an open class."""
    lead_time: Slot | None
    time: Slot
    assistant: str | None
    obstacles: tuple[Obstacle, ...] = field(default=())

    @property
    def cost(self) -> int:
        """How much would have to change."""
        return sum(one.cost for one in self.obstacles) + MORE_THAN_ONE * max(0, len(self.obstacles) - 1)

    @property
    def order(self) -> tuple[int, str, Slot, Slot, str]:
        """The smallest change first; equal ones always in the same order."""
        return self.cost, self.lesson or "", self.lead_time or (0, 0), self.time, self.assistant or ""
