"""Signals that wait for their answer."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from contract.envelope import Envelope
from contract.signal import Answer, Offer, Order, Peer, Signal

RESEND_S = (1.0, 5.0)
"""First and longest pause between two sendings, in seconds."""
KEPT = 20_000
"""Signals that wait. Beyond it the oldest is given up: orders and peers are sent again at the next
hello, offers by their room."""

log = logging.getLogger("hub.broker")

Subject = tuple[str, ...]


def subject_of(signal: Signal) -> Subject:
    """What a signal is about: of two on the same subject only the newer is worth sending."""
    match signal:
        case Order():
            return (signal.device, signal.kind, signal.order.session)
        case Peer():
            return (signal.device, signal.kind, signal.session, signal.room)
        case Offer() | Answer():
            return (signal.device, signal.kind, signal.session, signal.sender)
    return (signal.device, signal.kind)


@dataclass(slots=True)
class _Waiting:
    signal: Signal
    envelope: Envelope
    due: float
    pause_s: float
    until: float


class Pending:
    """What was sent and not answered yet, one signal a subject. Thread-safe.

    Args:
        now: monotonic seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._waiting: dict[Subject, _Waiting] = {}
        self._subjects: dict[str, Subject] = {}

    def wants(self, signal: Signal) -> bool:
        """Whether `signal` says something else than what already waits on its subject."""
        with self._lock:
            waiting = self._waiting.get(subject_of(signal))
            return waiting is None or waiting.signal != signal

    def add(self, signal: Signal, envelope: Envelope, valid_s: float) -> None:
        """`signal` was sent for the first time; it replaces what waits on its subject."""
        now = self._now()
        with self._lock:
            subject = subject_of(signal)
            self._drop(subject)
            self._waiting[subject] = _Waiting(signal, envelope, now + RESEND_S[0], RESEND_S[0], now + valid_s)
            self._subjects[envelope.id] = subject
            if len(self._waiting) > KEPT:
                oldest = next(iter(self._waiting))
                self._drop(oldest)
                log.warning("too many signals wait for answers; gave up one for %s", oldest[0])

    def answered(self, device: str, ref: str) -> Signal | None:
        """`device` answered envelope `ref`; returns the signal, or None where it no longer waits."""
        with self._lock:
            subject = self._subjects.get(ref)
            if subject is None or self._waiting[subject].signal.device != device:
                return None
            return self._drop(subject)

    def wake(self, device: str) -> None:
        """`device` is there again: send at once what waits for it."""
        now = self._now()
        with self._lock:
            for waiting in self._waiting.values():
                if waiting.signal.device == device:
                    waiting.due = now
                    waiting.pause_s = RESEND_S[0]

    def due(self, reachable: Callable[[str], bool]) -> list[tuple[str, Envelope]]:
        """What must be sent again now, and to whom; what has expired is forgotten.

        Args:
            reachable: whether a device is there; for others nothing is sent until `wake`.
        """
        now = self._now()
        found = []
        with self._lock:
            for subject, waiting in list(self._waiting.items()):
                if waiting.until <= now:
                    self._drop(subject)
                elif waiting.due <= now:
                    waiting.pause_s = min(RESEND_S[1], waiting.pause_s * 1.5)
                    waiting.due = now + waiting.pause_s
                    if reachable(waiting.signal.device):
                        found.append((waiting.signal.device, waiting.envelope))
        return found

    def _drop(self, subject: Subject) -> Signal | None:
        waiting = self._waiting.pop(subject, None)
        if waiting is None:
            return None
        del self._subjects[waiting.envelope.id]
        return waiting.signal
