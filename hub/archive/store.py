"""Where the hub keeps lesson packages: one protocol, a folder first.

    ROOT/incoming/{session}/{room}/   files that have arrived and been verified, package not complete
    ROOT/{session}/{room}/            complete packages, each with the receipt that was given for it

Names that begin with a dot are the hub's own notes; no file of a package can have one
(contract.model.FileName). A package moves into its place by one rename, receipt included,
so a power cut leaves either all of it there or nothing.
"""

import errno
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import Field, TypeAdapter, ValidationError

from contract.envelope import Envelope
from contract.model import FileName, Message, RoomId, SessionId, Sha256
from contract.package import MANIFEST, FileEntry, Manifest
from hub.archive.refusals import Full, Unfit
from hub.platform import sync_folder

log = logging.getLogger(__name__)

ARRIVED = ".arrived.json"
RECEIPT = ".receipt.json"
DELETED = ".deleted.json"

_ENTRIES: TypeAdapter[list[FileEntry]] = TypeAdapter(list[FileEntry])
_SESSION: TypeAdapter[str] = TypeAdapter(SessionId)
_ROOM: TypeAdapter[str] = TypeAdapter(RoomId)
_NAME: TypeAdapter[str] = TypeAdapter(FileName)


class Deletion(Message):
    """What stays of a package that was deleted: what it was, when it went and why."""

    session: SessionId
    room: RoomId
    at: float = Field(description="When it was deleted, in seconds of hub UTC.")
    why: str
    bytes: int = Field(ge=0)
    manifest: Sha256 | None = Field(None, description="SHA-256 of its manifest, where there was one.")


@dataclass(frozen=True)
class PackageId:
    """One room's package of one session; both parts are folder names and checked as such."""

    session: str
    room: str

    def __post_init__(self) -> None:
        """Refuse anything that is not an identifier.

        Raises:
            Unfit: `session` or `room` is no identifier of ours, such as a path.
        """
        try:
            _SESSION.validate_python(self.session)
            _ROOM.validate_python(self.room)
        except ValidationError as error:
            raise Unfit(
                f"“{self.session[:80]}” and “{self.room[:80]}” are not a session and a room",
                "use the identifiers of the session's order",
            ) from error

    def __str__(self) -> str:
        return f"{self.session}/{self.room}"


class PackageStore(Protocol):
    """Keeps lesson packages. Every method may block on a disk; call them off the event loop."""

    def arrived(self, package: PackageId) -> tuple[FileEntry, ...]:
        """Files that are here and verified, complete package or not."""

    def take_in(self, package: PackageId, entry: FileEntry, upload: Path) -> None:
        """Move the verified file `upload` in; a file of the same name is replaced."""

    def manifest(self, package: PackageId) -> Manifest | None:
        """The package's manifest as it arrived."""

    def keep(self, package: PackageId, files: tuple[FileEntry, ...], receipt: Envelope) -> None:
        """Move a complete package into its place, together with its receipt."""

    def receipt(self, package: PackageId) -> Envelope | None:
        """The receipt given for a complete package; it outlives the package's deletion."""

    def file(self, package: PackageId, name: str) -> Path | None:
        """A file of a complete package, to be read."""

    def packages(self) -> Iterator[PackageId]:
        """Every complete package."""

    def incomplete(self) -> Iterator[PackageId]:
        """Every package of which something has arrived, but not all."""

    def delete(self, package: PackageId, why: str, now: float) -> Deletion:
        """Delete what is here of a package, complete or not, and keep a note of it."""

    def deletion(self, package: PackageId) -> Deletion | None:
        """The note of a deleted package."""


@contextmanager
def disk_words() -> Iterator[None]:
    """Turn a full disk into a refusal with words.

    Raises:
        Full: the disk or the quota is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Full(
                "the hub's disk is full; nothing of this file was kept",
                "free space on the hub's archive volume; the agent keeps the package and tries again",
            ) from error
        raise


def file_name(name: str) -> str:
    """Return `name` where it is a file name of the contract.

    Raises:
        Unfit: it is not, such as a path.
    """
    try:
        return _NAME.validate_python(name)
    except ValidationError as error:
        raise Unfit(
            f"“{name[:80]}” is not a file name of a lesson package",
            "use lower-case letters, digits, dots and hyphens, and no path",
        ) from error


class FolderStore:
    """Packages in a folder on a local disk (`PackageStore`)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self.incoming.mkdir(parents=True, exist_ok=True)

    def arrived(self, package: PackageId) -> tuple[FileEntry, ...]:
        """Files that are here and verified, as noted at their arrival."""
        for folder in (self._place(package), self._waiting(package)):
            if (folder / ARRIVED).is_file():
                return tuple(_read_entries(folder))
        return ()

    def take_in(self, package: PackageId, entry: FileEntry, upload: Path) -> None:
        """Move the verified file `upload` in, by one rename on the same volume."""
        folder = self._waiting(package)
        with disk_words():
            folder.mkdir(parents=True, exist_ok=True)
            with upload.open("rb+") as file:
                os.fsync(file.fileno())
            others = [one for one in _read_entries(folder) if one.name != entry.name]
            # Forget the name first: between the two steps a file must never stand under another file's hash.
            _write_entries(folder, others)
            upload.replace(folder / file_name(entry.name))
            sync_folder(folder)
            _write_entries(folder, [*others, entry])

    def manifest(self, package: PackageId) -> Manifest | None:
        """The manifest as it arrived.

        Raises:
            Unfit: it does not hold what a manifest holds.
        """
        for folder in (self._place(package), self._waiting(package)):
            if (folder / MANIFEST).is_file():
                try:
                    return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
                except ValidationError as error:
                    raise Unfit(
                        f"the manifest of {package} does not hold what a manifest holds",
                        "seal the package again and upload its manifest",
                    ) from error
        return None

    def keep(self, package: PackageId, files: tuple[FileEntry, ...], receipt: Envelope) -> None:
        """Move a complete package into its place by one rename, its receipt with it."""
        waiting, place = self._waiting(package), self._place(package)
        named = {entry.name for entry in files}
        with disk_words():
            for path in waiting.iterdir():
                if path.name not in named and path.name != ARRIVED:
                    path.unlink()
            _write_entries(waiting, list(files))
            _write(waiting / RECEIPT, receipt.to_json())
            place.parent.mkdir(parents=True, exist_ok=True)
            waiting.rename(place)
            sync_folder(place.parent)
            sync_folder(self.root)
        _remove_empty(waiting.parent)

    def receipt(self, package: PackageId) -> Envelope | None:
        """The receipt that lies beside the package."""
        path = self._place(package) / RECEIPT
        return Envelope.model_validate_json(path.read_bytes()) if path.is_file() else None

    def file(self, package: PackageId, name: str) -> Path | None:
        """Path of a file of a complete package."""
        path = self._place(package) / file_name(name)
        return path if path.is_file() else None

    def packages(self) -> Iterator[PackageId]:
        """Every complete package whose files are still here, in order."""
        for receipt in sorted(self.root.glob(f"s-*/*/{RECEIPT}")):
            package = _package_of(receipt.parent)
            if package is not None and any(_contents(receipt.parent)):
                yield package

    def incomplete(self) -> Iterator[PackageId]:
        """Every package that waits for more of its files, in order."""
        for noted in sorted(self.incoming.glob(f"s-*/*/{ARRIVED}")):
            package = _package_of(noted.parent)
            if package is not None:
                yield package

    def delete(self, package: PackageId, why: str, now: float) -> Deletion:
        """Delete the files; the note is written first, so that a stop in between is made good by the next round.

        Raises:
            OSError: something could not be deleted.
        """
        place = self._place(package)
        place.mkdir(parents=True, exist_ok=True)
        entries = list(self.arrived(package))
        manifest = next((entry.sha256 for entry in entries if entry.name == MANIFEST), None)
        note = Deletion(
            session=package.session,
            room=package.room,
            at=now,
            why=why,
            bytes=sum(entry.bytes for entry in entries),
            manifest=manifest,
        )
        if self.deletion(package) is None:
            _write(place / DELETED, note.model_dump_json().encode())
        for path in list(_contents(place)):
            path.unlink()
        (place / ARRIVED).unlink(missing_ok=True)
        sync_folder(place)
        if self._waiting(package).exists():
            shutil.rmtree(self._waiting(package))
        return note

    def deletion(self, package: PackageId) -> Deletion | None:
        """The note of a deleted package."""
        path = self._place(package) / DELETED
        return Deletion.model_validate_json(path.read_bytes()) if path.is_file() else None

    def _place(self, package: PackageId) -> Path:
        return self.root / package.session / package.room

    def _waiting(self, package: PackageId) -> Path:
        return self.incoming / package.session / package.room


def _package_of(folder: Path) -> PackageId | None:
    """The package in `folder`; None where somebody else made the folder."""
    try:
        return PackageId(folder.parent.name, folder.name)
    except Unfit:
        log.warning("%s is not a package of this hub's and left alone", folder)
        return None


def _contents(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if not path.name.startswith("."))


def _read_entries(folder: Path) -> list[FileEntry]:
    path = folder / ARRIVED
    return _ENTRIES.validate_json(path.read_bytes()) if path.is_file() else []


def _write_entries(folder: Path, entries: list[FileEntry]) -> None:
    _write(folder / ARRIVED, json.dumps([entry.model_dump() for entry in entries]).encode())


def _write(path: Path, data: bytes) -> None:
    """Replace `path` as one step that survives a power cut."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
