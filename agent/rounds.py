"""What is looked after again and again on a thread of its own: at once when woken, ever later while it fails."""

import logging
import random
import threading
from collections.abc import Callable
from enum import StrEnum

LOOK_S = 60.0
"""Between two rounds where nobody wakes it, in seconds."""
WAITING_S = 2.0
"""The same while something waits for a lesson to end."""
BACK_OFF_MOST_S = 300.0

log = logging.getLogger(__name__)


class Looked(StrEnum):
    """What a round came to."""

    DONE = "done"
    """Nothing is left to be done."""
    WAITING = "waiting"
    """The rest waits until no lesson is live."""
    FAILED = "failed"
    """Something could not be done; it is tried again, later each time."""


class Rounds:
    """A thread that goes its rounds until it is stopped.

    Args:
        name: of the thread.
        look: goes one round; a long one looks at `stopping` on the way.
        chance: source of the back-off's jitter.
    """

    def __init__(self, name: str, look: Callable[[], Looked], chance: random.Random | None = None) -> None:
        self._name = name
        self._look = look
        self._chance = chance or random.Random()
        self._wake = threading.Event()
        self.stopping = threading.Event()
        """Set when it is to end."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin, with a round."""
        self._thread.start()

    def wake(self) -> None:
        """Go a round now, and soon again should it fail: something came, or the hub is back."""
        self._wake.set()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """End after what is in hand; returns whether the thread ended in time."""
        self.stopping.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        failures = 0
        while not self.stopping.is_set():
            try:
                looked = self._look()
            except Exception:
                log.exception("%s met a fault; it goes on later", self._name)
                looked = Looked.FAILED
            failures = failures + 1 if looked is Looked.FAILED else 0
            if self._wake.wait(self._pause_s(looked, failures)):
                failures = 0
            self._wake.clear()

    def _pause_s(self, looked: Looked, failures: int) -> float:
        if looked is Looked.FAILED:
            return self._chance.uniform(0.5, min(BACK_OFF_MOST_S, 2.0 ** min(failures, 12)))
        return WAITING_S if looked is Looked.WAITING else LOOK_S
