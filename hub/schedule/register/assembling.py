"""Makes the planning problem of one week from the facts; what does not fit is told, and the rest is planned."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from hub.schedule.district import District, Goals, Rules
from hub.schedule.facts import Room, School, SchoolClass, Teacher, UplinkLimit
from hub.schedule.register.asking import Asking
from hub.schedule.register.kinds import (
    BanFact,
    BellsFact,
    ClassFact,
    ClosureFact,
    GoalsFact,
    Kind,
    LimitFact,
    PinFact,
    RoomFact,
    RulesFact,
    SchoolFact,
    TeacherFact,
    WishFact,
)
from hub.schedule.register.misfits import beyond_bells, gone
from hub.schedule.register.progress import Progress
from hub.schedule.register.register import Register
from hub.schedule.register.timetables import Timetables
from hub.schedule.register.words import Words, words
from hub.schedule.slots import Part, Window
from hub.schedule.terms import Term
from hub.schedule.wants import Ban, Pin, Wish

Placed = TypeVar("Placed", RoomFact, TeacherFact, ClassFact)
Naming = TypeVar("Naming", PinFact, BanFact, WishFact)

NAMES: Mapping[str, Kind] = {
    "request": Kind.REQUEST,
    "school_class": Kind.CLASS,
    "school": Kind.SCHOOL,
    "lesson": Kind.LESSON,
    "teacher": Kind.TEACHER,
    "lead_school": Kind.SCHOOL,
    "room": Kind.ROOM,
}
"""What the fields of pins, bans and wishes name."""


class Assembled(NamedTuple):
    """What the planner gets for a week."""

    district: District
    misfits: tuple[Words, ...]
    """What of the facts could not be used, and why."""


def district_of(register: Register, term: Term, week: int, *, dated: bool = True) -> Assembled:
    """The planning problem of one week.

    Args:
        register: the facts.
        term: the term that the week is of.
        week: a teaching week; it decides on units, and on what lies on dates.
        dated: whether what lies on dates counts: days off that nothing makes up for, closures, limits. A plan that
            is to hold for many weeks is made without, and that there are any is told.

    Raises:
        ValueError: the term has no such week.
    """
    term.date_of(week, 1)  # refuses a week that is not there
    return _Assembly(register, term, week, dated=dated).assembled()


class _Assembly:
    def __init__(self, register: Register, term: Term, week: int, *, dated: bool) -> None:
        self._register = register
        self._term = term
        self._week = week
        self._dated = dated
        self._misfits: list[Words] = list(register.unread)
        bells = {one.school: one.bells for one in register.all(BellsFact).values()}
        self._schools = {one.id: one for one in register.all(SchoolFact).values() if self._has(one, bells)}
        self._bells = {school: bells[school] for school in self._schools}
        self._rooms = self._placed(Kind.ROOM, register.all(RoomFact))
        self._teachers = self._placed(Kind.TEACHER, register.all(TeacherFact))
        self._classes = self._placed(Kind.CLASS, register.all(ClassFact))
        self._there: dict[Kind, Mapping[str, Any]] = {
            Kind.SCHOOL: self._schools,
            Kind.ROOM: self._rooms,
            Kind.TEACHER: self._teachers,
            Kind.CLASS: self._classes,
        }

    def assembled(self) -> Assembled:
        """All of it."""
        periods = {school: len(bells) for school, bells in self._bells.items()}
        timetables = Timetables(self._register, periods)
        asking = Asking(self._teachers, self._classes, timetables, Progress(self._register, self._week), periods)
        lessons, requests = asking.lessons(self._register), asking.requests(self._register)
        self._misfits += [*timetables.misfits, *asking.misfits, *self._passed_over()]
        self._there |= {
            Kind.LESSON: {one.id: one for one in lessons},
            Kind.REQUEST: {one.id: asking.home_of(one) for one in requests},
        }
        rules = self._register.all(RulesFact).get("district", RulesFact())
        goals = self._register.all(GoalsFact).get("district", GoalsFact())
        closed = self._closures()
        busy = timetables.busy(lessons, requests)
        district = District(
            name=f"{self._term.name or self._term.id} {self._week}",
            schools=self._open_schools(closed),
            rooms=tuple(Room(**_fields(one), down=tuple(closed[Kind.ROOM, one.id])) for one in self._rooms.values()),
            teachers=tuple(
                Teacher(
                    **_fields(one, "subjects", "assists"),
                    away=(*closed[Kind.TEACHER, one.id], *busy.get(one.id, ())),
                )
                for one in self._teachers.values()
            ),
            classes=tuple(
                SchoolClass(**_fields(one, "grade"), away=tuple(closed[Kind.CLASS, one.id]))
                for one in self._classes.values()
            ),
            lessons=lessons,
            requests=requests,
            pins=tuple(
                Pin(**_fields(one, "id")) for one in self._naming(Kind.PIN, PinFact) if self._pins(one, periods)
            ),
            bans=tuple(Ban(**_fields(one, "id", "words")) for one in self._naming(Kind.BAN, BanFact)),
            wishes=tuple(Wish(**_fields(one, "id", "words")) for one in self._naming(Kind.WISH, WishFact)),
            rules=Rules(**_fields(rules, "id")),
            goals=Goals(**_fields(goals, "id")),
        )
        return Assembled(district, tuple(self._misfits))

    # What there is.

    def _has(self, school: SchoolFact, bells: Mapping[str, object]) -> bool:
        if school.id in bells:
            return True
        self._misfits.append(words("fit.no_bells", school=_called(school)))
        return False

    def _placed(self, kind: Kind, facts: Mapping[str, Placed]) -> dict[str, Placed]:
        """Those whose school is there. Nothing is told of a school without bells: that is told of the school."""
        known = self._register.all(SchoolFact)
        for one in facts.values():
            if one.school not in known:
                self._misfits.append(gone(kind, one.id, Kind.SCHOOL, one.school))
        return {key: one for key, one in facts.items() if one.school in self._schools}

    def _open_schools(self, closed: Mapping[tuple[Kind | None, str], list[Window]]) -> tuple[School, ...]:
        limits: dict[str, list[UplinkLimit]] = defaultdict(list)
        for one in self._register.all(LimitFact).values():
            if one.school not in self._schools:
                self._misfits.append(gone(Kind.LIMIT, one.id, Kind.SCHOOL, one.school))
                continue
            windows = one.windows(self._term, self._week, dated=self._dated)
            limits[one.school] += [UplinkLimit(**_fields(window), uplink=one.uplink) for window in windows]
        everywhere = (*closed[None, ""], *self._days_off())
        return tuple(
            School(
                **_fields(one),
                bells=self._bells[one.id],
                uplink_limits=tuple(limits[one.id]),
                closed=(*everywhere, *closed[Kind.SCHOOL, one.id]),
            )
            for one in self._schools.values()
        )

    # When it is not there.

    def _closures(self) -> dict[tuple[Kind | None, str], list[Window]]:
        """By kind and id; of the district under None."""
        closed: dict[tuple[Kind | None, str], list[Window]] = defaultdict(list)
        for one in self._register.all(ClosureFact).values():
            kind = None if one.of == "district" else Kind(one.of)
            if kind is not None and one.who not in self._there[kind]:
                self._misfits.append(gone(Kind.CLOSURE, one.id, kind, str(one.who)))
                continue
            closed[kind, one.who or ""] += one.windows(self._term, self._week, dated=self._dated)
        return closed

    def _passed_over(self) -> Iterable[Words]:
        """That something of the weeks to come lies on dates, which a plan of many weeks knows nothing of."""
        kinds: tuple[tuple[Kind, type[ClosureFact | LimitFact]], ...] = (
            (Kind.CLOSURE, ClosureFact),
            (Kind.LIMIT, LimitFact),
        )
        first, last = self._term.date_of(self._week, 1), self._term.last_day
        found = [
            (one.begins, kind, one.id)
            for kind, model in kinds
            for one in self._register.all(model).values()
            if one.begins is not None and one.ends is not None and one.begins <= last and first <= one.ends
        ]
        if found and not self._dated:
            begins, kind, fact = min(found)
            yield words("fit.dated", count=len(found), kind=words(f"kind.{kind}"), id=fact, begins=str(begins))

    def _days_off(self) -> list[Window]:
        """Days of the week that are off, and that no other day makes up for."""
        if not self._dated:
            return []
        held = {one.day for one in self._term.teaching_days if one.week == self._week and not one.extra}
        return [Window(day=day, weeks="A" if self._week % 2 else "B") for day in range(1, 8) if day not in held]

    # What must be, and what had better be.

    def _naming(self, kind: Kind, model: type[Naming]) -> Iterable[Naming]:
        """Those that name only what is there."""
        for one in self._register.all(model).values():
            for field, of in NAMES.items():
                named = getattr(one, field, None)
                if named is not None and named not in self._there[of]:
                    self._misfits.append(gone(kind, one.id, of, named))
                    break
            else:
                yield one

    def _pins(self, pin: PinFact, periods: Mapping[str, int]) -> bool:
        """Whether a pin can be meant: its room and slot are of the request's school."""
        home = self._there[Kind.REQUEST][pin.request]
        if pin.room is not None and self._rooms[pin.room].school != home:
            self._misfits.append(words("fit.pin_room", id=pin.id, room=pin.room, school=home))
            return False
        if pin.time is not None and pin.time[1] > periods[home]:
            self._misfits.append(beyond_bells(Kind.PIN, pin.id, pin.time, home, periods[home]))
            return False
        return True


def _fields(part: Part, *without: str) -> dict[str, Any]:
    return {name: getattr(part, name) for name in type(part).model_fields if name not in without}


def _called(school: SchoolFact) -> str:
    return f"{school.id} {school.name}".strip()
