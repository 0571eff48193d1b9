"""A session's record as people and programs see it."""

from collections.abc import Callable, Sequence

from hub.session.derive import RoomStanding, session_stands
from hub.session.views import RoomView, SessionView
from hub.store.sessions import SessionRecord


def shown(
    record: SessionRecord, standings: Sequence[RoomStanding], online: Callable[[str], bool], now: float
) -> SessionView:
    """The view of a session at `now`, in seconds of hub UTC.

    Args:
        record: what is kept.
        standings: its rooms as they count now, in the order's order.
        online: whether a device is there.
        now: seconds of hub UTC.
    """
    order = record.order
    verdict = session_stands(order, standings, record.state, now)
    rooms = tuple(
        RoomView(
            room=room.room,
            name=standing.order.name,
            school=standing.order.school,
            role=standing.order.role,
            watching=order.watches(standing.order),
            device=room.device,
            online=online(room.device),
            state=standing.state,
            words=standing.words,
            remark=standing.remark,
            held=room.held >= order.rev,
            result=room.result,
            receipt=room.receipt is not None,
        )
        for room, standing in zip(record.rooms, standings, strict=True)
    )
    return SessionView(
        session=order.session,
        rev=order.rev,
        title=order.title,
        timetable=order.timetable,
        mode=order.mode,
        state=verdict.state,
        words=verdict.words,
        remarks=verdict.remarks,
        epoch=order.epoch,
        seconds=order.seconds,
        now_t=round(now - order.epoch, 3),
        policy=order.policy,
        rooms=rooms,
    )
