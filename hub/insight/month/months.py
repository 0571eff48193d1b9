"""Month reports on demand: gathers a month's lessons of a school, a community or the district."""

import datetime as dt
import re
from collections.abc import Callable, Collection, Sequence
from typing import Protocol
from zoneinfo import ZoneInfo

from hub.insight.month.fates import Planned
from hub.insight.month.lesson import LessonFigures
from hub.insight.month.report import MonthReport, Scope, month_report
from hub.schedule.errors import ScheduleRefused
from hub.session.views import SessionView
from hub.store.occurrences import OccurrenceRecord


class MonthRefused(ScheduleRefused):
    """A month report that cannot be made as asked; the message says what to do."""


class Occurrences(Protocol):
    """Where dated lessons are."""

    def between(self, begins: float, ends: float) -> list[OccurrenceRecord]:
        """Everything that touches a stretch of time, in seconds of UTC."""


class KnownSchool(Protocol):
    """A school as the planner knows it."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def name(self) -> str:
        """As people call it."""

    @property
    def community(self) -> str:
        """Its community of schools; empty for none."""


class Figures(Protocol):
    """Where the figures of lessons are."""

    def of(self, sessions: Collection[str]) -> dict[str, LessonFigures]:
        """Of those that have any."""


class Months:
    """Synchronous and thread-safe; blocks on the database and, for lessons that nobody has looked at, the disk.

    Args:
        occurrences: dated lessons.
        view: where a session stands; None where there is none.
        figures: of lessons.
        schools: the schools that the planner knows.
        timezone: in which a month begins.
        now: hub UTC in seconds.
    """

    def __init__(
        self,
        occurrences: Occurrences,
        view: Callable[[str], SessionView | None],
        figures: Figures,
        schools: Callable[[], Sequence[KnownSchool]],
        timezone: ZoneInfo,
        now: Callable[[], float],
    ) -> None:
        self._occurrences = occurrences
        self._view = view
        self._figures = figures
        self._schools = schools
        self._timezone = timezone
        self._now = now

    def report(self, month: str, scope: Scope = Scope.DISTRICT, who: str = "") -> MonthReport:
        """The report of one month.

        Args:
            month: YYYY-MM.
            scope: whose.
            who: id of the school, or name of the community; empty for the district.

        Raises:
            MonthRefused: there is no such month, school or community.
        """
        first = month_begins(month)
        known = {school.id: school for school in self._schools()}
        own, name = self._about(scope, who, known)
        records = self._of(first, own)
        planned = [self._planned(one) for one in records]
        earlier = [self._planned(one) for one in self._of(before(first), own)]
        sessions = [one.session.session for one in planned if one.session is not None]
        figures = self._figures.of(sessions)
        names = own if own is not None else self._named(records)
        return month_report(month, scope, who, name, names, planned, figures, now=self._now(), before=earlier)

    def months(self) -> list[str]:
        """Months in which something is or was planned, the newest first: of the last two years and the next."""
        now = dt.datetime.fromtimestamp(self._now(), self._timezone).date()
        begins = self._instant(now.replace(day=1) - dt.timedelta(days=730))
        ends = self._instant(now.replace(day=1) + dt.timedelta(days=366))
        found = {f"{one.occurrence.date:%Y-%m}" for one in self._occurrences.between(begins, ends)}
        return sorted(found, reverse=True)

    def newest(self) -> str:
        """The newest of them that has begun; the first to come where none has, and empty where there is none."""
        now = f"{dt.datetime.fromtimestamp(self._now(), self._timezone):%Y-%m}"
        known = self.months()
        return next((one for one in known if one <= now), known[-1] if known else "")

    def communities(self) -> list[str]:
        """Names of the communities of schools."""
        return sorted({school.community for school in self._schools()} - {""})

    def schools(self) -> list[tuple[str, str]]:
        """Id and name of every school, by name."""
        return sorted(((one.id, one.name or one.id) for one in self._schools()), key=lambda one: (one[1], one[0]))

    def _about(self, scope: Scope, who: str, known: dict[str, KnownSchool]) -> tuple[frozenset[str] | None, str]:
        """Schools that it is about, None for all; and the name."""
        if scope is Scope.DISTRICT:
            return None, ""
        if scope is Scope.SCHOOL:
            if who not in known:
                raise MonthRefused(f"there is no school {who[:64]}; tongtang plan facts school lists those there are")
            return frozenset({who}), known[who].name or who
        own = frozenset(school.id for school in known.values() if school.community == who)
        if not who or not own:
            raise MonthRefused(f"no school is of the community {who[:64] or '(none named)'}")
        return own, who

    def _of(self, first: dt.date, own: frozenset[str] | None) -> list[OccurrenceRecord]:
        found = self._occurrences.between(self._instant(first), self._instant(after(first)))
        return [
            one
            for one in found
            if (one.occurrence.date.year, one.occurrence.date.month) == (first.year, first.month)
            and (own is None or any(part.school in own for part in one.occurrence.rooms))
        ]

    def _planned(self, record: OccurrenceRecord) -> Planned:
        view = self._view(record.session) if record.session is not None else None
        return Planned(record.occurrence, record.cancelled, record.words, view)

    def _named(self, records: Sequence[OccurrenceRecord]) -> frozenset[str]:
        return frozenset(part.school for one in records for part in one.occurrence.rooms)

    def _instant(self, date: dt.date) -> float:
        return dt.datetime.combine(date, dt.time(), self._timezone).timestamp()


def month_begins(month: str) -> dt.date:
    """The first day of a month.

    Raises:
        MonthRefused: it is no month.

    >>> month_begins("2026-11")
    datetime.date(2026, 11, 1)
    """
    found = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", month)
    if found is None:
        raise MonthRefused(f"{month[:20]!r} is no month; write it as 2026-11")
    return dt.date(int(found[1]), int(found[2]), 1)


def after(first: dt.date) -> dt.date:
    """The first day of the next month."""
    return (first + dt.timedelta(days=31)).replace(day=1)


def before(first: dt.date) -> dt.date:
    """The first day of the month before."""
    return (first - dt.timedelta(days=1)).replace(day=1)
