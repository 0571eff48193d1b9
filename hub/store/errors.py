"""What can go wrong with the hub's database."""

from sqlalchemy import exc

NoConnectionFree = exc.TimeoutError
"""Every connection was busy for too long."""
DATABASE_TROUBLE = (exc.DBAPIError, NoConnectionFree)
"""The database is away, does not take what it is given, or has no connection free; whoever works in the background
tries again."""


def in_short(error: Exception) -> str:
    """What the database, or we of it, said, in a line; the statement and the values in it do not belong in a log."""
    said = str(error.orig if isinstance(error, exc.DBAPIError) else error)
    return said.splitlines()[0] if said else type(error).__name__


class StoreRefused(Exception):
    """The store cannot do what was asked; the message says what to do.

    StoreRefused
    ├── StoreUnusable      the database cannot be opened, or is of a newer version
    ├── RoomTaken          a room already has a session at that time
    ├── OccurrenceRefused  a dated lesson is not there, or has begun
    └── TokenUnknown       no calendar token has this id
    """


class StoreUnusable(StoreRefused):
    """The database cannot be opened, or was written by a newer version."""


class RoomTaken(StoreRefused):
    """A room already has a session at that time."""

    def __init__(self, room: str, session: str) -> None:
        super().__init__(f"room {room} already has session {session} at that time")
        self.room = room
        self.session = session
