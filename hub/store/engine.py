"""The database: one engine, many readers, one writer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from hub.store.errors import StoreUnusable

BUSY_TIMEOUT_MS = 10_000
"""How long SQLite waits for a lock held by another process, in milliseconds."""
LOG_PAGES = 4_000
"""Pages of 4 KiB that SQLite's log may hold before writers wait until all of it is put away."""
LOG_PAGES_ALONE = 16_000
"""The same where nobody calls `put_log_away`: then a commit does it, and waits as long as that takes."""
POOL_SIZE = 8
"""Connections kept open; threads beyond wait their turn."""
POSTGRES_CONNECT = {
    "application_name": "tongtang",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Seconds, the last in milliseconds: a server that vanished without a word is noticed within about half a minute."""


def open_engine(url: str) -> Engine:
    """An engine for `url`; SQLite gets WAL, full synchronisation and transactions of our own making.

    Full, because a watermark tells a device to forget: what we acknowledge must survive a power cut.

    Raises:
        StoreUnusable: the URL is wrong or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql":
            return _postgres(parsed)
        if parsed.get_backend_name() != "sqlite":
            raise StoreUnusable(f"the database {parsed!r} cannot be used: it must be SQLite or PostgreSQL")
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            parsed, poolclass=QueuePool, pool_size=POOL_SIZE, connect_args={"check_same_thread": False}
        )
    except ArgumentError as error:
        raise StoreUnusable("the database cannot be used: its setting is not an SQLAlchemy URL") from error
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreUnusable(f"the database {parsed!r} cannot be used: {error}; install its driver") from error
    except OSError as error:
        raise StoreUnusable(f"the database {parsed!r} cannot be used: {error.filename}: {error.strerror}") from error
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _postgres(url: URL) -> Engine:
    if "+" not in url.drivername:
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(
        url,
        pool_size=POOL_SIZE,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",  # what waits for a row sees what the other one made of it
        connect_args=dict(POSTGRES_CONNECT),
    )
    event.listen(engine, "connect", _prepare_postgres)
    return engine


def _prepare_postgres(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {BUSY_TIMEOUT_MS}")
        # A watermark promises that rows survive a power cut; a server set to promise less does so for us.
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
    connection.commit()


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # sqlite3 begins nothing by itself; `_begin` does
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"wal_autocheckpoint={LOG_PAGES_ALONE}",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A reader that turns writer can deadlock; whoever will write says so at the start.
    writes = connection.get_execution_options().get("tongtang_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Database:
    """Transactions on one engine. Thread-safe; writers queue up inside the process."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.shared = engine.dialect.name == "postgresql"
        """Whether several may write at a time, also from other processes."""
        self._writing = engine.execution_options(tongtang_writes=True)
        self._one_writer = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: committed at the end, rolled back on an exception. Never nest it."""
        with self._one_writer, self._writing.begin() as connection:
            yield connection

    @contextmanager
    def write_beside(self) -> Iterator[Connection]:
        """A transaction that writes beside others, where the database can do that.

        For tables that nobody else writes to, or whose rows are locked by whoever changes them.
        """
        with nullcontext() if self.shared else self._one_writer, self._writing.begin() as connection:
            yield connection

    def put_log_away(self) -> None:
        """Put what SQLite's log holds into its place, beside whoever writes; PostgreSQL does so by itself.

        Raises:
            sqlite3.Error, sqlalchemy.exc.SQLAlchemyError: the disk does not take it, or no connection is free; the
                log is kept.
        """
        if self.shared:
            return
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            _, held, _ = cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if held > LOG_PAGES:
                # Little is left to do, and then the log begins anew; else it would grow for as long as there are rows.
                with self._one_writer:
                    cursor.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
            cursor.close()
        finally:
            connection.close()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
