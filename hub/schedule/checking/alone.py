"""What is asked of each lesson and each request by itself: its time, its room, whoever takes part."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from hub.schedule.checking.known import Known, inside, named, when
from hub.schedule.facts import LEAD, RECEIVING, Room, School, Teacher
from hub.schedule.plan import Held, Served
from hub.schedule.slots import Slot, Weeks, parities
from hub.schedule.wants import Lesson, Request
from hub.schedule.words import Words


def rooms_of(one: Held | Served, weeks: Weeks) -> Mapping[int, str]:
    """The room in odd weeks (0) and even weeks (1), of those that the lesson or request meets."""
    if weeks == "AB":
        return {0: one.room, 1: one.room_even or one.room}
    return dict.fromkeys(parities(weeks), one.room)


def lesson_alone(known: Known, lesson: Lesson, held: Held) -> Iterator[Words]:
    """What a held lesson breaks by itself."""
    who = known.lesson_words(lesson)
    held_at = partial(_held_at, who)
    teacher, school = known.teachers[lesson.teacher], known.lead_school(lesson)
    if held.time not in lesson.times:
        yield _none_of_its_times(held_at(held.time))
    for parity in inside(school.closed, lesson.weeks, held.time):
        yield _closed(held_at(held.time, [parity]), school)
    for parity in inside(teacher.away, lesson.weeks, held.time):
        yield _away(held_at(held.time, [parity]), teacher)
    yield from _rooms(known, who, held, lesson.weeks, school, lesson.needs | {LEAD})


def request_alone(known: Known, request: Request, served: Served) -> Iterator[Words]:
    """What a served request breaks by itself."""
    who = known.request_words(request)
    served_at = partial(_served_at, who)
    school = known.home(request)
    pinned = known.pins.get(request.id)
    if served.time not in request.times and (pinned is None or pinned.time != served.time):
        yield _none_of_its_times(served_at(served.time))
    for parity in inside(school.closed, request.weeks, served.time):
        yield _closed(served_at(served.time, [parity]), school)
    size = None
    if request.school_class is not None:
        school_class = known.classes[request.school_class]
        size = school_class.size
        for parity in inside(school_class.away, request.weeks, served.time):
            at = served_at(served.time, [parity])
            yield Words(zh=f"{at.zh}，那时本班不在", en=f"{at.en}, when the class is away")
    for observer in request.observers:
        yield from _teacher_away(known, who, observer, request.weeks, served.time)
    yield from _assistant(known, who, request, served)
    needs = request.needs if request.mode == "master" else request.needs | {RECEIVING}
    yield from _rooms(known, who, served, request.weeks, school, needs, size)


def _assistant(known: Known, who: Words, request: Request, served: Served) -> Iterator[Words]:
    if served.assistant is None:
        if request.assistants:
            yield Words(
                zh=f"{who.zh} 没有协助教师；可选的有：{'、'.join(request.assistants)}",
                en=f"{who.en} is served without an assistant; it names {', '.join(request.assistants)}",
            )
        return
    if served.assistant not in known.teachers:
        yield Words(
            zh=f"{who.zh} 由 {served.assistant} 协助，但资料中没有这位教师",
            en=f"{who.en} has assistant {served.assistant}, who is not in the district",
        )
        return
    if served.assistant not in request.assistants:
        assistant = named(known.teachers[served.assistant])
        yield Words(
            zh=f"{who.zh} 由 {assistant} 协助，但不在可选的协助教师之中",
            en=f"{who.en} has assistant {assistant}, whom it does not name",
        )
    yield from _teacher_away(known, who, served.assistant, request.weeks, served.time)


def _teacher_away(known: Known, who: Words, teacher: str, weeks: Weeks, time: Slot) -> Iterator[Words]:
    for parity in inside(known.teachers[teacher].away, weeks, time):
        yield _away(_served_at(who, time, [parity]), known.teachers[teacher])


def _rooms(
    known: Known,
    who: Words,
    one: Held | Served,
    weeks: Weeks,
    school: School,
    needs: frozenset[str],
    size: int | None = None,
) -> Iterator[Words]:
    if one.room_even is not None and weeks != "AB":
        yield Words(
            zh=f"{who.zh} 为双周另指定了教室 {one.room_even}，但并不是单双周都上",
            en=f"{who.en} names room {one.room_even} for even weeks, but does not meet both odd and even weeks",
        )
    told = set()
    for parity, room_id in rooms_of(one, weeks).items():
        room = known.rooms.get(room_id)
        if room is None:
            yield Words(
                zh=f"{who.zh} 排在教室 {room_id}，但资料中没有这间教室",
                en=f"{who.en} is in room {room_id}, which is not in the district",
            )
            continue
        if parity in inside(room.down, weeks, one.time):
            at = when(one.time, [parity])
            yield Words(
                zh=f"{who.zh} {at.zh}排在教室 {named(room)}，那时该教室停用",
                en=f"{who.en} is in room {named(room)} {at.en}, when it is down",
            )
        if room_id in told:
            continue
        told.add(room_id)
        if room.school != school.id:
            owner = named(known.schools[room.school])
            yield _room(who, room, Words(zh=f"属于 {owner}", en=f"is of {owner}"))
        missing = needs - room.equipment
        if missing:
            lacking = sorted(missing)
            yield _room(who, room, Words(zh=f"缺少 {'、'.join(lacking)}", en=f"lacks {', '.join(lacking)}"))
        if size and room.seats and room.seats < size:
            yield _room(
                who,
                room,
                Words(
                    zh=f"只有 {room.seats} 个座位，而班级有 {size} 人", en=f"seats {room.seats}; the class has {size}"
                ),
            )


def _room(who: Words, room: Room, but: Words) -> Words:
    return Words(
        zh=f"{who.zh} 排在教室 {named(room)}，该教室{but.zh}", en=f"{who.en} is in room {named(room)}, which {but.en}"
    )


def _held_at(who: Words, time: Slot, in_weeks: Iterable[int] = (0, 1)) -> Words:
    at = when(time, in_weeks)
    return Words(zh=f"{who.zh} 排在{at.zh}", en=f"{who.en} is held {at.en}")


def _served_at(who: Words, time: Slot, in_weeks: Iterable[int] = (0, 1)) -> Words:
    at = when(time, in_weeks)
    return Words(zh=f"{who.zh} 排在{at.zh}", en=f"{who.en} is served {at.en}")


def _none_of_its_times(at: Words) -> Words:
    return Words(zh=f"{at.zh}，不在可排时间之内", en=f"{at.en}, which is none of its times")


def _closed(at: Words, school: School) -> Words:
    return Words(zh=f"{at.zh}，那时 {named(school)} 停课", en=f"{at.en}, when {named(school)} is closed")


def _away(at: Words, teacher: Teacher) -> Words:
    return Words(zh=f"{at.zh}，那时 {named(teacher)} 不在", en=f"{at.en}, when {named(teacher)} is away")
