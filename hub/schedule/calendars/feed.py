"""iCalendar feeds (RFC 5545, with the hints of RFC 7986): what phones and mail programs subscribe to.

Each date is an event of its own. A rule that repeats every second week would go wrong at the first holiday week without
a number, and a make-up day fits none.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, vDuration

from hub.schedule.calendars.occurrences import Kind, Occurrence
from hub.schedule.calendars.seen import mode, name_of, printable, said, seen_by

PRODID = "-//Tongtang//hub//ZH"
MEDIA_TYPE = "text/calendar; charset=utf-8"
REFRESH = dt.timedelta(minutes=15)
"""How often a program is asked to look again."""
FORM = "1"
"""Changes where what is made of the same occurrences does, so that nobody goes on with the old one."""


class Record(Protocol):
    """An occurrence, and what became of it (`hub.store.occurrences.OccurrenceRecord`)."""

    @property
    def occurrence(self) -> Occurrence:
        """As it counts."""

    @property
    def sequence(self) -> int:
        """Grows with each change."""

    @property
    def cancelled(self) -> bool:
        """Whether it is called off."""

    @property
    def words(self) -> str:
        """Why it was changed."""

    @property
    def changed(self) -> float:
        """When, in seconds of UTC."""


@dataclass(frozen=True, slots=True)
class Heading:
    """Whose calendar it is, and how it is written."""

    kind: Kind
    who: str
    timezone: ZoneInfo
    language: str
    """Chinese for `zh`, else English."""
    domain: str
    """Stands behind each UID, so that two districts' lessons are never taken for one."""


def etag(heading: Heading, records: Sequence[Record]) -> str:
    """What changes when the feed does, in the quotes of HTTP; costs no more than the ids."""
    lines = [FORM, heading.kind, heading.who, heading.timezone.key, heading.language, heading.domain]
    lines += [f"{one.occurrence.id} {one.sequence} {one.changed!r} {one.cancelled}" for one in records]
    return f'"{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:32]}"'


def last_changed(records: Sequence[Record]) -> float | None:
    """When anything of it changed last, in seconds of UTC; None where it is empty."""
    return max((one.changed for one in records), default=None)


def feed(heading: Heading, records: Sequence[Record]) -> bytes:
    """The calendar of one room, teacher, class or school.

    What is cancelled stays in it as such, and so does what its owner has no part in any more: a program that only
    missed it would keep showing it.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    occurrences = [one.occurrence for one in records]
    name = said("calendar", heading.language).format(name=name_of(heading.kind, heading.who, occurrences))
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-timezone", heading.timezone.key)
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    if records:
        years = [one.date.year for one in occurrences]
        calendar.add_component(_zone(heading.timezone.key, min(years), max(years)))
    for one in records:
        calendar.add_component(_event(heading, one))
    return bytes(calendar.to_ical())


def _event(heading: Heading, record: Record) -> Event:
    language = heading.language
    seen = seen_by(record.occurrence, heading.kind, heading.who)
    off = record.cancelled or not seen.concerned
    changed = dt.datetime.fromtimestamp(int(record.changed), dt.UTC)
    event = Event()
    event.add("uid", f"{record.occurrence.id}@{heading.domain}")
    event.add("sequence", record.sequence)
    event.add("dtstamp", changed)
    event.add("last-modified", changed)
    event.add("dtstart", dt.datetime.fromtimestamp(seen.epoch, heading.timezone))
    event.add("dtend", dt.datetime.fromtimestamp(seen.ends, heading.timezone))
    # Programs that subscribe show a cancelled event as any other; the words say it, too.
    event.add("summary", f"{said('cancelled', language) if off else ''}{seen.title(language)}")
    event.add("location", seen.where(language))
    event.add("description", seen.told(language, record.words))
    event.add("categories", [printable(record.occurrence.subject), mode(record.occurrence, language)])
    event.add("status", "CANCELLED" if off else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if off else "OPAQUE")
    return event


@lru_cache(maxsize=16)
def _zone(key: str, first: int, last: int) -> Timezone:
    """The rules of a timezone for the years of a feed."""
    return Timezone.from_tzid(key, first_date=dt.date(first, 1, 1), last_date=dt.date(last + 2, 1, 1))
