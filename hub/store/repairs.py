"""Disruptions, the ways out that were offered, and which of them was taken."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from hub.store.engine import Database
from hub.store.tables import REPAIR


@dataclass(frozen=True, slots=True)
class RepairRecord:
    """One disruption and its ways out, both as JSON."""

    id: str
    made: float
    """In seconds of hub UTC, as `closed`."""
    operator: str
    """Who told of it."""
    kind: str
    """What happened, of `hub.schedule.repair.disruption`."""
    disruption: str
    """What was asked: plan, week, and what happened."""
    alternatives: str
    """What was offered, the best first."""
    taken: int | None = None
    """Which was taken, from 1; None where none was."""
    closed: float | None = None
    """When one was taken or all were let go; None while nothing was decided."""


class RepairTable:
    """Repairs by id. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record: RepairRecord) -> None:
        """Keep a new one."""
        values = {name: getattr(record, name) for name in RepairRecord.__dataclass_fields__}
        with self._database.write() as connection:
            connection.execute(insert(REPAIR).values(values))

    def get(self, repair: str) -> RepairRecord | None:
        """One, or None."""
        with self._database.read() as connection:
            row = connection.execute(select(REPAIR).where(REPAIR.c.id == repair)).mappings().first()
        return _record(row) if row is not None else None

    def newest(self, limit: int = 100) -> list[RepairRecord]:
        """The newest first."""
        query = select(REPAIR).order_by(REPAIR.c.made.desc(), REPAIR.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def close(self, repair: str, taken: int | None, now: float) -> bool:
        """Note which way was taken, None for none; whether nothing was decided before."""
        undecided = (REPAIR.c.id == repair) & REPAIR.c.closed.is_(None)
        with self._database.write() as connection:
            return connection.execute(update(REPAIR).where(undecided).values(taken=taken, closed=now)).rowcount == 1

    def reopen(self, repair: str) -> None:
        """Nothing came of what was taken: it is undecided again."""
        with self._database.write() as connection:
            connection.execute(update(REPAIR).where(REPAIR.c.id == repair).values(taken=None, closed=None))


def _record(row: Any) -> RepairRecord:
    return RepairRecord(**{name: row[name] for name in RepairRecord.__dataclass_fields__})
