"""Repairs of plans that count: ways out are offered, and with a click one is published for its week."""

import datetime as dt
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from pydantic import Field, TypeAdapter
from sqlalchemy import Connection

from hub.schedule.desk.desk import Desk
from hub.schedule.desk.drafts import Opened
from hub.schedule.desk.errors import PlanUnknown, TermUnknown
from hub.schedule.district import District
from hub.schedule.plan import Plan
from hub.schedule.repair.alternative import Alternative, AlternativeKind
from hub.schedule.repair.dated import begun_since, over_at
from hub.schedule.repair.disruption import AnyDisruption, Disruption
from hub.schedule.repair.errors import RepairRefused, RepairUnknown
from hub.schedule.repair.happening import happening_words
from hub.schedule.repair.names import Names
from hub.schedule.repair.replan import facts_of, replan
from hub.schedule.repair.world import Fixed
from hub.schedule.slots import Id, Part
from hub.schedule.words import Words
from hub.store.occurrences import Published
from hub.store.repairs import RepairRecord, RepairTable

ALTERNATIVES: TypeAdapter[tuple[Alternative, ...]] = TypeAdapter(tuple[Alternative, ...])
LONGEST_NAME = 200
"""Characters of a plan's name."""
AGAIN_S = 60.0
"""Whoever tells the same once more within so many seconds, as by a second click, is answered with the same ways out."""


class NewRepair(Part):
    """What happened, and when."""

    term: Id
    week: int = Field(ge=1, le=60, description="The week in which it happened, as the term counts.")
    onwards: bool = Field(False, description="It stays so until the plan ends; otherwise it is about that week alone.")
    happened: AnyDisruption = Field(description="Its own `week` is set from the number of the week.")
    fixed: tuple[Id, ...] = Field((), max_length=1000, description="Lessons and requests that must not move.")
    most_moved: int = Field(3, ge=0, le=50, description="Sessions that were not hit and may move, at most.")


class Way(Part):
    """One of the ways out, without its plan."""

    kind: AlternativeKind
    words: Words
    changes: int
    """Things that are otherwise."""


class Outcome(Part):
    """What was published of a way out: ids of the plan and of lessons on dates."""

    plan: Id
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()


class _Asked(Part):
    """What the column `disruption` holds."""

    new: NewRepair
    changed: float
    """When the plan was changed last, as it was repaired."""
    words: Words
    """What happened."""
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class RepairHead:
    """A disruption of a plan that counts, what its ways out come to, and what was decided."""

    record: RepairRecord
    new: NewRepair
    changed: float
    """When the plan was changed last, as it was repaired."""
    words: Words
    """What happened, with names."""
    ways: tuple[Way, ...]
    outcome: Outcome | None
    """Of the way that was taken; None where none was."""

    @property
    def nobody_hit(self) -> bool:
        """Whether the plan holds as it is."""
        return all(way.kind == "keep" and not way.changes for way in self.ways)


@dataclass(frozen=True, slots=True)
class Repair(RepairHead):
    """With the ways out."""

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
        self._one_at_a_time = threading.Lock()

    def find(self, new: NewRepair, operator: str) -> Repair:
        """Find the ways out and keep them; one at a time, so that a second click finds what the first one found.

        Raises:
            RepairRefused: no plan counts for that week, or it is past.
            hub.schedule.errors.DisruptionWrong: what happened names what is not there.
        """
        with self._one_at_a_time:
            opened = self._counting(new.term, new.week)
            just_told = self._just_told(new, opened, operator)
            if just_told is not None:
                return self.get(just_told.record.id)
            happened = self._dated(new)
            district, plan = _book(opened)
            lessons = frozenset(one.id for one in district.lessons) & set(new.fixed)
            over = self._over(new, self._now())
            fixed = replace(over, requests=frozenset(new.fixed) - lessons, lessons=lessons)
            found = replan(district, plan, happened, fixed=fixed, most_moved=new.most_moved)
            ways = tuple(Way(kind=one.kind, words=one.words, changes=len(one.changes)) for one in found)
            words = happening_words(happened, Names(district))
            record = RepairRecord(
                id=f"repair-{secrets.token_hex(8)}",
                made=self._now(),
                operator=operator,
                kind=happened.kind,
                plan=opened.head.id,
                disruption=_Asked(new=new, changed=opened.head.changed, words=words, ways=ways).model_dump_json(),
            )
            self._table.add(record, ALTERNATIVES.dump_json(found, exclude_none=True).decode())
            return Repair(record, new, opened.head.changed, words, ways, None, found)

    def newest(self) -> list[RepairHead]:
        """What was found last, decided or not."""
        return [_read(record) for record in self._table.newest()]

    def of(self, *plans: str) -> list[RepairHead]:
        """What was found for some plans, the newest first."""
        return [_read(record) for record in self._table.of(plans)]

    def get(self, repair: str) -> Repair:
        """One of them, with its ways out.

        Raises:
            RepairUnknown: there is none.
        """
        record = self._table.get(repair)
        if record is None:
            raise RepairUnknown(f"there is no repair {repair[:80]}")
        head = _read(record)
        found = ALTERNATIVES.validate_json(self._table.alternatives(repair))
        return Repair(record, head.new, head.changed, head.words, head.ways, head.outcome, found)

    def here(self) -> dt.datetime:
        """Now, by the clock on the district's walls."""
        return dt.datetime.fromtimestamp(self._now(), self._timezone)

    def takeable(self, repair: RepairHead) -> bool:
        """Whether a way out can still be taken: nothing is decided, the plan is as it was, the week is not past."""
        new, record = repair.new, repair.record
        if record.closed is not None or self._counts(new.term, new.week) != record.plan:
            return False
        try:
            self._over(new, self._now())
        except (RepairRefused, TermUnknown):
            return False
        return self._desk.head(record.plan).changed == repair.changed

    def accept(self, repair: str, take: int, operator: str) -> Published:
        """Publish one of the ways out for its week; calendars and sessions follow.

        Args:
            repair: its id.
            take: which way, from 1.
            operator: who takes it.

        Raises:
            RepairRefused: there is none such, it is decided, or the plan has been changed since.
        """
        with self._one_at_a_time:
            found = self.get(repair)
            if not 1 <= take <= len(found.alternatives):
                raise RepairRefused(f"repair {repair} has ways 1 to {len(found.alternatives)}, and no way {take}")
            if found.record.closed is not None:
                raise RepairRefused(f"repair {repair} is decided already")
            return self._publish(found, take, operator)

    def _publish(self, found: Repair, take: int, operator: str) -> Published:
        new, record = found.new, found.record
        opened = self._counting(new.term, new.week)
        if (opened.head.id, opened.head.changed) != (record.plan, found.changed):
            raise RepairRefused(f"another plan counts for week {new.week} by now; find the ways out anew")
        way = found.alternatives[take - 1]
        district, plan = _book(opened)
        then, now = self._over(new, record.made), self._over(new, self._now())
        if not new.onwards and begun_since(way, plan, district, then, now):
            raise RepairRefused("lessons that this way changes have begun since it was found; find the ways out anew")
        weeks = range(new.week, (opened.head.last_week if new.onwards else new.week) + 1)

        def close(connection: Connection, its_plan: str, published: Published) -> None:
            outcome = Outcome(
                plan=its_plan,
                added=tuple(published.added),
                changed=tuple(published.changed),
                cancelled=tuple(published.cancelled),
            )
            if not self._table.take_in(connection, record.id, take, self._now(), outcome.model_dump_json()):
                raise RepairRefused(f"repair {record.id} is decided already")

        facts, words = facts_of(district, plan, way), found.words.zh[:LONGEST_NAME]
        return self._desk.adopt(opened, facts, way.plan, weeks, words, operator, close)

    def let_go(self, repair: str) -> None:
        """Take none of the ways.

        Raises:
            RepairRefused: it is decided, or there is none such.
        """
        self.get(repair)
        if not self._table.let_go(repair, self._now()):
            raise RepairRefused(f"repair {repair} is decided already")

    def _counting(self, term: str, week: int) -> Opened:
        plan = self._counts(term, week)
        if plan is None:
            raise RepairRefused(f"no plan counts for week {week} of term {term}; publish one first")
        try:
            return self._desk.open(plan)
        except PlanUnknown as error:
            raise RepairRefused(str(error)) from error

    def _counts(self, term: str, week: int) -> str | None:
        return next((plan for plan, weeks in self._desk.counting(term).items() if week in weeks), None)

    def _just_told(self, new: NewRepair, opened: Opened, operator: str) -> RepairHead | None:
        """The same, told a moment ago of the plan as it is; None where it was not, or somebody has decided since."""
        for record in self._table.of([opened.head.id]):
            head = _read(record)
            again = (record.operator, head.new, head.changed) == (operator, new, opened.head.changed)
            open_still = record.closed is None or head.nobody_hit
            if again and open_still and self._now() - record.made < AGAIN_S:
                return head
        return None

    def _dated(self, new: NewRepair) -> Disruption:
        return new.happened.model_copy(update={"week": None if new.onwards else "AB"[1 - new.week % 2]})

    def _over(self, new: NewRepair, utc: float) -> Fixed:
        """What of that week is over, or is not held because its day is off."""
        here = dt.datetime.fromtimestamp(utc, self._timezone)
        return over_at(self._desk.term(new.term), new.week, here, onwards=new.onwards)


def _book(opened: Opened) -> tuple[District, Plan]:
    plan = opened.book.plan
    if plan is None:
        raise RepairRefused(f"plan {opened.head.id} has no sessions to repair")
    return opened.book.district, plan


def _read(record: RepairRecord) -> RepairHead:
    asked = _Asked.model_validate_json(record.disruption)
    outcome = Outcome.model_validate_json(record.outcome) if record.outcome is not None else None
    return RepairHead(record, asked.new, asked.changed, asked.words, asked.ways, outcome)
