"""Alerts: what somebody should look at, one open line for each device and kind."""

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from hub.store.engine import Database
from hub.store.tables import ALERT


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One alert. Times are seconds of hub UTC."""

    id: int
    device: str
    kind: str
    words: str
    raised: float
    last: float
    times: int
    """How often it was raised since."""
    cleared: float | None = None


class AlertTable:
    """Alerts by device and kind. Thread-safe, and open to several processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self) -> list[AlertRecord]:
        """Alerts that nobody has cleared, oldest first."""
        wanted = select(ALERT).where(ALERT.c.cleared.is_(None)).order_by(ALERT.c.raised, ALERT.c.id)
        with self._database.read() as connection:
            return [AlertRecord(**row) for row in connection.execute(wanted).mappings()]

    def raise_(self, device: str, kind: str, words: str, now: float) -> bool:
        """Open an alert, or count the open one once more under these words; whether it is new or reads differently."""
        same = (ALERT.c.device == device) & (ALERT.c.kind == kind) & ALERT.c.cleared.is_(None)
        with self._database.write() as connection:
            found = connection.execute(select(ALERT.c.id, ALERT.c.words).where(same)).first()
            if found is None:
                new = {"device": device, "kind": kind, "words": words, "raised": now, "last": now, "times": 1}
                connection.execute(insert(ALERT).values(new))
                return True
            again = update(ALERT).where(ALERT.c.id == found.id)
            connection.execute(again.values(words=words, last=now, times=ALERT.c.times + 1))
            return bool(found.words != words)

    def clear(self, device: str, kind: str, now: float) -> bool:
        """Close the open alert of this kind; whether there was one."""
        same = (ALERT.c.device == device) & (ALERT.c.kind == kind) & ALERT.c.cleared.is_(None)
        with self._database.read() as connection:
            if connection.execute(select(ALERT.c.id).where(same)).first() is None:
                return False  # what is well says so often; that must not wait for the one writer
        with self._database.write() as connection:
            return connection.execute(update(ALERT).where(same).values(cleared=now)).rowcount > 0

    def clear_device(self, device: str, now: float) -> int:
        """Close every open alert about `device`; how many there were."""
        theirs = (ALERT.c.device == device) & ALERT.c.cleared.is_(None)
        with self._database.write() as connection:
            return connection.execute(update(ALERT).where(theirs).values(cleared=now)).rowcount

    def clear_one(self, alert: int, now: float) -> AlertRecord | None:
        """Close the alert with this number, if it is open; returns it, or None where there is none."""
        with self._database.write() as connection:
            still_open = (ALERT.c.id == alert) & ALERT.c.cleared.is_(None)
            connection.execute(update(ALERT).where(still_open).values(cleared=now))
            found = connection.execute(select(ALERT).where(ALERT.c.id == alert)).mappings().first()
        return AlertRecord(**found) if found is not None else None
