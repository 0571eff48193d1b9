"""A district as the solvers see it: arrays of integers, nothing but packing.

An *option* is a lesson in one slot; a lesson takes at most one. A *place* is a request in one slot of its own school
with one assistant. A *candidate* is a place served by an option (or by none: an open class); a request takes at most
one, and only where its option is taken. Options and places use units of *resources*: a teacher, a class, a group
of rooms, a school's line, each in one slot of odd or even weeks. Nothing may use more than there is, and a lesson
serves at most `lesson_fan` candidates in either kind of week. That is all that must hold.

What is wished for is `option_gain` and `candidate_gain` of whatever is taken, less, for each *group* of requests (a
class, an under-resourced school), its cost of so many unmet. All figures are whole points, so scores compare exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hub.schedule.district import District
from hub.schedule.rooms import Rooms
from hub.schedule.slots import Slot

Ints = NDArray[np.int32]


class Resource(NamedTuple):
    """Something of which there is only so much in one slot."""

    kind: str
    """`teacher`, `teacher-day`, `class`, `rooms` or `uplink`."""
    who: str
    """Id of the teacher, class or school."""
    parity: int
    """0 in odd weeks, 1 in even weeks."""
    day: int
    period: int
    """0 for a whole day."""
    rooms: Rooms = frozenset()
    """For `rooms`: which of the school's."""


class Place(NamedTuple):
    """A request in one slot of its school, with one assistant."""

    request: int
    time: Slot
    assistant: str | None


class Option(NamedTuple):
    """A lesson in one slot of its school."""

    lesson: int
    time: Slot


@dataclass(frozen=True, slots=True)
class Compiled:
    """One district's packing problem. Rows that belong together lie together: `x_start[i]:x_start[i + 1]`."""

    district: District
    resources: Sequence[Resource]
    capacity: Ints
    """(resource,) units that there are."""
    lesson_mask: Ints
    """(lesson,) 1 for odd weeks, 2 for even weeks, 3 for both."""
    lesson_fan: Ints
    """(lesson,) candidates that it may serve in either kind of week."""
    lesson_start: Ints
    """(lesson + 1,) into the options."""
    options: Sequence[Option]
    option_gain: Ints
    option_use_start: Ints
    """(option + 1,) into the two below."""
    option_use: Ints
    """(use,) resource."""
    option_units: Ints
    """(use,) units of it."""
    places: Sequence[Place]
    """In the order of their requests."""
    place_use_start: Ints
    place_use: Ints
    place_units: Ints
    request_mask: Ints
    """(request,) as `lesson_mask`."""
    request_must: NDArray[np.bool_]
    """(request,) whether it is pinned: a plan that does not serve it is wrong."""
    request_start: Ints
    """(request + 1,) into the candidates."""
    candidate_place: Ints
    candidate_option: Ints
    """(candidate,) -1 for an open class."""
    candidate_gain: Ints
    candidate_minutes: Ints
    """(candidate,) minutes that both bells have in common; those of the period for an open class."""
    group_start: Ints
    """(group + 1,) into `group_member`."""
    group_member: Ints
    """(member,) request."""
    group_cost_start: Ints
    """(group + 1,) into `group_cost`."""
    group_cost: Ints
    """Points taken off for 0, 1, 2 ... unmet requests of the group; convex."""
    lesson_school: Sequence[str]
    """(lesson,) the lead school."""
    lesson_rooms: Sequence[Rooms]
    """(lesson,) rooms in which it can be held, faults aside."""
    request_school: Sequence[str]
    """(request,) the school that asks."""
    request_rooms: Sequence[Rooms]
    """(request,) rooms in which it can be served, faults aside."""
    kept: int
    """Points taken off once and for all for the plan before: a candidate that was taken then has them in its gain."""

    @property
    def candidate_request(self) -> Ints:
        """(candidate,) the request of each."""
        counts = np.diff(self.request_start)
        return np.repeat(np.arange(len(counts), dtype=np.int32), counts)
