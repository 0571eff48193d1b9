"""When packages must go, and the round that makes them go.

The manifest keeps the policy under which the lesson was recorded; that one counts.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hub.archive.intake import Rooms
from hub.archive.refusals import ArchiveRefused
from hub.archive.store import Deletion, PackageId, PackageStore
from hub.archive.uploads import UploadFolder
from hub.store.errors import DATABASE_TROUBLE

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
    """Delete what is due at `now`, and return the notes kept of it.

    Raises:
        OSError: something could not be deleted; all the others were.
    """
    notes: list[Deletion] = []
    refused: list[OSError] = []
    for one in due(kept_in(store), now):
        why = f"the session's policy keeps packages for {one.delete_after_days:g} days"
        try:
            notes.append(store.delete(one.package, why, now))
        except OSError as error:
            refused.append(error)
            continue
        log.warning("deleted %s: %s", one.package, why)
    if refused:
        raise refused[0]
    return notes


def delete_remains(store: PackageStore, uploads: UploadFolder, rooms: Rooms, now: float) -> list[PackageId]:
    """Delete what is here of packages that never became complete and whose session's policy lets them go by now.

    Raises:
        OSError: something could not be deleted; all the other packages were.
    """
    gone = []
    refused: list[OSError] = []
    for package in list(store.incomplete()):
        if due(_planned(package, rooms), now):
            try:
                store.delete(package, "the session's policy lets it go; it never became complete", now)
            except OSError as error:
                refused.append(error)
                continue
            gone.append(package)
    for uid in uploads.uids():
        told = (uploads.info(uid) or {}).get("metadata", {})
        try:
            package = PackageId(str(told.get("session")), str(told.get("room")))
        except ArchiveRefused:
            continue  # not one of ours; forgotten when it is stale
        if due(_planned(package, rooms), now):
            uploads.forget(uid)
            gone.append(package)
    if refused:
        raise refused[0]
    return gone


def _planned(package: PackageId, rooms: Rooms) -> list[Kept]:
    part = rooms.room_of_session(package.session, package.room)
    return [Kept(package, part.ended, part.delete_after_days)] if part else []


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

    def __init__(self, store: PackageStore, uploads: UploadFolder, rooms: Rooms, now: Callable[[], float]) -> None:
        self._store = store
        self._uploads = uploads
        self._rooms = rooms
        self._now = now

    async def run(self) -> None:
        """Look at once, then every `ROUND_S` seconds, until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self._round, self._now())
            except (OSError, ArchiveRefused, *DATABASE_TROUBLE):
                log.exception("the archive could not be looked through; trying again in %d s", ROUND_S)
            await asyncio.sleep(ROUND_S)

    def _round(self, now: float) -> None:
        delete_due(self._store, now)
        delete_remains(self._store, self._uploads, self._rooms, now)
        forget_stale(self._uploads, now)
