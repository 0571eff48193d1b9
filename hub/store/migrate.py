"""Brings a database to the tables of this version, from whatever version it has."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from hub.store.errors import StoreUnusable

MIGRATIONS = Path(__file__).parent / "migrations"
ONE_AT_A_TIME = 0x746F6E67
"""Name of the lock under which tables are changed, in PostgreSQL."""


def upgrade(engine: Engine) -> None:
    """Run the migrations that the database lacks; does nothing where there is none.

    Raises:
        StoreUnusable: the database cannot be opened, or a newer hub has written it.
    """
    config = _config()
    try:
        with engine.execution_options(tongtang_writes=True).begin() as connection:
            config.attributes["connection"] = connection
            if connection.dialect.name == "postgresql":  # SQLite has one writer by itself
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})")
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise StoreUnusable(f"the database {engine.url!r} cannot be opened: {error.orig}") from error
    except CommandError as error:
        raise StoreUnusable(
            f"the database {engine.url!r} was written by a newer hub; install that version or restore a backup"
        ) from error


def version(connection: Connection) -> str | None:
    """The revision that the database has; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """The revision that this version of the hub wants."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def revisions() -> frozenset[str]:
    """Every revision that this version of the hub can bring to its own."""
    return frozenset(one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix().replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
