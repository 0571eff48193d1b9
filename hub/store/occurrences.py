"""Occurrences: each lesson on each date, as it was planned and as it was changed since."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, insert, select, update

from hub.schedule.calendars.occurrences import Kind, Occurrence
from hub.schedule.slots import Part
from hub.store.bulk import insert_many
from hub.store.engine import Database
from hub.store.errors import StoreRefused
from hub.store.tables import OCCURRENCE, OCCURRENCE_PART

PART = ("occurrence", "kind", "who")
CHUNK = 500
"""Ids in one statement, at most."""


class OccurrenceRefused(StoreRefused):
    """What was asked of an occurrence cannot be done: it is not there, or it has begun."""


@dataclass(frozen=True, slots=True)
class OccurrenceRecord:
    """One occurrence, and what became of it."""

    occurrence: Occurrence
    """As the plan has it."""
    plan: str
    sequence: int
    """Grows with each change."""
    cancelled: bool
    words: str
    """Why it was cancelled; empty where nothing was said."""
    session: str | None
    """The session that it became."""
    changed: float
    """In seconds of hub UTC."""
    by_hand: bool = False
    """Whether somebody cancelled this one date; a plan published later leaves that alone, unless it has another idea
    of the lesson than before."""


@dataclass(frozen=True, slots=True)
class Laid:
    """What a plan comes to in some weeks of a term.

    Raises:
        ValueError: an occurrence is of another term or week.
    """

    plan: str
    term: str
    weeks: Collection[int]
    """Those that it plans; what is there of them and not in `occurrences` is cancelled."""
    occurrences: Sequence[Occurrence] = ()
    words: str = ""
    """Why what is gone is gone, for people."""

    def __post_init__(self) -> None:
        if any(one.term != self.term or one.week not in self.weeks for one in self.occurrences):
            raise ValueError(f"an occurrence is not of term {self.term}, or not of the weeks that are published")


@dataclass(slots=True)
class Published:
    """What publishing changed: ids."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    """Moved, or with other people or rooms; also what had been cancelled by an earlier plan and is held again."""
    cancelled: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """As before."""
    past: list[str] = field(default_factory=list)
    """Begun before now: left as they are, and not added."""


class _Kept(Part):
    """What the column `data` holds."""

    planned: Occurrence
    by_hand: bool = False


class OccurrenceTable:
    """Occurrences by id. Thread-safe. Times are seconds of hub UTC."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(
        self, laid: Sequence[Laid], now: float, also: Callable[[Connection, Published], object] = lambda *_: None
    ) -> Published:
        """Let plans count for some weeks of a term: all or nothing.

        Args:
            laid: what they come to.
            now: what has begun by then stays as it was.
            also: what else is written in the same transaction, told what changed; where it raises, nothing is.
        """
        published = Published()
        # What can be made beforehand is: nobody else writes meanwhile.
        pieces = [_Publication(one, now, published) for one in laid]
        with self._database.write() as connection:
            for piece in pieces:
                piece.run(connection)
            also(connection, published)
        return published

    def get(self, occurrence: str) -> OccurrenceRecord | None:
        """One occurrence, or None."""
        return next(iter(self._read(OCCURRENCE.c.id == occurrence)), None)

    def between(self, begins: float, ends: float) -> list[OccurrenceRecord]:
        """Everything that touches a stretch of time, in order; cancelled ones, too."""
        return self._read(_touches(begins, ends))

    def of(self, kind: Kind, who: str, begins: float, ends: float) -> list[OccurrenceRecord]:
        """As `between`, of what a room, teacher, class or school has a part in, or had one before it was changed."""
        ids = select(OCCURRENCE_PART.c.occurrence).where(OCCURRENCE_PART.c.kind == kind, OCCURRENCE_PART.c.who == who)
        return self._read(_touches(begins, ends), OCCURRENCE.c.id.in_(ids))

    def changed_since(self, since: float, begins: float, ends: float) -> list[OccurrenceRecord]:
        """As `between`, of what was changed at `since` or later."""
        return self._read(_touches(begins, ends), OCCURRENCE.c.changed >= since)

    def who(self, kind: Kind) -> list[str]:
        """Everybody of a kind who has, or had, a part in anything."""
        found = select(OCCURRENCE_PART.c.who).where(OCCURRENCE_PART.c.kind == kind).distinct()
        with self._database.read() as connection:
            return sorted(connection.scalars(found))

    def link(self, occurrence: str, session: str | None) -> None:
        """Note the session that an occurrence became; calendars do not show it, so nothing else changes."""
        with self._database.write() as connection:
            connection.execute(update(OCCURRENCE).where(OCCURRENCE.c.id == occurrence).values(session=session))

    def cancel(self, occurrence: str, now: float, words: str = "") -> OccurrenceRecord:
        """Call one date off; once more changes nothing.

        Raises:
            OccurrenceRefused: it is not there, or it has begun.
        """
        with self._database.write() as connection:
            row = _to_come(connection, occurrence, now)
            if not row.cancelled:
                kept = _Kept.model_validate_json(row.data).model_copy(update={"by_hand": True})
                values = {"cancelled": True, "words": words, "sequence": row.sequence + 1, "changed": now}
                _write(connection, [{"key": row.id, **_values(kept), **values, "plan": row.plan}])
        return self._expect(occurrence)

    def _expect(self, occurrence: str) -> OccurrenceRecord:
        found = self.get(occurrence)
        if found is None:
            raise _unknown(occurrence)
        return found

    def _read(self, *where: ColumnElement[bool]) -> list[OccurrenceRecord]:
        query = select(OCCURRENCE).where(*where).order_by(OCCURRENCE.c.epoch, OCCURRENCE.c.id)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query)]


class _Publication:
    """One plan becomes what counts: each occurrence is sorted, then all is written."""

    def __init__(self, laid: Laid, now: float, published: Published) -> None:
        self._laid = laid
        self._now = now
        self._published = published
        self._fresh = {one.id: (one, _Kept(planned=one).model_dump_json()) for one in laid.occurrences}
        self._parts = {one.id: _parts(one) for one in laid.occurrences}
        self._rewritten: list[dict[str, Any]] = []
        self._touched: list[str] = []

    def run(self, connection: Connection) -> None:
        """Sort and write."""
        laid = self._laid
        of_weeks = (OCCURRENCE.c.term == laid.term) & OCCURRENCE.c.week.in_(sorted(laid.weeks))
        stored = {row.id: row for row in connection.execute(select(OCCURRENCE).where(of_weeks))}
        new = []
        for one, data in self._fresh.values():
            row = stored.get(one.id)
            if row is None and one.epoch > self._now:
                new.append(one)
            elif row is None or row.epoch <= self._now:
                self._published.past.append(one.id)
            else:
                self._again(one, row, data)
        for row in stored.values():
            if row.id not in self._fresh:
                self._gone(row)
        self._published.added += [one.id for one in new]
        if new:
            connection.execute(insert(OCCURRENCE), [self._inserted(one) for one in new])
        _write(connection, self._rewritten)
        insert_many(connection, OCCURRENCE_PART, PART, sorted(part for one in new for part in self._parts[one.id]))
        _add_parts(connection, {one: self._parts[one] for one in self._touched})

    def _again(self, one: Occurrence, row: Any, data: str) -> None:
        """One that is there, and to come."""
        kept = _Kept.model_validate_json(row.data) if row.data != data else _Kept(planned=one)
        gone = row.cancelled and not kept.by_hand
        if kept.planned == one and not gone:
            self._published.kept.append(one.id)
            if row.plan != self._laid.plan or row.data != data:
                self._rewrite(row, kept, cancelled=row.cancelled, words=row.words, changed=row.changed, more=0)
            return
        if one.epoch <= self._now:
            self._gone(row)  # the plan has it at a time that is past: it was not held then, and will not be
            return
        self._published.changed.append(one.id)
        self._touched.append(one.id)
        self._rewrite(row, _Kept(planned=one), cancelled=False, words="", changed=self._now, more=1)

    def _gone(self, row: Any) -> None:
        """One that is not in the plan any more."""
        if row.epoch <= self._now:
            self._published.past.append(row.id)
        elif not row.cancelled:
            self._published.cancelled.append(row.id)
            kept = _Kept.model_validate_json(row.data).model_copy(update={"by_hand": False})
            self._rewrite(row, kept, cancelled=True, words=self._laid.words, changed=self._now, more=1)

    def _rewrite(self, row: Any, kept: _Kept, *, cancelled: bool, words: str, changed: float, more: int) -> None:
        values = {"cancelled": cancelled, "words": words, "sequence": row.sequence + more, "changed": changed}
        self._rewritten.append({"key": row.id, "plan": self._laid.plan, **_values(kept), **values})

    def _inserted(self, one: Occurrence) -> dict[str, Any]:
        fixed = {"id": one.id, "term": one.term, "lesson": one.lesson, "sequence": 0, "cancelled": False}
        state = {"plan": self._laid.plan, "words": "", "session": None, "changed": self._now}
        when = {"week": one.week, "epoch": one.epoch, "ends": one.ends, "data": self._fresh[one.id][1]}
        return {**fixed, **state, **when}


def _values(kept: _Kept) -> dict[str, Any]:
    one = kept.planned
    return {"week": one.week, "epoch": one.epoch, "ends": one.ends, "data": kept.model_dump_json()}


def _write(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        columns: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "key"}
        connection.execute(update(OCCURRENCE).where(OCCURRENCE.c.id == bindparam("key")).values(columns), rows)


def _parts(one: Occurrence) -> list[tuple[str, str, str]]:
    return [(one.id, kind.value, who) for kind, who in one.parts]


def _add_parts(connection: Connection, parts: Mapping[str, list[tuple[str, str, str]]]) -> None:
    """Add who has a part; whoever had one stays, so that their calendar can tell that they have none any more."""
    ids = sorted(parts)
    for at in range(0, len(ids), CHUNK):
        some = ids[at : at + CHUNK]
        found = connection.execute(select(OCCURRENCE_PART).where(OCCURRENCE_PART.c.occurrence.in_(some)))
        there = {(row.occurrence, row.kind, row.who) for row in found}
        insert_many(connection, OCCURRENCE_PART, PART, sorted({part for one in some for part in parts[one]} - there))


def _to_come(connection: Connection, occurrence: str, now: float) -> Any:
    row = connection.execute(select(OCCURRENCE).where(OCCURRENCE.c.id == occurrence).with_for_update()).first()
    if row is None:
        raise _unknown(occurrence)
    if row.epoch <= now:
        raise OccurrenceRefused(f"{occurrence} has begun; what was held, or was not, stays as it is")
    return row


def _unknown(occurrence: str) -> OccurrenceRefused:
    return OccurrenceRefused(f"there is no occurrence {occurrence}; see what the published plan holds")


def _touches(begins: float, ends: float) -> ColumnElement[bool]:
    return (OCCURRENCE.c.ends > begins) & (OCCURRENCE.c.epoch < ends)


def _record(row: Any) -> OccurrenceRecord:
    kept = _Kept.model_validate_json(row.data)
    return OccurrenceRecord(
        kept.planned, row.plan, row.sequence, row.cancelled, row.words, row.session, row.changed, kept.by_hand
    )
