"""What rooms send and receive while the lesson runs, from the newest telemetry; afterwards their own account counts."""

from pydantic import ValidationError

from contract.model import Message, SessionId
from contract.result import RoomResult
from contract.state import SessionState
from hub.session.views import RoomView, SessionView
from hub.store.rows import RowTable

KIND = "lesson.live"
LOOKED_THROUGH = 30
"""Newest rows of a device among which its figures are looked for: about half a minute of telemetry."""


class LiveFigures(Message):
    """Data of a `lesson.live` row: the room's account so far."""

    session: SessionId
    result: RoomResult


def with_live_figures(session: SessionView, rows: RowTable) -> SessionView:
    """The session with the newest figures of its rooms, while it runs; blocks on the database."""
    if session.state is not SessionState.LIVE:
        return session
    rooms = tuple(_room(room, session.session, rows) for room in session.rooms)
    return session.model_copy(update={"rooms": rooms})


def _room(room: RoomView, session: str, rows: RowTable) -> RoomView:
    if room.result is not None:
        return room
    for row in rows.latest(room.device, "tele", LOOKED_THROUGH):
        if row["kind"] != KIND:
            continue
        try:
            figures = LiveFigures.model_validate(row["data"])
        except ValidationError:
            return room  # an agent of another version; the page says that there is no data
        return room.model_copy(update={"result": figures.result}) if figures.session == session else room
    return room
