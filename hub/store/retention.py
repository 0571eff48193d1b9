"""Lets go of what is older than it is kept, a chunk at a time, so that nobody waits for it."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Table, delete, exists, func, select, tuple_

from hub.store.buckets import Step
from hub.store.engine import Database
from hub.store.rollups import TABLES as ROLLUPS
from hub.store.streams import TABLES, RowKind
from hub.store.tables import GAP, QUARANTINE, STREAM

CHUNK = 500
"""Rows deleted in one transaction."""


class Retention:
    """Deletes by age. Each method yields after each transaction, so that the caller can let others pass.

    Every `before` is a moment of hub UTC, in seconds; what is yielded is how many were deleted.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self, kind: RowKind, before: float, below: int | None = None) -> Iterator[int]:
        """Rows that arrived before `before`, of those with an id below `below`.

        The newest row of all stays, because SQLite would give its id to the next one. Rows beyond a hole stay too:
        they are not acknowledged, and would come again as new.
        """
        table = TABLES[kind]
        with self._database.read() as connection:
            newest = connection.scalar(select(func.max(table.c.id))) or 0
        acknowledged = exists().where(STREAM.c.stream == table.c.stream, STREAM.c.upto >= table.c.seq)
        return self._oldest(
            table, table.c.received, before, min(newest, newest if below is None else below), acknowledged
        )

    def quarantine(self, before: float) -> Iterator[int]:
        """Rows that were set aside."""
        with self._database.read() as connection:
            newest = connection.scalar(select(func.max(QUARANTINE.c.id))) or 0
        return self._oldest(QUARANTINE, QUARANTINE.c.received, before, newest)

    def gaps(self, before: float) -> Iterator[int]:
        """Declared gaps."""
        while True:
            with self._database.write_beside() as connection:
                old = list(connection.scalars(select(GAP.c.id).where(GAP.c.declared < before).limit(CHUNK)))
                if old:
                    connection.execute(delete(GAP).where(GAP.c.id.in_(old)))
            if not old:
                return
            yield len(old)

    def rollups(self, step: Step, before: float) -> Iterator[int]:
        """Buckets that began before `before`."""
        table = ROLLUPS[step]
        names = (table.c.device, table.c.kind, table.c.bucket)
        while True:
            with self._database.write_beside() as connection:
                oldest = select(*names).where(table.c.bucket < before).order_by(table.c.bucket).limit(CHUNK)
                old = [tuple(row) for row in connection.execute(oldest)]
                if old:
                    connection.execute(delete(table).where(tuple_(*names).in_(old)))
            if not old:
                return
            yield len(old)

    def _oldest(
        self, table: Table, when: ColumnElement[float], before: float, below: int, *further: ColumnElement[bool]
    ) -> Iterator[int]:
        """From the smallest id on, until a chunk holds nothing old: ids grow with time."""
        position = 0
        while True:
            chunk = select(table.c.id, when.label("at")).where(table.c.id > position, table.c.id < below)
            with self._database.read() as connection:
                found = connection.execute(chunk.order_by(table.c.id).limit(CHUNK)).all()
            old = [row.id for row in found if row.at < before]
            if not old:
                return
            with self._database.write_beside() as connection:
                yielded = connection.execute(delete(table).where(table.c.id.in_(old), *further)).rowcount
            yield yielded
            position = found[-1].id
