"""Who may operate the hub: names and the hashes of their tokens."""

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from hub.store.engine import Database
from hub.store.tables import OPERATOR

TOKEN_BYTES = 32
"""Randomness in a token; enough that a plain hash of it cannot be guessed back."""


def new_token() -> str:
    """A token to hand to an operator; it is shown once."""
    return f"tt-{secrets.token_urlsafe(TOKEN_BYTES)}"


@dataclass(frozen=True, slots=True)
class OperatorRecord:
    """One operator."""

    name: str
    created: float
    """When they were given their token, in seconds of hub UTC."""


class OperatorTable:
    """Operators by name. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_token(self, name: str, token: str, now: float) -> None:
        """Give the operator `name` this token; an older one of his stops working."""
        with self._database.write() as connection:
            connection.execute(delete(OPERATOR).where(OPERATOR.c.name == name))
            connection.execute(insert(OPERATOR).values(name=name, token_sha256=token_hash(token), created=now))

    def all(self) -> list[OperatorRecord]:
        """Every operator, by name."""
        wanted = select(OPERATOR.c.name, OPERATOR.c.created).order_by(OPERATOR.c.name)
        with self._database.read() as connection:
            return [OperatorRecord(**row) for row in connection.execute(wanted).mappings()]

    def remove(self, name: str) -> bool:
        """Take the operator `name` and their token away; False where there is none, or nobody else is left."""
        with self._database.write() as connection:
            names = set(connection.scalars(select(OPERATOR.c.name).with_for_update()))
            if names <= {name}:
                return False
            return connection.execute(delete(OPERATOR).where(OPERATOR.c.name == name)).rowcount > 0

    def hashes(self) -> dict[str, str]:
        """SHA-256 of every operator's token, in hexadecimal, by the operator's name."""
        with self._database.read() as connection:
            return {row.name: row.token_sha256 for row in connection.execute(select(OPERATOR))}


def token_hash(token: str) -> str:
    """SHA-256 of an operator's token, in hexadecimal; a token is random, so it needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()
