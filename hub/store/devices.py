"""Devices: who they are, and whether they are there."""

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from contract.telemetry import DeviceState
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
    online: bool = False
    boot: str = ""
    incarnation: str = ""
    version: str = ""
    last_seen: float | None = None
    """When presence last came, in seconds of hub UTC."""
    why: str = ""


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

    def seen(self, state: DeviceState, now: float) -> None:
        """Keep a presence; a death keeps boot, incarnation and version of the life it ends."""
        values: dict[str, object] = {"online": state.online, "last_seen": now, "why": state.why}
        if state.online:
            values |= {"boot": state.boot, "incarnation": state.incarnation, "version": state.version}
        with self._database.write() as connection:
            connection.execute(update(DEVICE).where(DEVICE.c.id == state.device).values(values))

    def incarnated(self, device: str, boot: str, incarnation: str, now: float) -> None:
        """The device said hello: it is there, in this incarnation."""
        values = {"online": True, "boot": boot, "incarnation": incarnation, "last_seen": now, "why": ""}
        with self._database.write() as connection:
            connection.execute(update(DEVICE).where(DEVICE.c.id == device).values(values))

    def all_away(self) -> None:
        """Forget every presence; done at start, because what is retained or alive tells itself anew."""
        with self._database.write() as connection:
            connection.execute(update(DEVICE).values(online=False, why="not heard since the hub started"))
