"""Materials of sessions on the hub's disk: one file for each content, named by its SHA-256."""

import hashlib
import os
import secrets
from collections.abc import Collection
from pathlib import Path

from contract.material import Material
from hub.archive.refusals import Unfit
from hub.archive.store import disk_words
from hub.platform import sync_folder

PART = ".part"


class MaterialFolder:
    """Files by their hash; a file is there whole and verified, or not at all. Thread-safe."""

    def __init__(self, root: Path) -> None:
        """Open it; what an earlier run had not finished goes."""
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        for left in root.glob(f"*{PART}"):
            left.unlink(missing_ok=True)

    def path(self, sha256: str) -> Path | None:
        """Where a file lies; None where it is not here."""
        path = self._root / sha256
        return path if path.is_file() else None

    def begin(self, name: str, most_bytes: int) -> "Arriving":
        """Take a file in, piece by piece."""
        return Arriving(self._root, name, most_bytes)

    def sweep(self, wanted: Collection[str]) -> list[str]:
        """Delete every file but these; the hashes of those that went."""
        gone = [path for path in self._root.iterdir() if path.suffix != PART and path.name not in wanted]
        for path in gone:
            path.unlink(missing_ok=True)
        return [path.name for path in gone]


class Arriving:
    """A file that comes in."""

    def __init__(self, root: Path, name: str, most_bytes: int) -> None:
        self._root = root
        self._name = name
        self._most_bytes = most_bytes
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._path = root / f"{secrets.token_hex(8)}{PART}"
        with disk_words():
            self._file = self._path.open("wb")

    def take(self, piece: bytes) -> None:
        """The next bytes; blocks on the disk.

        Raises:
            Unfit: that is more than a file may have.
            hub.archive.refusals.Full: the disk is full.
        """
        self._bytes += len(piece)
        if self._bytes > self._most_bytes:
            raise Unfit(
                f"{self._name} has more than {self._most_bytes >> 20} MiB",
                "make it smaller, or raise materials.most_bytes in the hub's settings",
            )
        self._hash.update(piece)
        with disk_words():
            self._file.write(piece)

    def finish(self) -> Material:
        """Keep it; what it is.

        Raises:
            hub.archive.refusals.Full: the disk is full.
        """
        sha256 = self._hash.hexdigest()
        with disk_words():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._path.replace(self._root / sha256)
            sync_folder(self._root)
        return Material(name=self._name, sha256=sha256, bytes=self._bytes)

    def give_up(self) -> None:
        """Keep nothing; after `finish` this does nothing."""
        self._file.close()
        self._path.unlink(missing_ok=True)
