"""Which rooms of a school can serve whom, as capacities.

Whether everybody who is in a school in one slot finds a room is a matching. By Hall's theorem it exists exactly when
no group of demands, however chosen, is larger than the number of rooms that could serve any of it; so a
handful of capacities a slot is as exact as naming rooms, and rooms can be given out when the times stand.

Source: P. Hall, On Representatives of Subsets, Journal of the London Mathematical Society 10 (1935).
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from hub.schedule.district import District
from hub.schedule.errors import DistrictWrong
from hub.schedule.facts import LEAD, RECEIVING, Room
from hub.schedule.wants import Lesson, Request

MOST_KINDS = 10
"""Kinds of demand in one school: more, and the capacities of 2 ** kinds groups would be the larger problem."""

Rooms = frozenset[str]
"""Ids of rooms that can serve one kind of demand."""


def lead_rooms(lesson: Lesson, rooms: Iterable[Room]) -> Rooms:
    """The rooms, of those of the lead school, in which a lesson can be held."""
    return frozenset(room.id for room in rooms if lesson.needs | {LEAD} <= room.equipment)


def listening_rooms(request: Request, size: int | None, rooms: Iterable[Room]) -> Rooms:
    """The rooms, of those of the listening school, in which a request can be served.

    Args:
        request: what is asked for; observers need no camera, so any room does.
        size: pupils of the class; None where nobody said.
        rooms: the rooms of the school.
    """
    needs = request.needs | (frozenset() if request.mode == "master" else {RECEIVING})
    return frozenset(
        room.id for room in rooms if needs <= room.equipment and not (size and room.seats and room.seats < size)
    )


def groups(kinds: Iterable[Rooms]) -> list[Rooms]:
    """Every union of kinds of demand: the sets of rooms that Hall's condition has to be asked of, smallest first.

    Raises:
        DistrictWrong: there are more than `MOST_KINDS` kinds.
    """
    distinct = sorted(set(kinds) - {frozenset()}, key=lambda kind: (len(kind), sorted(kind)))
    if len(distinct) > MOST_KINDS:
        raise DistrictWrong(
            f"the rooms {', '.join(sorted(frozenset().union(*distinct))[:4])} ... are asked for in "
            f"{len(distinct)} ways that differ; {MOST_KINDS} can be planned for: let fewer kinds of equipment, "
            "or fewer pins to a room, decide"
        )
    unions = {
        frozenset().union(*chosen) for count in range(1, len(distinct) + 1) for chosen in combinations(distinct, count)
    }
    return sorted(unions, key=lambda union: (len(union), sorted(union)))


def by_school(district: District) -> dict[str, list[Room]]:
    """The rooms of each school, in the file's order; every school has an entry."""
    found: dict[str, list[Room]] = {school.id: [] for school in district.schools}
    for room in district.rooms:
        found[room.school].append(room)
    return found


def given_out(wants: Sequence[tuple[str, Rooms]], likes: Mapping[str, str]) -> dict[str, str] | None:
    """Give everybody of one slot a room.

    Args:
        wants: who, and the rooms that would do; nobody twice.
        likes: the room that somebody had before, and keeps where possible.

    Returns:
        The room of each; None where there are too few.

    Source: augmenting paths (Berge 1957).
    """
    holder: dict[str, str] = {}
    rooms = dict(wants)

    def place(who: str, tried: set[str]) -> bool:
        liked = likes.get(who, "")
        for room in sorted(rooms[who], key=lambda one: (one != liked, one in holder, one)):
            if room in tried:
                continue
            tried.add(room)
            if room not in holder or place(holder[room], tried):
                holder[room] = who
                return True
        return False

    ordered = sorted(rooms, key=lambda who: (likes.get(who, "") not in rooms[who], len(rooms[who]), who))
    if not all(place(who, set()) for who in ordered):
        return None
    return {who: room for room, who in holder.items()}
