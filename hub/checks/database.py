"""The database: reachable, and of this version or an older one; a PostgreSQL that keeps what it promises."""

from pathlib import Path

from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from hub.checks.line import CheckLine, bad, ok, warn
from hub.checks.postgresql import NAME, wrong
from hub.settings import HubSettings
from hub.store.engine import Database, open_engine
from hub.store.errors import StoreRefused
from hub.store.migrate import MIGRATIONS, head, version


def look(settings: HubSettings) -> CheckLine:
    """What the database is and whether its tables are of this version; nothing is migrated."""
    try:
        url = make_url(settings.database_url)
        where = url.render_as_string(hide_password=True)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
            return bad(NAME, f"there is no database {url.database}", f"tongtang hub init --data {settings.data}")
        database = Database(open_engine(settings.database_url))
        try:
            with database.read() as connection:
                found = version(connection)
                server = next(wrong(connection, where), None) if database.shared else None
        finally:
            database.close()
    except (SQLAlchemyError, StoreRefused) as error:
        reason = str(error).splitlines()[0]
        return bad(
            NAME, f"the database cannot be opened: {reason}", "mend `database` in the settings, or start its server"
        )
    if found is not None and found != head() and not _known(found):
        return bad(NAME, f"{where} was written by a newer hub ({found})", "install that version, or restore a backup")
    if server is not None:
        return server
    if found == head():
        return ok(NAME, f"{where}, tables of this version ({found})")
    return warn(NAME, f"{where} has tables of version {found or 'none'}", "back it up; the next start migrates it")


def _known(revision: str) -> bool:
    """Whether this version of the hub can migrate from `revision`."""
    try:
        ScriptDirectory(str(MIGRATIONS)).get_revision(revision)
    except CommandError:
        return False
    return True
