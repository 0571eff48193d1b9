"""Who is registered, as a process that keeps no fleet of its own knows it: asked of the database."""

import logging
import time
from collections.abc import Callable, Sequence

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from contract.telemetry import DeviceState
from hub.store.engine import Database
from hub.store.errors import in_short
from hub.store.tables import DEVICE

FRESH_S = 1.0
"""Somebody unknown is looked up at most so often, in seconds."""
STALE_S = 5.0
"""So long after its revocation a device's rows may still be taken, in seconds."""

log = logging.getLogger("hub.fleet")


class RollCall:
    """Ids of every device that may speak (`hub.broker.intake.Roll`); for one thread.

    Args:
        database: where devices are kept.
        now: monotonic seconds.
    """

    def __init__(self, database: Database, now: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._now = now
        self._known: frozenset[str] = frozenset()
        self._read_at = -STALE_S
        self._failing = False

    def get(self, device: str) -> str | None:
        """The id of a device that is registered and not revoked, else None."""
        age = self._now() - self._read_at
        if age >= STALE_S or (device not in self._known and age >= FRESH_S):
            self._read()
        return device if device in self._known else None

    def present(self, states: Sequence[DeviceState]) -> None:
        """Do nothing: presence is told to the hub itself."""

    def _read(self) -> None:
        self._read_at = self._now()
        try:
            with self._database.read() as connection:
                self._known = frozenset(connection.scalars(select(DEVICE.c.id).where(DEVICE.c.revoked.is_(None))))
        except SQLAlchemyError as error:
            if not self._failing:
                log.warning("who is registered cannot be read; those known so far count: %s", in_short(error))
            self._failing = True
            return
        self._failing = False
