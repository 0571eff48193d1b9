"""Disruptions, the ways out that were offered, and which of them was taken."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from hub.store.engine import Database
from hub.store.tables import REPAIR


@dataclass(frozen=True, slots=True)
class RepairRecord:
    """One disruption, and what was decided; its ways out are read by `RepairTable.alternatives`."""

    id: str
    made: float
    """In seconds of hub UTC, as `closed`."""
    operator: str
    """Who told of it."""
    kind: str
    """What happened, of `hub.schedule.repair.disruption`."""
    plan: str
    """The plan that counted then."""
    disruption: str
    """What was asked, and what each way out comes to, as JSON."""
    taken: int | None = None
    """Which was taken, from 1; None where none was."""
    closed: float | None = None
    """When one was taken or all were let go; None while nothing was decided."""
    outcome: str | None = None
    """What was published of the one that was taken, as JSON; None where nothing was."""


_COLUMNS = tuple(REPAIR.c[name] for name in RepairRecord.__dataclass_fields__)
"""All but the ways out, which are whole plans."""


class RepairTable:
    """Repairs by id. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record: RepairRecord, alternatives: str) -> None:
        """Keep a new one, with its ways out as JSON, the best first."""
        values = {name: getattr(record, name) for name in RepairRecord.__dataclass_fields__}
        with self._database.write() as connection:
            connection.execute(insert(REPAIR).values(**values, alternatives=alternatives))

    def get(self, repair: str) -> RepairRecord | None:
        """One, or None."""
        with self._database.read() as connection:
            row = connection.execute(select(*_COLUMNS).where(REPAIR.c.id == repair)).mappings().first()
        return RepairRecord(**row) if row is not None else None

    def alternatives(self, repair: str) -> str:
        """The ways out of one that is there, as they were kept."""
        with self._database.read() as connection:
            return str(connection.scalar(select(REPAIR.c.alternatives).where(REPAIR.c.id == repair)))

    def newest(self, limit: int = 100) -> list[RepairRecord]:
        """The newest first."""
        return self._read(select(*_COLUMNS).limit(limit))

    def of(self, plans: Collection[str], limit: int = 100) -> list[RepairRecord]:
        """Those of some plans, the newest first."""
        return self._read(select(*_COLUMNS).where(REPAIR.c.plan.in_(sorted(plans))).limit(limit))

    def let_go(self, repair: str, now: float) -> bool:
        """Note that none of the ways is taken; whether nothing was decided before."""
        undecided = (REPAIR.c.id == repair) & REPAIR.c.closed.is_(None)
        with self._database.write() as connection:
            return connection.execute(update(REPAIR).where(undecided).values(closed=now)).rowcount == 1

    def take_in(self, connection: Connection, repair: str, taken: int, now: float, outcome: str) -> bool:
        """Note which way was taken and what came of it, in a transaction that has begun; whether it was undecided."""
        undecided = (REPAIR.c.id == repair) & REPAIR.c.closed.is_(None)
        values = {"taken": taken, "closed": now, "outcome": outcome}
        return connection.execute(update(REPAIR).where(undecided).values(values)).rowcount == 1

    def _read(self, query: Select[Any]) -> list[RepairRecord]:
        ordered = query.order_by(REPAIR.c.made.desc(), REPAIR.c.id.desc())
        with self._database.read() as connection:
            return [RepairRecord(**row) for row in connection.execute(ordered).mappings()]
