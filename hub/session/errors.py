"""Why a session cannot be made or changed."""


class SessionRefused(Exception):
    """A session that cannot be made or changed as asked; the message says what to do.

    SessionRefused
    ├── SessionUnknown   there is no such session
    ├── RoomUnknown      no device stands in a room that was named
    ├── RoomBusy         a room has another session at that time
    ├── RolesWrong       not exactly one lead room, no receiving room where one is needed, or a room twice
    ├── TimeWrong        the times make no sense
    └── TooLate          the session has not begun, or is over, so that it cannot be changed this way
    """


class SessionUnknown(SessionRefused):
    """There is no such session."""


class RoomUnknown(SessionRefused):
    """No device stands in a room that was named."""


class RoomBusy(SessionRefused):
    """A room has another session at that time."""


class RolesWrong(SessionRefused):
    """Not exactly one lead room, no receiving room where one is needed, or a room twice."""


class TimeWrong(SessionRefused):
    """The times make no sense."""


class TooLate(SessionRefused):
    """The session has not begun, or is over."""
