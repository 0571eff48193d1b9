"""Which files of which lesson packages the hub holds."""

from sqlalchemy import ColumnElement, delete, insert, select

from contract.package import FileEntry
from hub.store.engine import Database
from hub.store.tables import PACKAGE_FILE


class PackageTable:
    """Files by session, room and name. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, session: str, room: str, entry: FileEntry, now: float) -> None:
        """The file is stored and its hash was checked; replaces an older file of that name."""
        with self._database.write() as connection:
            connection.execute(delete(PACKAGE_FILE).where(*_key(session, room, entry.name)))
            values = {"session": session, "room": room, "stored": now, **entry.model_dump()}
            connection.execute(insert(PACKAGE_FILE).values(values))

    def files(self, session: str, room: str) -> tuple[FileEntry, ...]:
        """The files that are stored, by name."""
        columns = (PACKAGE_FILE.c.name, PACKAGE_FILE.c.bytes, PACKAGE_FILE.c.sha256)
        of_room = (PACKAGE_FILE.c.session == session, PACKAGE_FILE.c.room == room)
        with self._database.read() as connection:
            found = connection.execute(select(*columns).where(*of_room).order_by(PACKAGE_FILE.c.name))
            return tuple(FileEntry(name=row.name, bytes=row.bytes, sha256=row.sha256) for row in found)

    def stored(self, session: str, room: str) -> float | None:
        """When the last of the files was stored, in seconds of hub UTC; None where there is none."""
        times = select(PACKAGE_FILE.c.stored).where(PACKAGE_FILE.c.session == session, PACKAGE_FILE.c.room == room)
        with self._database.read() as connection:
            return max(connection.scalars(times), default=None)

    def drop(self, session: str, room: str, name: str) -> None:
        """The file is gone; nothing happens where it never was."""
        with self._database.write() as connection:
            connection.execute(delete(PACKAGE_FILE).where(*_key(session, room, name)))


def _key(session: str, room: str, name: str) -> tuple[ColumnElement[bool], ...]:
    return (PACKAGE_FILE.c.session == session, PACKAGE_FILE.c.room == room, PACKAGE_FILE.c.name == name)
