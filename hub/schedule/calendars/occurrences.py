"""What a plan comes to on the dates of a term: one occurrence a lesson and date, with everybody in it."""

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field

from contract.timetable import TimetableSlot
from hub.schedule.district import District
from hub.schedule.errors import PlanWrong
from hub.schedule.facts import Room, School, SchoolClass, Teacher
from hub.schedule.plan import Held, Plan, Served
from hub.schedule.slots import Day, Id, Part, Period
from hub.schedule.terms import TeachingDay, Term
from hub.schedule.wants import Lesson, Request

ID_LENGTH = 64
"""Longest id that the database keeps."""


class Kind(StrEnum):
    """Who has a part in an occurrence, and a calendar of their own."""

    ROOM = "room"
    TEACHER = "teacher"
    CLASS = "class"
    SCHOOL = "school"


class Person(Part):
    """A teacher."""

    id: Id
    name: str = ""


class RoomPart(Part):
    """One room of an occurrence, in its own school's bells."""

    room: Id
    room_name: str = ""
    school: Id
    school_name: str = ""
    period: Period
    epoch: float = Field(description="When the period begins, in seconds of UTC.")
    ends: float


class LeadPart(RoomPart):
    """The room from which the lesson is taught (主讲教室)."""

    teacher: Person


class ReceivingPart(RoomPart):
    """A room that follows (听课教室), or the one that is booked for an open class."""

    request: Id
    school_class: Id | None = None
    class_name: str = ""
    teacher: Person | None = Field(None, description="The local teacher; none for observers, or where none is named.")
    observers: tuple[Person, ...] = Field((), description="Teachers who watch; of a master class only.")
    common_epoch: float = Field(description="From when both schools' bells run; its own period for an open class.")
    common_ends: float = Field(description="Until when they do.")


class Occurrence(Part):
    """One lesson on one date.

    The id is made of term, lesson (or the request of an open class) and week, so a lesson that is moved within its
    week keeps it, and calendars know it again.
    """

    id: str = Field(max_length=ID_LENGTH)
    term: Id
    week: int = Field(description="Teaching week whose lesson it is; on a make-up day that of the day it stands for.")
    day: Day = Field(description="Weekday whose lesson it is.")
    date: dt.date
    make_up: bool = False
    lesson: Id = Field(description="The lesson; of an open class the request.")
    mode: Literal["delivery", "master", "open"]
    title: str = ""
    subject: str
    grade: int
    epoch: float = Field(description="When it begins by the bells of the lead school, in seconds of UTC.")
    ends: float
    lead: LeadPart | None = Field(None, description="None for an open class.")
    receiving: tuple[ReceivingPart, ...]

    @property
    def rooms(self) -> tuple[RoomPart, ...]:
        """Every room, the lead room first."""
        return (*((self.lead,) if self.lead else ()), *self.receiving)

    @property
    def slot(self) -> TimetableSlot:
        """Week, weekday and period as the lead school counts them; an open class's own school."""
        return TimetableSlot(week=self.week, day=self.day, period=self.rooms[0].period)

    @property
    def parts(self) -> frozenset[tuple[Kind, str]]:
        """Everybody who has a part in it."""
        return frozenset(self._parts())

    def _parts(self) -> Iterator[tuple[Kind, str]]:
        for one in self.rooms:
            yield Kind.ROOM, one.room
            yield Kind.SCHOOL, one.school
            yield from ((Kind.TEACHER, teacher.id) for teacher in teachers_of(one))
            if isinstance(one, ReceivingPart) and one.school_class is not None:
                yield Kind.CLASS, one.school_class


def teachers_of(part: RoomPart) -> tuple[Person, ...]:
    """The teachers in a room: who leads, who stands beside the class, who observes."""
    if isinstance(part, LeadPart):
        return (part.teacher,)
    if isinstance(part, ReceivingPart):
        return (*((part.teacher,) if part.teacher else ()), *part.observers)
    return ()


def occurrence_id(term: str, lesson: str, day: TeachingDay, *, is_open: bool = False) -> str:
    """The id of a lesson in a week; a make-up day by pattern comes on top, so it has the date besides.

    Tildes stand between the parts because no id holds one. What would be too long is a digest.
    """
    parts = [
        term,
        *(["open"] if is_open else []),
        lesson,
        f"w{day.week:02d}",
        *([f"{day.date:%m%d}"] if day.extra else []),
    ]
    readable = "~".join(parts)
    if len(readable) <= ID_LENGTH:
        return readable
    return f"w{day.week:02d}~{hashlib.sha256(readable.encode()).hexdigest()[:40]}"


def expand(term: Term, district: District, plan: Plan, weeks: Iterable[int], timezone: ZoneInfo) -> list[Occurrence]:
    """The occurrences of a plan in some weeks of a term, in order of time; then by id.

    A lesson to which nobody listens on a date is no occurrence: of a pair, both are needed. Days off are left out,
    make-up days are in the week whose day they take.

    Args:
        term: its weeks, days off and make-up days.
        district: the district that the plan answers.
        plan: what is held and served.
        weeks: teaching weeks.
        timezone: of the bells.

    Raises:
        PlanWrong: the plan names what is not in the district.
        ValueError: the term has no such week.
    """
    wanted = frozenset(weeks)
    if wanted and not (min(wanted) >= 1 and max(wanted) <= term.weeks):
        raise ValueError(f"term {term.id} has weeks 1 to {term.weeks}, not {min(wanted)} to {max(wanted)}")
    by_weekday: dict[int, list[TeachingDay]] = defaultdict(list)
    for day in term.teaching_days:
        if day.week in wanted:
            by_weekday[day.day].append(day)
    sheet = _Sheet.of(term, district, timezone)
    listeners: dict[str, list[Served]] = defaultdict(list)
    for one in plan.served:
        if one.lesson is not None:
            listeners[one.lesson].append(one)
    found = [
        made
        for held in plan.held
        for day in by_weekday[held.time[0]]
        if (made := sheet.lesson(held, listeners[held.lesson], day)) is not None
    ]
    found += [
        made
        for served in plan.served
        if served.lesson is None
        for day in by_weekday[served.time[0]]
        if (made := sheet.open_class(served, day)) is not None
    ]
    return sorted(found, key=lambda one: (one.epoch, one.id))


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A district, as it is looked up."""

    term: Term
    timezone: ZoneInfo
    schools: Mapping[str, School]
    rooms: Mapping[str, Room]
    teachers: Mapping[str, Teacher]
    classes: Mapping[str, SchoolClass]
    lessons: Mapping[str, Lesson]
    requests: Mapping[str, Request]

    @classmethod
    def of(cls, term: Term, district: District, timezone: ZoneInfo) -> "_Sheet":
        return cls(
            term,
            timezone,
            _by_id(district.schools),
            _by_id(district.rooms),
            _by_id(district.teachers),
            _by_id(district.classes),
            _by_id(district.lessons),
            _by_id(district.requests),
        )

    def lesson(self, held: Held, listeners: Iterable[Served], day: TeachingDay) -> Occurrence | None:
        """A lesson on one day, with those who listen on it; None where it is not held then, or nobody listens."""
        lesson = _known(self.lessons, "lesson", held.lesson)
        if not day.holds(lesson.weeks):
            return None
        lead = LeadPart(**self._room(_room_on(held, day), held.time[1], day), teacher=self._person(lesson.teacher))
        receiving = tuple(
            self._receiving(served, request, day, lead)
            for served in sorted(listeners, key=lambda one: one.request)
            if day.holds((request := _known(self.requests, "request", served.request)).weeks)
        )
        if not receiving:
            return None
        return Occurrence(
            id=occurrence_id(self.term.id, lesson.id, day),
            lesson=lesson.id,
            mode=lesson.mode,
            title=lesson.title,
            lead=lead,
            **self._common(day, lead, receiving, lesson),
        )

    def open_class(self, served: Served, day: TeachingDay) -> Occurrence | None:
        """A room booked for an open class on one day; None where it is not held then."""
        request = _known(self.requests, "request", served.request)
        if not day.holds(request.weeks):
            return None
        part = self._receiving(served, request, day, None)
        return Occurrence(
            id=occurrence_id(self.term.id, request.id, day, is_open=True),
            lesson=request.id,
            mode="open",
            **self._common(day, part, (part,), request),
        )

    def _common(
        self, day: TeachingDay, first: RoomPart, receiving: tuple[ReceivingPart, ...], topic: Lesson | Request
    ) -> dict[str, Any]:
        return {
            "term": self.term.id,
            "week": day.week,
            "day": day.day,
            "date": day.date,
            "make_up": day.make_up,
            "subject": topic.subject,
            "grade": topic.grade,
            "epoch": first.epoch,
            "ends": first.ends,
            "receiving": receiving,
        }

    def _receiving(self, served: Served, request: Request, day: TeachingDay, lead: RoomPart | None) -> ReceivingPart:
        room = self._room(_room_on(served, day), served.time[1], day)
        school_class = None if request.school_class is None else _known(self.classes, "class", request.school_class)
        return ReceivingPart(
            **room,
            request=request.id,
            school_class=request.school_class,
            class_name=school_class.name if school_class else "",
            teacher=self._person(served.assistant) if served.assistant is not None else None,
            observers=tuple(self._person(one) for one in request.observers),
            common_epoch=max(room["epoch"], lead.epoch) if lead else room["epoch"],
            common_ends=min(room["ends"], lead.ends) if lead else room["ends"],
        )

    def _room(self, name: str, period: int, day: TeachingDay) -> dict[str, Any]:
        room = _known(self.rooms, "room", name)
        school = self.schools[room.school]
        if period > len(school.bells):
            raise PlanWrong(f"the plan names period {period} of school {school.id}, which has {len(school.bells)}")
        bell = school.bells[period - 1]
        return {
            "room": room.id,
            "room_name": room.name,
            "school": school.id,
            "school_name": school.name,
            "period": period,
            "epoch": self._instant(day.date, bell.begins),
            "ends": self._instant(day.date, bell.ends),
        }

    def _instant(self, date: dt.date, clock_time: str) -> float:
        return dt.datetime.combine(date, dt.time.fromisoformat(clock_time), self.timezone).timestamp()

    def _person(self, name: str) -> Person:
        return Person(id=name, name=_known(self.teachers, "teacher", name).name)


class _Named(Protocol):
    @property
    def id(self) -> str: ...


_NamedT = TypeVar("_NamedT", bound=_Named)


def _by_id(parts: Iterable[_NamedT]) -> dict[str, _NamedT]:
    return {part.id: part for part in parts}


def _known(among: Mapping[str, _NamedT], kind: str, name: str) -> _NamedT:
    found = among.get(name)
    if found is None:
        raise PlanWrong(f"the plan names {kind} {name}, which is not in the district")
    return found


def _room_on(one: Held | Served, day: TeachingDay) -> str:
    return one.room_even if day.parity and one.room_even is not None else one.room
