"""Who may operate the hub: names and the hashes of their tokens."""

import hashlib
import secrets

from sqlalchemy import delete, insert, select

from hub.store.engine import Database
from hub.store.tables import OPERATOR

TOKEN_BYTES = 32
"""Randomness in a token; enough that a plain hash of it cannot be guessed back."""


def new_token() -> str:
    """A token to hand to an operator; it is shown once."""
    return f"tt-{secrets.token_urlsafe(TOKEN_BYTES)}"


class OperatorTable:
    """Operators by name. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_token(self, name: str, token: str, now: float) -> None:
        """Give the operator `name` this token; an older one of his stops working."""
        with self._database.write() as connection:
            connection.execute(delete(OPERATOR).where(OPERATOR.c.name == name))
            connection.execute(insert(OPERATOR).values(name=name, token_sha256=_hash(token), created=now))

    def who(self, token: str) -> str | None:
        """The name of the operator with this token, or None."""
        with self._database.read() as connection:
            found: str | None = connection.scalar(
                select(OPERATOR.c.name).where(OPERATOR.c.token_sha256 == _hash(token))
            )
        return found

    def names(self) -> list[str]:
        """Every operator."""
        with self._database.read() as connection:
            return list(connection.scalars(select(OPERATOR.c.name).order_by(OPERATOR.c.name)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
