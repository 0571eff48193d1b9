"""The database: reachable, and of this version or an older one; a PostgreSQL that keeps what it promises."""

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from hub.checks.line import CheckLine, bad, ok, warn
from hub.checks.postgresql import NAME, wrong
from hub.settings import HubSettings
from hub.store.engine import Database, open_engine
from hub.store.errors import StoreRefused, in_short
from hub.store.migrate import head, revisions, version


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
        words = f"the database cannot be opened: {in_short(error)}"
        return bad(NAME, words, "mend `database` in the settings, or start its server")
    if found is not None and found not in revisions():
        return bad(NAME, f"{where} was written by a newer hub ({found})", "install that version, or restore a backup")
    if server is not None:
        return server
    if found == head():
        return ok(NAME, f"{where}, tables of this version ({found})")
    return warn(NAME, f"{where} has tables of version {found or 'none'}", "back it up; the next start migrates it")
