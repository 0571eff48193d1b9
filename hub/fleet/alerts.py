"""What somebody should look at: raised where it is noticed, shown on the console until it is cleared."""

import logging
import threading
from collections.abc import Callable

from hub.store.alerts import AlertRecord, AlertTable

__all__ = ["AlertRecord", "Alerts"]

REPEAT_S = 10.0
"""The same words again within this time, in seconds, are not written again: a fault that flaps must not fill the
writer's queue."""
REMEMBERED = 4096
"""Alerts whose last writing is remembered for that."""

log = logging.getLogger("hub.fleet")


class Alerts:
    """The district's alerts, one open one for each device and kind. Thread-safe; every call may block on the database.

    Args:
        table: where they are kept.
        now: hub UTC in seconds.
        on_change: is told the device whose alerts changed; from any thread.
    """

    def __init__(self, table: AlertTable, now: Callable[[], float], on_change: Callable[[str], None]) -> None:
        self._table = table
        self._now = now
        self._on_change = on_change
        self._lock = threading.Lock()
        self._written: dict[tuple[str, str], tuple[str, float]] = {}

    def raise_(self, device: str, kind: str, words: str) -> None:
        """Say that something about `device` should be looked at.

        Args:
            device: whom it is about; empty for the hub itself.
            kind: short name with hyphens, as `cloned-disk`; the console has a heading for each that it knows.
            words: what is wrong and what to do, in a sentence.
        """
        now = self._now()
        with self._lock:
            before, at = self._written.get((device, kind), ("", 0.0))
            if before == words and 0 <= now - at < REPEAT_S:
                return
        if self._table.raise_(device, kind, words, now):
            log.warning("alert %s, %s: %s", kind, device or "the hub", words)
            self._on_change(device)
        with self._lock:
            if len(self._written) >= REMEMBERED:
                self._written.clear()
            self._written[device, kind] = (words, now)

    def clear(self, device: str, kind: str) -> None:
        """Say that it is well again; where nothing was raised, nothing happens."""
        if self._table.clear(device, kind, self._now()):
            self._cleared(device, kind, "by itself")

    def forget(self, device: str) -> None:
        """A device is gone for good, and what should have been looked at with it."""
        if self._table.clear_device(device, self._now()):
            with self._lock:
                self._written = {key: at for key, at in self._written.items() if key[0] != device}
            log.info("alerts about %s: cleared, it is gone", device)
            self._on_change(device)

    def dismiss(self, alert: int, by: str) -> AlertRecord | None:
        """An operator has seen to the alert with this number; returns it, or None where there is none."""
        record = self._table.clear_one(alert, self._now())
        if record is not None:
            self._cleared(record.device, record.kind, f"by {by}")
        return record

    def open(self) -> list[AlertRecord]:
        """Alerts that are not cleared, oldest first."""
        return self._table.open()

    def _cleared(self, device: str, kind: str, how: str) -> None:
        with self._lock:
            self._written.pop((device, kind), None)
        log.info("alert %s, %s: cleared %s", kind, device or "the hub", how)
        self._on_change(device)
