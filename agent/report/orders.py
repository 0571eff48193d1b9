"""Orders on the shelf: the hub's signed envelopes, so that a lesson starts on time with the hub away."""

import logging
import threading
from pathlib import Path

from agent.platform import replace_file
from agent.report.heard import said_to
from contract.envelope import Envelope, EnvelopeRefused, Malformed, PublicKey, parse, verify
from contract.session import SessionOrder
from contract.signal import SIGNAL, Order

log = logging.getLogger(__name__)

KEPT_S = 14 * 86_400
"""An order is forgotten this long after its session's end, in seconds."""


class OrderShelf:
    """Holds the newest order of each session, on disk as it was signed; any thread may call it."""

    def __init__(self, folder: Path, hub_key: PublicKey, device: str) -> None:
        """Load what is there; what cannot be read or was not signed by the hub is left alone and told."""
        self._folder = folder
        self._hub_key = hub_key
        self._device = device
        self._lock = threading.Lock()
        self._held: dict[str, Order] = {}
        for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
            try:
                envelope = parse(path.read_bytes())
                order = self._read(envelope)
            except (OSError, EnvelopeRefused) as error:
                log.warning("the order in %s is left out: %s", path, error)
                continue
            held = self._held.get(order.order.session)
            if held is None or held.order.rev < order.order.rev:
                self._held[order.order.session] = order

    def keep(self, envelope: Envelope) -> Order | None:
        """Keep an order that is newer than what is held; the order, or None where it is not.

        Raises:
            EnvelopeRefused: it is no order for this device, or not signed by the hub.
            OSError: the disk does not take it; the one that was held stays.
        """
        order = self._read(envelope)
        session = order.order.session
        with self._lock:
            held = self._held.get(session)
            if held is not None and held.order.rev >= order.order.rev:
                return None
            replace_file(self._folder / f"{session}.json", envelope.to_json())
            self._held[session] = order
        return order

    def orders(self) -> list[SessionOrder]:
        """Every order held, the earliest session first."""
        with self._lock:
            return sorted((one.order for one in self._held.values()), key=lambda order: order.epoch)

    def standing(self) -> list[SessionOrder]:
        """As `orders`, without those that were called off."""
        return [order for order in self.orders() if not order.cancelled]

    def lesson_within(self, seconds: float, now: float) -> bool:
        """Whether a session of this room is on at `now` (hub UTC), or begins within so many seconds."""
        return any(order.epoch - seconds <= now <= order.ends for order in self.standing())

    def revs(self) -> dict[str, int]:
        """Revision held, by session; what `Hello` tells the hub."""
        with self._lock:
            return {session: one.order.rev for session, one in self._held.items()}

    def forget_past(self, now: float) -> list[str]:
        """Forget sessions that ended more than `KEPT_S` before `now` (hub UTC); which ones."""
        with self._lock:
            gone = [session for session, one in self._held.items() if one.order.ends + KEPT_S < now]
            for session in gone:
                del self._held[session]
                (self._folder / f"{session}.json").unlink(missing_ok=True)
        return gone

    def _read(self, envelope: Envelope) -> Order:
        # Expiry does not count here: the shelf is there for the days on which the hub is away.
        verify(envelope, self._hub_key, None)
        signal = said_to(self._device, envelope, SIGNAL.validate_json, "signal we know")
        if not isinstance(signal, Order):
            raise Malformed(f"envelope {envelope.id} holds no order")
        return signal
