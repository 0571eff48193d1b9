"""Makes the order of a session from what was asked, or says in words why not."""

from collections import Counter
from collections.abc import Callable

from contract.material import Material
from contract.session import Mode, Role, RoomOrder, SessionOrder, roles_wrong
from hub.session.errors import RolesWrong, RoomUnknown, TimeWrong, TooLate
from hub.session.views import NewRoom, NewSession
from hub.store.devices import DeviceRecord

PAST_S = 60.0
"""A start may lie this far in the past: clocks differ and people hesitate."""
AHEAD_S = 400 * 86_400.0
"""Nothing is planned further ahead; a larger number is a mistaken unit."""
END_LEAD_S = 1.0
"""A session that is ended early ends this much later, so that every room hears of it before."""


def order_of(
    new: NewSession, session: str, lead_s: float, now: float, device_of: Callable[[str], DeviceRecord | None]
) -> SessionOrder:
    """The first order of a new session.

    Args:
        new: what was asked.
        session: the new session's id.
        lead_s: lead time where the request names none, in seconds.
        now: seconds of hub UTC.
        device_of: the device that stands in a room.

    Raises:
        hub.session.errors.SessionRefused: it cannot be made; the message says why.
    """
    _check_roles(new.mode, new.rooms)
    epoch = now + (lead_s if new.lead_s is None else new.lead_s) if new.start == "now" else new.start
    if epoch < now - PAST_S:
        raise TimeWrong(f"the session would begin {now - epoch:.0f} s in the past; name a time to come, or now")
    if epoch > now + AHEAD_S:
        raise TimeWrong("the session would begin in more than 400 days; start is in seconds of UTC")
    return SessionOrder(
        session=session,
        rev=1,
        epoch=round(epoch, 3),
        seconds=new.seconds,
        mode=new.mode,
        title=new.title,
        timetable=new.timetable,
        rooms=tuple(_room(one, device_of) for one in new.rooms),
        policy=new.policy,
        ice_servers=new.ice_servers,
        video=new.video,
        video_bps=new.video_bps,
        fps=new.fps,
    )


def _check_roles(mode: Mode, rooms: tuple[NewRoom, ...]) -> None:
    leads = [one.room for one in rooms if one.role is Role.LEAD]
    if len(leads) != 1:
        told = " and ".join(leads) or "none"
        raise RolesWrong(f"a session has exactly one lead room; here: {told}")
    wrong = roles_wrong(mode, [one.role for one in rooms])
    if wrong:
        raise RolesWrong(wrong)
    twice = [room for room, count in Counter(one.room for one in rooms).items() if count > 1]
    if twice:
        raise RolesWrong(f"room {twice[0]} is named twice; a room has one role in a session")


def _room(new: NewRoom, device_of: Callable[[str], DeviceRecord | None]) -> RoomOrder:
    device = device_of(new.room)
    if device is None:
        raise RoomUnknown(f"no device stands in room {new.room}; register its device first, or check the name")
    return RoomOrder(
        room=new.room,
        device=device.id,
        role=new.role,
        name=device.name,
        school=device.school,
        period=new.period,
    )


def ended(order: SessionOrder, now: float) -> SessionOrder | None:
    """The order that ends the session at `now`; None where it is over or about to be.

    Raises:
        TooLate: it has not begun, or is called off.
    """
    if order.cancelled:
        raise TooLate(f"session {order.session} is called off; there is nothing to end")
    if now < order.epoch:
        raise TooLate(f"session {order.session} has not begun; cancel it instead")
    seconds = round(now - order.epoch + END_LEAD_S, 3)
    if seconds >= order.seconds:
        return None
    return order.model_copy(update={"rev": order.rev + 1, "seconds": seconds})


def cancelled(order: SessionOrder, now: float) -> SessionOrder | None:
    """The order that calls the session off; None where it is called off already.

    Raises:
        TooLate: it is over.
    """
    if order.cancelled:
        return None
    if now >= order.ends:
        raise TooLate(f"session {order.session} is over; it cannot be called off")
    return order.model_copy(update={"rev": order.rev + 1, "cancelled": True})


def with_materials(order: SessionOrder, now: float, materials: tuple[Material, ...]) -> SessionOrder | None:
    """The order with these files; None where it has them already.

    Raises:
        TooLate: it is over, or called off.
    """
    if order.cancelled or now >= order.ends:
        raise TooLate(f"session {order.session} is over or called off; its materials stay as they are")
    if order.materials == materials:
        return None
    return order.model_copy(update={"rev": order.rev + 1, "materials": materials})
