"""The SQLite file under an outbox: opened, checked, moved aside when damaged; and its ballast."""

import contextlib
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from agent.platform import sync_folder

BALLAST_BYTES = 1 << 20
"""Kept beside the file and given up when the disk is full: a DELETE needs room before it can make room."""
WAL_BYTES = 256 << 10
"""Size of the write-ahead log at which it is folded into the file."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
LAYOUT = 2
"""Version of the tables below, kept in the file."""
_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS stream (base INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS passed (place INTEGER PRIMARY KEY, lived_s REAL NOT NULL);
CREATE TABLE IF NOT EXISTS box (
    place INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL, boot TEXT NOT NULL,
    mono_ns INTEGER NOT NULL, wall REAL NOT NULL, data TEXT NOT NULL);
"""
_FROM_LAYOUT_1 = """
BEGIN IMMEDIATE;
DROP TRIGGER IF EXISTS newest;
ALTER TABLE box RENAME COLUMN seq TO place;
INSERT OR IGNORE INTO stream SELECT 0, value FROM meta WHERE name = 'stream';
INSERT OR IGNORE INTO meta SELECT 'acked', coalesce((SELECT min(place) - 1 FROM box), (SELECT seq FROM sqlite_sequence
    WHERE name = 'box'), 0);
DELETE FROM meta WHERE name IN ('stream', 'newest');
COMMIT;
VACUUM;
"""
"""The layout before acknowledged rows were kept. VACUUM, because pages can be cut off the file only from then on."""

sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
"""Puts an open file's data on the disk; Windows has fsync alone."""


class FileDamaged(Exception):
    """The file is no outbox any more."""


class FileUnusable(Exception):
    """The file cannot be opened or made; the message says why."""


def open_or_renew(path: Path, say: Callable[[str], None]) -> tuple[sqlite3.Connection, bool]:
    """Open or make the file with its ballast, and tell whether rows are on a disk.

    A damaged file is moved aside; where the disk takes no file at all, rows are kept in memory. Both are told.
    """
    try:
        try:
            db = _open_with_ballast(path)
        except FileDamaged as error:
            aside = move_aside(path)
            say(f"{path.name} is damaged ({error}); it was moved to {aside.name}, a new stream begins")
            db = open_file(path)
    except FileUnusable as error:
        say(f"{error}; rows of this run are kept in memory alone")
        return open_memory(), False
    if not ballast_of(path).exists():
        lay_ballast(path)
    return db, True


def _open_with_ballast(path: Path) -> sqlite3.Connection:
    """Open the file; where the disk is so full that it cannot even be opened, in the room of the ballast."""
    try:
        return open_file(path)
    except FileUnusable:
        if not ballast_of(path).exists():
            raise
        ballast_of(path).unlink()
        return open_file(path)


def open_file(path: Path) -> sqlite3.Connection:
    """Open or make the file.

    Raises:
        FileDamaged: it is not SQLite, or fails its own check.
        FileUnusable: it cannot be opened or made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    except (OSError, sqlite3.Error) as error:
        raise FileUnusable(f"{path} cannot be opened: {error}") from error
    try:
        _prepare(db)
        sync_folder(path.parent)
    except (OSError, sqlite3.Error) as error:
        db.close()
        if isinstance(error, sqlite3.Error) and code(error) in _DAMAGED:
            raise FileDamaged(str(error)) from error
        raise FileUnusable(f"{path} cannot be used: {error}") from error
    except FileDamaged:
        db.close()
        raise
    return db


def open_memory() -> sqlite3.Connection:
    """The same tables in memory, for a machine whose disk takes no file at all."""
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    db.executescript(_TABLES)
    return db


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA auto_vacuum=INCREMENTAL")  # of effect in a new file, and at the next VACUUM
    db.execute("PRAGMA journal_mode=WAL").fetchone()
    db.execute("PRAGMA synchronous=NORMAL")  # the outbox calls fdatasync itself, once for many rows
    db.execute("PRAGMA wal_autocheckpoint=0")  # and folds the log on another thread
    db.execute(f"PRAGMA journal_size_limit={WAL_BYTES}").fetchone()
    db.execute("PRAGMA secure_delete=OFF").fetchone()  # or a DELETE writes every page that it frees
    said = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        raise FileDamaged(said)
    columns = {row[1] for row in db.execute("PRAGMA table_info(box)")}
    db.executescript(_TABLES)
    if "seq" in columns:
        db.executescript(_FROM_LAYOUT_1)
    if db.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
        db.execute(f"PRAGMA user_version={LAYOUT}")


def sync_log(path: Path) -> None:
    """Make all that was committed to the outbox at `path` survive a power cut.

    SQLite keeps its locks on the database and the -shm file; the -wal carries none
    that closing our own descriptor could drop.

    Raises:
        OSError: the disk does not take it.
    """
    with contextlib.suppress(FileNotFoundError), Path(f"{path}-wal").open("r+b") as wal:
        sync_data(wal.fileno())


def log_bytes(path: Path) -> int:
    """Size of the write-ahead log, in bytes."""
    try:
        return Path(f"{path}-wal").stat().st_size
    except OSError:
        return 0


def move_aside(path: Path) -> Path:
    """Keep a damaged file under another name, for whoever wants to look into it."""
    tag = f"damaged-{secrets.token_hex(3)}"
    for end in ("-wal", "-shm", ""):
        one = Path(f"{path}{end}")
        if one.exists():
            one.replace(f"{path}.{tag}{end}")
    return Path(f"{path}.{tag}")


def ballast_of(path: Path) -> Path:
    """Where the ballast of the outbox at `path` lies."""
    return Path(f"{path}.ballast")


def lay_ballast(path: Path) -> bool:
    """Put the ballast beside the outbox at `path`; False where there is no room for it."""
    ballast = ballast_of(path)
    try:
        ballast.write_bytes(os.urandom(BALLAST_BYTES))  # random, or a compressing file system would keep no room
    except OSError:
        with contextlib.suppress(OSError):
            ballast.unlink(missing_ok=True)
        return False
    return True


def disk_free(path: Path) -> int:
    """Bytes that the disk under the outbox at `path` still takes.

    Raises:
        OSError: its folder is gone.
    """
    return shutil.disk_usage(path.parent).free


def is_full(error: sqlite3.Error) -> bool:
    """Whether an error says that the disk takes no more."""
    return code(error) in _FULL


def code(error: sqlite3.Error) -> int:
    """The primary result code; extended ones carry it in their low byte."""
    return int(getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
