"""What goes down to devices about a session: orders until held, and where the other rooms stand."""

from collections.abc import Callable
from typing import Protocol

from contract.session import SessionOrder
from contract.signal import Order, Peer, Signal
from hub.store.sessions import RoomRecord, SessionRecord

AHEAD_S = 180.0
"""Sessions that begin within this are looked after, in seconds."""
ORDER_KEPT_S = 7 * 86_400.0
"""An order may be acted on this long after the session's end: a room seals and uploads late."""
PEER_VALID_S = 60.0


class Sender(Protocol):
    """Carries signals to devices."""

    def send(self, signal: Signal, valid_s: float) -> None:
        """Send until answered, for at most `valid_s` seconds."""


class Dispatch:
    """Sends orders and peers; keeps nothing.

    Args:
        sender: carries signals to devices.
        now: hub UTC in seconds.
        grace_s: how long after its end a session's rooms still hear of each other, in seconds.
    """

    def __init__(self, sender: Sender, now: Callable[[], float], grace_s: float) -> None:
        self._sender = sender
        self._now = now
        self._grace_s = grace_s

    def orders(self, record: SessionRecord) -> None:
        """Send the order to every device that is not known to hold it."""
        for room in record.rooms:
            if room.held < record.order.rev:
                self.order(record.order, room.device)

    def order(self, order: SessionOrder, device: str) -> None:
        """Send the order to one device."""
        valid_s = max(0.0, order.ends - self._now()) + ORDER_KEPT_S
        self._sender.send(Order(device=device, order=order), valid_s)

    def others_to(self, record: SessionRecord, device: str) -> None:
        """Tell `device` where the rooms stand that have been heard from."""
        for other in record.rooms:
            if other.device != device and other.incarnation:
                self._peer(record.order, other, device)

    def to_others(self, record: SessionRecord, room: RoomRecord) -> None:
        """Tell every other room where `room` stands."""
        for other in record.rooms:
            if other.room != room.room:
                self._peer(record.order, room, other.device)

    def _peer(self, order: SessionOrder, room: RoomRecord, device: str) -> None:
        """Tell `device` where `room` stands; nothing outside the time in which rooms connect."""
        if order.cancelled or not order.epoch - AHEAD_S <= self._now() < order.ends + self._grace_s:
            return
        peer = Peer(
            device=device, session=order.session, room=room.room, state=room.state, incarnation=room.incarnation
        )
        self._sender.send(peer, PEER_VALID_S)
