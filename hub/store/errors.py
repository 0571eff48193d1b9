"""What can go wrong with the hub's database."""


class StoreRefused(Exception):
    """The store cannot do what was asked; the message says what to do.

    StoreRefused
    ├── StoreUnusable    the database cannot be opened, or is of a newer version
    └── RoomTaken        a room already has a session at that time
    """


class StoreUnusable(StoreRefused):
    """The database cannot be opened, or was written by a newer version."""


class RoomTaken(StoreRefused):
    """A room already has a session at that time."""

    def __init__(self, room: str, session: str) -> None:
        super().__init__(f"room {room} already has session {session} at that time")
        self.room = room
        self.session = session
