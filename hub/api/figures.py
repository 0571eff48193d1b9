"""What rooms send and receive while the lesson runs, from the newest telemetry; afterwards their own account counts."""

from typing import Any

from pydantic import ValidationError

from contract.model import Message, SessionId
from contract.result import RoomResult
from contract.session import Role
from contract.state import SessionState
from hub.session.insight import insight_of
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
    told = {room.room: rows.latest(room.device, "tele", LOOKED_THROUGH) for room in session.rooms}
    rooms = tuple(_room(room, session.session, told[room.room]) for room in session.rooms)
    return _said(session.model_copy(update={"rooms": rooms}), told)


def with_insight(session: SessionView, rows: RowTable) -> SessionView:
    """The session with what its lead room says of how it goes, while it runs; blocks on the database."""
    if session.state is not SessionState.LIVE:
        return session
    leads = [room for room in session.rooms if room.role is Role.LEAD]
    return _said(session, {room.room: rows.latest(room.device, "tele", LOOKED_THROUGH) for room in leads})


def _said(session: SessionView, told: dict[str, list[dict[str, Any]]]) -> SessionView:
    lead = next((room for room in session.rooms if room.role is Role.LEAD), None)
    if lead is None:
        return session
    insight = insight_of(told[lead.room], session.session, lead.room, session.now_t)
    return session.model_copy(update={"insight": insight})


def _room(room: RoomView, session: str, told: list[dict[str, Any]]) -> RoomView:
    if room.result is not None:
        return room
    for row in told:
        if row["kind"] != KIND:
            continue
        try:
            figures = LiveFigures.model_validate(row["data"])
        except ValidationError:
            return room  # an agent of another version; the page says that there is no data
        return room.model_copy(update={"result": figures.result}) if figures.session == session else room
    return room
