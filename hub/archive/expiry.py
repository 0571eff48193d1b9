"""When packages must go, and the round that makes them go.

The manifest keeps the policy under which the lesson was recorded; that one counts.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hub.archive.refusals import ArchiveRefused
from hub.archive.store import Deletion, PackageId, PackageStore
from hub.archive.uploads import UploadFolder

log = logging.getLogger(__name__)

DAY_S = 86_400.0
ROUND_S = 600.0
"""Between two looks, in seconds."""
UPLOAD_KEPT_S = 7 * DAY_S
"""An upload that nobody went on with for this long is forgotten."""


@dataclass(frozen=True)
class Kept:
    """One archived package, as far as its expiry is concerned."""

    package: PackageId
    ended: float
    """End of the lesson, in seconds of hub UTC."""
    delete_after_days: float | None
    """None keeps it."""


def due(kept: Iterable[Kept], now: float) -> list[Kept]:
    """Those of `kept` whose time is over at `now`, in seconds of hub UTC."""
    return [
        one for one in kept if one.delete_after_days is not None and now >= one.ended + one.delete_after_days * DAY_S
    ]


def kept_in(store: PackageStore) -> list[Kept]:
    """What `store` keeps. A package whose manifest cannot be read is kept, and said so in the log."""
    found = []
    for package in store.packages():
        try:
            manifest = store.manifest(package)
        except ArchiveRefused as refusal:
            log.warning("%s is kept, for its expiry cannot be told: %s", package, refusal)
            continue
        if manifest is not None:
            ended = manifest.epoch + manifest.seconds
            found.append(Kept(package, ended, manifest.policy.delete_after_days))
    return found


def delete_due(store: PackageStore, now: float) -> list[Deletion]:
    """Delete what is due at `now`, and return the notes kept of it."""
    notes = []
    for one in due(kept_in(store), now):
        why = f"the session's policy keeps packages for {one.delete_after_days:g} days"
        notes.append(store.delete(one.package, why, now))
        log.warning("deleted %s: %s", one.package, why)
    return notes


def forget_stale(uploads: UploadFolder, now: float) -> list[str]:
    """Forget uploads that nobody went on with, and return their addresses."""
    stale = []
    for uid in uploads.uids():
        touched = (uploads.folder / f"{uid}.info").stat().st_mtime
        if now - touched > UPLOAD_KEPT_S:
            uploads.forget(uid)
            stale.append(uid)
    return stale


class Expiry:
    """Looks every few minutes for packages whose time is over."""

    def __init__(self, store: PackageStore, uploads: UploadFolder, now: Callable[[], float]) -> None:
        self._store = store
        self._uploads = uploads
        self._now = now

    async def run(self) -> None:
        """Look at once, then every `ROUND_S` seconds, until cancelled."""
        while True:
            try:
                await asyncio.to_thread(delete_due, self._store, self._now())
                await asyncio.to_thread(forget_stale, self._uploads, self._now())
            except OSError:
                log.exception("the archive could not be looked through; trying again in %d s", ROUND_S)
            await asyncio.sleep(ROUND_S)
