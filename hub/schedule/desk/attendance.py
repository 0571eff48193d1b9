"""Makes sessions of the lessons that come near, and keeps them as the plan has them.

Everything follows from what is stored, so it may be killed at any moment: a session's id is made of its lesson's, so
one that was made and not noted is found again. A session that has begun is never touched, and one that an operator
called off stays called off for as long as the plan has the lesson as it was then.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import inf, nextafter
from typing import Protocol
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from contract.session import Mode, Policy, Role, SessionOrder
from hub.archive.refusals import ArchiveRefused
from hub.schedule.calendars.occurrences import Occurrence
from hub.schedule.calendars.seen import CALLED_OFF
from hub.schedule.desk.telling import NOT_MADE, WITHOUT_DEVICE, shortfalls, title_of
from hub.schedule.desk.turns import Span, spans
from hub.session.errors import SessionRefused
from hub.session.views import NewRoom, NewSession, SessionView
from hub.store.alerts import AlertRecord
from hub.store.devices import DeviceRecord
from hub.store.occurrences import OccurrenceRecord, OccurrenceTable

WHOLE_S = 300.0
"""Every lesson within reach is looked at this often, in seconds; between, those that changed."""
NEAR_S = 10_800.0
"""Lessons that begin or end within so many seconds of each other may hang on each other."""
STEADY_S = 3_600.0
"""From so long before its start on, in seconds, a session is not made anew for its title or policy alone."""

log = logging.getLogger("hub.plan")


class Sessions(Protocol):
    """Makes sessions and calls them off (`hub.session.conductor.Conductor`)."""

    def create(self, request: NewSession, session: str | None = None) -> SessionView:
        """Make a session, with this id."""

    def cancel(self, session: str) -> SessionView:
        """Call a session off."""

    def order(self, session: str) -> SessionOrder | None:
        """A session's newest order; None where there is none."""


class Alarm(Protocol):
    """Where alerts go."""

    def raise_(self, device: str, kind: str, words: str) -> None:
        """Something should be looked at."""

    def clear(self, device: str, kind: str) -> None:
        """It is well again."""

    def open(self) -> Sequence[AlertRecord]:
        """What is raised and not cleared."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The session that a lesson should be."""

    new: NewSession
    devices: tuple[tuple[str, str, Role], ...]
    """Room, device and role, the lead room first."""


@dataclass(slots=True)
class _Round:
    """What one look found."""

    spans: Mapping[str, Span]
    """When the session of each lesson runs."""
    call_off: list[tuple[OccurrenceRecord, str]] = field(default_factory=list)
    make: list[tuple[OccurrenceRecord, Wanted]] = field(default_factory=list)


class Attendance:
    """Keeps sessions in step with the lessons that are planned. `tick` belongs to one thread.

    Args:
        occurrences: lessons on dates.
        sessions: makes sessions.
        device_of: the device that stands in a room, or None.
        alarm: where is told what cannot be made.
        policy: of every session.
        ahead_s: how long before its start a session is made, in seconds.
        timezone: in which times are told.
        now: hub UTC in seconds.
        stopping: whether the hub ends, so that a long round breaks off.
        carry: is told a session and the one in its place, which is to have what was attached to it; doing so again
            must do no harm.
    """

    def __init__(
        self,
        occurrences: OccurrenceTable,
        sessions: Sessions,
        device_of: Callable[[str], DeviceRecord | None],
        alarm: Alarm,
        policy: Policy,
        ahead_s: float,
        timezone: ZoneInfo,
        now: Callable[[], float],
        stopping: Callable[[], bool] = lambda: False,
        carry: Callable[[str, str], None] = lambda _before, _after: None,
    ) -> None:
        self._occurrences = occurrences
        self._sessions = sessions
        self._device_of = device_of
        self._alarm = alarm
        self._policy = policy
        self._ahead_s = ahead_s
        self._timezone = timezone
        self._now = now
        self._stopping = stopping
        self._carry = carry
        self._whole_at = float("-inf")
        self._seen = 0.0
        self._devices: dict[str, str | None] = {}
        self._told: dict[tuple[str, str], str] = {}
        self._without: dict[str, tuple[str, ...]] = {}
        self._why: dict[str, str] = {}

    def why_not(self, occurrence: str) -> str:
        """Why a lesson within reach is no session, or lacks rooms, in English; empty where it is as it should be."""
        return self._why.get(occurrence, "")

    def tick(self) -> None:
        """Make, change and call off what must be; blocks on the database."""
        now = self._now()
        whole = now - self._whole_at >= WHOLE_S or any(
            self._device(room) != device for room, device in self._devices.items()
        )
        if whole:
            records = self._occurrences.between(now, now + self._ahead_s)
            self._devices, self._without, self._why = {}, {}, {}
        else:
            records = self._around(
                self._occurrences.changed_since(nextafter(self._seen, inf), now, now + self._ahead_s)
            )
        to_come = [one for one in records if one.occurrence.epoch > now]
        # What runs now still says when the next one in its rooms begins.
        runs = spans(one.occurrence for one in records if not one.cancelled)
        self._settle(to_come, runs)
        if self._stopping():
            return
        if whole:
            self._whole_at = now
        self._seen = max([self._seen, *(one.changed for one in records)])
        self._tell(to_come, whole=whole)

    def _around(self, changed: list[OccurrenceRecord]) -> list[OccurrenceRecord]:
        """What changed, and what lies near it: whose rooms are free when may hang on it."""
        if not changed:
            return []
        first, last = changed[0].occurrence.epoch, max(one.occurrence.ends for one in changed)
        return self._occurrences.between(first - NEAR_S, min(last + NEAR_S, self._now() + self._ahead_s))

    def _settle(self, records: Sequence[OccurrenceRecord], runs: Mapping[str, Span]) -> None:
        """Bring sessions in step: all that must go before any that comes, for rooms may change places."""
        found = _Round(runs)
        for record in records:
            self._look(record, found)
        for record, session in found.call_off:
            if self._stopping():
                return
            self._call_off(record, session)
        for record, wanted in found.make:
            if self._stopping():
                return
            self._make(record, wanted)

    def _look(self, record: OccurrenceRecord, found: _Round) -> None:
        order = self._sessions.order(record.session) if record.session is not None else None
        if order is not None and order.epoch <= self._now():
            return
        wanted = None if record.cancelled else self._wanted(record.occurrence, found.spans)
        if order is not None:
            if wanted is not None and _same(order, wanted, self._now()):
                if order.cancelled:  # by an operator: calendars follow
                    self._occurrences.cancel(record.occurrence.id, self._now(), CALLED_OFF)
                return
            if not order.cancelled:
                found.call_off.append((record, order.session))
        if wanted is not None:
            found.make.append((record, wanted))

    def _wanted(self, lesson: Occurrence, runs: Mapping[str, Span]) -> Wanted | None:
        """The session that a lesson should be; None where it cannot be one now.

        An open class has its one room, which leads; of any other lesson at least two rooms must be there.
        """
        self._why.pop(lesson.id, None)
        self._without.pop(lesson.id, None)
        lead, *_ = lesson.rooms
        devices = {one.room: self._device(one.room) for one in lesson.rooms}
        self._devices.update(devices)
        there = tuple(
            (one.room, device, Role.LEAD if one is lead else Role.RECEIVING)
            for one in lesson.rooms
            if (device := devices[one.room]) is not None
        )
        periods = {one.room: one.period if one.period != lead.period else None for one in lesson.rooms}
        missing = tuple(room for room, device in devices.items() if device is None)
        if missing:
            self._without[lesson.id] = missing
            self._why[lesson.id] = f"no device stands in {', '.join(missing)}"
        if not there or there[0][2] is not Role.LEAD or len(there) < min(2, len(lesson.rooms)):
            return None
        begins, ends = runs.get(lesson.id, (lesson.epoch, lesson.ends))
        try:
            new = NewSession(
                title=title_of(lesson),
                mode=Mode(lesson.mode),
                start=begins,
                seconds=ends - begins,
                rooms=tuple(NewRoom(room=room, role=role, period=periods[room]) for room, _, role in there),
                policy=self._policy,
                timetable=lesson.slot,
            )
        except ValidationError as error:
            self._why[lesson.id] = error.errors(include_url=False)[0]["msg"]
            return None
        return Wanted(new, there)

    def _device(self, room: str) -> str | None:
        found = self._device_of(room)
        return found.id if found is not None else None

    def _call_off(self, record: OccurrenceRecord, session: str) -> None:
        try:
            self._sessions.cancel(session)
        except SessionRefused as refused:  # it is over by now
            log.warning("session %s of %s is not called off: %s", session, record.occurrence.id, refused)
            return
        log.info("session %s is called off: lesson %s is not as it was", session, record.occurrence.id)

    def _make(self, record: OccurrenceRecord, wanted: Wanted) -> None:
        lesson = record.occurrence.id
        for number in count(1):
            session = session_id(lesson, number)
            order = self._sessions.order(session)
            if order is None:
                break
            # Made before the hub was killed, and not noted: whoever called it off since meant it.
            if _same(order, wanted, self._now()) and (record.session is None or not order.cancelled):
                self._note(record, session)
                return
            if not order.cancelled and order.epoch > self._now():
                self._call_off(record, session)
        try:
            self._sessions.create(wanted.new, session)
        except SessionRefused as refused:
            self._why[lesson] = str(refused)
            return
        self._note(record, session)

    def _note(self, record: OccurrenceRecord, session: str) -> None:
        if record.session is not None:
            try:
                self._carry(record.session, session)
            except (SessionRefused, ArchiveRefused) as refused:
                log.warning("what was attached to %s is not attached to %s: %s", record.session, session, refused)
        self._occurrences.link(record.occurrence.id, session)

    def _tell(self, records: Iterable[OccurrenceRecord], *, whole: bool) -> None:
        """Raise and clear what should be known; what nobody looked at stays as it was told."""
        wanted = shortfalls([one.occurrence for one in records], self._without, self._why, self._timezone)
        if whole:  # what a hub before this one told, too
            stale = {(one.device, one.kind) for one in self._alarm.open() if one.kind in {WITHOUT_DEVICE, NOT_MADE}}
            for key in (stale | self._told.keys()) - wanted.keys():
                self._alarm.clear(*key)
                self._told.pop(key, None)
        for key, words in wanted.items():
            # Between, a part of the lessons was looked at: what it counts is less than what is told.
            if key not in self._told or (whole and self._told[key] != words):
                self._alarm.raise_(*key, words)
                self._told[key] = words


def session_id(occurrence: str, number: int) -> str:
    """The id of the session that a lesson becomes; the next number where it had to be made anew.

    >>> session_id("2026a~l-3~w12", 1)
    's-f10f7a570858ed82-1'
    """
    return f"s-{hashlib.sha256(occurrence.encode()).hexdigest()[:16]}-{number}"


def _same(order: SessionOrder, wanted: Wanted, now: float) -> bool:
    """Whether a session is as a lesson should be; shortly before its start title and policy do not count."""
    new = wanted.new
    told = (order.title, order.mode, order.policy, order.timetable) == (
        new.title,
        new.mode,
        new.policy,
        new.timetable,
    ) and [one.period for one in order.rooms] == [one.period for one in new.rooms]
    return (
        abs(order.epoch - float(new.start)) < 1.0
        and abs(order.seconds - new.seconds) < 1.0
        and tuple((one.room, one.device, one.role) for one in order.rooms) == wanted.devices
        and (told or order.epoch - now < STEADY_S)
    )
