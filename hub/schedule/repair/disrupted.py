"""What a disruption makes of a district's facts."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from hub.schedule.district import District
from hub.schedule.errors import DisruptionWrong
from hub.schedule.facts import Room, School, SchoolClass, Teacher, UplinkLimit, uplink_at
from hub.schedule.plan import Held, Plan, Served
from hub.schedule.repair.disruption import (
    ClassSwap,
    Disruption,
    LessonExtended,
    RoomDown,
    SchoolClosed,
    Substitute,
    TeacherSick,
    UplinkHalved,
)
from hub.schedule.slots import Slot, Weeks, Window, parities
from hub.schedule.wants import Lesson, Request

_Part = TypeVar("_Part", School, Room, Teacher, SchoolClass, Lesson, Request)


def disrupted(district: District, disruption: Disruption, plan: Plan | None = None) -> District:
    """The district with its facts changed; in one week alone, if that is what it is about, when given that week's.

    Args:
        district: the facts so far.
        disruption: what happened.
        plan: what is held; a lesson that runs on is in the way where it is held.

    Raises:
        hub.schedule.errors.DisruptionWrong: it names what is not there, or what cannot be.
    """
    return _CHANGES[type(disruption)](district, disruption, plan)


def _teacher_sick(district: District, sick: TeacherSick, _plan: Plan | None) -> District:
    teacher = one_of(district.teachers, sick.teacher, "teacher")
    away = teacher.model_copy(update={"away": (*teacher.away, *sick.windows)})
    return district.model_copy(update={"teachers": swapped(district.teachers, away)})


def _room_down(district: District, fault: RoomDown, _plan: Plan | None) -> District:
    room = one_of(district.rooms, fault.room, "room")
    down = room.model_copy(update={"down": (*room.down, *fault.windows)})
    return district.model_copy(update={"rooms": swapped(district.rooms, down)})


def _school_closed(district: District, closure: SchoolClosed, _plan: Plan | None) -> District:
    school = one_of(district.schools, closure.school, "school")
    closed = school.model_copy(update={"closed": (*school.closed, *closure.windows)})
    return district.model_copy(update={"schools": swapped(district.schools, closed)})


def _uplink_halved(district: District, halved: UplinkHalved, _plan: Plan | None) -> District:
    school = one_of(district.schools, halved.school, "school")
    limits = list(school.uplink_limits)
    for window in halved.windows:
        limits.append(UplinkLimit(**window.model_dump(), uplink=school.uplink // 2))
        for limit in school.uplink_limits:
            both = _in_both(window, limit)
            if both is not None:
                limits.append(UplinkLimit(**both.model_dump(), uplink=limit.uplink // 2))
    return district.model_copy(
        update={"schools": swapped(district.schools, school.model_copy(update={"uplink_limits": tuple(limits)}))}
    )


def _class_swap(district: District, swap: ClassSwap, _plan: Plan | None) -> District:
    pupils = one_of(district.classes, swap.school_class, "class")
    home = one_of(district.schools, pupils.school, "school")
    for day, period in filter(None, (swap.first, swap.second)):
        if period > len(home.bells):
            raise DisruptionWrong(
                f"class {pupils.id}: weekday {day} has no period {period}; school {home.id} has {len(home.bells)} a day"
            )
    if swap.second is None:
        day, period = swap.first
        away = pupils.model_copy(update={"away": (*pupils.away, Window(day=day, first=period, last=period))})
        return district.model_copy(update={"classes": swapped(district.classes, away)})
    to = {swap.first: swap.second, swap.second: swap.first}
    changed = [
        one.model_copy(update={"times": tuple(to.get(time, time) for time in one.times)})
        for one in district.requests
        if one.school_class == pupils.id
    ]
    return district.model_copy(update={"requests": swapped(district.requests, *changed)})


def _substitute(district: District, substitute: Substitute, _plan: Plan | None) -> District:
    teacher = one_of(district.teachers, substitute.teacher, "teacher")
    if substitute.lesson is not None:
        lesson = one_of(district.lessons, substitute.lesson, "lesson")
        school = one_of(district.teachers, lesson.teacher, "teacher").school
        lessons = swapped(district.lessons, lesson.model_copy(update={"teacher": teacher.id}))
        changed = district.model_copy(update={"lessons": lessons})
    else:
        request = one_of(district.requests, substitute.request or "", "request")
        school = home_of(district, request)
        stands_in = request.model_copy(update={"assistants": (teacher.id,)})
        changed = district.model_copy(update={"requests": swapped(district.requests, stands_in)})
    if teacher.school != school:
        raise DisruptionWrong(f"teacher {teacher.id} is of school {teacher.school}; a substitute is of school {school}")
    return changed


def _lesson_extended(district: District, extended: LessonExtended, plan: Plan | None) -> District:
    lesson = one_of(district.lessons, extended.lesson, "lesson")
    held = next((one for one in plan.held if one.lesson == lesson.id), None) if plan is not None else None
    if plan is None or held is None:
        raise DisruptionWrong(f"lesson {lesson.id} is not held in the plan; only a lesson that is held can run on")
    teachers = {one.id: one for one in district.teachers}
    schools = {one.id: one for one in district.schools}
    lead = schools[teachers[lesson.teacher].school]
    ends = lead.bells[held.time[1] - 1].minutes[1] + extended.minutes
    windows = _run_into(lead, held.time, ends, lesson.weeks)
    rules = district.rules
    taken = _Taken()
    taken.add(lead, windows, held, {lesson.teacher}, None, rules.lead_uplink)
    requests = {one.id: one for one in district.requests}
    for served in plan.served:
        if served.lesson == lesson.id:
            request = requests[served.request]
            home = schools[home_of(district, request)]
            people = {*request.observers, *([served.assistant] if served.assistant else [])}
            units = 0 if request.mode == "master" else rules.listen_uplink
            after = _run_into(home, served.time, ends, request.weeks)
            taken.add(home, after, served, people, request.school_class, units)
    return taken.of(district)


class _Taken:
    """What a lesson that runs on keeps busy: rooms, people, and units of lines."""

    def __init__(self) -> None:
        self._rooms: dict[str, list[Window]] = {}
        self._people: dict[str, list[Window]] = {}
        self._classes: dict[str, list[Window]] = {}
        self._units: dict[tuple[str, Window], int] = {}

    def add(
        self,
        school: School,
        windows: Iterable[Window],
        planned: Held | Served,
        people: Iterable[str],
        school_class: str | None,
        units: int,
    ) -> None:
        """One room of the lesson, in the periods that it runs into."""
        people = set(people)
        for window in windows:
            room = planned.room_even if planned.room_even and window.weeks == "B" else planned.room
            self._rooms.setdefault(room, []).append(window)
            for one in people:
                self._people.setdefault(one, []).append(window)
            if school_class is not None:
                self._classes.setdefault(school_class, []).append(window)
            self._units[school.id, window] = self._units.get((school.id, window), 0) + units

    def of(self, district: District) -> District:
        """The district without what is kept busy."""
        schools = []
        for school in district.schools:
            limits = [
                UplinkLimit(**window.model_dump(), uplink=max(0, _line(school, window) - units))
                for (at, window), units in self._units.items()
                if at == school.id and units
            ]
            schools.append(_with(school, "uplink_limits", limits))
        return district.model_copy(
            update={
                "schools": tuple(schools),
                "rooms": tuple(_with(one, "down", self._rooms.get(one.id, ())) for one in district.rooms),
                "teachers": tuple(_with(one, "away", self._people.get(one.id, ())) for one in district.teachers),
                "classes": tuple(_with(one, "away", self._classes.get(one.id, ())) for one in district.classes),
            }
        )


def _in_both(one: Window, other: Window) -> Window | None:
    first, last = max(one.first, other.first), min(one.last, other.last)
    weeks = set(parities(one.weeks)) & set(parities(other.weeks))
    if one.day != other.day or first > last or not weeks:
        return None
    pattern: Weeks = "AB" if len(weeks) > 1 else "A" if weeks == {0} else "B"
    return Window(day=one.day, first=first, last=last, weeks=pattern)


def _line(school: School, window: Window) -> int:
    return min(uplink_at(school, parity, (window.day, window.first)) for parity in parities(window.weeks))


def _run_into(school: School, time: Slot, ends: int, weeks: Weeks) -> list[Window]:
    """The periods after a slot that begin before `ends`, in minutes since midnight: one window a kind of week."""
    day, period = time
    last = max((number for number, bell in enumerate(school.bells, start=1) if bell.minutes[0] < ends), default=0)
    kinds: tuple[Weeks, ...] = ("A", "B")
    return [
        Window(day=day, first=number, last=number, weeks=kinds[parity])
        for number in range(period + 1, last + 1)
        for parity in parities(weeks)
    ]


def home_of(district: District, request: Request) -> str:
    """The school of a request."""
    if request.school_class is not None:
        return one_of(district.classes, request.school_class, "class").school
    return one_of(district.teachers, request.observers[0], "teacher").school


def one_of(parts: Iterable[_Part], named: str, kind: str) -> _Part:
    """The part with that id.

    Raises:
        hub.schedule.errors.DisruptionWrong: there is none.
    """
    for one in parts:
        if one.id == named:
            return one
    raise DisruptionWrong(f"there is no {kind} {named} in the district (that week)")


def swapped(parts: Iterable[_Part], *changed: _Part) -> tuple[_Part, ...]:
    """The parts in their order, with some replaced by another of the same id."""
    by_id = {one.id: one for one in changed}
    return tuple(by_id.get(one.id, one) for one in parts)


def _with(part: _Part, field: str, more: Iterable[Window]) -> _Part:
    added: tuple[Window, ...] = tuple(more)
    return part.model_copy(update={field: (*getattr(part, field), *added)}) if added else part


_CHANGES: Mapping[type[Disruption], Callable[[District, Any, Plan | None], District]] = {
    TeacherSick: _teacher_sick,
    RoomDown: _room_down,
    SchoolClosed: _school_closed,
    UplinkHalved: _uplink_halved,
    ClassSwap: _class_swap,
    Substitute: _substitute,
    LessonExtended: _lesson_extended,
}
