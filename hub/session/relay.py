"""Whether an offer or answer may be passed on, and to which device; pure."""

from contract.session import Role, SessionOrder
from contract.signal import Answer, Offer


class RelayRefused(Exception):
    """An offer or answer that is not passed on; the message says why."""


def relayed(order: SessionOrder | None, signal: Offer | Answer, now: float, grace_s: float) -> Offer | Answer:
    """The signal as it goes down to the device of the room that it is for.

    Raises:
        RelayRefused: the rooms are not of one session, not in these roles, or the session is over.
    """
    if order is None:
        raise RelayRefused(f"there is no session {signal.session}")
    if order.cancelled:
        raise RelayRefused(f"session {signal.session} is called off")
    if now >= order.ends + grace_s:
        raise RelayRefused(f"session {signal.session} is over")
    sender = order.room_of(signal.device)
    if sender is None or sender.room != signal.sender:
        raise RelayRefused(f"device {signal.device} does not stand in room {signal.sender} of {signal.session}")
    to = next((one for one in order.rooms if one.room == signal.to), None)
    if to is None:
        raise RelayRefused(f"room {signal.to} has no part in session {signal.session}")
    wanted = (Role.RECEIVING, Role.LEAD) if isinstance(signal, Offer) else (Role.LEAD, Role.RECEIVING)
    if (sender.role, to.role) != wanted:
        raise RelayRefused(f"{signal.kind}s go from a {wanted[0]} room to a {wanted[1]} room")
    return signal.model_copy(update={"device": to.device})
