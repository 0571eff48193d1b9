"""Chapters of lessons: one list a session, derived from its packages or edited, and the search over all titles."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from contract.session import SessionOrder
from hub.store.engine import Database
from hub.store.errors import StoreRefused
from hub.store.tables import CHAPTER, CHAPTER_LIST, SESSION


@dataclass(frozen=True, slots=True)
class ChapterRow:
    """One chapter; `start` and `seconds` in session time."""

    start: float
    seconds: float
    title: str | None
    source: str
    """Who says that it begins there: of `measures.chapters.ChapterSource`, or `edited`."""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class ChapterListRecord:
    """The chapters of one session, in order."""

    session: str
    rev: int
    """Grows with each change."""
    edited: bool
    editor: str
    """Who edited it last or went back to the derived ones; empty where nobody did."""
    changed: float
    """When, in seconds of hub UTC."""
    basis: str
    """What the derived ones were made from; empty for edited ones."""
    rows: tuple[ChapterRow, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A chapter whose title was sought."""

    session: str
    lesson: str
    """The session's title."""
    epoch: float
    """Session time zero, in seconds of hub UTC."""
    row: ChapterRow


class RevisionPast(StoreRefused):
    """The list that was looked at is not the newest any more."""


class ChapterTable:
    """Lists of chapters by session. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, session: str) -> ChapterListRecord | None:
        """The list of a session, or None."""
        with self._database.read() as connection:
            return _read(connection, session)

    def put(self, record: ChapterListRecord, after: int) -> None:
        """Keep a list in place of the one with revision `after`; 0 where there was none.

        Raises:
            RevisionPast: there is another by now; nothing is changed.
        """
        with self._database.write() as connection:
            self._expect(connection, record.session, after)
            connection.execute(delete(CHAPTER_LIST).where(CHAPTER_LIST.c.session == record.session))
            connection.execute(
                insert(CHAPTER_LIST).values(
                    session=record.session,
                    rev=record.rev,
                    edited=record.edited,
                    editor=record.editor,
                    changed=record.changed,
                    basis=record.basis,
                )
            )
            rows = [_values(record.session, position, row) for position, row in enumerate(record.rows)]
            if rows:
                connection.execute(insert(CHAPTER), rows)

    def drop(self, sessions: Iterable[str]) -> None:
        """Forget the lists of these sessions."""
        with self._database.write() as connection:
            for session in sessions:
                connection.execute(delete(CHAPTER_LIST).where(CHAPTER_LIST.c.session == session))

    def bases(self) -> dict[str, str]:
        """What each list was made from, by session; empty for edited ones."""
        with self._database.read() as connection:
            found = connection.execute(select(CHAPTER_LIST.c.session, CHAPTER_LIST.c.basis)).all()
        return {row.session: row.basis for row in found}

    def find(self, words: Sequence[str], most: int) -> list[Found]:
        """Chapters whose titles hold all of `words`, the newest lessons first; at most so many."""
        query = (
            select(CHAPTER, SESSION.c.order, SESSION.c.epoch)
            .join(SESSION, SESSION.c.id == CHAPTER.c.session)
            .order_by(SESSION.c.epoch.desc(), SESSION.c.id, CHAPTER.c.position)
            .limit(most)
        )
        for word in words:
            query = query.where(CHAPTER.c.sought.contains(sought(word), autoescape=True))
        with self._database.read() as connection:
            found = connection.execute(query).all()
        return [
            Found(
                row.session,
                SessionOrder.model_validate_json(row.order).title,
                row.epoch,
                ChapterRow(row.start, row.seconds, row.title, row.source, row.confidence),
            )
            for row in found
        ]

    def _expect(self, connection: Connection, session: str, after: int) -> None:
        query = select(CHAPTER_LIST.c.rev).where(CHAPTER_LIST.c.session == session).with_for_update()
        rev = connection.scalar(query)
        if (rev or 0) != after:
            raise RevisionPast(f"the chapters of {session} are at revision {rev or 0}, not {after}")


def sought(text: str) -> str:
    """A text as it is compared in a search: one width of signs, small letters.

    >>> sought("１７．１ Unit 5")
    '17.1 unit 5'
    """
    return unicodedata.normalize("NFKC", text).casefold()


def _read(connection: Connection, session: str) -> ChapterListRecord | None:
    head = connection.execute(select(CHAPTER_LIST).where(CHAPTER_LIST.c.session == session)).first()
    if head is None:
        return None
    rows = connection.execute(select(CHAPTER).where(CHAPTER.c.session == session).order_by(CHAPTER.c.position)).all()
    return ChapterListRecord(
        session,
        head.rev,
        head.edited,
        head.editor,
        head.changed,
        head.basis,
        tuple(ChapterRow(row.start, row.seconds, row.title, row.source, row.confidence) for row in rows),
    )


def _values(session: str, position: int, row: ChapterRow) -> dict[str, object]:
    return {
        "session": session,
        "position": position,
        "start": row.start,
        "seconds": row.seconds,
        "title": row.title,
        "source": row.source,
        "confidence": row.confidence,
        "sought": sought(row.title or ""),
    }
