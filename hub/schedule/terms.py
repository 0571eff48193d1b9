"""A term's weeks and days: which date is a day of which teaching week, and what a make-up day stands for.

Weeks are counted, never computed from the distance to the first day: a holiday week that is not counted moves every
week after it, and with it odd and even. Dates are the school's own; no clock and no timezone is asked.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from contract.timetable import TimetableSlot
from hub.schedule.register.words import Unfit, words
from hub.schedule.slots import Day, Id, Part, Weeks, parities

WEEK = dt.timedelta(days=7)


def _monday(date: dt.date) -> dt.date:
    if date.isoweekday() != 1:
        raise Unfit(words("term.no_monday", date=str(date)))
    return date


Monday = Annotated[dt.date, AfterValidator(_monday)]


class DayOff(Part):
    """A day without lessons."""

    date: dt.date
    words: str = Field("", description="Why: a holiday's name.")


class MakeUp(Part):
    """A day on which the lessons of another are held (调休补课), as the district decided; never inferred.

    It takes the place of one named day, which is a day off: `week` and `day`. Or it follows the timetable of a
    weekday in odd or in even weeks, whatever the week it lies in: `weeks` and `day`. What its own weekday would
    have is not held.
    """

    date: dt.date
    day: Day = Field(description="As which weekday.")
    week: int | None = Field(None, ge=1, le=60, description="As which week's; the day then moves here.")
    weeks: Weeks | None = Field(None, description="As an odd (A) or even (B) week's; `AB` has what both have.")
    words: str = ""

    @model_validator(mode="after")
    def _as_what(self) -> Self:
        if (self.week is None) == (self.weeks is None):
            raise Unfit(words("term.make_up_of", date=str(self.date)))
        return self


class TeachingDay(Part):
    """One date on which lessons are held, and as which day of which week."""

    date: dt.date
    week: int = Field(description="Week whose lessons are held; for a make-up by pattern the week it lies in.")
    day: Day = Field(description="Weekday whose lessons are held.")
    weeks: Weeks = Field(description="Odd (A) or even (B) week's lessons; AB: only what is held in both.")
    make_up: bool = False
    extra: bool = Field(False, description="A make-up by pattern: it takes no named day's place, it comes on top.")

    def holds(self, weeks: Weeks) -> bool:
        """Whether a lesson of this pattern is held on it."""
        return set(parities(self.weeks)) <= set(parities(weeks))

    @property
    def parity(self) -> int:
        """0 where the rooms and times of odd weeks hold, 1 for even weeks."""
        return parities(self.weeks)[0]


class Term(Part):
    """A term (学期): its weeks from 1, of which odd ones are A weeks (单周).

    Raises:
        pydantic.ValidationError: what it names does not lie in it, or contradicts itself.
    """

    id: Id
    name: str = ""
    first_day: Monday = Field(description="Monday of week 1.")
    weeks: int = Field(ge=1, le=60, description="Teaching weeks; those of `uncounted` come on top.")
    uncounted: tuple[Monday, ...] = Field((), description="Mondays of weeks that have no number: a holiday week.")
    days_off: tuple[DayOff, ...] = Field((), description="Days without lessons (放假).")
    make_ups: tuple[MakeUp, ...] = Field((), description="Days on which other days' lessons are held (补课).")

    @property
    def mondays(self) -> tuple[dt.date, ...]:
        """The Monday of each teaching week, week 1 first."""
        return _laid_out(self).mondays

    @property
    def last_day(self) -> dt.date:
        """Sunday of the last week."""
        return self.mondays[-1] + dt.timedelta(days=6)

    def week_of(self, date: dt.date) -> int | None:
        """The teaching week in which a date lies; None outside of the term and in a week that is not counted."""
        return _laid_out(self).numbers.get(date - dt.timedelta(days=date.weekday()))

    def date_of(self, week: int, day: int) -> dt.date:
        """The date of a weekday in a teaching week, whether lessons are held on it or not.

        Raises:
            ValueError: the term has no such week, or the week no such day.
        """
        if not (1 <= week <= self.weeks and 1 <= day <= 7):
            raise Unfit(words("term.no_day", id=self.id, weeks=self.weeks, day=day, week=week))
        return self.mondays[week - 1] + dt.timedelta(days=day - 1)

    def teaching(self, date: dt.date) -> TeachingDay | None:
        """As which day a date is taught; None where no lessons are held: outside, off, or in an uncounted week."""
        instead = _laid_out(self).made_up.get(date)
        week = self.week_of(date)
        if instead is not None:
            counted = instead.week if instead.week is not None else week
            if counted is None:
                return None
            pattern: Weeks = instead.weeks or _pattern(counted)
            return TeachingDay(
                date=date,
                week=counted,
                day=instead.day,
                weeks=pattern,
                make_up=True,
                extra=instead.week is None,
            )
        if week is None or date in _laid_out(self).off:
            return None
        return TeachingDay(date=date, week=week, day=date.isoweekday(), weeks=_pattern(week))

    @property
    def teaching_days(self) -> tuple[TeachingDay, ...]:
        """Every date on which lessons may be held, in order; Saturdays and Sundays with them."""
        return _teaching_days(self)

    def held_on(self, weeks: Weeks, day: int, first_week: int = 1, last_week: int | None = None) -> list[TeachingDay]:
        """When a lesson is held, make-up days with it, in order of dates.

        Args:
            weeks: the lesson's pattern.
            day: its weekday.
            first_week: from this week on; a make-up day counts as of the week whose day it takes.
            last_week: to this week, with it; None for the term's last.
        """
        last = self.weeks if last_week is None else last_week
        return [
            one for one in self.teaching_days if one.day == day and first_week <= one.week <= last and one.holds(weeks)
        ]

    @model_validator(mode="after")
    def _uncounted_inside(self) -> Self:
        if len(set(self.uncounted)) < len(self.uncounted):
            raise Unfit(words("term.uncounted_twice"))
        for monday in self.uncounted:
            if not self.first_day <= monday < self.last_day:
                raise Unfit(words("term.uncounted_outside", date=str(monday)))
        return self

    @model_validator(mode="after")
    def _days_agree(self) -> Self:
        for key, dates in (
            ("term.day_off_outside", [one.date for one in self.days_off]),
            ("term.make_up_outside", [one.date for one in self.make_ups]),
        ):
            for date in dates:
                if not self.first_day <= date <= self.last_day:
                    raise Unfit(words(key, date=str(date), first=str(self.first_day), last=str(self.last_day)))
        free = Counter([*(one.date for one in self.days_off), *(one.date for one in self.make_ups)])
        twice = [date for date, times in free.items() if times > 1]
        if twice:
            raise Unfit(words("term.date_twice", date=str(twice[0])))
        taken: set[dt.date] = set()
        for one in self.make_ups:
            if one.week is None:
                if self.week_of(one.date) is None:
                    raise Unfit(words("term.make_up_uncounted", date=str(one.date)))
                continue
            instead_of = self.date_of(one.week, one.day)
            if instead_of not in free:
                raise Unfit(words("term.not_off", date=str(one.date), instead=str(instead_of)))
            if instead_of in taken:
                raise Unfit(words("term.taken_twice", date=str(instead_of)))
            taken.add(instead_of)
        return self


def when(week: int, day: int, period: int, language: str = "zh") -> str:
    """As people say it: `第 12 周 周三 第 3 节`; English for any language but `zh`."""
    return TimetableSlot(week=week, day=day, period=period).words(language)


@dataclass(frozen=True, slots=True)
class _LaidOut:
    """A term as it is looked up."""

    mondays: tuple[dt.date, ...]
    numbers: Mapping[dt.date, int]
    off: frozenset[dt.date]
    made_up: Mapping[dt.date, MakeUp]


@lru_cache(maxsize=64)
def _laid_out(term: Term) -> _LaidOut:
    # Not a cached property: a changed copy of a model takes its cached properties along.
    skipped = frozenset(term.uncounted)
    mondays: list[dt.date] = []
    monday = term.first_day
    while len(mondays) < term.weeks:
        if monday not in skipped:
            mondays.append(monday)
        monday += WEEK
    return _LaidOut(
        tuple(mondays),
        {each: number for number, each in enumerate(mondays, start=1)},
        frozenset(one.date for one in term.days_off),
        {one.date: one for one in term.make_ups},
    )


@lru_cache(maxsize=64)
def _teaching_days(term: Term) -> tuple[TeachingDay, ...]:
    span = (term.last_day - term.first_day).days + 1
    dates = (term.first_day + dt.timedelta(days=number) for number in range(span))
    return tuple(found for date in dates if (found := term.teaching(date)) is not None)


def _pattern(week: int) -> Weeks:
    return "A" if week % 2 else "B"
