"""Devices: who they are, and whether they are there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, bindparam, insert, select, update

from hub.store.engine import Database
from hub.store.tables import DEVICE


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """One registered device and its last known presence."""

    id: str
    room: str
    name: str
    school: str
    public_key: str
    """PEM."""
    registered: float
    """Seconds of hub UTC."""
    machine: str = ""
    """Fingerprint of the machine that spoke last under this name."""
    revoked: float | None = None
    """When it was shut out, in seconds of hub UTC."""
    online: bool = False
    boot: str = ""
    incarnation: str = ""
    version: str = ""
    last_seen: float | None = None
    """When presence last came, in seconds of hub UTC."""
    why: str = ""


PRESENCE = ("online", "boot", "incarnation", "version", "last_seen", "why")
"""Columns that presence changes."""


class DeviceTable:
    """Devices by id. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[DeviceRecord]:
        """Every device, by id."""
        with self._database.read() as connection:
            return [DeviceRecord(**row) for row in connection.execute(select(DEVICE).order_by(DEVICE.c.id)).mappings()]

    def add(self, device: DeviceRecord) -> None:
        """Store a new device; its id and its room must be new."""
        values = {column.name: getattr(device, column.name) for column in DEVICE.c}
        with self._database.write() as connection:
            connection.execute(insert(DEVICE).values(values))

    def rename(self, device: str, name: str, school: str) -> None:
        """Change what people call it."""
        with self._database.write() as connection:
            connection.execute(update(DEVICE).where(DEVICE.c.id == device).values(name=name, school=school))

    def seen(self, devices: Sequence[DeviceRecord]) -> None:
        """Keep what is known of the presence of devices, in one transaction."""
        present = [{"device": one.id, **{f"new_{name}": getattr(one, name) for name in PRESENCE}} for one in devices]
        values: dict[str, BindParameter[Any]] = {name: bindparam(f"new_{name}") for name in PRESENCE}
        with self._database.write() as connection:
            connection.execute(update(DEVICE).where(DEVICE.c.id == bindparam("device")).values(values), present)

    def all_away(self) -> None:
        """Forget every presence; done at start, because what is retained or alive tells itself anew."""
        with self._database.write() as connection:
            connection.execute(update(DEVICE).values(online=False, why="not heard since the hub started"))
