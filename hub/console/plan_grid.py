"""A plan's week as a grid: weekdays beside each other, periods below, for a school, a room, a teacher or a class."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.console.texts import Texts
from hub.schedule.desk.book import Book
from hub.schedule.desk.week import Of, WeekEntry, week_of
from hub.schedule.facts import Room, SchoolClass, Teacher
from hub.schedule.terms import TeachingDay, Term, when

WORKING_DAYS = 5
SIDES = {"lead": "info", "receiving": "ok", "watching": "off", "open": "warn"}
"""Shape of each side; its word stands beside it always."""


@dataclass(frozen=True)
class Column:
    """One day."""

    name: str
    date: str
    """Empty where no week is chosen."""
    note: str
    """That it is off, or which day's lessons are held; else empty."""
    off: bool = False


@dataclass(frozen=True)
class Shown:
    """An entry, and when it is in words."""

    entry: WeekEntry
    when: str


@dataclass(frozen=True)
class Row:
    """One period."""

    period: int
    begins: str
    ends: str
    cells: tuple[tuple[Shown, ...], ...]


@dataclass(frozen=True)
class Grid:
    """The week of somebody."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def count(self) -> int:
        """Entries in all."""
        return sum(len(cell) for row in self.rows for cell in row.cells)


@dataclass(frozen=True)
class Choice:
    """Whose week is looked at."""

    school: str
    of: Of
    who: str
    week: int | None
    """None: any week, odd and even ones beside each other."""

    @property
    def whose(self) -> str:
        """As the form sends it."""
        return f"{self.of}:{self.who}"


@dataclass(frozen=True)
class Option:
    """One line of a choice."""

    value: str
    name: str


def chosen(book: Book, term: Term | None, school: str, whose: str, week: str) -> Choice:
    """What a page's address asks for; what is not there becomes the school that has most to do, and any week."""
    if school not in book.schools:
        school = book.busiest
    number = int(week) if week.isdecimal() and term is not None and 1 <= int(week) <= term.weeks else None
    kind, _, who = whose.partition(":")
    kinds: dict[Of, Mapping[str, Room | Teacher | SchoolClass]] = {
        "room": book.rooms,
        "teacher": book.teachers,
        "class": book.classes,
    }
    for of, known in kinds.items():
        if kind == of and who in known and known[who].school == school:
            return Choice(school, of, who, number)
    return Choice(school, "school", school, number)


def options(book: Book, school: str, t: Texts) -> list[tuple[str, list[Option]]]:
    """Whose week of a school can be looked at: rooms, and the teachers and classes that have something."""
    busy = week_of(book, "school", school) if school in book.schools else []
    teachers = {book.lessons[one.lesson].teacher for one in busy if one.side == "lead" and one.lesson is not None}
    classes = set()
    for one in busy:
        asked = book.requests[one.request] if one.request is not None else None
        if asked is None:
            continue
        served = book.served[asked.id]
        teachers |= {*asked.observers, *((served.assistant,) if served.assistant else ())}
        classes |= {asked.school_class} if asked.school_class else set()
    rooms = [Option(f"room:{one.id}", one.name or one.id) for one in book.district.rooms if one.school == school]
    return [
        (t("plan.rooms"), rooms),
        (t("plan.teachers"), [Option(f"teacher:{one}", book.teacher_name(one)) for one in sorted(teachers)]),
        (t("plan.classes"), [Option(f"class:{one}", book.class_name(one)) for one in sorted(classes)]),
    ]


def grid_of(book: Book, term: Term | None, choice: Choice, t: Texts) -> Grid:
    """The grid of whoever was chosen."""
    entries = week_of(book, choice.of, choice.who) if choice.school else []
    bells = book.schools[choice.school].bells if choice.school else ()
    days = _days(entries, term, choice.week)
    rows = []
    for period, bell in enumerate(bells, start=1):
        cells = tuple(
            tuple(
                Shown(one, _when(one, day, t))
                for one in entries
                if one.period == period and day.day == one.day and day.holds(one)
            )
            for day in days
        )
        rows.append(Row(period, bell.begins, bell.ends, cells))
    return Grid(tuple(_column(day, t) for day in days), tuple(rows))


@dataclass(frozen=True)
class _Day:
    number: int
    """Weekday, Monday is 1."""
    day: int
    """Whose lessons are held; 0 where none are."""
    date: dt.date | None = None
    taught: TeachingDay | None = None

    def holds(self, entry: WeekEntry) -> bool:
        return self.taught is None or self.taught.holds(entry.weeks)


def _days(entries: Sequence[WeekEntry], term: Term | None, week: int | None) -> list[_Day]:
    if term is None or week is None:
        last = max([WORKING_DAYS, *(one.day for one in entries)])
        return [_Day(number, number) for number in range(1, last + 1)]
    found = []
    for number in range(1, 8):
        date = term.date_of(week, number)
        taught = term.teaching(date)
        if number > WORKING_DAYS and (taught is None or not any(one.day == taught.day for one in entries)):
            continue
        found.append(_Day(number, taught.day if taught is not None else 0, date, taught))
    return found


def _column(day: _Day, t: Texts) -> Column:
    name = t(f"plan.day.{day.number}")
    if day.date is None:
        return Column(name, "", "")
    note = ""
    if day.taught is None:
        note = t("plan.off")
    elif day.taught.make_up:
        note = t("plan.make_up", week=day.taught.week, day=t(f"plan.day.{day.day}"))
    return Column(name, f"{day.date:%m-%d}", note, off=day.taught is None)


def _when(entry: WeekEntry, day: _Day, t: Texts) -> str:
    """As people say it, where a week is chosen; else the weekday and period."""
    if day.taught is not None:
        return when(day.taught.week, entry.day, entry.period, t.language)
    return t("plan.slot", day=t(f"plan.day.{entry.day}"), period=entry.period)
