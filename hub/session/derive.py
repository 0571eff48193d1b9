"""Where a session stands: a pure function of its order, its rooms' reports and the time."""

from collections.abc import Sequence
from dataclasses import dataclass

from contract.session import Role, RoomOrder, SessionOrder
from contract.state import FINAL, SessionState
from hub.store.sessions import RoomRecord

LATE_S = 5.0
"""A lead room that is not live this long after the start is told in words."""
S = SessionState
BEGUN = frozenset({S.LIVE, S.ENDING, S.SEALED, S.UPLOADED})
PREPARED = BEGUN | {S.READY}


@dataclass(frozen=True, slots=True)
class RoomStanding:
    """One room as it counts now."""

    order: RoomOrder
    state: SessionState
    words: str

    @property
    def called(self) -> str:
        """What people call the room."""
        return self.order.name or self.order.room


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the session as a whole has come to."""

    state: SessionState
    words: str = ""


def room_stands(order: SessionOrder, room: RoomRecord, *, online: bool, now: float, grace_s: float) -> RoomStanding:
    """One room as it counts at `now`: as it reported, or failed where it was not heard from in time.

    The judgement by absence is taken back when the room is heard from again: it may have
    recorded the whole lesson with the hub away.

    Args:
        order: the session's order.
        room: what the room reported last.
        online: whether its device is there.
        now: seconds of hub UTC.
        grace_s: how long after the end a room may stay silent, in seconds.
    """
    ordered = next(one for one in order.rooms if one.room == room.room)
    overdue = now >= order.ends + grace_s and not order.cancelled
    if room.state in FINAL or room.state is S.SEALED or not overdue:
        return RoomStanding(ordered, room.state, room.words)
    if online and room.state is S.ENDING:
        return RoomStanding(ordered, room.state, room.words)
    if not room.incarnation:
        return RoomStanding(ordered, S.FAILED, "was not heard from during the lesson; see whether its device runs")
    words = f"was last heard from when it was {room.state}; see whether its device runs"
    return RoomStanding(ordered, S.FAILED, words)


def session_stands(order: SessionOrder, rooms: Sequence[RoomStanding], was: SessionState, now: float) -> Verdict:
    """The session's state and what a person should know.

    Args:
        order: the session's order.
        rooms: every room as it counts now.
        was: the state before; a lesson that is live stays so while the lead room comes back.
        now: seconds of hub UTC.
    """
    if order.cancelled:
        return Verdict(S.CANCELLED, "called off")
    failed = [one for one in rooms if one.state is S.FAILED]
    words = "; ".join(f"{one.called} failed: {one.words or 'no reason was given'}" for one in failed)
    lead = next(one for one in rooms if one.order.role is Role.LEAD)
    receiving = [one for one in rooms if one.order.role is Role.RECEIVING]
    if lead in failed or all(one in failed for one in receiving):
        return Verdict(S.FAILED, words)
    left = {one.state for one in rooms if one not in failed}
    if left <= {S.UPLOADED}:
        return Verdict(S.UPLOADED, words)
    if left <= {S.SEALED, S.UPLOADED}:
        return Verdict(S.SEALED, words)
    if now >= order.ends:
        return Verdict(S.ENDING, words)
    return _before_the_end(order, lead, left, Verdict(was, words), now)


def _before_the_end(
    order: SessionOrder, lead: RoomStanding, left: set[SessionState], before: Verdict, now: float
) -> Verdict:
    words = before.words
    if now >= order.epoch and (lead.state in BEGUN or before.state is S.LIVE):
        if lead.state not in BEGUN:
            words = "; ".join(filter(None, (words, f"{lead.called} is coming back")))
        return Verdict(S.LIVE, words)
    if now >= order.epoch + LATE_S:
        words = "; ".join(filter(None, (words, f"{lead.called} has not begun; see whether its device runs")))
    if left <= PREPARED:
        return Verdict(S.READY, words)
    return Verdict(S.SCHEDULED if left <= {S.SCHEDULED} else S.READYING, words)
