"""Small facts about this hub, by name."""

from sqlalchemy import delete, insert, select

from hub.store.engine import Database
from hub.store.tables import META


class FactTable:
    """Texts by name. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> str | None:
        """The text under `name`, or None."""
        with self._database.read() as connection:
            found: str | None = connection.scalar(select(META.c.value).where(META.c.name == name))
        return found

    def put(self, name: str, value: str) -> None:
        """Keep `value` under `name`."""
        with self._database.write() as connection:
            connection.execute(delete(META).where(META.c.name == name))
            connection.execute(insert(META).values(name=name, value=value))
