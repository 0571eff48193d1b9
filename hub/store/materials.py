"""Materials of sessions, and which rooms hold them."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Delete, delete, insert, select

from contract.material import Material, MaterialHeld
from hub.store.engine import Database
from hub.store.tables import MATERIAL, MATERIAL_HELD, SESSION


@dataclass(frozen=True, slots=True)
class MaterialRecord:
    """One file of one session."""

    material: Material
    operator: str
    """Who added it."""
    added: float
    """When, in seconds of hub UTC."""


class MaterialTable:
    """Files by session. Thread-safe; whoever reads, decides and writes holds a lock of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, session: str) -> list[MaterialRecord]:
        """The files of a session, in the order in which they were added."""
        query = select(MATERIAL).where(MATERIAL.c.session == session).order_by(MATERIAL.c.added, MATERIAL.c.name)
        with self._database.read() as connection:
            found = connection.execute(query).all()
        return [
            MaterialRecord(Material(name=row.name, sha256=row.sha256, bytes=row.bytes), row.operator, row.added)
            for row in found
        ]

    def put(self, session: str, record: MaterialRecord) -> None:
        """Keep a file in place of one of the same name."""
        one = record.material
        with self._database.write() as connection:
            connection.execute(_named(session, one.name))
            connection.execute(
                insert(MATERIAL).values(
                    session=session,
                    name=one.name,
                    sha256=one.sha256,
                    bytes=one.bytes,
                    operator=record.operator,
                    added=record.added,
                )
            )

    def drop(self, session: str, name: str) -> None:
        """Forget a file."""
        with self._database.write() as connection:
            connection.execute(_named(session, name))

    def hold(self, held: MaterialHeld, at: float) -> None:
        """A room holds a file since `at`, in seconds of hub UTC."""
        same = (
            (MATERIAL_HELD.c.session == held.session)
            & (MATERIAL_HELD.c.room == held.room)
            & (MATERIAL_HELD.c.sha256 == held.sha256)
        )
        with self._database.write() as connection:
            connection.execute(delete(MATERIAL_HELD).where(same))
            connection.execute(
                insert(MATERIAL_HELD).values(session=held.session, room=held.room, sha256=held.sha256, at=at)
            )

    def held(self, session: str) -> dict[str, frozenset[str]]:
        """Rooms that hold each file of a session, by its hash."""
        query = select(MATERIAL_HELD.c.sha256, MATERIAL_HELD.c.room).where(MATERIAL_HELD.c.session == session)
        found: dict[str, set[str]] = defaultdict(set)
        with self._database.read() as connection:
            for row in connection.execute(query):
                found[row.sha256].add(row.room)
        return {sha256: frozenset(rooms) for sha256, rooms in found.items()}

    def wanted(self, ended_after: float) -> frozenset[str]:
        """Hashes of the files of every session that ends after a moment, in seconds of hub UTC."""
        query = select(MATERIAL.c.sha256).join_from(MATERIAL, SESSION, SESSION.c.id == MATERIAL.c.session)
        with self._database.read() as connection:
            return frozenset(connection.scalars(query.where(SESSION.c.ends > ended_after)))

    def sessions(self, ended_after: float) -> list[str]:
        """Sessions with files that end after a moment, in seconds of hub UTC."""
        query = select(MATERIAL.c.session).join_from(MATERIAL, SESSION, SESSION.c.id == MATERIAL.c.session)
        with self._database.read() as connection:
            return list(connection.scalars(query.where(SESSION.c.ends > ended_after).distinct()))

    def sessions_of(self, sha256: str) -> list[str]:
        """Sessions that a file belongs to."""
        with self._database.read() as connection:
            return list(connection.scalars(select(MATERIAL.c.session).where(MATERIAL.c.sha256 == sha256)))


def _named(session: str, name: str) -> Delete:
    return delete(MATERIAL).where((MATERIAL.c.session == session) & (MATERIAL.c.name == name))
