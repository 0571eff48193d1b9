"""Where a session stands: a pure function of its order, its rooms' reports and the time."""

from collections.abc import Sequence
from dataclasses import dataclass

from contract.session import Role, RoomOrder, SessionOrder
from contract.state import FINAL, SessionState
from hub.session.remarks import Reason, Remark
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
    told: str = ""
    """What the room itself said."""
    remark: Remark | None = None
    """Why it counts as failed, if it does."""

    @property
    def words(self) -> str:
        """What the room said, or why it counts as failed."""
        return self.remark.about_room if self.remark else self.told


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the session as a whole has come to."""

    state: SessionState
    remarks: tuple[Remark, ...] = ()
    """What a person should know."""

    @property
    def words(self) -> str:
        """The remarks in English."""
        return "; ".join(str(one) for one in self.remarks)


def called(room: RoomOrder) -> str:
    """What people call the room."""
    return room.name or room.room


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
    if room.state is S.FAILED:
        remark = Remark(reason=Reason.ROOM_FAILED, room=called(ordered), words=room.words)
        return RoomStanding(ordered, S.FAILED, room.words, remark)
    closing = online and room.state is S.ENDING
    if room.state in FINAL or room.state is S.SEALED or closing or not overdue:
        return RoomStanding(ordered, room.state, room.words)
    if room.incarnation:
        remark = Remark(reason=Reason.ROOM_LOST, room=called(ordered), state=room.state)
    else:
        remark = Remark(reason=Reason.ROOM_UNHEARD, room=called(ordered))
    return RoomStanding(ordered, S.FAILED, room.words, remark)


def session_stands(order: SessionOrder, rooms: Sequence[RoomStanding], was: SessionState, now: float) -> Verdict:
    """The session's state and what a person should know.

    Args:
        order: the session's order.
        rooms: every room as it counts now.
        was: the state before; a lesson that is live stays so while the lead room comes back.
        now: seconds of hub UTC.
    """
    if order.cancelled:
        return Verdict(S.CANCELLED, (Remark(reason=Reason.CALLED_OFF),))
    failed = [one for one in rooms if one.state is S.FAILED]
    known = tuple(one.remark for one in failed if one.remark)
    lead = next(one for one in rooms if one.order.role is Role.LEAD)
    receiving = [one for one in rooms if one.order.role is Role.RECEIVING]
    # A lead room that is alone waits for nobody, so nobody who is missing ends its session.
    if lead in failed or (receiving and all(one in failed for one in receiving)):
        return Verdict(S.FAILED, known)
    left = {one.state for one in rooms if one not in failed}
    if left <= {S.UPLOADED}:
        return Verdict(S.UPLOADED, known)
    if left <= {S.SEALED, S.UPLOADED}:
        return Verdict(S.SEALED, known)
    if now >= order.ends:
        return Verdict(S.ENDING, known)
    return _before_the_end(order, lead, left, Verdict(was, known), now)


def _before_the_end(
    order: SessionOrder, lead: RoomStanding, left: set[SessionState], before: Verdict, now: float
) -> Verdict:
    known = before.remarks
    if now >= order.epoch and (lead.state in BEGUN or before.state is S.LIVE):
        if lead.state not in BEGUN:
            known += (Remark(reason=Reason.ROOM_RETURNING, room=called(lead.order)),)
        return Verdict(S.LIVE, known)
    if now >= order.epoch + LATE_S:
        known += (Remark(reason=Reason.ROOM_NOT_BEGUN, room=called(lead.order)),)
    if left <= PREPARED:
        return Verdict(S.READY, known)
    return Verdict(S.SCHEDULED if left <= {S.SCHEDULED} else S.READYING, known)
