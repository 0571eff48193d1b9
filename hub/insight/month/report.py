"""Makes a month report: pure, from what was planned, what became of it, and each lesson's figures."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

from pydantic import Field

from hub.insight.month.fates import Fate, Planned, Told, fate_of
from hub.insight.month.lesson import LessonFigures
from hub.insight.month.spread import LEAST, Spread, spread
from hub.schedule.calendars.occurrences import LeadPart, ReceivingPart
from hub.session.remarks import Remark
from hub.session.views import View

VERSION = 1


class Scope(StrEnum):
    """Whose month it is."""

    DISTRICT = "district"
    COMMUNITY = "community"
    SCHOOL = "school"


class Counts(View):
    """Lessons by what became of them."""

    planned: int = Field(description="All but what was called off.")
    held: int
    partly: int
    missed: int
    called_off: int
    to_come: int
    booked: int

    @property
    def over(self) -> int:
        """Those that were to be held and are over."""
        return self.held + self.partly + self.missed

    @property
    def held_share(self) -> float | None:
        """Share of those that are over that were held, with or without every room; None where none is over."""
        return (self.held + self.partly) / self.over if self.over else None


class SchoolMonth(View):
    """One school."""

    school: str
    name: str
    leading: Counts
    receiving: Counts
    open_class: Counts


class ClassMonth(View):
    """One class that listens."""

    school: str
    school_name: str
    school_class: str
    name: str
    counts: Counts
    answers: Spread = Field(description="Answers of its pupils, a lesson.")
    silent: int | None = Field(
        description="Lessons, of those in which answers are known, in which nobody of it answered; "
        "None with fewer than three, as any figure of so few."
    )
    wait: Spread = Field(description="Median wait before its answers, a lesson.")


class LostLesson(View):
    """A lesson that was missed, called off, or held without a room."""

    date: dt.date
    week: int
    day: int
    period: int
    title: str
    subject: str
    grade: int
    lead: str = Field(description="Lead school and room.")
    receiving: tuple[str, ...]
    fate: Fate
    remarks: tuple[Remark, ...]
    words: str
    session: str | None


class MonthReport(View):
    """One month of a school, a community or the district."""

    version: int = VERSION
    month: str = Field(description="YYYY-MM.")
    scope: Scope
    id: str
    name: str
    made: float = Field(description="When, in seconds of UTC.")
    counts: Counts
    before: Counts | None = Field(None, description="The month before; None where nothing was planned then.")
    schools: tuple[SchoolMonth, ...]
    classes: tuple[ClassMonth, ...]
    lost: tuple[LostLesson, ...]
    measures: dict[str, Spread]
    types: dict[str, int] = Field(description="Lessons by class type (Rt-Ch); none where fewer than three have one.")
    observed: int = Field(description="Lessons that were held and of which something was measured.")
    open_held: int = Field(0, description="Open classes among the lessons that were held: one room, recorded.")


FAR = frozenset({"far_share"})
"""Asked for only where a class follows from another room: of delivery classes."""
UNITS: Mapping[str, str] = {
    "teachers_share": "share",
    "far_share": "share",
    "monologue_s": "s",
    "rt": "share",
    "ch": "share",
}


def month_report(
    month: str,
    scope: Scope,
    who: str,
    name: str,
    schools: Collection[str],
    planned: Sequence[Planned],
    figures: Mapping[str, LessonFigures],
    *,
    now: float,
    before: Sequence[Planned] = (),
) -> MonthReport:
    """The report.

    Args:
        month: YYYY-MM.
        scope: whose month it is.
        who: id of the school or community; empty for the district.
        name: as people call it.
        schools: ids of the schools that it is about.
        planned: every lesson of the month in which one of them has a part.
        figures: of lessons that were held, by session.
        now: seconds of hub UTC.
        before: the lessons of the month before.
    """
    school = who if scope is Scope.SCHOOL else ""
    told = [(one, fate_of(one, now, school)) for one in planned]
    held = [one for one, fate in told if fate.fate in {Fate.HELD, Fate.PARTLY}]
    measured = [figures[one.session.session] for one in held if one.session and one.session.session in figures]
    types = Counter(one.type for one in measured if one.type is not None)
    return MonthReport(
        month=month,
        scope=scope,
        id=who,
        name=name,
        made=now,
        counts=counts_of(fate for _, fate in told),
        before=counts_of(fate_of(one, now, school) for one in before) if before else None,
        schools=_schools(planned, schools, now),
        classes=_classes(planned, schools, figures, now),
        lost=tuple(_lost(one, fate) for one, fate in told if fate.fate in {Fate.PARTLY, Fate.MISSED, Fate.CALLED_OFF}),
        measures={key: _measure(key, unit, held, figures) for key, unit in UNITS.items()},
        types=dict(sorted(types.items())) if types.total() >= LEAST else {},
        observed=sum(one != LessonFigures(session=one.session) for one in measured),
        open_held=sum(one.occurrence.lead is None for one in held),
    )


def _measure(key: str, unit: str, held: Sequence[Planned], figures: Mapping[str, LessonFigures]) -> Spread:
    """How one measure is spread over the lessons that have it; unknown where a lesson was not measured."""
    asked = [one for one in held if key not in FAR or one.occurrence.mode == "delivery"]
    sessions = [one.session.session if one.session else "" for one in asked]
    return spread([getattr(figures[one], key) if one in figures else None for one in sessions], unit)


def counts_of(fates: Iterable[Told]) -> Counts:
    """How many of each."""
    found = Counter(one.fate for one in fates)
    return Counts(
        planned=found.total() - found[Fate.CALLED_OFF],
        held=found[Fate.HELD],
        partly=found[Fate.PARTLY],
        missed=found[Fate.MISSED],
        called_off=found[Fate.CALLED_OFF],
        to_come=found[Fate.TO_COME],
        booked=found[Fate.BOOKED],
    )


def _schools(planned: Sequence[Planned], schools: Collection[str], now: float) -> tuple[SchoolMonth, ...]:
    names: dict[str, str] = {}
    leading: dict[str, list[Told]] = defaultdict(list)
    receiving: dict[str, list[Told]] = defaultdict(list)
    opened: dict[str, list[Told]] = defaultdict(list)
    for one in planned:
        lead = one.occurrence.lead
        listens = {part.school for part in one.occurrence.receiving}
        names |= {part.school: part.school_name or part.school for part in one.occurrence.rooms}
        if lead is not None and lead.school in schools:
            leading[lead.school].append(fate_of(one, now, lead.school))
        for school in listens & set(schools):
            (opened if lead is None else receiving)[school].append(fate_of(one, now, school))
    return tuple(
        SchoolMonth(
            school=school,
            name=names[school],
            leading=counts_of(leading[school]),
            receiving=counts_of(receiving[school]),
            open_class=counts_of(opened[school]),
        )
        for school in sorted({*leading, *receiving, *opened})
    )


def _classes(
    planned: Sequence[Planned], schools: Collection[str], figures: Mapping[str, LessonFigures], now: float
) -> tuple[ClassMonth, ...]:
    parts: dict[str, list[tuple[Planned, ReceivingPart]]] = defaultdict(list)
    for one in planned:
        if one.occurrence.lead is None:
            continue  # a class that has an open class listens to nobody
        for part in one.occurrence.receiving:
            if part.school in schools and part.school_class is not None:
                parts[part.school_class].append((one, part))
    return tuple(_class(school_class, found, figures, now) for school_class, found in sorted(parts.items()))


def _class(
    school_class: str,
    parts: Sequence[tuple[Planned, ReceivingPart]],
    figures: Mapping[str, LessonFigures],
    now: float,
) -> ClassMonth:
    first = parts[0][1]
    fates = [fate_of(one, now, part.school) for one, part in parts]
    rooms = [
        figures[one.session.session].of_room(part.room) if one.session and one.session.session in figures else None
        for (one, part), fate in zip(parts, fates, strict=True)
        if fate.fate in {Fate.HELD, Fate.PARTLY}
    ]
    answers = [room.answers if room is not None else None for room in rooms]
    known = sum(one is not None for one in answers)
    return ClassMonth(
        school=first.school,
        school_name=first.school_name or first.school,
        school_class=school_class,
        name=first.class_name or school_class,
        counts=counts_of(fates),
        answers=spread(answers, "count"),
        silent=sum(one == 0 for one in answers) if known >= LEAST else None,
        wait=spread([room.wait_s if room is not None else None for room in rooms], "s"),
    )


def _lost(planned: Planned, told: Told) -> LostLesson:
    one = planned.occurrence
    return LostLesson(
        date=one.date,
        week=one.week,
        day=one.day,
        period=one.slot.period,
        title=one.title,
        subject=one.subject,
        grade=one.grade,
        lead=_called(one.lead) if one.lead else "",
        receiving=tuple(_called(part) for part in one.receiving),
        fate=told.fate,
        remarks=told.remarks,
        words=told.words,
        session=planned.session.session if planned.session else None,
    )


def _called(part: LeadPart | ReceivingPart) -> str:
    school = part.school_name or part.school
    own = (part.class_name if isinstance(part, ReceivingPart) else part.teacher.name) or part.room_name or part.room
    return f"{school} {own}"
