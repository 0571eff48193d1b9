"""The few figures of each lesson, kept so that a month's lessons need not be read again."""

from collections.abc import Collection, Iterable

from sqlalchemy import delete, insert, select

from hub.store.engine import Database
from hub.store.tables import LESSON_FIGURES

CHUNK = 500
"""Sessions in one statement, at most."""


class FigureTable:
    """Figures by session, as JSON, with what they were made from. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, sessions: Collection[str]) -> dict[str, tuple[str, str]]:
        """Basis and figures of those that have any."""
        wanted = sorted(sessions)
        found: dict[str, tuple[str, str]] = {}
        with self._database.read() as connection:
            for at in range(0, len(wanted), CHUNK):
                query = select(LESSON_FIGURES).where(LESSON_FIGURES.c.session.in_(wanted[at : at + CHUNK]))
                found |= {row.session: (row.basis, row.data) for row in connection.execute(query)}
        return found

    def put(self, session: str, basis: str, data: str) -> None:
        """Keep a lesson's figures in place of older ones."""
        with self._database.write() as connection:
            connection.execute(delete(LESSON_FIGURES).where(LESSON_FIGURES.c.session == session))
            connection.execute(insert(LESSON_FIGURES).values(session=session, basis=basis, data=data))

    def drop(self, sessions: Iterable[str]) -> None:
        """Forget the figures of these sessions."""
        with self._database.write() as connection:
            for session in sessions:
                connection.execute(delete(LESSON_FIGURES).where(LESSON_FIGURES.c.session == session))
