"""The form that says what happened to a plan: what it offers, by the names that people know."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.console.plan_grid import WORKING_DAYS, Option
from hub.console.texts import Texts
from hub.schedule.desk.book import Book
from hub.schedule.desk.week import Side, WeekEntry, week_of
from hub.schedule.repair.dated import dates_of
from hub.schedule.slots import Bell, parities
from hub.schedule.terms import Term

FIELDS: Mapping[str, frozenset[str]] = {
    "teacher-sick": frozenset({"who", "days"}),
    "room-down": frozenset({"who", "days"}),
    "class-swap": frozenset({"who", "slots"}),
    "substitute": frozenset({"what", "who"}),
    "school-closed": frozenset({"days"}),
    "uplink-halved": frozenset({"days"}),
    "lesson-extended": frozenset({"what", "minutes"}),
}
"""What can happen, and what has to be said of it beside school and week."""


@dataclass(frozen=True)
class DayChoice:
    """One weekday of a week, and when its lessons are held."""

    day: int
    own: dt.date
    """The date on which it is by the calendar."""
    dates: tuple[dt.date, ...]
    """Those on which its lessons are held: none where the day is off, another where it is made up."""
    over: bool
    """Whether all of them are past."""

    @property
    def made_up(self) -> bool:
        """Whether its lessons are held on another date, or on another one, too."""
        return bool(self.dates) and self.dates != (self.own,)

    @property
    def open(self) -> bool:
        """Whether something can still happen to it."""
        return bool(self.dates) and not self.over


@dataclass(frozen=True)
class Offer:
    """What the form offers for one kind, school and week."""

    kind: str
    school: str
    week: int
    days: tuple[DayChoice, ...]
    bells: tuple[Bell, ...]
    who: tuple[tuple[str, tuple[Option, ...]], ...]
    """By name of a group: teachers, rooms or classes; of a substitute who steps in."""
    what: tuple[tuple[str, tuple[Option, ...]], ...]
    """Lessons of that school in that week; of a substitute also what its teachers assist in."""

    @property
    def fields(self) -> frozenset[str]:
        """Beside school and week."""
        return FIELDS[self.kind]


def days_of(term: Term, week: int, today: dt.date) -> tuple[DayChoice, ...]:
    """The seven days of a week."""
    return tuple(
        DayChoice(day, term.date_of(week, day), tuple(dates), bool(dates) and max(dates) < today)
        for day, dates in dates_of(term, week).items()
    )


def offer_of(book: Book, term: Term, kind: str, school: str, week: int, today: dt.date, t: Texts) -> Offer:
    """What the form offers; a kind or school that is not there becomes the first kind, the busiest school."""
    kind = kind if kind in FIELDS else next(iter(FIELDS))
    school = school if school in book.schools else book.busiest
    odd_or_even = parities("A" if week % 2 else "B")[0]
    entries = [one for one in week_of(book, "school", school) if odd_or_even in parities(one.weeks)]
    used = {one.day for one in entries}
    days = tuple(one for one in days_of(term, week, today) if one.day <= WORKING_DAYS or one.day in used)
    to_come = {one.day for one in days if one.open}
    return Offer(
        kind=kind,
        school=school,
        week=week,
        days=days,
        bells=book.schools[school].bells,
        who=_who(book, kind, school, entries, t),
        what=_what(book, kind, [one for one in entries if one.day in to_come], t),
    )


def _who(
    book: Book, kind: str, school: str, entries: Sequence[WeekEntry], t: Texts
) -> tuple[tuple[str, tuple[Option, ...]], ...]:
    names: Mapping[str, str]
    busy: set[str | None]
    match kind:
        case "teacher-sick" | "substitute":
            names = {one.id: book.teacher_name(one.id) for one in book.district.teachers if one.school == school}
            busy = {book.lessons[one.lesson].teacher for one in entries if one.side == Side.LEAD and one.lesson}
            for one in entries:
                if one.request is not None:
                    busy |= {book.served[one.request].assistant, *book.requests[one.request].observers}
        case "room-down":
            names = {one.id: book.room_name(one.id) for one in book.district.rooms if one.school == school}
            planned = [book.served[one.request] if one.request else book.held[one.lesson or ""] for one in entries]
            busy = {room for one in planned for room in (one.room, one.room_even)}
        case "class-swap":
            names = {one.id: book.class_name(one.id) for one in book.district.classes if one.school == school}
            busy = {book.requests[one.request].school_class for one in entries if one.request}
        case _:
            return ()
    if kind == "substitute":
        return _groups((("", names),))
    with_lessons = {one: name for one, name in names.items() if one in busy}
    without = {one: name for one, name in names.items() if one not in busy}
    return _groups(((t("plan.repair.with_lessons"), with_lessons), (t("plan.repair.without_lessons"), without)))


def _what(book: Book, kind: str, entries: Sequence[WeekEntry], t: Texts) -> tuple[tuple[str, tuple[Option, ...]], ...]:
    if "what" not in FIELDS[kind]:
        return ()
    led = {
        f"lesson:{one.lesson}": t(
            "plan.repair.led",
            slot=_slot(one, t),
            lesson=one.title or one.subject,
            grade=t("plan.grade", grade=one.grade),
            teacher=one.teacher,
            room=one.room,
        )
        for one in entries
        if one.side == Side.LEAD
    }
    if kind == "lesson-extended":
        return _groups((("", led),))
    assisted = {
        f"request:{one.request}": t(
            "plan.repair.assisted", slot=_slot(one, t), who=one.who, subject=one.subject, teacher=one.assistant
        )
        for one in entries
        if one.request is not None and book.served[one.request].assistant is not None
    }
    return _groups(((t("plan.side.lead"), led), (t("plan.repair.assisting"), assisted)))


def _groups(groups: Iterable[tuple[str, Mapping[str, str]]]) -> tuple[tuple[str, tuple[Option, ...]], ...]:
    return tuple((label, tuple(Option(*one) for one in names.items())) for label, names in groups if names)


def _slot(entry: WeekEntry, t: Texts) -> str:
    return t("plan.slot", day=t(f"plan.day.{entry.day}"), period=entry.period)


def weeks_to_come(counting: Mapping[str, Sequence[int]], term: Term, today: dt.date) -> dict[int, str]:
    """The weeks that are not over and for which a plan counts, in order, and which.

    Args:
        counting: weeks by plan.
        term: of the plans.
        today: by the district's walls.
    """
    found = {week: plan for plan, weeks in counting.items() for week in weeks if week <= term.weeks}
    return {week: found[week] for week in sorted(found) if any(one.open for one in days_of(term, week, today))}
