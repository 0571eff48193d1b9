"""What kinds of facts there are, and what each holds.

Facts are what people know and change one by one. They hold less than what a solver is told: a request that leaves
its unit open follows its class's progress, one that leaves its times open follows the class's timetable. Facts name
each other by id, and may name what is not there (yet): `assembling` says so, and plans the rest.
"""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from hub.schedule.district import Goals, Rules
from hub.schedule.facts import RECEIVING
from hub.schedule.slots import Bell, Day, Id, Part, Period, Slot, Tags, Weeks, Window, bells_in_order
from hub.schedule.terms import Term
from hub.schedule.wants import Ban, Pin, Wish, expect_listeners


class Kind(StrEnum):
    """Kinds of facts, in the order in which they name each other."""

    TERM = "term"
    """A term, its weeks, days off and make-up days (学期)."""
    RULES = "rules"
    """What must hold, in figures; one for the district."""
    GOALS = "goals"
    """What is wished for, in points; one for the district."""
    SCHOOL = "school"
    """A school (学校)."""
    BELLS = "bells"
    """A school's periods of a day (作息时间)."""
    ROOM = "room"
    """A dual-teacher room (教室)."""
    TEACHER = "teacher"
    """A teacher of one school (教师)."""
    CLASS = "class"
    """A class that listens, or one that a lead teacher teaches (班级)."""
    TIMETABLE = "timetable"
    """When a class has which subject with whom (课表)."""
    LESSON = "lesson"
    """A lesson that a lead teacher offers (主讲课)."""
    REQUEST = "request"
    """What a class asks for (需求)."""
    PROGRESS = "progress"
    """Which unit of which edition is taught when (教学进度)."""
    PIN = "pin"
    """A request that must be served so (固定)."""
    BAN = "ban"
    """What must not be (禁排)."""
    WISH = "wish"
    """What had better be, or not be (意愿)."""
    CLOSURE = "closure"
    """When a school, a room, a teacher or a class is not there (停用、请假)."""
    LIMIT = "limit"
    """When a school's line carries less (上行限额)."""


class SchoolFact(Part):
    """One school; its bells, closures and limits are facts of their own."""

    id: Id
    name: str
    community: str = Field("", description="Community of schools (共同体).")
    uplink: int = Field(100, ge=0, description="Units that the school's line carries at once.")
    under_resourced: bool = Field(False, description="Whether the school counts as under-resourced (薄弱校).")


class BellsFact(Part):
    """A school's bell table; its id is the school's."""

    id: Id
    school: Id
    bells: tuple[Bell, ...] = Field(min_length=1, max_length=20, description="Periods of a day, in order.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        bells_in_order(self.bells)
        if self.id != self.school:
            raise ValueError(f"the bells of school {self.school} have its id, not {self.id}")
        return self


class RoomFact(Part):
    """One dual-teacher room."""

    id: Id
    school: Id
    name: str = ""
    equipment: Tags = Field(frozenset({RECEIVING}), description="`lead`, `receiving`, and whatever lessons ask for.")
    seats: int | None = Field(None, ge=1)


class TeacherFact(Part):
    """A teacher: who leads is said by lessons."""

    id: Id
    school: Id
    name: str = ""
    subjects: tuple[str, ...] = Field((), description="What the teacher can assist in; none said: anything.")
    assists: bool = Field(True, description="Whether the teacher may stand in the room for a request that names none.")
    most_a_day: int = Field(2, ge=1, description="Lead lessons on one day, at most.")


class ClassFact(Part):
    """A class."""

    id: Id
    school: Id
    name: str = ""
    grade: int | None = Field(None, ge=1, le=12)
    size: int | None = Field(None, ge=1)


class TimetableEntry(Part):
    """One period of a class's week."""

    day: Day
    period: Period
    subject: str
    teacher: Id | None = None
    weeks: Weeks = "AB"


class TimetableFact(Part):
    """A class's own timetable; its id is the class's."""

    id: Id
    school: Id
    entries: tuple[TimetableEntry, ...]


class LessonFact(Part):
    """A lesson that a lead teacher offers each week."""

    id: Id
    teacher: Id
    title: str = ""
    mode: Literal["delivery", "master"] = "delivery"
    subject: str
    grade: int = Field(ge=1, le=12)
    edition: str | None = Field(None, description="None: as its progress says.")
    unit: int | None = Field(None, ge=0, le=99, description="None: as its progress says.")
    weeks: Weeks = "AB"
    fan_out: int = Field(ge=1, le=200)
    times: tuple[Slot, ...] | None = Field(
        None, description="None: when the teacher has the subject by the timetable, else any period, Monday to Friday."
    )
    needs: Tags = frozenset()


class RequestFact(Part):
    """What one class, or some observers, ask for each week."""

    id: Id
    mode: Literal["delivery", "master", "open"] = "delivery"
    school_class: Id | None = None
    observers: tuple[Id, ...] = ()
    subject: str
    grade: int | None = Field(None, ge=1, le=12, description="None: the class's.")
    edition: str | None = Field(None, description="None: as the class's progress says.")
    unit: int | None = Field(None, ge=0, le=99, description="None: as the class's progress says.")
    weeks: Weeks = "AB"
    times: tuple[Slot, ...] | None = Field(
        None, description="None: when the class has the subject by its timetable, else any period, Monday to Friday."
    )
    assistants: tuple[Id, ...] | None = Field(
        None, description="None: who has the subject with the class, else who may assist in it at the school."
    )
    needs: Tags = frozenset()
    weight: int = Field(1, ge=1, le=100)

    @model_validator(mode="after")
    def _who_listens(self) -> Self:
        expect_listeners(self.mode, self.school_class, self.observers)
        return self


class ProgressFact(Part):
    """From a week on: which edition, which unit. Of one class, of one lesson, or of a whole grade of a school."""

    id: Id
    school_class: Id | None = None
    lesson: Id | None = None
    school: Id | None = None
    grade: int | None = Field(None, ge=1, le=12)
    subject: str = Field("", description="Of a class or a grade; a lesson has its own.")
    week: int = Field(1, ge=1, le=60, description="Counts from this week on, until a later one says otherwise.")
    edition: str | None = None
    unit: int | None = Field(None, ge=0, le=99)

    @model_validator(mode="after")
    def _whose(self) -> Self:
        named = [self.school_class is not None, self.lesson is not None, self.grade is not None]
        if sum(named) != 1 or (self.grade is not None) != (self.school is not None):
            raise ValueError("progress is that of a class, of a lesson, or of a grade of a school")
        if self.lesson is None and not self.subject:
            raise ValueError("progress of a class or of a grade names its subject")
        if self.edition is None and self.unit is None:
            raise ValueError("progress names an edition, a unit, or both")
        return self


class PinFact(Pin):
    """A pin; its id is the request's."""

    id: Id

    @model_validator(mode="after")
    def _named_as_the_request(self) -> Self:
        if self.id != self.request:
            raise ValueError(f"the pin of request {self.request} has its id, not {self.id}")
        return self


class BanFact(Ban):
    """A ban."""

    id: Id
    words: str = ""


class WishFact(Wish):
    """A wish."""

    id: Id
    words: str = ""


class RulesFact(Rules):
    """The district's rules."""

    id: Literal["district"] = "district"


class GoalsFact(Goals):
    """The district's goals."""

    id: Literal["district"] = "district"


class Stretch(Part):
    """When something is so: each week on one weekday, or from one date to another, both with it."""

    day: Day | None = None
    weeks: Weeks = "AB"
    begins: dt.date | None = None
    ends: dt.date | None = None
    first: Period = Field(1, description="From this period of a day on.")
    last: Period = Field(20, description="To this period, with it.")
    words: str = Field("", description="Why.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.day is None) == (self.begins is None) or (self.begins is None) != (self.ends is None):
            raise ValueError("it is so on a weekday, or from one date to another; one of both is said")
        if self.begins is not None and self.ends is not None and self.ends < self.begins:
            raise ValueError(f"it ends on {self.ends}, before it begins on {self.begins}")
        if self.last < self.first:
            raise ValueError(f"its last period, {self.last}, lies before its first, {self.first}")
        return self

    def windows(self, term: Term, week: int, *, dated: bool = True) -> list[Window]:
        """As the planner is told it for one week.

        Args:
            term: says which dates are which days of the week; a make-up day counts as the day that it stands for.
            week: a teaching week; what lies on dates holds in its parity alone.
            dated: whether what lies on dates counts.
        """
        if self.day is not None:
            return [Window(day=self.day, first=self.first, last=self.last, weeks=self.weeks)]
        if not dated or self.begins is None or self.ends is None:
            return []
        return [
            Window(day=one.day, first=self.first, last=self.last, weeks="A" if week % 2 else "B")
            for one in term.teaching_days
            if one.week == week and not one.extra and self.begins <= one.date <= self.ends
        ]


class ClosureFact(Stretch):
    """When somebody or something is not there: maintenance, a holiday of one school, a teacher's absence."""

    id: Id
    of: Literal["district", "school", "room", "teacher", "class"]
    who: Id | None = Field(None, description="Which one; none for the district.")

    @model_validator(mode="after")
    def _whose(self) -> Self:
        if (self.of == "district") != (self.who is None):
            raise ValueError("a closure of the district names nobody; any other names whose it is")
        return self


class LimitFact(Stretch):
    """When a school's line carries less than usual."""

    id: Id
    school: Id
    uplink: int = Field(ge=0, description="Units that the line carries then.")


Fact = (
    Term
    | RulesFact
    | GoalsFact
    | SchoolFact
    | BellsFact
    | RoomFact
    | TeacherFact
    | ClassFact
    | TimetableFact
    | LessonFact
    | RequestFact
    | ProgressFact
    | PinFact
    | BanFact
    | WishFact
    | ClosureFact
    | LimitFact
)

MODELS: Mapping[Kind, type[Fact]] = {
    Kind.TERM: Term,
    Kind.RULES: RulesFact,
    Kind.GOALS: GoalsFact,
    Kind.SCHOOL: SchoolFact,
    Kind.BELLS: BellsFact,
    Kind.ROOM: RoomFact,
    Kind.TEACHER: TeacherFact,
    Kind.CLASS: ClassFact,
    Kind.TIMETABLE: TimetableFact,
    Kind.LESSON: LessonFact,
    Kind.REQUEST: RequestFact,
    Kind.PROGRESS: ProgressFact,
    Kind.PIN: PinFact,
    Kind.BAN: BanFact,
    Kind.WISH: WishFact,
    Kind.CLOSURE: ClosureFact,
    Kind.LIMIT: LimitFact,
}


def written(fact: Fact) -> str:
    """A fact as the database keeps it: JSON, without what is as by default. The same fact is the same text."""
    return fact.model_dump_json(exclude_defaults=True)
