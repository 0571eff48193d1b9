"""What is in the way at the school that asks."""

from collections.abc import Iterator

from hub.schedule.explain.change import FactChange
from hub.schedule.explain.obstacle import Obstacle
from hub.schedule.explain.occupied import Occupied, Place
from hub.schedule.facts import RECEIVING, School
from hub.schedule.rooms import Rooms
from hub.schedule.slots import Slot, covered, parities
from hub.schedule.wants import Request
from hub.schedule.words import Words, slot_words

MOST_ASSISTANTS = 3
"""Other assistants who are proposed."""


class AtHome:
    """Finds what keeps a request out of a slot of its own school; the same slot is looked at once."""

    def __init__(self, occupied: Occupied, request: Request) -> None:
        self._occupied = occupied
        self._names = occupied.names
        self._request = request
        self._home: School = occupied.names.home(request)
        self._pin = next((pin for pin in occupied.district.pins if pin.request == request.id), None)
        self._seen: dict[Slot, tuple[tuple[Obstacle, ...], str | None]] = {}

    def at(self, time: Slot) -> tuple[tuple[Obstacle, ...], str | None]:
        """What is in the way then, and the assistant with whom it is least."""
        found = self._seen.get(time)
        if found is None:
            people, assistant = self._assistant(time)
            found = self._seen[time] = ((*self._obstacles(time), *people), assistant)
        return found

    def _obstacles(self, time: Slot) -> Iterator[Obstacle]:
        request, then = self._request, slot_words(time)
        if time not in request.times:
            yield Obstacle(
                "time",
                Words(zh=f"{then.zh}不在可排节次内", en=f"{then.en} is not among the slots it may have"),
                (FactChange(kind="allow-time", request=request.id, time=time),),
            )
        if self._pin is not None and self._pin.time not in {None, time}:
            yield Obstacle("pin", Words(zh="已固定在别的节次", en="it is pinned to another slot"))
        if covered(self._home.closed, request.weeks, time):
            name = self._names.school(self._home.id)
            yield Obstacle("closed", Words(zh=f"{name} {then.zh}停课", en=f"{name} is closed on {then.en}"))
        yield from self._class(time)
        for observer in request.observers:
            yield from self._person(observer, time)
        yield from self._rooms(time)
        yield from self._line(time)

    def _class(self, time: Slot) -> Iterator[Obstacle]:
        pupils = self._request.school_class
        if pupils is None:
            return
        then, name = slot_words(time), self._names.school_class(pupils)
        if covered(self._names.classes[pupils].away, self._request.weeks, time):
            yield Obstacle(
                "away",
                Words(zh=f"{name} {then.zh}不在", en=f"{name} is away on {then.en}"),
                (FactChange(kind="present", school_class=pupils, time=time),),
            )
        for parity in parities(self._request.weeks):
            other = self._occupied.class_at.get((pupils, parity, time))
            if other is not None:
                what = self._names.request(other)
                yield Obstacle(
                    "class-busy",
                    Words(zh=f"{name} {then.zh}已排 {what.zh}", en=f"{name} has {what.en} on {then.en}"),
                )
                return

    def _person(self, teacher: str, time: Slot) -> Iterator[Obstacle]:
        then, name = slot_words(time), self._names.teacher(teacher)
        if covered(self._names.teachers[teacher].away, self._request.weeks, time):
            yield Obstacle(
                "away",
                Words(zh=f"{name} {then.zh}不在", en=f"{name} is away on {then.en}"),
                (FactChange(kind="present", teacher=teacher, time=time),),
            )
        with_what = self._busy_with(teacher, time)
        if with_what is not None:
            yield Obstacle(
                "observer-busy" if teacher in self._request.observers else "assistant-busy",
                Words(zh=f"{name} {then.zh}有 {with_what.zh}", en=f"{name} has {with_what.en} on {then.en}"),
            )

    def _busy_with(self, teacher: str, time: Slot) -> Words | None:
        for parity in parities(self._request.weeks):
            other = self._occupied.busy.at.get((teacher, parity, time))
            if other is not None:
                known = other in self._names.lessons and self._names.lessons[other].teacher == teacher
                return self._names.lesson(other) if known else self._names.request(other)
        return None

    def _assistant(self, time: Slot) -> tuple[tuple[Obstacle, ...], str | None]:
        """What keeps the assistants away, and who is kept least; nothing where nobody has to assist."""
        if not self._request.assistants:
            return (), None
        best: tuple[Obstacle, ...] = ()
        who = None
        for teacher in self._request.assistants:
            found = tuple(self._person(teacher, time))
            if who is None or sum(one.cost for one in found) < sum(one.cost for one in best):
                best, who = found, teacher
        if not best:
            return best, who
        others = tuple(
            FactChange(kind="assistant", request=self._request.id, teacher=teacher) for teacher in self._others(time)
        )
        all_of_them = Words(zh="；".join(one.words.zh for one in best), en="; ".join(one.words.en for one in best))
        there = best[0].changes if len(best) == 1 else ()
        return (Obstacle(best[0].kind, all_of_them, (*others, *there)),), who

    def _others(self, time: Slot) -> list[str]:
        """Who else of the school is free: those first who teach or assist in that subject."""
        occupied, request = self._occupied, self._request
        free = [
            teacher.id
            for teacher in occupied.teachers_of(self._home.id)
            if not covered(teacher.away, request.weeks, time)
            and occupied.busy.free(teacher.id, request.weeks, time)
            and teacher.id not in request.assistants
            and teacher.id not in request.observers
        ]
        return sorted(free, key=lambda one: (request.subject not in occupied.subjects_of(one), one))[:MOST_ASSISTANTS]

    def _places(self, time: Slot) -> list[Place]:
        return [(self._home.id, parity, time) for parity in parities(self._request.weeks)]

    def _rooms(self, time: Slot) -> Iterator[Obstacle]:
        rooms = self._occupied.rooms_for(self._request)
        needs = self._request.needs | (frozenset() if self._request.mode == "master" else {RECEIVING})
        yield from room_obstacle(self._occupied, self._places(time), rooms, needs)

    def _line(self, time: Slot) -> Iterator[Obstacle]:
        yield from line_obstacle(self._occupied, self._home, self._places(time), self._occupied.units(self._request))


def room_obstacle(occupied: Occupied, places: list[Place], rooms: Rooms, needs: frozenset[str]) -> Iterator[Obstacle]:
    """That no room is to be had in one of the slots of a school, and who has them."""
    full = [place for place in places if not occupied.has_room(place, rooms)]
    if not full:
        return
    school, _, time = full[0]
    then, name = slot_words(time), occupied.names.school(school)
    down = sorted(one for place in full for one in rooms - occupied.up(place))
    changes = [FactChange(kind="room-up", room=one, time=time) for one in dict.fromkeys(down)]
    for room in sorted(occupied.free_rooms(full) - rooms):
        tags = needs - occupied.names.rooms[room].equipment
        if tags:
            changes.append(FactChange(kind="equip-room", room=room, tags=tags))
    changes.append(FactChange(kind="add-room", school=school, tags=needs))
    if not rooms:
        words = Words(
            zh=f"{name} 没有合适的教室（{', '.join(sorted(needs))}）",
            en=f"{name} has no room that would do ({', '.join(sorted(needs))})",
        )
        yield Obstacle("no-room", words, tuple(changes))
        return
    by = {one.who: one for place in full for one in occupied.sessions(place) if one.room in rooms}
    holders = [
        Words(zh=f"{_room(occupied, one.room)}：{one.words.zh}", en=f"{_room(occupied, one.room)}: {one.words.en}")
        for one in by.values()
    ]
    told_down = [
        Words(zh=f"{_room(occupied, one)}：停用", en=f"{_room(occupied, one)}: down") for one in dict.fromkeys(down)
    ]
    told = [*holders, *told_down]
    words = Words(
        zh=f"{name} {then.zh}教室已满（{'；'.join(one.zh for one in told)}）",
        en=f"the rooms of {name} are full on {then.en} ({'; '.join(one.en for one in told)})",
    )
    yield Obstacle("rooms-full", words, tuple(changes))


def line_obstacle(occupied: Occupied, school: School, places: list[Place], units: int) -> Iterator[Obstacle]:
    """That a school's line does not carry one more in one of the slots, and who uses it."""
    if not units or not places:
        return
    lefts = [(occupied.line_left(school, parity, time), parity, time) for _, parity, time in places]
    left, parity, time = min(lefts)
    if left >= units:
        return
    then, name = slot_words(time), occupied.names.school(school.id)
    using = [one for one in occupied.sessions((school.id, parity, time)) if one.units]
    words = Words(
        zh=f"{name} {then.zh}上行已满（{'；'.join(f'{one.words.zh} {one.units}' for one in using)}）",
        en=f"the line of {name} is full on {then.en} ({'; '.join(f'{one.words.en} {one.units}' for one in using)})",
    )
    yield Obstacle("uplink-full", words, (FactChange(kind="uplink", school=school.id, number=units - left),))


def _room(occupied: Occupied, room: str) -> str:
    return occupied.names.rooms[room].name or room
