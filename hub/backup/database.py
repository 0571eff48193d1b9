"""The database's part of a backup: a copy of SQLite while it is written to, or a dump of PostgreSQL."""

import os
import shutil
import sqlite3
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from sqlalchemy import URL, inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from hub.backup.manifest import POSTGRES, SQLITE
from hub.errors import HubRefused
from hub.store.engine import open_engine

PATIENCE_S = 3600
"""Longest time pg_dump or pg_restore may take, in seconds."""
_REVISION = "SELECT version_num FROM alembic_version"
_DEVICES = "SELECT count(*) FROM device"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A database as it was at one moment."""

    kind: Literal["sqlite", "postgresql"]
    name: str
    """Of its file in the backup."""
    revision: str
    devices: int


def snapshot(url: str, target: Path) -> Snapshot:
    """Copy the database at `url` into the new file `target`, whoever writes to it meanwhile.

    Raises:
        HubRefused: it cannot be read, or PostgreSQL's own program for it is not installed.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _copied(Path(parsed.database or ""), target)
    if parsed.get_backend_name() == "postgresql":
        return _dumped(parsed, target)
    raise HubRefused(f"{parsed!r} cannot be backed up here; use that database's own means")


def checked(path: Path) -> None:
    """Make sure that an SQLite file is whole.

    Raises:
        HubRefused: it is not.
    """
    try:
        held = sqlite3.connect(path)
        try:
            said = str(held.execute("PRAGMA integrity_check(1)").fetchone()[0])
        finally:
            held.close()
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        raise HubRefused(f"the database in the backup is damaged ({said}); take an older backup")


def restored(dump: Path, url: str) -> None:
    """Put a dump of PostgreSQL into the empty database at `url`, all of it or nothing.

    Raises:
        HubRefused: the database is not empty, or pg_restore is missing or fails.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "postgresql":
        raise HubRefused("the backup holds a PostgreSQL database; name an empty one with --database postgresql+psycopg")
    engine = open_engine(url)
    try:
        tables = inspect(engine).get_table_names()
    except DBAPIError as error:
        raise HubRefused(f"the database {parsed!r} cannot be opened: {error.orig}") from error
    finally:
        engine.dispose()
    if tables:
        raise HubRefused(f"the database {parsed!r} is not empty (it has {tables[0]}); name an empty one")
    whole = ["--no-owner", "--single-transaction", "--exit-on-error", f"--dbname={_plain(parsed)}", str(dump)]
    _run("pg_restore", whole, parsed)


def _copied(path: Path, target: Path) -> Snapshot:
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        source = sqlite3.connect(f"file:{quote(path.absolute().as_posix())}?mode=ro", uri=True)
        copy = sqlite3.connect(target)
        try:
            # All pages in one step: a copy in several would begin anew whenever the hub commits in between, while
            # in WAL mode one long reader keeps no writer waiting.
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
            revision = copy.execute(_REVISION).fetchone()[0]
            devices = copy.execute(_DEVICES).fetchone()[0]
        finally:
            copy.close()
            source.close()
    except sqlite3.Error as error:
        raise HubRefused(f"the database {path} cannot be copied: {error}") from error
    return Snapshot("sqlite", SQLITE, str(revision), int(devices))


def _dumped(url: URL, target: Path) -> Snapshot:
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    engine = open_engine(url.render_as_string(hide_password=False))
    try:
        with engine.connect() as connection:
            revision = connection.scalar(text(_REVISION))
            devices = connection.scalar(text(_DEVICES))
    except DBAPIError as error:
        raise HubRefused(f"the database {url!r} cannot be read: {error.orig}") from error
    finally:
        engine.dispose()
    _run("pg_dump", ["--format=custom", "--no-owner", f"--file={target}", f"--dbname={_plain(url)}"], url)
    return Snapshot("postgresql", POSTGRES, str(revision), int(devices or 0))


def _run(program: str, arguments: list[str], url: URL) -> None:
    found = shutil.which(program)
    if found is None:
        raise HubRefused(
            f"the database is PostgreSQL and {program} is not installed; "
            "install PostgreSQL's client programs (apt install postgresql-client)"
        )
    # In the environment, because a list of processes shows arguments to everybody.
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    try:
        done = subprocess.run(
            [found, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
    except subprocess.TimeoutExpired as error:
        raise HubRefused(f"{program} did not end within {PATIENCE_S / 60:.0f} minutes") from error
    if done.returncode:
        raise HubRefused(f"{program} failed: {done.stderr.strip()[-500:]}")


def _plain(url: URL) -> str:
    """The URL as PostgreSQL's own programs want it, without the password."""
    return url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
