"""What is asked of each lesson and each request by itself: its time, its room, whoever takes part."""

from collections.abc import Iterator, Mapping

from hub.schedule.checking.known import Known, inside, named, when
from hub.schedule.facts import LEAD, RECEIVING, School
from hub.schedule.plan import Held, Served
from hub.schedule.slots import Slot, Weeks, parities
from hub.schedule.wants import Lesson, Request


def rooms_of(one: Held | Served, weeks: Weeks) -> Mapping[int, str]:
    """The room in odd weeks (0) and even weeks (1), of those that the lesson or request meets."""
    if weeks == "AB":
        return {0: one.room, 1: one.room_even or one.room}
    return dict.fromkeys(parities(weeks), one.room)


def lesson_alone(known: Known, lesson: Lesson, held: Held) -> Iterator[str]:
    """What a held lesson breaks by itself."""
    who = known.lesson_words(lesson)
    teacher, school = known.teachers[lesson.teacher], known.lead_school(lesson)
    if held.time not in lesson.times:
        yield f"{who} is held {when(held.time)}, which is none of its times"
    for parity in inside(school.closed, lesson.weeks, held.time):
        yield f"{who} is held {when(held.time, [parity])}, when {named(school)} is closed"
    for parity in inside(teacher.away, lesson.weeks, held.time):
        yield f"{who} is held {when(held.time, [parity])}, when {named(teacher)} is away"
    yield from _rooms(known, who, held, lesson.weeks, school, lesson.needs | {LEAD})


def request_alone(known: Known, request: Request, served: Served) -> Iterator[str]:
    """What a served request breaks by itself."""
    who = known.request_words(request)
    school = known.home(request)
    pinned = known.pins.get(request.id)
    if served.time not in request.times and (pinned is None or pinned.time != served.time):
        yield f"{who} is served {when(served.time)}, which is none of its times"
    for parity in inside(school.closed, request.weeks, served.time):
        yield f"{who} is served {when(served.time, [parity])}, when {named(school)} is closed"
    size = None
    if request.school_class is not None:
        school_class = known.classes[request.school_class]
        size = school_class.size
        for parity in inside(school_class.away, request.weeks, served.time):
            yield f"{who} is served {when(served.time, [parity])}, when the class is away"
    for observer in request.observers:
        yield from _away(known, who, observer, request.weeks, served.time)
    yield from _assistant(known, who, request, served)
    needs = request.needs if request.mode == "master" else request.needs | {RECEIVING}
    yield from _rooms(known, who, served, request.weeks, school, needs, size)


def _assistant(known: Known, who: str, request: Request, served: Served) -> Iterator[str]:
    if served.assistant is None:
        if request.assistants:
            yield f"{who} is served without an assistant; it names {', '.join(request.assistants)}"
        return
    if served.assistant not in known.teachers:
        yield f"{who} has assistant {served.assistant}, who is not in the district"
        return
    if served.assistant not in request.assistants:
        yield f"{who} has assistant {named(known.teachers[served.assistant])}, whom it does not name"
    yield from _away(known, who, served.assistant, request.weeks, served.time)


def _away(known: Known, who: str, teacher: str, weeks: Weeks, time: Slot) -> Iterator[str]:
    for parity in inside(known.teachers[teacher].away, weeks, time):
        yield f"{who} is served {when(time, [parity])}, when {named(known.teachers[teacher])} is away"


def _rooms(
    known: Known,
    who: str,
    one: Held | Served,
    weeks: Weeks,
    school: School,
    needs: frozenset[str],
    size: int | None = None,
) -> Iterator[str]:
    if one.room_even is not None and weeks != "AB":
        yield f"{who} names room {one.room_even} for even weeks, but does not meet both odd and even weeks"
    told = set()
    for parity, room_id in rooms_of(one, weeks).items():
        room = known.rooms.get(room_id)
        if room is None:
            yield f"{who} is in room {room_id}, which is not in the district"
            continue
        if parity in inside(room.down, weeks, one.time):
            yield f"{who} is in room {named(room)} {when(one.time, [parity])}, when it is down"
        if room_id in told:
            continue
        told.add(room_id)
        if room.school != school.id:
            yield f"{who} is in room {named(room)}, which is of {named(known.schools[room.school])}"
        missing = needs - room.equipment
        if missing:
            yield f"{who} is in room {named(room)}, which lacks {', '.join(sorted(missing))}"
        if size and room.seats and room.seats < size:
            yield f"{who} is in room {named(room)}, which seats {room.seats}; the class has {size}"
