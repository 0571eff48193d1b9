"""What the planner knows, and every change of it: made as one, undone as one."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, bindparam, case, delete, func, insert, select, update

from hub.store.engine import Database
from hub.store.errors import StoreRefused
from hub.store.tables import PLAN_CHANGE, PLAN_FACT, PLAN_IMPORT

UNDO = "undo"
"""The format of an import that takes another one back."""
NAMED_MOST = 5
"""Imports, or facts, that a refusal names."""


@dataclass(frozen=True, slots=True)
class PlanFact:
    """One thing that the planner knows."""

    kind: str
    id: str
    school: str
    """The school that it belongs to; empty where it belongs to none."""
    data: str
    """The thing as JSON, as its kind's model writes it."""
    changed: float
    """When it was changed last, in seconds of hub UTC."""


@dataclass(frozen=True, slots=True)
class FactChange:
    """One fact in one import."""

    kind: str
    fact: str
    before: str | None
    """As it was; None where it was not there."""
    after: str | None
    """As it is to be; None where it is taken away."""


@dataclass(frozen=True, slots=True)
class NewImport:
    """What is said of an import before it is made."""

    operator: str
    source: str
    """The file's name, `by hand`; of one that takes another back, that one's id."""
    format: str
    words: str
    made: float
    """In seconds of hub UTC."""


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """An import that was made."""

    id: str
    made: float
    operator: str
    source: str
    format: str
    words: str
    undone: float | None
    """When it was taken back, in seconds of hub UTC; None while it counts."""


class FactsChanged(StoreRefused):
    """Facts are not any more as they were when the change was worked out."""


class WhyNot(StrEnum):
    """Why an import cannot be taken back."""

    UNKNOWN = "unknown"
    """There is none of that id."""
    UNDONE = "undone"
    """It is undone already."""
    COVERED = "covered"
    """Later imports that count have touched the same facts."""
    MOVED = "moved"
    """Facts are not as it left them."""


class UndoRefused(StoreRefused):
    """An import cannot be taken back, or not yet.

    Attributes:
        why: the reason, for whoever tells it in another language.
        made: the import's id.
        later: by id of each later import that stands in the way, the newest first: kind and id of a fact of both.
    """

    def __init__(self, words: str, why: WhyNot, made: str, later: Mapping[str, tuple[str, str]] | None = None) -> None:
        super().__init__(words)
        self.why = why
        self.made = made
        self.later = later or {}


class PlanFactTable:
    """Facts of the planner by kind and id. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, kind: str) -> list[PlanFact]:
        """Every fact of a kind, by id."""
        query = select(PLAN_FACT).where(PLAN_FACT.c.kind == kind).order_by(PLAN_FACT.c.id)
        with self._database.read() as connection:
            return [PlanFact(*row) for row in connection.execute(query)]

    def everything(self) -> list[PlanFact]:
        """Every fact, by kind and id, as of one moment."""
        with self._database.read() as connection:
            return [PlanFact(*row) for row in connection.execute(select(PLAN_FACT).order_by(*_KEY))]

    def get(self, kind: str, fact: str) -> PlanFact | None:
        """One fact, or None."""
        query = select(PLAN_FACT).where(PLAN_FACT.c.kind == kind, PLAN_FACT.c.id == fact)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return PlanFact(*row) if row is not None else None

    def some(self, kind: str, ids: Collection[str]) -> list[PlanFact]:
        """Those of a kind that have one of these ids; as many as a page shows, not thousands."""
        query = select(PLAN_FACT).where(PLAN_FACT.c.kind == kind, PLAN_FACT.c.id.in_(ids))
        with self._database.read() as connection:
            return [PlanFact(*row) for row in connection.execute(query)]

    def newest(self) -> str:
        """The id of the newest import, empty where there is none: as long as it stays, no fact has changed."""
        with self._database.read() as connection:
            return connection.scalar(select(func.max(PLAN_IMPORT.c.id))) or ""

    def counts(self) -> dict[str, int]:
        """How many facts there are of each kind that has any."""
        query = (
            select(PLAN_FACT.c.kind, func.count().label("facts")).group_by(PLAN_FACT.c.kind).order_by(PLAN_FACT.c.kind)
        )
        with self._database.read() as connection:
            return {row.kind: row.facts for row in connection.execute(query)}

    def imports(self, most: int | None = None) -> list[ImportRecord]:
        """Imports, the newest first; at most so many."""
        query = select(PLAN_IMPORT).order_by(PLAN_IMPORT.c.id.desc()).limit(most)
        with self._database.read() as connection:
            return [ImportRecord(*row) for row in connection.execute(query)]

    def changed(self, imports: Collection[str]) -> dict[str, dict[str, dict[str, int]]]:
        """By import and kind: how many facts were `added`, `changed` and `removed`."""
        what = case(
            (PLAN_CHANGE.c.before.is_(None), "added"), (PLAN_CHANGE.c.after.is_(None), "removed"), else_="changed"
        ).label("what")
        keys = (PLAN_CHANGE.c["import"], PLAN_CHANGE.c.kind, what)
        query = select(*keys, func.count()).where(PLAN_CHANGE.c["import"].in_(imports)).group_by(*keys)
        found: dict[str, dict[str, dict[str, int]]] = {}
        with self._database.read() as connection:
            for made, kind, done, count in connection.execute(query):
                found.setdefault(made, {}).setdefault(kind, {})[done] = count
        return found

    def changes(self, import_id: str) -> list[FactChange]:
        """What an import changed, in its order."""
        with self._database.read() as connection:
            return _changes(connection, import_id)

    def apply(self, new: NewImport, changes: Sequence[FactChange]) -> ImportRecord:
        """Make changes as one import: all of them, or none.

        Raises:
            FactsChanged: a fact is not as its change says that it was; nothing is changed.
        """
        with self._writing() as connection:
            return _made(connection, new, changes)

    def undo(self, import_id: str, operator: str, now: float) -> ImportRecord:
        """Take an import back: every fact of it becomes what it was before.

        The undoing is an import of its own, which can be taken back as well: then the facts are again as the first
        one made them.

        Returns:
            The import that the undoing is.

        Raises:
            UndoRefused: there is no such import, it is undone already, or later ones have touched the same facts and
                still count; the words name them.
        """
        with self._writing() as connection:
            row = connection.execute(select(PLAN_IMPORT).where(PLAN_IMPORT.c.id == import_id)).first()
            if row is None:
                words = f"there is no import {import_id}; see which there are with: tongtang plan imports"
                raise UndoRefused(words, WhyNot.UNKNOWN, import_id)
            was = ImportRecord(*row)
            if was.undone is not None:
                raise UndoRefused(f"import {import_id} is undone already", WhyNot.UNDONE, import_id)
            changes = _changes(connection, import_id)
            self._refuse_covered(connection, was, changes)
            again = was.format == UNDO
            first = _record(connection, was.source) if again else was
            new = NewImport(
                operator=operator,
                source=first.source if again else was.id,
                format=first.format if again else UNDO,
                words=f"again {first.id}: {first.words}" if again else f"undoes {was.id}: {was.words}",
                made=now,
            )
            reverse = [FactChange(one.kind, one.fact, one.after, one.before) for one in reversed(changes)]
            try:
                made = _made(connection, new, reverse)
            except FactsChanged as error:
                words = f"import {import_id} cannot be undone: {error}"
                raise UndoRefused(words, WhyNot.MOVED, import_id) from error
            connection.execute(update(PLAN_IMPORT).where(PLAN_IMPORT.c.id == import_id).values(undone=now))
            return made

    def _refuse_covered(self, connection: Connection, was: ImportRecord, changes: Sequence[FactChange]) -> None:
        """Refuse where a later import that counts has touched one of the facts."""
        touched = {(one.kind, one.fact) for one in changes}
        query = (
            select(PLAN_CHANGE.c["import"], PLAN_CHANGE.c.kind, PLAN_CHANGE.c.fact)
            .join(PLAN_IMPORT, PLAN_IMPORT.c.id == PLAN_CHANGE.c["import"])
            .where(PLAN_IMPORT.c.id > was.id, PLAN_IMPORT.c.undone.is_(None), PLAN_IMPORT.c.format != UNDO)
            .order_by(PLAN_IMPORT.c.id.desc())
        )
        covering: dict[str, tuple[str, str]] = {}
        for later, kind, fact in connection.execute(query):
            if (kind, fact) in touched:
                covering.setdefault(later, (kind, fact))
        if covering:
            told = ", ".join(f"{later} ({' '.join(what)})" for later, what in list(covering.items())[:NAMED_MOST])
            more = f" and {len(covering) - NAMED_MOST} more" if len(covering) > NAMED_MOST else ""
            raise UndoRefused(
                f"import {was.id} cannot be undone yet: later imports changed the same facts: {told}{more}; "
                "undo those first, the newest first",
                WhyNot.COVERED,
                was.id,
                covering,
            )

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction beside which nobody changes facts, in whatever process: it gives imports their numbers."""
        with self._database.write() as connection:
            if self._database.shared:
                connection.exec_driver_sql("LOCK TABLE plan_import IN EXCLUSIVE MODE")
            yield connection


_KEY = (PLAN_FACT.c.kind, PLAN_FACT.c.id)


def school_of(kind: str, fact: str, data: str) -> str:
    """The school that a fact belongs to: the one that its `school` names; a school belongs to itself.

    >>> school_of("room", "r-1", '{"id": "r-1", "school": "s-1"}')
    's-1'
    """
    if kind == "school":
        return fact
    return str(json.loads(data).get("school") or "")


def _made(connection: Connection, new: NewImport, changes: Sequence[FactChange]) -> ImportRecord:
    _expect(connection, changes)
    record = ImportRecord(_next_id(connection), new.made, new.operator, new.source, new.format, new.words, None)
    connection.execute(
        insert(PLAN_IMPORT).values(
            id=record.id,
            made=record.made,
            operator=record.operator,
            source=record.source,
            format=record.format,
            words=record.words,
        )
    )
    gone = [{"gone_kind": one.kind, "gone_id": one.fact} for one in changes if one.before is not None]
    if gone:
        this = (PLAN_FACT.c.kind == bindparam("gone_kind"), PLAN_FACT.c.id == bindparam("gone_id"))
        connection.execute(delete(PLAN_FACT).where(*this), gone)
    there = [
        {
            "kind": one.kind,
            "id": one.fact,
            "school": school_of(one.kind, one.fact, one.after),
            "data": one.after,
            "changed": new.made,
        }
        for one in changes
        if one.after is not None
    ]
    if there:
        connection.execute(insert(PLAN_FACT), there)
    rows = [
        {
            "import": record.id,
            "position": position,
            "kind": one.kind,
            "fact": one.fact,
            "before": one.before,
            "after": one.after,
        }
        for position, one in enumerate(changes)
    ]
    if rows:
        connection.execute(insert(PLAN_CHANGE), rows)
    return record


def _expect(connection: Connection, changes: Sequence[FactChange]) -> None:
    """Refuse changes of what has changed meanwhile."""
    kinds = {one.kind for one in changes}
    query = select(PLAN_FACT.c.kind, PLAN_FACT.c.id, PLAN_FACT.c.data).where(PLAN_FACT.c.kind.in_(kinds))
    there = {(kind, fact): data for kind, fact, data in connection.execute(query)}
    moved = [f"{one.kind} {one.fact}" for one in changes if there.get((one.kind, one.fact)) != one.before]
    if moved:
        more = f" and {len(moved) - NAMED_MOST} more" if len(moved) > NAMED_MOST else ""
        raise FactsChanged(f"{', '.join(moved[:NAMED_MOST])}{more} changed meanwhile; look again at what would change")


def _next_id(connection: Connection) -> str:
    newest = connection.scalar(select(func.max(PLAN_IMPORT.c.id)))
    return f"i-{int(newest.removeprefix('i-')) + 1 if newest else 1:06}"


def _record(connection: Connection, import_id: str) -> ImportRecord:
    return ImportRecord(*connection.execute(select(PLAN_IMPORT).where(PLAN_IMPORT.c.id == import_id)).one())


def _changes(connection: Connection, import_id: str) -> list[FactChange]:
    columns = (PLAN_CHANGE.c.kind, PLAN_CHANGE.c.fact, PLAN_CHANGE.c.before, PLAN_CHANGE.c.after)
    query = select(*columns).where(PLAN_CHANGE.c["import"] == import_id).order_by(PLAN_CHANGE.c.position)
    return [FactChange(*row) for row in connection.execute(query)]
