"""Signals on the hub's side: verified and answered on the way in, resent until answered on the way out.

Each arrival is answered only after it was acted on, so that a hub that is killed in
between hears it again; acting twice does no harm.
"""

import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract import topics
from contract.envelope import Envelope, Expired, PublicKey, refuse_expired, sign
from contract.signal import SIGNAL, UNANSWERED, Clock, ClockReply, Hello, Received, Signal
from hub.broker.link import Arrival
from hub.broker.misfits import Misfits
from hub.broker.pending import Pending
from hub.broker.reading import Refused
from hub.broker.signed import read, speaker

QUEUE_SIZE = 10_000
"""Verified signals that wait to be acted on. Beyond it they are dropped unanswered: devices send them again."""
ANSWERS_KEPT = 256
"""Answers remembered for each device."""
ANSWER_VALID_S = 60.0
TICK_S = 0.2
"""How often is looked for what must be sent again, in seconds."""

log = logging.getLogger("hub.broker")

Handler = Callable[[Signal, float], str]
"""Acts on a signal issued at that time; returns why it could not, in words, or an empty text."""
Answered = Callable[[Signal, str], object]
"""Is told that a device answered a signal of ours, and why it refused, if it did."""


@dataclass(frozen=True, slots=True)
class _Taken:
    envelope: Envelope
    signal: Signal


class Courier:
    """Carries signals between devices and the conductor.

    `arrived` runs on the network thread; everything else on the courier's own thread,
    one signal after the other, in the order of arrival.

    Args:
        key: the hub's key.
        key_of: a device's public key, or None where it is not registered.
        publish: sends a payload to a topic with a quality of service.
        now_ns: hub UTC in nanoseconds.
        misfits: counts what cannot be used.
        heard: is told, on the courier's thread, of each device that spoke.
        online: whether a device is there; for others nothing is sent again until they say hello.
    """

    def __init__(
        self,
        key: Ed25519PrivateKey,
        key_of: Callable[[str], PublicKey | None],
        publish: Callable[[str, bytes, int], None],
        now_ns: Callable[[], int],
        misfits: Misfits,
        heard: Callable[[str], None],
        online: Callable[[str], bool],
    ) -> None:
        self._key = key
        self._key_of = key_of
        self._publish = publish
        self._now_ns = now_ns
        self._misfits = misfits
        self._heard = heard
        self._online = online
        self._queue: queue.Queue[_Taken | None] = queue.Queue(QUEUE_SIZE)
        self._lock = threading.Lock()
        self._answers: dict[str, OrderedDict[str, str | None]] = {}
        self._pending = Pending(time.monotonic)
        self._handle: Handler = _not_started
        self._answered: Answered = _not_started
        self._thread = threading.Thread(target=self._run, name="hub.courier", daemon=True)

    def start(self, handle: Handler, answered: Answered) -> None:
        """Begin to act and to resend."""
        self._handle = handle
        self._answered = answered
        self._thread.start()

    def stop(self) -> None:
        """Act on what has arrived, then end."""
        self._queue.put(None)
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the courier's thread runs."""
        return self._thread.is_alive()

    def send(self, signal: Signal, valid_s: float) -> None:
        """Send `signal` to its device until it is answered, for at most `valid_s` seconds. Thread-safe.

        A signal on the same subject that still waits for its answer is replaced; the same
        signal again changes nothing.
        """
        if not self._pending.wants(signal):
            return
        envelope = sign(signal, self._key, self._now_ns() / 1e9, valid_s)
        self._pending.add(signal, envelope, valid_s)
        self._post(signal.device, envelope, 1)

    def arrived(self, arrival: Arrival) -> None:
        """Take an arrival on `signal/up`; called on the network thread, never blocks."""
        try:
            envelope, signal = read(arrival, self._key_of, SIGNAL.validate_json)
        except Refused as refused:
            self._misfits.count(speaker(arrival), refused.reason, str(refused))
            return
        if isinstance(signal, Clock):
            self._reply(signal, arrival.at_ns)
        else:
            self._take(_Taken(envelope, signal))

    def _reply(self, clock: Clock, at_ns: int) -> None:
        now_ns = self._now_ns()
        reply = ClockReply(device=clock.device, t1_ns=clock.t1_ns, t2_ns=at_ns, t3_ns=now_ns)
        self._post(clock.device, sign(reply, self._key, now_ns / 1e9, ANSWER_VALID_S), 0)

    def _take(self, taken: _Taken) -> None:
        """Queue what is new, answer what is known; what is being acted on will be answered."""
        signal, nonce = taken.signal, taken.envelope.nonce
        with self._lock:
            answers = self._answers.setdefault(signal.device, OrderedDict())
            known = nonce in answers
            said = answers.get(nonce)
        if known:
            if said is not None:
                self._answer(taken, said)
            return
        try:
            # A device that says hello may not know the time yet.
            if signal.kind != "hello":
                refuse_expired(taken.envelope, self._now_ns() / 1e9)
        except Expired as error:
            self._misfits.count(signal.device, "expired", str(error))
            self._answer(taken, str(error))
            return
        self._remember(signal.device, nonce, None)
        try:
            self._queue.put_nowait(taken)
        except queue.Full:
            self._forget(signal.device, nonce)
            self._misfits.count(signal.device, "queue-full", "more signals than can be acted on; they will come again")

    def _remember(self, device: str, nonce: str, said: str | None) -> None:
        with self._lock:
            answers = self._answers.setdefault(device, OrderedDict())
            answers[nonce] = said
            if len(answers) > ANSWERS_KEPT:
                answers.popitem(last=False)

    def _forget(self, device: str, nonce: str) -> None:
        with self._lock:
            self._answers[device].pop(nonce, None)

    def _run(self) -> None:
        resend_at = time.monotonic()
        while True:
            try:
                taken = self._queue.get(timeout=TICK_S)
            except queue.Empty:
                pass
            else:
                if taken is None:
                    return
                self._act(taken)
            if time.monotonic() >= resend_at:
                resend_at = time.monotonic() + TICK_S
                for device, envelope in self._pending.due(self._online):
                    self._post(device, envelope, 1)

    def _act(self, taken: _Taken) -> None:
        device, nonce = taken.signal.device, taken.envelope.nonce
        try:
            refused = self._acted(taken)
        except Exception:
            # Whatever it was, the next signal must still be acted on; unanswered, this one comes again.
            log.exception("a %s signal of %s could not be acted on", taken.signal.kind, device)
            self._forget(device, nonce)
            return
        self._remember(device, nonce, refused)
        self._answer(taken, refused)

    def _acted(self, taken: _Taken) -> str:
        signal = taken.signal
        self._heard(signal.device)
        if isinstance(signal, Received):
            answered = self._pending.answered(signal.device, signal.ref)
            if answered is not None:
                self._answered(answered, signal.refused)
            return ""
        if isinstance(signal, Hello):
            self._pending.wake(signal.device)
        return self._handle(signal, taken.envelope.issued)

    def _answer(self, taken: _Taken, refused: str) -> None:
        device = taken.signal.device
        if taken.signal.kind in UNANSWERED:
            return
        answer = Received(device=device, ref=taken.envelope.id, refused=refused)
        self._post(device, sign(answer, self._key, self._now_ns() / 1e9, ANSWER_VALID_S), 1)

    def _post(self, device: str, envelope: Envelope, qos: int) -> None:
        self._publish(topics.signal_down(device), envelope.to_json(), qos)


def _not_started(signal: Signal, _: object) -> str:
    raise RuntimeError(f"the courier took a {signal.kind} signal before it was started")
