"""Devices: who they are, and whether they are there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, bindparam, insert, select, update

from hub.store.engine import Database
from hub.store.tables import CERTIFICATE, DEVICE


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


PRESENCE = ("machine", "online", "boot", "incarnation", "version", "last_seen", "why")
"""Columns that presence changes."""
UNHEARD = "not heard since the hub started"


class DeviceTable:
    """Devices by id. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[DeviceRecord]:
        """Every device, by id."""
        with self._database.read() as connection:
            return [DeviceRecord(**row) for row in connection.execute(select(DEVICE).order_by(DEVICE.c.id)).mappings()]

    def add(self, device: DeviceRecord) -> None:
        """Store a new device; its id must be new."""
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

    def revoke(self, device: str, now: float) -> bool:
        """Shut a device out for good, and every certificate it has; False where it was already, or is unknown."""
        still_in = (DEVICE.c.id == device) & DEVICE.c.revoked.is_(None)
        theirs = (CERTIFICATE.c.device == device) & CERTIFICATE.c.revoked.is_(None)
        with self._database.write() as connection:
            why = {"revoked": now, "online": False, "why": "revoked"}
            if not connection.execute(update(DEVICE).where(still_in).values(why)).rowcount:
                return False
            connection.execute(update(CERTIFICATE).where(theirs).values(revoked=now))
        return True

    def revoked(self) -> dict[str, float]:
        """When each revoked device was shut out, by id, in seconds of hub UTC."""
        wanted = select(DEVICE.c.id, DEVICE.c.revoked).where(DEVICE.c.revoked.is_not(None))
        with self._database.read() as connection:
            return {row.id: row.revoked for row in connection.execute(wanted)}

    def revoked_serials(self) -> list[str]:
        """Serials of every revoked certificate, in hexadecimal."""
        with self._database.read() as connection:
            return list(connection.scalars(select(CERTIFICATE.c.serial).where(CERTIFICATE.c.revoked.is_not(None))))

    def holders(self) -> dict[str, str]:
        """The device of each room that has one, by room; revoked ones hold none."""
        with self._database.read() as connection:
            wanted = select(DEVICE.c.room, DEVICE.c.id).where(DEVICE.c.revoked.is_(None))
            return {row.room: row.id for row in connection.execute(wanted)}

    def all_away(self) -> None:
        """Forget every presence; done at start, because what is retained or alive tells itself anew."""
        with self._database.write() as connection:
            connection.execute(update(DEVICE).where(DEVICE.c.revoked.is_(None)).values(online=False, why=UNHEARD))
