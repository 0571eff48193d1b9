"""Who is where in the plan that is being laid."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hub.schedule.facts import Room, School, uplink_at
from hub.schedule.slots import Slot, Weeks, Window, covered, parities


class Taken(NamedTuple):
    """What somebody's lesson or request takes in one slot of a school."""

    people: Sequence[str]
    """Ids of teachers and class."""
    away: Sequence[Window]
    """When they cannot."""
    units: int
    """Of the school's line."""


class Diary:
    """Who is where, in which slot of odd and even weeks."""

    def __init__(self) -> None:
        self._busy: set[tuple[str, int, Slot]] = set()
        self._line: Counter[tuple[str, int, Slot]] = Counter()

    def room(self, school: School, rooms: Iterable[Room], taken: Taken, weeks: Weeks, time: Slot) -> Room | None:
        """The first of some rooms in which it can be, in all the weeks; None where somebody or something is taken."""
        if covered((*taken.away, *school.closed), weeks, time):
            return None
        for parity in parities(weeks):
            if any((one, parity, time) in self._busy for one in taken.people):
                return None
            if self._line[school.id, parity, time] + taken.units > uplink_at(school, parity, time):
                return None
        for room in rooms:
            free = all((room.id, parity, time) not in self._busy for parity in parities(weeks))
            if free and not covered(room.down, weeks, time):
                return room
        return None

    def put(self, school: School, room: Room, taken: Taken, weeks: Weeks, time: Slot) -> None:
        """Write it down."""
        for parity in parities(weeks):
            self._busy.update((one, parity, time) for one in (room.id, *taken.people))
            self._line[school.id, parity, time] += taken.units
