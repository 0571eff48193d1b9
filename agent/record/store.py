"""Where a classroom's lesson packages are kept: one protocol, a local folder first."""

import contextlib
import json
import logging
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from pydantic import ValidationError

from agent.platform import replace_file, sync_folder
from agent.record.durable import Lines
from agent.record.package import BESIDE, NAME, RECEIPT, PackageDraft, Standpoint, file_entry
from agent.record.trouble import PackageUnusable
from contract.envelope import Envelope, EnvelopeRefused, PublicKey, parse, verify
from contract.package import MANIFEST, FileEntry, Manifest, Receipt
from contract.session import RoomOrder, SessionOrder

log = logging.getLogger(__name__)

DELETED = "deleted.jsonl"
LEAVING = ".leaving-"
"""Prefix of a package folder that is being deleted; what a crash left of one goes when the store is next opened."""
_SESSION = re.compile(r"^s-[a-z0-9-]{4,60}$")
_ROOM = re.compile(r"^[a-z0-9][a-z0-9-]{1,62}$")


@dataclass(frozen=True, slots=True, order=True)
class PackageRef:
    """Names one package: one room of one session."""

    session: str
    room: str

    def __str__(self) -> str:
        return f"{self.session}/{self.room}"


class PackageStore(Protocol):
    """Keeps lesson packages; every method may block on a disk and raises OSError where the volume refuses."""

    def draft(self, order: SessionOrder, room: RoomOrder, standpoint: Standpoint) -> PackageDraft:
        """Begin the room's package, or go on with the one that is there; raises as `PackageDraft.begin`."""

    def reopen(self, ref: PackageRef) -> PackageDraft:
        """Mend a draft whose lesson is over, to be sealed; raises as `PackageDraft.reopen`."""

    def packages(self) -> tuple[PackageRef, ...]:
        """Every package, draft or sealed."""

    def read(self, ref: PackageRef, name: str) -> BinaryIO:
        """Open a file of a package; raises FileNotFoundError where there is none."""

    def keep(self, ref: PackageRef, name: str, data: bytes) -> None:
        """Write a small file beside a package's own, whole and durably."""

    def delete(self, ref: PackageRef, why: str, at: float) -> None:
        """Delete a package and keep one line about that; `at` is seconds of UTC."""

    def free_bytes(self) -> int:
        """Free space for packages, in bytes."""


class FolderStore:
    """Packages in a folder: ROOT/{session}/{room}/..., and ROOT/deleted.jsonl about those that are gone."""

    def __init__(self, root: Path) -> None:
        """Use `root`, which is made with the first package; finish deletions that a crash interrupted.

        What of them cannot be removed is left for the next start: the service must come up.
        """
        self.root = root
        for path in root.glob(f"{LEAVING}*"):
            try:
                shutil.rmtree(path)
            except OSError as error:
                log.warning("%s cannot be removed yet: %s", path, error)

    def folder(self, ref: PackageRef) -> Path:
        """The package's folder.

        Raises:
            PackageUnusable: session or room is no identifier of ours, such as a path.
        """
        if not (_SESSION.match(ref.session) and _ROOM.match(ref.room)):
            raise PackageUnusable(f"“{ref}” does not name a package")
        return self.root / ref.session / ref.room

    def draft(self, order: SessionOrder, room: RoomOrder, standpoint: Standpoint) -> PackageDraft:
        """Begin the room's package, or go on with the one that is there."""
        return PackageDraft.begin(self.folder(PackageRef(order.session, room.room)), order, room, standpoint)

    def reopen(self, ref: PackageRef) -> PackageDraft:
        """Mend a draft whose lesson is over, to be sealed."""
        return PackageDraft.reopen(self.folder(ref))

    def packages(self) -> tuple[PackageRef, ...]:
        """Every package, draft or sealed."""
        found = []
        for path in self.root.glob("s-*/*"):
            ref = PackageRef(path.parent.name, path.name)
            if path.is_dir() and _SESSION.match(ref.session) and _ROOM.match(ref.room):
                found.append(ref)
        return tuple(sorted(found))

    def read(self, ref: PackageRef, name: str) -> BinaryIO:
        """Open a file of a package."""
        if not NAME.match(name):
            raise PackageUnusable(f"“{name}” is no file of a package")
        return (self.folder(ref) / name).open("rb")

    def keep(self, ref: PackageRef, name: str, data: bytes) -> None:
        """Write a small file beside a package's own, whole and durably."""
        if name not in BESIDE or name == MANIFEST:
            raise PackageUnusable(f"“{name}” may not be written into a package")
        replace_file(self.folder(ref) / name, data)

    def delete(self, ref: PackageRef, why: str, at: float) -> None:
        """Delete a package's files and its folder, and note it in `deleted.jsonl`.

        The folder leaves by one rename, so after a power cut it is there whole or on its way out.
        """
        folder = self.folder(ref)
        if not folder.is_dir():
            return
        files = [path for path in folder.iterdir() if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        line = {"session": ref.session, "room": ref.room, "at": at, "why": why, "files": len(files), "bytes": size}
        lines = Lines(self.root / DELETED, lambda: 0.0)
        lines.append(json.dumps(line, ensure_ascii=False))
        lines.close()
        leaving = self.root / f"{LEAVING}{ref.session}.{ref.room}"
        folder.rename(leaving)
        sync_folder(folder.parent)
        sync_folder(self.root)
        shutil.rmtree(leaving)
        with contextlib.suppress(OSError):  # other rooms of the session may stand there
            folder.parent.rmdir()
        sync_folder(self.root)

    def free_bytes(self) -> int:
        """Free space of the volume that holds the folder, in bytes."""
        there = next(path for path in (self.root, *self.root.parents) if path.exists())
        return shutil.disk_usage(there).free


def manifest_of(store: PackageStore, ref: PackageRef) -> Manifest | None:
    """The manifest of a package, draft or sealed; None where there is none.

    Raises:
        PackageUnusable: it cannot be read.
    """
    try:
        with store.read(ref, MANIFEST) as file:
            return Manifest.model_validate_json(file.read())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise PackageUnusable(f"the manifest of {ref} cannot be read: {error}; its recordings are untouched") from error


def entries_of(store: PackageStore, ref: PackageRef, manifest: Manifest) -> tuple[FileEntry, ...]:
    """Every file of a sealed package as it is on disk now, the manifest last. Slow: reads everything.

    Raises:
        OSError: one is missing or cannot be read.
    """
    found = []
    for name in (*(entry.name for entry in manifest.files), MANIFEST):
        with store.read(ref, name) as file:
            found.append(file_entry(name, file))
    return tuple(found)


def receipt_in(envelope: bytes | str | Envelope, ref: PackageRef, hub_key: PublicKey) -> Receipt | None:
    """The receipt in a signed envelope, or None where it is not one of the hub's for this package."""
    try:
        given = envelope if isinstance(envelope, Envelope) else parse(envelope)
        verify(given, hub_key, None)  # a receipt is a proof; it does not grow old
        receipt = Receipt.model_validate_json(given.body)
    except (EnvelopeRefused, ValidationError):
        return None
    return receipt if (receipt.session, receipt.room) == (ref.session, ref.room) else None


def receipt_of(store: PackageStore, ref: PackageRef, hub_key: PublicKey) -> Receipt | None:
    """The receipt that is kept beside a package; None where there is none that the hub signed for it."""
    try:
        with store.read(ref, RECEIPT) as file:
            return receipt_in(file.read(), ref, hub_key)
    except FileNotFoundError:
        return None
