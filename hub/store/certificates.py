"""Certificates that the hub's authority signed for devices."""

from dataclasses import dataclass

from sqlalchemy import func, insert, select

from hub.store.engine import Database
from hub.store.tables import CERTIFICATE, DEVICE


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """One certificate. Times are seconds of hub UTC."""

    serial: str
    """Lower-case hexadecimal."""
    device: str
    issued: float
    expires: float
    revoked: float | None = None


class CertificateTable:
    """Certificates by serial. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: CertificateRecord) -> bool:
        """Keep a certificate before it is handed out; False where its device is unknown or was revoked meanwhile."""
        values = {column.name: getattr(new, column.name) for column in CERTIFICATE.c}
        with self._database.write() as connection:
            # In the one transaction, or a revocation in between would never hear of this certificate.
            good = (DEVICE.c.id == new.device) & DEVICE.c.revoked.is_(None)
            if connection.execute(select(DEVICE.c.id).where(good).with_for_update()).first() is None:
                return False
            connection.execute(insert(CERTIFICATE).values(values))
        return True

    def newest_ends(self, device: str) -> float | None:
        """When the last certificate of `device` ends; None where it has had none."""
        with self._database.read() as connection:
            wanted = select(func.max(CERTIFICATE.c.expires)).where(CERTIFICATE.c.device == device)
            found: float | None = connection.scalar(wanted)
        return found

    def any(self) -> bool:
        """Whether the hub has ever signed one."""
        with self._database.read() as connection:
            return connection.execute(select(CERTIFICATE.c.serial).limit(1)).first() is not None
