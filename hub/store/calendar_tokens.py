"""Who may read a calendar without signing in: tokens by their hash. The tokens themselves are kept nowhere."""

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import ColumnElement, insert, select, update

from hub.schedule.calendars.occurrences import Kind
from hub.store.engine import Database
from hub.store.errors import StoreRefused
from hub.store.tables import CALENDAR_TOKEN

TOKEN_BYTES = 32
"""Randomness in a token; enough that a plain hash of it cannot be guessed back."""
ID_DIGITS = 16
"""Of its hash, by which people name a token."""
READ_NOTED_S = 60.0
"""That a calendar was read is written down at most so often, in seconds: a phone that polls is no writer."""


class TokenUnknown(StoreRefused):
    """There is no token with this id."""


@dataclass(frozen=True, slots=True)
class CalendarToken:
    """One token. Times are seconds of hub UTC."""

    token_sha256: str
    kind: Kind
    who: str
    """The room, teacher, class or school whose calendar it opens."""
    words: str
    """For whom it is, as the operator said."""
    operator: str
    made: float
    revoked: float | None = None
    read: float | None = None
    """When the calendar was last read with it."""

    @property
    def id(self) -> str:
        """What people call it by; opens nothing."""
        return self.token_sha256[:ID_DIGITS]


def new_calendar_token() -> str:
    """A token to hand out; it is shown once."""
    return f"tc-{secrets.token_urlsafe(TOKEN_BYTES)}"


def calendar_token_hash(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


class CalendarTokenTable:
    """Tokens by hash. Thread-safe; nothing is remembered: the command line writes here, too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token: CalendarToken) -> None:
        """Keep a new one."""
        values = {column.name: getattr(token, column.name) for column in CALENDAR_TOKEN.c}
        with self._database.write() as connection:
            connection.execute(insert(CALENDAR_TOKEN).values(values))

    def of(self, token: str) -> CalendarToken | None:
        """What a token opens, or opened before it was revoked; None where nobody ever had it.

        It is found by its hash: how long that takes tells nothing about the token.
        """
        return next(iter(self._read(CALENDAR_TOKEN.c.token_sha256 == calendar_token_hash(token))), None)

    def all(self) -> list[CalendarToken]:
        """Every token, revoked ones too, the newest first."""
        return self._read()

    def revoke(self, token_id: str, now: float) -> CalendarToken:
        """Let a token open nothing any more; once more changes nothing.

        Raises:
            TokenUnknown: there is none with this id.
        """
        named = CALENDAR_TOKEN.c.token_sha256.startswith(token_id, autoescape=True)
        found = self._read(named) if len(token_id) >= ID_DIGITS else []
        if len(found) != 1:
            raise TokenUnknown(f"there is no calendar token {token_id}; see the list of them")
        key = CALENDAR_TOKEN.c.token_sha256 == found[0].token_sha256
        with self._database.write() as connection:
            still_good = key & CALENDAR_TOKEN.c.revoked.is_(None)
            connection.execute(update(CALENDAR_TOKEN).where(still_good).values(revoked=now))
        return self._read(key)[0]

    def note_read(self, token: CalendarToken, now: float) -> None:
        """Write down that the calendar was read."""
        if token.read is not None and 0 <= now - token.read < READ_NOTED_S:
            return
        key = CALENDAR_TOKEN.c.token_sha256 == token.token_sha256
        with self._database.write() as connection:
            connection.execute(update(CALENDAR_TOKEN).where(key).values(read=now))

    def _read(self, *where: ColumnElement[bool]) -> list[CalendarToken]:
        query = (
            select(CALENDAR_TOKEN).where(*where).order_by(CALENDAR_TOKEN.c.made.desc(), CALENDAR_TOKEN.c.token_sha256)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [CalendarToken(**{**row, "kind": Kind(row["kind"])}) for row in rows]
