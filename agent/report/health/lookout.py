"""Looks through one probe on a thread of its own: one that hangs holds up nobody, and is never started twice."""

import logging
import threading

from agent.report.health.probe import Probe, Reading

log = logging.getLogger(__name__)

WORDS_LIMIT = 120
"""Longest reason of a failed look that is told, in characters."""


class Lookout:
    """The last reading of one probe, and why there is none.

    A look that hangs, as on a network folder whose server is gone, keeps its thread until the system lets
    it go; until then the probe is not looked through again, so there is at most one such thread a probe.
    """

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self._lock = threading.Lock()
        self._reading: Reading = {}
        self._failed = ""
        self._failed_told = False
        self._due_s = 0.0
        self._looking: threading.Thread | None = None

    def begin(self, now_s: float) -> None:
        """Look, where it is time to and the last look has come back; returns at once.

        Args:
            now_s: monotonic, in seconds.
        """
        if now_s < self._due_s or self.hangs:
            return
        self._due_s = now_s + self.probe.every_s
        self._looking = threading.Thread(target=self._look, name=f"health.{self.probe.name}", daemon=True)
        self._looking.start()

    def wait(self, at_most_s: float) -> None:
        """Wait for the look that was begun, at most so many seconds."""
        if self._looking is not None:
            self._looking.join(at_most_s)

    @property
    def hangs(self) -> bool:
        """Whether a look has been begun and has not come back."""
        return self._looking is not None and self._looking.is_alive()

    @property
    def trouble(self) -> str:
        """Why there is no reading, for people; empty where there is one."""
        if self.hangs:
            return f"{self.probe.name}: hangs"
        with self._lock:
            return f"{self.probe.name}: {self._failed}" if self._failed else ""

    @property
    def reading(self) -> Reading:
        """What was found last; nothing while the probe hangs or fails."""
        if self.hangs:
            return {}
        with self._lock:
            return self._reading

    def _look(self) -> None:
        try:
            reading, failed = self.probe.look(), ""
        except Exception as error:  # noqa: BLE001  drivers, file systems and libraries raise whatever they like; it is told
            reading, failed = {}, (str(error) or type(error).__name__)[:WORDS_LIMIT]
        with self._lock:
            self._reading, self._failed = reading, failed
        if failed and not self._failed_told:
            log.warning("the health of this machine is told without %s: %s", self.probe.name, failed)
        self._failed_told = bool(failed)
