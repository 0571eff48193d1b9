"""Signals between this device and its hub: signed, resent until answered, acted on once."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from agent.report.heard import said_to
from contract.envelope import (
    BadSignature,
    Envelope,
    EnvelopeRefused,
    Expired,
    Malformed,
    PublicKey,
    Seen,
    parse,
    refuse_expired,
    sign,
    verify,
)
from contract.signal import SIGNAL, UNANSWERED, Clock, ClockReply, Order, Received, Signal

log = logging.getLogger(__name__)

RESEND_S = 1.0
RESEND_MAX_S = 5.0
PENDING_KEPT = 500
"""Signals that may wait for their answer; beyond it the oldest is given up and told."""
CLOCK_PATIENCE_S = 3.0
"""How long signals wait, after a connect, for the hub's time to sign with."""
CENTURY_S = 100 * 365.25 * 86_400
"""A question for the time must not expire: a device whose clock stands at 1970 asks it too."""


class HubTime(Protocol):
    """What the courier signs and judges expiry with."""

    @property
    def heard(self) -> bool:
        """Whether `now` comes from the hub, not from this machine's wall clock."""

    def now(self) -> float:
        """Hub UTC, in seconds."""

    def ask(self) -> int:
        """Begin a clock exchange: its `t1_ns`."""

    def answer(self, reply: ClockReply, t4_ns: int) -> bool:
        """Take the reply."""


@dataclass(eq=False)
class _Pending:
    signal: Signal
    topic_key: str | None
    ends_s: float
    due_s: float
    wait_s: float = RESEND_S
    envelope: Envelope | None = None
    signed_by_hub_time: bool = False
    refs: list[str] = field(default_factory=list)


class Courier:
    """Carries signals both ways; any thread may call it.

    Nothing is kept on disk: whoever sends derives what is still true anew after a restart.
    `tick` must be called again after the seconds that it returns.
    """

    def __init__(
        self,
        device: str,
        key: EllipticCurvePrivateKey,
        hub_key: PublicKey,
        publish: Callable[[bytes, int], bool],
        clock: HubTime,
        *,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with nothing to send.

        Args:
            device: identifier of this device.
            key: this device's private key.
            hub_key: the hub's public key.
            publish: sends bytes on `signal/up` with a QoS; False where there is no connection. Must not block.
            clock: the hub's time.
            mono_s: this device's monotonic clock, in seconds.
        """
        self.on_signal: Callable[[Signal], None] = lambda _signal: None
        """Takes each verified signal of the hub once, on the link's thread; must return at once."""
        self.on_order: Callable[[Order, Envelope], None] = lambda _order, _envelope: None
        """Takes each order, also repeated ones; it counts as arrived when this returns. OSError: not kept."""
        self.on_refused: Callable[[Signal, str], None] = lambda _signal, _why: None
        """Told when the hub refuses a signal for good."""
        self.on_pending: Callable[[], None] = lambda: None
        """Called when `tick` has something to do earlier than it said."""
        self._device = device
        self._key = key
        self._hub_key = hub_key
        self._publish = publish
        self._clock = clock
        self._mono_s = mono_s
        self._lock = threading.Lock()
        self._pending: list[_Pending] = []
        self._seen = Seen()
        self._up_since_s: float | None = None
        self._told: set[str] = set()

    def send(self, signal: Signal, valid_s: float, key: str | None = None) -> None:
        """Send a signal until the hub has answered it, or `valid_s` seconds are over.

        Args:
            signal: what to say.
            valid_s: how long it is worth saying, in seconds.
            key: where given, an earlier signal of the same key is no longer sent.
        """
        now = self._mono_s()
        with self._lock:
            if key is not None:
                self._pending = [one for one in self._pending if one.topic_key != key]
            self._pending.append(_Pending(signal, key, now + valid_s, now))
            lost = self._pending[:-PENDING_KEPT]
            del self._pending[:-PENDING_KEPT]
        for one in lost:
            log.warning("too many signals wait for the hub; a %s is given up", one.signal.kind)
        self.on_pending()

    def ask_time(self) -> bool:
        """Send one clock question; False where there is no connection."""
        question = Clock(device=self._device, t1_ns=self._clock.ask())
        return self._publish(sign(question, self._key, self._clock.now(), CENTURY_S).to_json(), 0)

    def waiting(self) -> int:
        """Signals not yet answered."""
        with self._lock:
            return len(self._pending)

    def up(self) -> None:
        """The link is there: everything unanswered goes out at once."""
        now = self._mono_s()
        with self._lock:
            self._up_since_s = now
            for one in self._pending:
                one.due_s, one.wait_s = now, RESEND_S
        self.on_pending()

    def down(self) -> None:
        """The link is gone."""
        with self._lock:
            self._up_since_s = None

    def tick(self) -> float:
        """Send what is due; how many seconds until there is something to do again."""
        now = self._mono_s()
        with self._lock:
            self._pending = [one for one in self._pending if self._alive(one, now)]
            if self._up_since_s is None:
                return RESEND_MAX_S
            if not self._clock.heard and now - self._up_since_s < CLOCK_PATIENCE_S:
                return 0.1
            due = [(one, self._signed(one, now)) for one in self._pending if one.due_s <= now]
        for one, envelope in due:
            if not self._publish(envelope.to_json(), 1):
                return RESEND_S
            one.due_s = now + one.wait_s
            one.wait_s = min(one.wait_s * 1.5, RESEND_MAX_S)
        with self._lock:
            return min([max(0.0, one.due_s - now) for one in self._pending], default=RESEND_MAX_S)

    def arrived(self, data: bytes, mono_ns: int) -> None:
        """Take what came on `signal/down` at `mono_ns`; answer it, and act on it once."""
        try:
            envelope = parse(data)
            verify(envelope, self._hub_key, None)
        except (Malformed, BadSignature) as error:
            self._tell_once("unsigned", f"what came on signal/down is left out: {error}")
            return
        try:
            signal = said_to(self._device, envelope, SIGNAL.validate_json, "signal we know")
            if signal.kind not in UNANSWERED and self._clock.heard:
                refuse_expired(envelope, self._clock.now())
        except EnvelopeRefused as error:
            self._tell_once(type(error).__name__, f"a signal of the hub is refused: {error}")
            if isinstance(error, Expired) or not _is_answer(envelope):
                self._answer(envelope, str(error))
            return
        self._act(signal, envelope, mono_ns)

    def _act(self, signal: Signal, envelope: Envelope, mono_ns: int) -> None:
        if isinstance(signal, Received):
            self._received(signal)
        elif isinstance(signal, ClockReply):
            self._clock.answer(signal, mono_ns)
        elif isinstance(signal, Order):
            try:
                self.on_order(signal, envelope)
            except OSError as error:
                # Unanswered, so that the hub sends it again until there is room.
                self._tell_once("unkept", f"the order of {signal.order.session} cannot be kept: {error}")
                return
            self._answer(envelope)
        else:
            if self._seen.first_time(envelope.nonce):
                self.on_signal(signal)
            self._answer(envelope)

    def _received(self, answer: Received) -> None:
        with self._lock:
            found = next((one for one in self._pending if answer.ref in one.refs), None)
            if found is None:
                return
            self._pending.remove(found)
        if answer.refused:
            log.warning("the hub refused a %s: %s", found.signal.kind, answer.refused)
            self.on_refused(found.signal, answer.refused)

    def _answer(self, envelope: Envelope, refused: str = "") -> None:
        answer = Received(device=self._device, ref=envelope.id, refused=refused)
        self._publish(sign(answer, self._key, self._clock.now(), 60.0).to_json(), 1)

    def _signed(self, one: _Pending, now: float) -> Envelope:
        """The envelope to send; made anew once the hub's time is known, for the hub judges its expiry."""
        heard = self._clock.heard
        if one.envelope is None or (heard and not one.signed_by_hub_time):
            one.envelope = sign(one.signal, self._key, self._clock.now(), max(1.0, one.ends_s - now))
            one.signed_by_hub_time = heard
            one.refs.append(one.envelope.id)
        return one.envelope

    def _alive(self, one: _Pending, now: float) -> bool:
        if now <= one.ends_s:
            return True
        log.warning("the hub did not answer a %s in time; it is given up", one.signal.kind)
        return False

    def _tell_once(self, why: str, words: str) -> None:
        if why not in self._told:
            self._told.add(why)
            log.warning("%s", words)


def _is_answer(envelope: Envelope) -> bool:
    """Whether a body that we could not read says that it is an answer; answers are never answered."""
    return any(f'"kind":"{kind}"' in envelope.body.replace(" ", "") for kind in UNANSWERED)
