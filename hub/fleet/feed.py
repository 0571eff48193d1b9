"""Health rows that other processes have stored: read from the database, where several workers take rows in."""

import json
from typing import Any

from sqlalchemy import func, select

from contract.telemetry import Row
from hub.fleet.health import KINDS, FleetHealth
from hub.store.engine import Database
from hub.store.rows import TABLES, Arrived, RowKind

ROWS_MOST = 20_000
"""Rows looked at in one table at a time; of more only the newest count, for health is what is now."""
OVERLAP = 2_000
"""Rows that are looked at once more: several writers do not commit in the order of their numbers."""


class HealthFeed:
    """Hands rows that are new in the database to the health of the fleet; `poll` belongs to one thread.

    Args:
        database: where every worker stores its rows.
        health: takes them.
    """

    def __init__(self, database: Database, health: FleetHealth) -> None:
        self._database = database
        self._health = health
        self._last: dict[RowKind, int] = {}

    def poll(self) -> None:
        """Look for what is new; rows that were looked at before do no harm."""
        for kind, table in TABLES.items():
            with self._database.read() as connection:
                last = connection.scalar(select(func.max(table.c.id))) or 0
                since = max(self._last.get(kind, last) - OVERLAP, last - ROWS_MOST)
                wanted = select(table).where(table.c.id > since, table.c.kind.in_(KINDS)).order_by(table.c.id)
                found = connection.execute(wanted).all()
            self._last[kind] = last
            self._health.on_stored([_arrived(one, kind) for one in found])


def _arrived(found: Any, kind: RowKind) -> Arrived:
    row = Row(
        stream=found.stream,
        seq=found.seq,
        first=1,
        id=found.producer,
        kind=found.kind,
        boot=found.boot,
        mono_ns=found.mono_ns,
        wall=found.wall,
        data=json.loads(found.data),
    )
    return Arrived(found.device, kind, row, found.received)
