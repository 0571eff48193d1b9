"""Twins: the configuration that is wanted of each device, and the one that it reports."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select

from hub.store.engine import Database
from hub.store.tables import TWIN


@dataclass(frozen=True, slots=True)
class TwinRecord:
    """The twin of one device. Times are seconds of hub UTC."""

    device: str
    rev: int = 0
    """Revision that is wanted; 0 where nothing was ever wanted of it."""
    desired: str = "{}"
    """What is wanted, by table and key, JSON."""
    changed: float = 0.0
    reported_rev: int = 0
    """Revision of which it spoke last."""
    status: str = ""
    """How it stands to that revision (`contract.twin.TwinStatus`); empty where it never spoke."""
    words: str = ""
    reported: str | None = None
    """What is in force there, JSON."""
    reported_at: float | None = None


class TwinTable:
    """Twins by device. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[TwinRecord]:
        """Every twin, by device."""
        with self._database.read() as connection:
            rows = connection.execute(select(TWIN).order_by(TWIN.c.device)).mappings().all()
        return [TwinRecord(**row) for row in rows]

    def put(self, twins: Sequence[TwinRecord]) -> None:
        """Keep twins as they are now, in one transaction."""
        values = [{column.name: getattr(one, column.name) for column in TWIN.c} for one in twins]
        with self._database.write() as connection:
            connection.execute(
                delete(TWIN).where(TWIN.c.device == bindparam("key")), [{"key": one.device} for one in twins]
            )
            connection.execute(insert(TWIN), values)
