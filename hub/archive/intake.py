"""Takes lesson packages in: announced, uploaded, verified, complete, receipted.

Every step may be repeated without harm. A package counts only once its manifest and all files
that the manifest names are here with the sizes and hashes that it gives.
"""

import asyncio
import hashlib
import logging
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from contract.envelope import Envelope, sign
from contract.model import FileName, Message, RoomId, SessionId, Sha256
from contract.package import MANIFEST, FileEntry, Manifest, Receipt
from hub.archive.refusals import AlreadyKept, ArchiveRefused, Full, Gone, NotAllowed, NotForYou, Unfit, WrongHash
from hub.archive.store import PackageId, PackageStore
from hub.archive.uploads import UploadFolder, owner

log = logging.getLogger(__name__)

RESERVE_BYTES = 256 << 20
"""Left free on the archive's volume, so that the database on it can still write."""
RECEIPT_VALID_S = 20 * 365 * 86_400.0
"""A receipt is a proof, not an order; it stays valid."""


@dataclass(frozen=True)
class RoomOfSession:
    """What the archive must know of one room of one session."""

    device: str
    upload: bool
    """Whether the session's policy lets the room upload."""
    ended: float
    """End of the session, in seconds of hub UTC."""
    delete_after_days: float | None
    """What the policy says; None keeps packages."""


class Rooms(Protocol):
    """Knows which device stands for a room in a session."""

    def room_of_session(self, session: str, room: str) -> RoomOfSession | None:
        """The room's part in the session, or None where it has none."""


class Announcement(Message):
    """Metadata of an upload, as the agent sends it."""

    filename: FileName
    filetype: str
    session: SessionId
    room: RoomId
    sha256: Sha256


class Intake:
    """The one way into the archive."""

    def __init__(
        self,
        store: PackageStore,
        uploads: UploadFolder,
        rooms: Rooms,
        key: Ed25519PrivateKey,
        now: Callable[[], float],
        receipt_given: Callable[[str, str, Envelope], Awaitable[None]],
    ) -> None:
        self.store = store
        self.uploads = uploads
        self._rooms = rooms
        self._key = key
        self._now = now
        self._receipt_given = receipt_given
        self._busy: WeakValueDictionary[PackageId, asyncio.Lock] = WeakValueDictionary()

    def may_touch(self, device: str, package: PackageId) -> None:
        """Let `device` pass where `package` is its own and may be uploaded; blocks on a database.

        Raises:
            NotForYou: it has no such room in such a session.
            NotAllowed: the policy has `upload` off.
        """
        part = self._rooms.room_of_session(package.session, package.room)
        if part is None or part.device != device:
            raise NotForYou(
                f"{package} is not a room of device {device}",
                "upload only packages of sessions in which this device stands",
            )
        if not part.upload:
            raise NotAllowed(
                f"the policy of session {package.session} has upload off",
                "keep the package in the room, or set the session's policy before the lesson",
            )

    async def announce(self, device: str, metadata: Mapping[str, str], size: int | None) -> None:
        """Check an upload before its first byte.

        Raises:
            ArchiveRefused: it would be refused at its end.
        """
        told = _announcement(metadata)
        package = PackageId(told.session, told.room)
        await asyncio.to_thread(self.may_touch, device, package)
        if size is None:
            raise Unfit("an upload must tell its length", "send Upload-Length")
        await asyncio.to_thread(self._check_kept, package, told)
        free = await asyncio.to_thread(lambda: shutil.disk_usage(self.uploads.folder).free)
        if free - size < RESERVE_BYTES:
            raise Full(
                f"the hub has {free >> 20} MiB free, too little for {told.filename} of {size >> 20} MiB",
                "free space on the hub's archive volume; the agent keeps the package and tries again",
            )

    async def uploaded(self, uid: str, metadata: Mapping[str, str]) -> None:
        """Verify a finished upload, take it in, and complete its package where it was the last.

        Raises:
            ArchiveRefused: it is not what was announced; the upload is removed.
        """
        try:
            told = _announcement(metadata)
            package = PackageId(told.session, told.room)
            await asyncio.to_thread(self.may_touch, owner(uid), package)
            async with self._alone(package):
                if not await self.uploads.exists(uid):
                    return  # another request of the same agent has just taken it in
                await asyncio.to_thread(self._take_in, package, told, Path(self.uploads.location(uid)))
                await self._settle(package)
        except Full:
            raise  # the bytes are good: they stay until there is room
        except ArchiveRefused as refusal:
            log.warning("upload %s refused: %s", uid, refusal)
            await self.uploads.delete(uid)
            raise
        await self.uploads.delete(uid)

    async def arrived(self, device: str, package: PackageId) -> tuple[FileEntry, ...]:
        """Files of `package` that need not be uploaded again; finished uploads that a stop left over are taken in."""
        for uid in await asyncio.to_thread(self.uploads.uids, device):
            await self._left_over(uid)
        async with self._alone(package):
            await self._settle(package)
        return await asyncio.to_thread(self.store.arrived, package)

    async def receipt(self, package: PackageId) -> Envelope | None:
        """The receipt for a complete package, told to the session again; None where it is not complete."""
        async with self._alone(package):
            return await self._settle(package)

    def _alone(self, package: PackageId) -> asyncio.Lock:
        """The lock of `package`; it is there only while somebody holds it or waits for it."""
        return self._busy.setdefault(package, asyncio.Lock())

    async def _left_over(self, uid: str) -> None:
        noted = await self.uploads.read_info(uid)
        if noted is None or noted.get("size") is None or noted.get("offset") != noted["size"]:
            return
        try:
            await self.uploaded(uid, noted.get("metadata", {}))
        except Full:
            raise
        except ArchiveRefused:
            return  # logged and removed; the agent sees that the file is missing and sends it again

    async def _settle(self, package: PackageId) -> Envelope | None:
        envelope = await asyncio.to_thread(self._complete, package)
        if envelope is not None:
            await self._receipt_given(package.session, package.room, envelope)
        return envelope

    def _complete(self, package: PackageId) -> Envelope | None:
        """Receipt of a package that is complete, made and stored with it where there is none yet."""
        given = self.store.receipt(package)
        if given is not None:
            return given
        manifest = self.store.manifest(package)
        if manifest is None:
            return None
        have = {entry.name: entry for entry in self.store.arrived(package)}
        if MANIFEST not in have or any(have.get(entry.name) != entry for entry in manifest.files):
            return None
        files = (*manifest.files, have[MANIFEST])
        now = self._now()
        receipt = Receipt(session=package.session, room=package.room, device=manifest.device, stored=now, files=files)
        envelope = sign(receipt, self._key, now, RECEIPT_VALID_S)
        self.store.keep(package, files, envelope)
        log.info("package %s is complete: %d files", package, len(files))
        return envelope

    def _take_in(self, package: PackageId, told: Announcement, upload: Path) -> None:
        with upload.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != told.sha256:
            raise WrongHash(
                f"{told.filename} arrived with SHA-256 {found[:12]}…, announced was {told.sha256[:12]}…; removed",
                "upload the file again from its beginning",
            )
        if self._check_kept(package, told):
            return
        if told.filename == MANIFEST:
            self._check_manifest(package, upload)
        entry = FileEntry(name=told.filename, bytes=upload.stat().st_size, sha256=found)
        self.store.take_in(package, entry, upload)

    def _check_kept(self, package: PackageId, told: Announcement) -> bool:
        """Whether the archive holds this very file already."""
        if self.store.deletion(package) is not None:
            raise Gone(
                f"{package} was deleted from the archive when it expired",
                "delete the package in the room as well; its time is over",
            )
        if self.store.receipt(package) is None:
            return False
        kept = {entry.name: entry.sha256 for entry in self.store.arrived(package)}
        if kept.get(told.filename) == told.sha256:
            return True
        raise AlreadyKept(
            f"{package} is archived and holds no {told.filename} with SHA-256 {told.sha256[:12]}…",
            "fetch the receipt and compare: what is archived is never overwritten",
        )

    def _check_manifest(self, package: PackageId, path: Path) -> None:
        try:
            manifest = Manifest.model_validate_json(path.read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(step) for step in first["loc"])
            raise Unfit(f"the manifest cannot be read: {where}: {first['msg']}", "seal the package again") from error
        part = self._rooms.room_of_session(package.session, package.room)
        if (manifest.session, manifest.room) != (package.session, package.room):
            raise Unfit(
                f"the manifest is of {manifest.session}/{manifest.room}, not of {package}",
                "upload each package under its own session and room",
            )
        if part is None or manifest.device != part.device:
            raise NotForYou(f"the manifest is of device {manifest.device}", "upload the package from its own device")
        names = [entry.name for entry in manifest.files]
        if not manifest.sealed or MANIFEST in names or len(set(names)) != len(names):
            raise Unfit("the manifest is not a sealed one", "seal the package, then upload its manifest")


def _announcement(metadata: Mapping[str, str]) -> Announcement:
    try:
        return Announcement.model_validate(dict(metadata))
    except ValidationError as error:
        wrong = ", ".join(str(one["loc"][0]) for one in error.errors())
        raise Unfit(
            f"the upload's metadata cannot be used: {wrong}",
            "send filename (no path), filetype, session, room and sha256 (lower-case hexadecimal)",
        ) from error
