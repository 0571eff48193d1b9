"""Repairs of plans that count: ways out are offered, and with a click one is published for its week."""

import datetime as dt
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pydantic import Field, TypeAdapter

from hub.schedule.desk.desk import Desk
from hub.schedule.desk.drafts import Opened
from hub.schedule.desk.errors import PlanUnknown
from hub.schedule.district import District
from hub.schedule.plan import Plan
from hub.schedule.repair.alternative import Alternative
from hub.schedule.repair.disruption import AnyDisruption, Disruption
from hub.schedule.repair.errors import RepairRefused, RepairUnknown
from hub.schedule.repair.replan import facts_of, replan
from hub.schedule.repair.world import Fixed, Moment
from hub.schedule.slots import Id, Part
from hub.store.occurrences import Published
from hub.store.repairs import RepairRecord, RepairTable

ALTERNATIVES: TypeAdapter[tuple[Alternative, ...]] = TypeAdapter(tuple[Alternative, ...])


class NewRepair(Part):
    """What happened, and when."""

    term: Id
    week: int = Field(ge=1, le=60, description="The week in which it happened, as the term counts.")
    onwards: bool = Field(False, description="It stays so until the plan ends; otherwise it is about that week alone.")
    happened: AnyDisruption = Field(description="Its own `week` is set from the number of the week.")
    fixed: tuple[Id, ...] = Field((), max_length=1000, description="Lessons and requests that must not move.")
    most_moved: int = Field(3, ge=0, le=50, description="Requests that were not hit and may move, at most.")


class _Asked(Part):
    """What the column `disruption` holds."""

    new: NewRepair
    plan: Id
    changed: float
    """When the plan was changed last, as it was repaired."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A disruption of a plan that counts, and its ways out."""

    record: RepairRecord
    new: NewRepair
    plan: str
    """Which was repaired."""
    alternatives: tuple[Alternative, ...]


class Repairs:
    """Finds ways out for plans that count, keeps them, and publishes the one that is taken. Synchronous, thread-safe.

    Args:
        table: where they are kept.
        desk: has the plans.
        timezone: of the district's bells.
        now: hub UTC in seconds.
    """

    def __init__(self, table: RepairTable, desk: Desk, timezone: ZoneInfo, now: Callable[[], float]) -> None:
        self._table = table
        self._desk = desk
        self._timezone = timezone
        self._now = now

    def find(self, new: NewRepair, operator: str) -> Repair:
        """Find the ways out and keep them.

        Raises:
            RepairRefused: no plan counts for that week, or it is past.
            hub.schedule.errors.DisruptionWrong: what happened names what is not there.
        """
        opened = self._counting(new.term, new.week)
        happened = self._dated(new)
        district, plan = _book(opened)
        lessons = frozenset(one.id for one in district.lessons) & set(new.fixed)
        fixed = Fixed(requests=frozenset(new.fixed) - lessons, lessons=lessons, until=self._until(new))
        found = replan(district, plan, happened, fixed=fixed, most_moved=new.most_moved)
        record = RepairRecord(
            id=f"repair-{secrets.token_hex(8)}",
            made=self._now(),
            operator=operator,
            kind=happened.kind,
            disruption=_Asked(new=new, plan=opened.head.id, changed=opened.head.changed).model_dump_json(),
            alternatives=ALTERNATIVES.dump_json(found, exclude_none=True).decode(),
        )
        self._table.add(record)
        return Repair(record, new, opened.head.id, found)

    def newest(self) -> list[Repair]:
        """What was found last, decided or not."""
        return [_read(record) for record in self._table.newest()]

    def get(self, repair: str) -> Repair:
        """One of them.

        Raises:
            RepairUnknown: there is none.
        """
        record = self._table.get(repair)
        if record is None:
            raise RepairUnknown(f"there is no repair {repair[:80]}")
        return _read(record)

    def accept(self, repair: str, take: int, operator: str) -> Published:
        """Publish one of the ways out for its week; calendars and sessions follow.

        Args:
            repair: its id.
            take: which way, from 1.
            operator: who takes it.

        Raises:
            RepairRefused: there is none such, it is decided, or the plan has been changed since.
        """
        found = self.get(repair)
        if not 1 <= take <= len(found.alternatives):
            raise RepairRefused(f"repair {repair} has ways 1 to {len(found.alternatives)}, and no way {take}")
        opened = self._counting(found.new.term, found.new.week)
        asked = _Asked.model_validate_json(found.record.disruption)
        if (opened.head.id, opened.head.changed) != (asked.plan, asked.changed):
            raise RepairRefused(f"another plan counts for week {found.new.week} by now; find the ways out anew")
        way = found.alternatives[take - 1]
        district, plan = _book(opened)
        last = opened.head.last_week if found.new.onwards else found.new.week
        if not self._table.close(repair, take, self._now()):
            raise RepairRefused(f"repair {repair} is decided already")
        weeks = range(found.new.week, last + 1)
        try:
            return self._desk.adopt(opened, facts_of(district, plan, way), way.plan, weeks, way.words.zh, operator)
        except Exception:
            self._table.reopen(repair)  # nothing was published: it can still be taken, or let go
            raise

    def let_go(self, repair: str) -> None:
        """Take none of the ways.

        Raises:
            RepairRefused: it is decided, or there is none such.
        """
        self.get(repair)
        if not self._table.close(repair, None, self._now()):
            raise RepairRefused(f"repair {repair} is decided already")

    def _counting(self, term: str, week: int) -> Opened:
        counts = [plan for plan, weeks in self._desk.counting(term).items() if week in weeks]
        if not counts:
            raise RepairRefused(f"no plan counts for week {week} of term {term}; publish one first")
        try:
            return self._desk.open(counts[0])
        except PlanUnknown as error:
            raise RepairRefused(str(error)) from error

    def _dated(self, new: NewRepair) -> Disruption:
        return new.happened.model_copy(update={"week": None if new.onwards else "AB"[1 - new.week % 2]})

    def _until(self, new: NewRepair) -> Moment | None:
        """What of that week is over; None where all of it is to come."""
        here = dt.datetime.fromtimestamp(self._now(), self._timezone)
        term = self._desk.term(new.term)
        if term.date_of(new.week, 7) < here.date():
            raise RepairRefused(f"week {new.week} is past; what was held stays as it was")
        if here.date() < term.date_of(new.week, 1):
            return None
        return Moment(day=here.isoweekday(), clock=here.strftime("%H:%M"))


def _book(opened: Opened) -> tuple[District, Plan]:
    plan = opened.book.plan
    if plan is None:
        raise RepairRefused(f"plan {opened.head.id} has no sessions to repair")
    return opened.book.district, plan


def _read(record: RepairRecord) -> Repair:
    asked = _Asked.model_validate_json(record.disruption)
    return Repair(record, asked.new, asked.plan, ALTERNATIVES.validate_json(record.alternatives))
