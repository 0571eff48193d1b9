"""Makes a backup: one tar file, complete or not there at all."""

import errno
import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from hub.backup.database import Snapshot, snapshot
from hub.backup.fitting import rooted
from hub.backup.manifest import ARCHIVE, MANIFEST, SETTINGS, BackedFile, BackupManifest
from hub.errors import HubRefused
from hub.founding import KEY, TOKEN, hub_key
from hub.platform import sync_folder
from hub.settings import HubSettings

AUTHORITY = "ca"
"""Folder of the hub's own certificate authority, in the data folder."""
INCOMING = "incoming"
"""Folder of the archive for what has not arrived whole; its rooms keep it and send it again."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is on the disk."""

    file: Path
    bytes: int
    manifest: BackupManifest
    words: tuple[str, ...]
    """What is not in it."""


def backup(
    settings: HubSettings, target: Path, *, version: str, now: float, archive: bool = False, toml: Path | None = None
) -> Made:
    """Write everything that makes this hub into the new file `target`, mode 0600; the hub may run meanwhile.

    Args:
        settings: of the hub.
        target: the file; it must not be there yet.
        version: of the hub's program.
        now: seconds of hub UTC.
        archive: with the lesson packages.
        toml: the hub's settings file, where it has one.

    Raises:
        HubRefused: there is no hub, something cannot be read, or the file cannot be written; nothing is left of it.
    """
    hub_key(settings.data)
    if target.exists():
        raise HubRefused(f"{target} is there already; name another file, an old backup is never written over")
    copy = target.with_name(f"{target.name}.database")
    try:
        copy.unlink(missing_ok=True)
        taken = snapshot(settings.database_url, copy)
        with _draft(target) as file:
            manifest = _written(file, settings, taken, copy, version=version, now=now, archive=archive, toml=toml)
        return Made(target, target.stat().st_size, manifest, tuple(_left_out(settings, archive=archive)))
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        why = "the disk is full" if full else error.strerror or str(error)
        raise HubRefused(f"no backup was made in {target}: {why} ({error.filename or target.parent})") from error
    finally:
        copy.unlink(missing_ok=True)


@contextmanager
def _draft(target: Path) -> Iterator[IO[bytes]]:
    """A file beside `target` that takes its name at the end, when all of it is on the disk."""
    draft = target.with_name(f"{target.name}.part")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        sync_folder(target.absolute().parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _written(
    file: IO[bytes],
    settings: HubSettings,
    taken: Snapshot,
    copy: Path,
    *,
    version: str,
    now: float,
    archive: bool,
    toml: Path | None,
) -> BackupManifest:
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        out = _Out(tar, now)
        out.add(taken.name, copy)
        if toml is not None:
            out.put(SETTINGS, rooted(toml))
        for name, path in _members(settings, archive=archive):
            out.add(name, path)
        manifest = BackupManifest(
            made=now,
            tongtang=version,
            revision=taken.revision,
            database=taken.kind,
            devices=taken.devices,
            archive=archive,
            files=tuple(out.files),
        )
        out.close(manifest)
    return manifest


@dataclass
class _Out:
    """Adds files to a tar and keeps the account."""

    tar: tarfile.TarFile
    now: float
    files: list[BackedFile] = field(default_factory=list)

    def add(self, name: str, path: Path) -> None:
        """Add one file; one that went away since it was listed is left out."""
        try:
            source = path.open("rb")
        except FileNotFoundError:
            return
        with source:
            size = os.fstat(source.fileno()).st_size
            read = _Hashing(source)
            self.tar.addfile(self._info(name, size), read)
        self.files.append(BackedFile(name=name, bytes=size, sha256=read.digest.hexdigest()))

    def put(self, name: str, data: bytes) -> None:
        """Add a file of which this is all."""
        self.tar.addfile(self._info(name, len(data)), io.BytesIO(data))
        self.files.append(BackedFile(name=name, bytes=len(data), sha256=hashlib.sha256(data).hexdigest()))

    def close(self, manifest: BackupManifest) -> None:
        """Add the manifest, as the last one."""
        data = manifest.model_dump_json(indent=1).encode()
        self.tar.addfile(self._info(MANIFEST, len(data)), io.BytesIO(data))

    def _info(self, name: str, size: int) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, int(self.now), 0o600
        return info


class _Hashing(io.RawIOBase):
    """Reads a file and hashes what was read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes."""
        data = self._source.read(size)
        self.digest.update(data)
        return data


def _members(settings: HubSettings, *, archive: bool) -> Iterator[tuple[str, Path]]:
    """Files of the hub but its database, by their names in the backup."""
    data = settings.data
    for name in (KEY, TOKEN):
        if (data / name).is_file():
            yield name, data / name
    yield from _below(data / AUTHORITY, f"{AUTHORITY}/")
    if archive:
        for name, path in _below(settings.archive_folder, ARCHIVE):
            if not name.startswith(f"{ARCHIVE}{INCOMING}/"):
                yield name, path


def _below(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield prefix + path.relative_to(folder).as_posix(), path


def _left_out(settings: HubSettings, *, archive: bool) -> Iterator[str]:
    if not archive:
        yield (
            f"the lesson packages in {settings.archive_folder} are not in it: copy that folder by itself "
            "(what lies there never changes), or say --archive"
        )
    if settings.ca.key is not None:
        yield f"the key of the authority that the settings name, {settings.ca.key}, is not in it"
    if settings.http.tls_key is not None:
        yield f"the HTTP certificate's key {settings.http.tls_key} is not in it"
