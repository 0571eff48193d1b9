"""What became of each planned lesson, for everybody together and for one school."""

from dataclasses import dataclass
from enum import StrEnum

from contract.session import Role
from contract.state import SessionState
from hub.schedule.calendars.occurrences import Occurrence
from hub.session.remarks import Reason, Remark
from hub.session.views import RoomView, SessionView


class Fate(StrEnum):
    """What became of a planned lesson."""

    HELD = "held"
    """Every room of it was there."""
    PARTLY = "partly"
    """It was held, and a room was missing."""
    MISSED = "missed"
    """It was to be held, and was not."""
    CALLED_OFF = "called-off"
    """It was called off before."""
    TO_COME = "to-come"
    """It is not over yet."""
    BOOKED = "booked"
    """A room was booked for an open class that became no session; nobody reports whether it was used."""


HOLDING = frozenset({SessionState.LIVE, SessionState.ENDING, SessionState.SEALED, SessionState.UPLOADED})
"""A room that came to one of these was at its lesson."""
COUNTED = frozenset({Fate.HELD, Fate.PARTLY, Fate.MISSED})
"""What was to be held and is over: of these, shares are taken."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One planned lesson, and what there is of it."""

    occurrence: Occurrence
    cancelled: bool
    words: str
    """Why it was cancelled, as somebody put it."""
    session: SessionView | None
    """What it became; None where it became none."""


@dataclass(frozen=True, slots=True)
class Told:
    """A fate with its reasons."""

    fate: Fate
    remarks: tuple[Remark, ...] = ()
    words: str = ""


NO_SESSION = "no-session"
"""In place of words: the plan's lesson never became a session."""


def fate_of(planned: Planned, now: float, school: str = "") -> Told:
    """What became of a lesson; where a school is named, of that school's part in it.

    A school's part is held where its own room was there, and somebody for it: the lead room for one that listens,
    at least one listening room for one that leads. An open class was held where its one room was there.

    Args:
        planned: the lesson.
        now: seconds of hub UTC.
        school: id of the school; empty for all of it.
    """
    one, view = planned.occurrence, planned.session
    if planned.cancelled or (view is not None and view.state is SessionState.CANCELLED):
        return Told(Fate.CALLED_OFF, words=planned.words)
    if now < (view.epoch + view.seconds if view is not None else one.ends):
        return Told(Fate.TO_COME)
    if view is None:
        return Told(Fate.BOOKED) if one.lead is None else Told(Fate.MISSED, words=planned.words or NO_SESSION)
    lead = [room for room in view.rooms if room.role is Role.LEAD]
    receiving = [room for room in view.rooms if room.role is not Role.LEAD]
    if school:
        own = {part.room for part in one.rooms if part.school == school}
        leads = any(room.room in own for room in lead)
        receiving = [room for room in receiving if leads or room.room in own]
    there = [room for room in receiving if _there(room)]
    missing = [room for room in (*lead, *receiving) if not _there(room)]
    if not all(_there(room) for room in lead) or not (there or one.lead is None):
        return Told(Fate.MISSED, _remarks(missing))
    return Told(Fate.PARTLY, _remarks(missing)) if missing else Told(Fate.HELD)


def _there(room: RoomView) -> bool:
    return room.state in HOLDING


def _remarks(rooms: list[RoomView]) -> tuple[Remark, ...]:
    return tuple(
        room.remark or Remark(reason=Reason.ROOM_UNHEARD, room=room.name or room.room, words=room.words)
        for room in rooms
    )
