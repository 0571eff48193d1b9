"""Small changes of a district's facts that could let a request be served."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from pydantic import Field

from hub.schedule.district import District
from hub.schedule.facts import Room
from hub.schedule.repair.disrupted import one_of, swapped
from hub.schedule.repair.names import Names, topic_words
from hub.schedule.slots import Id, Part, Slot, Tags, Weeks, Window
from hub.schedule.wants import Ban, Lesson
from hub.schedule.words import WEEKS_EN, WEEKS_ZH, Words, slot_words

ChangeKind = Literal[
    "allow-time",
    "assistant",
    "fan-out",
    "present",
    "most-a-day",
    "lesson-time",
    "uplink",
    "room-up",
    "ban",
    "unit-gap",
    "min-overlap",
    "equip-room",
    "add-room",
    "weeks",
    "add-lesson",
]
COST: Mapping[ChangeKind, int] = {
    "allow-time": 10,
    "assistant": 12,
    "fan-out": 15,
    "present": 18,
    "most-a-day": 20,
    "lesson-time": 22,
    "room-up": 24,
    "uplink": 26,
    "ban": 30,
    "unit-gap": 36,
    "min-overlap": 38,
    "equip-room": 44,
    "add-room": 50,
    "weeks": 60,
    "add-lesson": 80,
}
"""Which change is the smaller one: first what a school decides by itself, then what the district does, then what is
bought. Only the order counts."""


class FactChange(Part):
    """One change; of the fields, those that its kind needs."""

    kind: ChangeKind = Field(
        description="allow-time: `request` may be served at `time`, too. assistant: `teacher` may assist in it. "
        "fan-out: `lesson` serves `number`. present: `teacher` or `school_class` is there at `time`. most-a-day: "
        "`teacher` leads `number` a day. lesson-time: `lesson` may be held at `time`, too. uplink: the line of "
        "`school` carries `number` units more. room-up: `room` can be used at `time`. ban: `ban` is lifted. unit-gap, "
        "min-overlap: the rule becomes `number`. equip-room: `room` gets `tags`. add-room: `school` gets a room with "
        "`tags`. weeks: `request` asks for `weeks` only. add-lesson: `offered` is offered."
    )
    request: Id | None = None
    lesson: Id | None = None
    teacher: Id | None = None
    school_class: Id | None = None
    school: Id | None = None
    room: Id | None = None
    time: Slot | None = None
    weeks: Weeks | None = None
    ban: Ban | None = None
    tags: Tags = frozenset()
    offered: Lesson | None = None
    number: int | None = None

    @property
    def cost(self) -> int:
        """How large it is, to compare."""
        return COST[self.kind] + (self.number or 0 if self.kind == "uplink" else 0)

    def applied(self, district: District) -> District:
        """The district with the change made."""
        return _APPLY[self.kind](district, self)

    def words(self, names: Names) -> Words:
        """What is to be done."""
        return _WORDS[self.kind](self, names)


def _allow_time(district: District, change: FactChange) -> District:
    request = one_of(district.requests, change.request or "", "request")
    changed = request.model_copy(update={"times": (*request.times, change.time)})
    return district.model_copy(update={"requests": swapped(district.requests, changed)})


def _weeks(district: District, change: FactChange) -> District:
    request = one_of(district.requests, change.request or "", "request")
    changed = request.model_copy(update={"weeks": change.weeks})
    return district.model_copy(update={"requests": swapped(district.requests, changed)})


def _assistant(district: District, change: FactChange) -> District:
    request = one_of(district.requests, change.request or "", "request")
    changed = request.model_copy(update={"assistants": (*request.assistants, change.teacher)})
    return district.model_copy(update={"requests": swapped(district.requests, changed)})


def _fan_out(district: District, change: FactChange) -> District:
    lesson = one_of(district.lessons, change.lesson or "", "lesson")
    changed = lesson.model_copy(update={"fan_out": change.number})
    return district.model_copy(update={"lessons": swapped(district.lessons, changed)})


def _lesson_time(district: District, change: FactChange) -> District:
    lesson = one_of(district.lessons, change.lesson or "", "lesson")
    changed = lesson.model_copy(update={"times": (*lesson.times, change.time)})
    return district.model_copy(update={"lessons": swapped(district.lessons, changed)})


def _present(district: District, change: FactChange) -> District:
    time = change.time or (1, 1)
    if change.teacher is not None:
        teacher = one_of(district.teachers, change.teacher, "teacher")
        there = teacher.model_copy(update={"away": without(teacher.away, time)})
        return district.model_copy(update={"teachers": swapped(district.teachers, there)})
    pupils = one_of(district.classes, change.school_class or "", "class")
    here = pupils.model_copy(update={"away": without(pupils.away, time)})
    return district.model_copy(update={"classes": swapped(district.classes, here)})


def _most_a_day(district: District, change: FactChange) -> District:
    teacher = one_of(district.teachers, change.teacher or "", "teacher")
    changed = teacher.model_copy(update={"most_a_day": change.number})
    return district.model_copy(update={"teachers": swapped(district.teachers, changed)})


def _uplink(district: District, change: FactChange) -> District:
    school = one_of(district.schools, change.school or "", "school")
    more = change.number or 0
    limits = tuple(one.model_copy(update={"uplink": one.uplink + more}) for one in school.uplink_limits)
    changed = school.model_copy(update={"uplink": school.uplink + more, "uplink_limits": limits})
    return district.model_copy(update={"schools": swapped(district.schools, changed)})


def _room_up(district: District, change: FactChange) -> District:
    room = one_of(district.rooms, change.room or "", "room")
    changed = room.model_copy(update={"down": without(room.down, change.time or (1, 1))})
    return district.model_copy(update={"rooms": swapped(district.rooms, changed)})


def _equip_room(district: District, change: FactChange) -> District:
    room = one_of(district.rooms, change.room or "", "room")
    changed = room.model_copy(update={"equipment": room.equipment | change.tags})
    return district.model_copy(update={"rooms": swapped(district.rooms, changed)})


def _add_room(district: District, change: FactChange) -> District:
    school = change.school or ""
    taken = {room.id for room in district.rooms}
    number = next(one for one in range(1, len(taken) + 2) if f"{school}-new{one}"[-63:] not in taken)
    room = Room(id=f"{school}-new{number}"[-63:], school=school, equipment=change.tags)
    return district.model_copy(update={"rooms": (*district.rooms, room)})


def _lift_ban(district: District, change: FactChange) -> District:
    return district.model_copy(update={"bans": tuple(one for one in district.bans if one != change.ban)})


def _add_lesson(district: District, change: FactChange) -> District:
    new = (change.offered,) if change.offered is not None else ()
    return district.model_copy(update={"lessons": (*district.lessons, *new)})


def _unit_gap(district: District, change: FactChange) -> District:
    return district.model_copy(update={"rules": district.rules.model_copy(update={"unit_gap": change.number})})


def _min_overlap(district: District, change: FactChange) -> District:
    rules = district.rules.model_copy(update={"min_overlap_minutes": change.number})
    return district.model_copy(update={"rules": rules})


_APPLY: Mapping[ChangeKind, Callable[[District, FactChange], District]] = {
    "allow-time": _allow_time,
    "assistant": _assistant,
    "fan-out": _fan_out,
    "present": _present,
    "most-a-day": _most_a_day,
    "lesson-time": _lesson_time,
    "uplink": _uplink,
    "room-up": _room_up,
    "ban": _lift_ban,
    "unit-gap": _unit_gap,
    "min-overlap": _min_overlap,
    "equip-room": _equip_room,
    "add-room": _add_room,
    "weeks": _weeks,
    "add-lesson": _add_lesson,
}


def without(windows: Iterable[Window], time: Slot) -> tuple[Window, ...]:
    """Windows with one slot taken out, in every week.

    >>> [(one.first, one.last) for one in without((Window(day=1, first=1, last=4),), (1, 2))]
    [(1, 1), (3, 4)]
    """
    day, period = time
    left: list[Window] = []
    for one in windows:
        if one.day != day or not one.first <= period <= one.last:
            left.append(one)
            continue
        for first, last in ((one.first, period - 1), (period + 1, one.last)):
            if first <= last:
                left.append(one.model_copy(update={"first": first, "last": last}))
    return tuple(left)


def _then(change: FactChange) -> Words:
    return slot_words(change.time or (1, 1))


def _who(change: FactChange, names: Names) -> str:
    if change.teacher is not None:
        return names.teacher(change.teacher)
    return names.school_class(change.school_class or "")


def _ban_words(change: FactChange, _names: Names) -> Words:
    named = change.ban.model_dump(exclude_none=True) if change.ban is not None else {}
    told = ", ".join(f"{field} {value}" for field, value in named.items())
    return Words(zh=f"取消禁排（{told}）", en=f"lift the ban ({told})")


def _offer_words(change: FactChange, names: Names) -> Words:
    lesson = change.offered
    if lesson is None:
        return Words(zh="增开一节课", en="one more lesson")
    who, topic, then = names.teacher(lesson.teacher), topic_words(lesson), slot_words(lesson.times[0], lesson.weeks)
    edition = Words(zh=lesson.edition, en=f", edition {lesson.edition}" if lesson.edition else "")
    return Words(
        zh=f"请 {who} {then.zh}增开一节{edition.zh}{topic.zh}课",
        en=f"let {who} offer one more lesson ({topic.en}{edition.en}) on {then.en}",
    )


def _tags(change: FactChange) -> str:
    return ", ".join(sorted(change.tags))


_WORDS: Mapping[ChangeKind, Callable[[FactChange, Names], Words]] = {
    "allow-time": lambda one, names: Words(
        zh=f"允许 {names.request(one.request or '').zh}排在{_then(one).zh}",
        en=f"let {names.request(one.request or '').en} be on {_then(one).en}, too",
    ),
    "assistant": lambda one, names: Words(
        zh=f"{names.request(one.request or '').zh}也可由 {_who(one, names)} 协助",
        en=f"let {_who(one, names)} assist in {names.request(one.request or '').en}, too",
    ),
    "fan-out": lambda one, names: Words(
        zh=f"{names.lesson(one.lesson or '').zh}可带 {one.number} 个听课教室",
        en=f"let {names.lesson(one.lesson or '').en} serve {one.number} rooms",
    ),
    "present": lambda one, names: Words(
        zh=f"{_who(one, names)} {_then(one).zh}在校", en=f"{_who(one, names)} is there on {_then(one).en}"
    ),
    "most-a-day": lambda one, names: Words(
        zh=f"{_who(one, names)} 每天可主讲 {one.number} 节",
        en=f"let {_who(one, names)} lead {one.number} lessons a day",
    ),
    "lesson-time": lambda one, names: Words(
        zh=f"{names.lesson(one.lesson or '').zh}也可排在{_then(one).zh}",
        en=f"let {names.lesson(one.lesson or '').en} be on {_then(one).en}, too",
    ),
    "uplink": lambda one, names: Words(
        zh=f"{names.school(one.school or '')}上行增加 {one.number} 个单位",
        en=f"give {names.school(one.school or '')} {one.number} more unit(s) of uplink",
    ),
    "room-up": lambda one, names: Words(
        zh=f"{names.room(one.room or '')} {_then(one).zh}可用",
        en=f"{names.room(one.room or '')} is up on {_then(one).en}",
    ),
    "ban": _ban_words,
    "unit-gap": lambda one, _names: Words(
        zh=f"允许单元进度相差 {one.number}", en=f"let units lie {one.number} apart (a rule for all)"
    ),
    "min-overlap": lambda one, _names: Words(
        zh=f"允许共同时间只有 {one.number} 分钟", en=f"let {one.number} minutes in common be enough (a rule for all)"
    ),
    "equip-room": lambda one, names: Words(
        zh=f"给 {names.room(one.room or '')} 配备 {_tags(one)}",
        en=f"equip {names.room(one.room or '')} with {_tags(one)}",
    ),
    "add-room": lambda one, names: Words(
        zh=f"{names.school(one.school or '')}增加一间教室（{_tags(one)}）",
        en=f"one more room ({_tags(one)}) in {names.school(one.school or '')}",
    ),
    "weeks": lambda one, names: Words(
        zh=f"{names.request(one.request or '').zh}只排{WEEKS_ZH[one.weeks or 'AB']}",
        en=f"ask for {names.request(one.request or '').en}{WEEKS_EN[one.weeks or 'AB']} only",
    ),
    "add-lesson": _offer_words,
}
