"""Looks through every probe and reports what it finds, on a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from agent.report.health.lookout import Lookout
from agent.report.health.probe import Probe, Reading, Value
from agent.report.health.sampler import Sampler

log = logging.getLogger(__name__)

PATIENCE_S = 2.0
"""How long a sample waits for slow probes, all together, in seconds; slower ones are named in it."""
FAILED = "failed"
"""Field that names the probes which fail or hang, with their reasons."""
EVERY = "every_s"
"""Field that tells how far apart samples are, so that the hub knows when one is overdue."""


class Telling(Protocol):
    """Where samples go."""

    def __call__(self, kind: str, data: dict[str, Value]) -> object:
        """Report one."""


class Health:
    """Samples the machine's health until it is stopped.

    Args:
        probes: what is looked at.
        tell: takes each sample, of kind `health`.
        every_s: seconds between two samples.
        first: called once before the first sample, on the health's thread: what is told once a start.
    """

    def __init__(
        self,
        probes: Sequence[Probe],
        tell: Telling,
        every_s: float,
        *,
        first: Callable[[], None] = lambda: None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._lookouts = [Lookout(one) for one in probes]
        self._sampler = Sampler(probes)
        self._tell = tell
        self._every_s = every_s
        self._first = first
        self._patience_s = patience_s
        self._look = threading.Lock()
        self._all = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="report.health", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def tell_all(self) -> None:
        """Make the next sample a whole one: the hub is back, and may have forgotten what it was told.

        It is not hastened: a district whose hub comes back would send them all in one second.
        """
        self._all.set()

    def stop(self) -> None:
        """Send no more; waits for a sample that is being made. May be called twice."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(2 * self._patience_s)

    def now(self) -> dict[str, Value]:
        """Every field as it is now, for whoever asks; takes a few seconds at most, whatever hangs. Thread-safe."""
        return {name: value for reading in self._readings() for name, value in reading.items()}

    def sample(self) -> dict[str, Value]:
        """The next sample: what always stands in it and what changed."""
        return self._sampler.sample(self._readings(), time.monotonic())

    def _readings(self) -> list[Reading]:
        with self._look:
            now_s = time.monotonic()
            awaited = [one for one in self._lookouts if not one.hangs]
            for one in awaited:
                one.begin(now_s)
            for one in awaited:
                one.wait(max(0.0, now_s + self._patience_s - time.monotonic()))
            troubles = sorted(trouble for one in self._lookouts if (trouble := one.trouble))
            return [*(one.reading for one in self._lookouts), {FAILED: list(troubles), EVERY: self._every_s}]

    def _run(self) -> None:
        try:
            self._first()
        except Exception:
            # What is told once must not cost what is told for ever.
            log.exception("what is told once a start could not be told")
        while not self._ending.is_set():
            if self._all.is_set():
                self._all.clear()
                self._sampler.tell_all()
            sample = self.sample()
            if self._ending.is_set():
                return
            self._tell("health", sample)
            self._ending.wait(self._every_s)
