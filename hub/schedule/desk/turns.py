"""When the session of each lesson begins and ends, so that no room is in two at a time; pure.

A session runs by the bells of its lead school. A class that follows comes and goes by its own, so two lessons that
follow each other in one room by its own bells may overlap by those of their lead schools. Then the earlier session
ends when the later one begins, but not before its class goes; and the later one begins when that class has gone.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from hub.schedule.calendars.occurrences import Occurrence, RoomPart

LEAST_S = 600.0
"""A session is not cut shorter than this, in seconds: two that overlap by more cannot both be held."""

Span = tuple[float, float]
"""Begin and end, in seconds of UTC."""


def spans(lessons: Iterable[Occurrence]) -> dict[str, Span]:
    """When each session runs, by lesson.

    Args:
        lessons: those that are held and become sessions; all that lie near each other in time.
    """
    found: dict[str, Span] = {}
    by_room: dict[str, list[tuple[RoomPart, str]]] = defaultdict(list)
    for lesson in lessons:
        found[lesson.id] = (lesson.epoch, lesson.ends)
        for part in lesson.rooms:
            by_room[part.room].append((part, lesson.id))
    for room in sorted(by_room):
        turns = sorted(by_room[room], key=lambda one: (one[0].epoch, one[1]))
        for (part, earlier), (_, later) in pairwise(turns):
            _part(found, earlier, later, part.ends)
    return found


def _part(found: dict[str, Span], earlier: str, later: str, gone: float) -> None:
    (begins, ends), (next_begins, next_ends) = found[earlier], found[later]
    if next_begins >= ends:
        return
    at = min(max(next_begins, gone), ends)
    if at - begins >= LEAST_S and next_ends - at >= LEAST_S:
        found[earlier], found[later] = (begins, at), (max(next_begins, at), next_ends)
