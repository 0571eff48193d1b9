"""iCalendar: holidays and closures, absences of teachers, maintenance of rooms."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from hub.schedule.imports.building import Building, Draft
from hub.schedule.imports.cells import text as as_text
from hub.schedule.imports.csv_file import decoded
from hub.schedule.imports.mistakes import CellWrong, Where, file_wrong
from hub.schedule.imports.names import made_id
from hub.schedule.imports.recurring import days_of
from hub.schedule.imports.sheets import MOST_FILE_BYTES
from hub.schedule.register.kinds import Kind
from hub.schedule.register.words import words
from hub.schedule.terms import Term

MOST_EVENTS = 20_000
"""Of a file; and of the days on which all of them recur."""
LONGEST_DAYS = 400
WHOLE_DAY = (1, 20)
LET_THROUGH = (TypeError, ValueError, OverflowError, AttributeError)
"""What the library raises over properties that it had taken."""
_BETWEEN = re.compile(r"[\s:：,，、;；()（）\[\]【】|/—–-]+")
_OF = {Kind.TEACHER: "teacher", Kind.ROOM: "room", Kind.CLASS: "class"}


class Span(NamedTuple):
    """One event, on the district's own clock."""

    first: dt.date
    last: dt.date
    begins: int | None
    """In minutes since midnight; None for whole days."""
    ends: int | None


def read_ical(data: bytes, file: str, building: Building, school: str, timezone: str, *, days_off: bool) -> None:
    """Take what a calendar says.

    Args:
        data: the file.
        file: its name.
        building: takes it.
        school: whose calendar it is; empty for the district's.
        timezone: in which moments are read.
        days_off: whether its events are days off of the district's terms; else they close whatever they name.

    Raises:
        FileWrong: it is no calendar.
    """
    events = _events(data, file)
    moved = set(_moved(events, timezone))
    reader = _Events(building, school, timezone, days_off=days_off)
    for line, event in events:
        building.rows += 1
        where = Where(file, "", line)
        if event.errors:
            for name, _ in event.errors:
                building.mistake(Where(file, "", line, str(name)), words("ical.broken"))
        elif str(event.get("STATUS", "")).upper() != "CANCELLED":
            try:
                reader.take(event, where, moved)
            except CellWrong as error:
                column = error.column if isinstance(error, _PropertyWrong) else ""
                building.mistake(Where(file, "", line, column), error.what)
            except LET_THROUGH:
                building.mistake(where, words("ical.broken"))
    reader.finish()


def _events(data: bytes, file: str) -> list[tuple[int, Event]]:
    """Events, each with the line at which it begins."""
    if len(data) > MOST_FILE_BYTES:
        raise file_wrong(file, "file.too_large", mib=MOST_FILE_BYTES >> 20)
    text = decoded(data, file)
    lines = [number for number, line in enumerate(text.splitlines(), 1) if line.strip().upper() == "BEGIN:VEVENT"]
    if len(lines) > MOST_EVENTS:
        raise file_wrong(file, "file.too_many_rows", most=MOST_EVENTS)
    try:
        calendars = Calendar.from_ical(text, multiple=True)
        events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    except (*LET_THROUGH, LookupError, OSError) as error:  # a time zone is looked for as a file
        raise file_wrong(file, "file.no_calendar", why=(str(error).splitlines() or ["?"])[0][:100]) from error
    if not calendars or len(events) != len(lines):
        raise file_wrong(file, "file.no_calendar", why="BEGIN:VCALENDAR, END:VEVENT")
    return [(line, event) for line, event in zip(lines, events, strict=True) if isinstance(event, Event)]


def _moved(events: Iterable[tuple[int, Event]], timezone: str) -> Iterator[tuple[str, dt.date]]:
    """The days of a series, by its UID, in whose place an event of its own stands."""
    for _, event in events:
        at = event.get("RECURRENCE-ID")
        with suppress(*LET_THROUGH):  # told where the event is taken
            if at is not None:
                yield str(event.get("UID")), _date_of(at.dt, timezone)


class _PropertyWrong(CellWrong):
    """One property of an event cannot be taken."""

    def __init__(self, column: str, key: str, **values: str | int) -> None:
        super().__init__(words(key, **values))
        self.column = column


class _Events:
    """Turns events into what they say of facts."""

    def __init__(self, building: Building, school: str, timezone: str, *, days_off: bool) -> None:
        self._building = building
        self._school = school
        self._zone = timezone
        self._days_off = days_off
        self._off: dict[str, dict[dt.date, tuple[str, Where]]] = {}
        self._days = 0

    def take(self, event: Event, where: Where, moved: set[tuple[str, dt.date]]) -> None:
        """One event, and whatever of it recurs."""
        span = self._span(event, where)
        summary = as_text(str(event.get("SUMMARY") or "").replace("\n", " ")[:200])
        uid = str(event.get("UID") or f"{summary} {span.first}")
        overriding = event.get("RECURRENCE-ID") is not None
        excluded = {date for of, date in moved if of == uid} if not overriding else set()
        excluded |= set(self._exdates(event))
        days = self._recurring(event, span)
        self._days += len(days)
        if self._days > MOST_EVENTS:
            raise _PropertyWrong("RRULE", "ical.too_many", most=MOST_EVENTS)
        length = span.last - span.first
        for first in (day for day in days if day not in excluded):
            self._one(Span(first, first + length, span.begins, span.ends), event, summary, uid, where)

    def finish(self) -> None:
        """Days off are added to their terms, all of a term at once."""
        for term, dates in self._off.items():
            off = self._building.days_off_with(term, {date: said for date, (said, _) in dates.items()})
            where = next(iter(dates.values()))[1]
            self._building.change(Draft(Kind.TERM, term, {"days_off": off}, where))

    def _one(self, span: Span, event: Event, summary: str, uid: str, where: Where) -> None:
        if self._days_off:
            self._add_days_off(span, summary, where)
            return
        for kind, who in self._whose(event, summary):
            first, last = self._periods(span, self._home(kind, who), where)
            fields: dict[str, Any] = {
                "of": "school" if kind is Kind.SCHOOL else _OF[kind],
                "who": who,
                "begins": span.first,
                "ends": span.last,
                "first": first,
                "last": last,
                "words": summary,
            }
            fact = made_id(Kind.CLOSURE, uid, kind, who, span.first, span.begins)
            self._building.add(Draft(Kind.CLOSURE, fact, fields, where))

    def _home(self, kind: Kind, who: str) -> str:
        return who if kind is Kind.SCHOOL else str(self._building.value(kind, who, "school") or "")

    # When.

    def _span(self, event: Event, where: Where) -> Span:
        start, end, duration = event.get("DTSTART"), event.get("DTEND"), event.get("DURATION")
        if start is None:
            raise _PropertyWrong("DTSTART", "ical.no_start")
        begins = start.dt
        ends = begins + duration.dt if duration is not None else end.dt if end is not None else begins
        if not isinstance(begins, dt.datetime):
            last = _date_of(ends, self._zone) - dt.timedelta(days=1)
            return _bounded(Span(begins, max(begins, last), None, None), ends < begins)
        if begins.tzinfo is None and "TZID" in start.params:
            self._building.note(where, words("ical.zone", found=str(start.params["TZID"])[:40], zone=self._zone))
        first, last = self._local(begins), self._local(ends)
        if last > first and (last.hour, last.minute) == (0, 0):
            last -= dt.timedelta(minutes=1)
        if first.date() != last.date():
            return _bounded(Span(first.date(), last.date(), None, None), last < first)
        minutes = (first.hour * 60 + first.minute, last.hour * 60 + last.minute)
        return _bounded(Span(first.date(), last.date(), *minutes), last < first)

    def _local(self, moment: Any) -> dt.datetime:
        if not isinstance(moment, dt.datetime):
            moment = dt.datetime.combine(moment, dt.time())
        local: dt.datetime = moment.astimezone(ZoneInfo(self._zone)) if moment.tzinfo is not None else moment
        return local.replace(tzinfo=None)

    def _recurring(self, event: Event, span: Span) -> Sequence[dt.date]:
        rule = event.get("RRULE")
        if rule is None:
            return [span.first]
        if isinstance(rule, list) or event.get("RDATE") is not None:
            raise _PropertyWrong("RRULE", "ical.recurrence")
        parts = {str(name).upper(): value for name, value in rule.items()}
        if "UNTIL" in parts:
            parts["UNTIL"] = [self._last_day(until, span) for until in parts["UNTIL"]]
        found = days_of(parts, span.first)
        if found is None:
            raise _PropertyWrong("RRULE", "ical.recurrence")
        return found

    def _last_day(self, until: dt.date, span: Span) -> dt.date:
        """The last day on which an event begins by then, on the district's clock: often said in UTC."""
        if not isinstance(until, dt.datetime):
            return until
        local = self._local(until)
        begins_by_then = local.hour * 60 + local.minute >= (span.begins or 0)
        return local.date() if begins_by_then else local.date() - dt.timedelta(days=1)

    def _exdates(self, event: Event) -> Iterator[dt.date]:
        excluded = event.get("EXDATE")
        for one in excluded if isinstance(excluded, list) else [excluded] if excluded is not None else []:
            for date in one.dts:
                yield _date_of(date.dt, self._zone)

    def _periods(self, span: Span, school: str, where: Where) -> tuple[int, int]:
        """The periods of a school that an event touches; all where it has no bells, which is told."""
        if span.begins is None or span.ends is None:
            return WHOLE_DAY
        bells = self._building.value(Kind.BELLS, school, "bells") if school else None
        if not bells:
            self._building.note(where, words("ical.whole_day"))
            return WHOLE_DAY
        touched = [
            number
            for number, bell in enumerate(bells, start=1)
            if _minutes(bell["begins"]) < max(span.ends, span.begins + 1) and span.begins < _minutes(bell["ends"])
        ]
        if not touched:
            raise _PropertyWrong("DTSTART", "ical.no_period", school=school)
        return touched[0], touched[-1]

    # Whose.

    def _whose(self, event: Event, summary: str) -> list[tuple[Kind, str]]:
        """Teachers who take part, else the room at which it is, else whoever its summary names, else the school."""
        names = [str(one.params.get("CN", "")) for one in _several(event.get("ATTENDEE")) if hasattr(one, "params")]
        teachers = self._called(Kind.TEACHER, names)
        if teachers:
            return teachers
        said = [part for part in _BETWEEN.split(summary) if part]
        place = str(event.get("LOCATION") or "").strip()
        for kind, parts in ((Kind.TEACHER, said), (Kind.ROOM, [place, *said]), (Kind.CLASS, said)):
            found = self._called(kind, parts)
            if found:
                return found
        if self._school:
            return [(Kind.SCHOOL, self._school)]
        raise _PropertyWrong("SUMMARY", "ical.nobody", found=summary[:40])

    def _called(self, kind: Kind, names: Sequence[str]) -> list[tuple[Kind, str]]:
        found = []
        for name in names:
            who = name if self._building.names.has(kind, name) else None
            who = who or (self._building.names.called(kind, name, self._school) if name else None)
            if who is not None and (kind, who) not in found:
                found.append((kind, who))
        return found

    def _add_days_off(self, span: Span, summary: str, where: Where) -> None:
        terms = self._building.models(Kind.TERM)
        placed = False
        for offset in range((span.last - span.first).days + 1):
            date = span.first + dt.timedelta(days=offset)
            for term in terms:
                if isinstance(term, Term) and term.first_day <= date <= term.last_day:
                    self._off.setdefault(term.id, {})[date] = (summary, where)
                    placed = True
        if not placed:
            self._building.note(where, words("ical.no_term", first=str(span.first), last=str(span.last)))


def _bounded(span: Span, backwards: bool) -> Span:  # noqa: FBT001  what the caller found out of two kinds of moments
    if backwards:
        raise _PropertyWrong("DTEND", "ical.backwards")
    if (span.last - span.first).days > LONGEST_DAYS:
        raise _PropertyWrong("DTEND", "ical.too_long", most=LONGEST_DAYS)
    return span


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value is not None else []


def _date_of(moment: Any, timezone: str) -> dt.date:
    if isinstance(moment, dt.datetime):
        return (moment.astimezone(ZoneInfo(timezone)) if moment.tzinfo is not None else moment).date()
    if isinstance(moment, dt.date):
        return moment
    raise _PropertyWrong("DTEND", "ical.broken")


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
