"""Puts a backup back: all of it is checked before anything is written, and the hub's key comes last."""

import datetime as dt
import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from hub.backup.database import checked, restored
from hub.backup.fitting import fit, told
from hub.backup.manifest import (
    FORMAT,
    MANIFEST,
    MANIFEST_MAX_BYTES,
    POSTGRES,
    SETTINGS,
    SQLITE,
    BackedFile,
    BackupManifest,
    name_is_safe,
)
from hub.errors import HubRefused
from hub.founding import KEY, hub_key
from hub.platform import sync_folder
from hub.store.migrate import revisions

STAGE = ".restoring"
"""Folder inside the data folder in which everything lies until it is checked."""
NOT_COUNTED = frozenset({STAGE, "lost+found"})
"""What an empty folder may hold: the rest of a restore that was cut off, and what a new volume has."""
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Restored:
    """A hub that was put back."""

    data: Path
    manifest: BackupManifest
    words: tuple[str, ...]
    """What is left to do."""


def restore(source: Path, data: Path, *, version: str, database: str = "") -> Restored:
    """Make the hub of the backup `source` in the folder `data`, which must be empty or not there yet.

    Args:
        source: the backup.
        data: the hub's folder.
        version: of this program; what a newer one has written is refused.
        database: for a backup of PostgreSQL, the URL of an empty database.

    Raises:
        HubRefused: the backup is damaged or newer, or the folder or database is not empty; nothing was changed.
    """
    try:
        _check_empty(data)
        manifest = inspected(source)
        _check_age(manifest, version)
        if manifest.database == "postgresql" and not database:
            raise HubRefused("the backup holds a PostgreSQL database; name an empty one with --database URL")
        _put_back(source, data, manifest, database)
    except OSError as error:
        raise HubRefused(f"{source} was not restored: {error.strerror or error} ({error.filename or data})") from error
    return Restored(data, manifest, tuple(_to_do(data, manifest)))


def inspected(source: Path) -> BackupManifest:
    """Read a backup to its end and compare every file with its manifest.

    Raises:
        HubRefused: it is no backup, was cut off, or something in it is not what the manifest says.
        OSError: it cannot be read.
    """
    found: dict[str, BackedFile] = {}
    text = b""
    with _opened(source) as tar:
        for member in tar:
            if not member.isfile() or not name_is_safe(member.name) or member.name in found:
                raise HubRefused(f"{source} is no backup of a hub: {member.name!r} does not belong into one")
            if member.name == MANIFEST:
                text = _read(tar, member).read(MANIFEST_MAX_BYTES)
            else:
                size, sha256 = _hashed(_read(tar, member), None)
                found[member.name] = BackedFile(name=member.name, bytes=size, sha256=sha256)
    if not text:
        raise HubRefused(f"{source} is no backup of a hub, or was cut off: it has no {MANIFEST} at its end")
    try:
        manifest = BackupManifest.model_validate_json(text)
    except ValidationError as error:
        raise HubRefused(f"the {MANIFEST} in {source} cannot be read ({error.error_count()} fields)") from error
    _compare(source, found, manifest)
    return manifest


def _compare(source: Path, found: dict[str, BackedFile], manifest: BackupManifest) -> None:
    told = {one.name: one for one in manifest.files}
    for name in sorted(told.keys() | found.keys()):
        if told.get(name) != found.get(name):
            what = "is missing" if name not in found else "is not what the manifest says"
            raise HubRefused(f"{source} is damaged: {name} {what}; take another copy or an older backup")
    needed = {KEY, SQLITE if manifest.database == "sqlite" else POSTGRES}
    if not needed <= told.keys():
        raise HubRefused(f"{source} holds no whole hub: {', '.join(sorted(needed - told.keys()))} is not in it")


def _check_age(manifest: BackupManifest, version: str) -> None:
    newer = manifest.format > FORMAT or _numbers(manifest.tongtang) > _numbers(version)
    if newer or manifest.revision not in revisions():
        raise HubRefused(
            f"the backup was made by a newer hub ({manifest.tongtang}, tables {manifest.revision}; this is {version}); "
            f"install tongtang {manifest.tongtang} or newer, then restore it"
        )


def _check_empty(data: Path) -> None:
    if data.is_symlink() or (data.exists() and not data.is_dir()):
        raise HubRefused(f"{data} is no folder; name an empty or a new one")
    inside = sorted(path.name for path in data.iterdir() if path.name not in NOT_COUNTED) if data.exists() else []
    if inside:
        raise HubRefused(f"{data} is not empty ({inside[0]}); a hub is restored into an empty or a new folder only")


def _put_back(source: Path, data: Path, manifest: BackupManifest, database: str) -> None:
    stage = data / STAGE
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.rmtree(stage, ignore_errors=True)  # of a restore that was cut off
    try:
        _extract(source, stage, manifest)
        hub_key(stage)
        if manifest.database == "sqlite":
            checked(stage / SQLITE)
        else:
            restored(stage / POSTGRES, database)
            (stage / POSTGRES).unlink()
        if (stage / SETTINGS).exists():
            fit(data, manifest, database, at=stage / SETTINGS)
        # The key last and in one step: its presence says that the hub is whole.
        for path in sorted(stage.iterdir(), key=lambda path: path.name == KEY):
            path.replace(data / path.name)
        sync_folder(data)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _extract(source: Path, stage: Path, manifest: BackupManifest) -> None:
    wanted = {one.name: one for one in manifest.files}
    with _opened(source) as tar:
        for member in tar:
            one = wanted.get(member.name)
            if one is None:
                continue
            path = stage / one.name
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                size, sha256 = _hashed(_read(tar, member), file)
                file.flush()
                os.fsync(file.fileno())
            if (size, sha256) != (one.bytes, one.sha256):
                raise HubRefused(f"{source} changed while it was read ({one.name}); nothing was restored")


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(source, mode="r:") as tar:
            yield tar
    except tarfile.TarError as error:
        raise HubRefused(f"{source} is no backup of a hub, or was cut off: {error}") from error


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    source = tar.extractfile(member)
    if source is None:
        raise HubRefused(f"{member.name} in the backup is no file")
    return source


def _hashed(source: IO[bytes], sink: IO[bytes] | None) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while data := source.read(CHUNK_BYTES):
        digest.update(data)
        size += len(data)
        if sink is not None:
            sink.write(data)
    return size, digest.hexdigest()


def _numbers(version: str) -> tuple[int, ...]:
    """`0.10.2` as something that can be compared; what follows the numbers does not count."""
    numbers = []
    for part in version.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _to_do(data: Path, manifest: BackupManifest) -> Iterator[str]:
    made = dt.datetime.fromtimestamp(manifest.made, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
    yield f"devices that were revoked since {made} are not revoked here: revoke them again before the hub runs"
    yield from told(data, manifest)
