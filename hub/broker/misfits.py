"""Counts messages that cannot be used, and logs each kind once per device and hour."""

import logging
import threading
from collections import Counter
from collections.abc import Callable

LOG_EVERY_S = 3600.0
NAMES_KEPT = 4096
"""Pairs of device and reason that are told apart; anyone can make up device names."""
NAME_LIMIT = 64
WORDS_LIMIT = 500
"""Longest name and longest words that go to the log: anyone can make them up, too."""
OTHERS = "others"

log = logging.getLogger("hub.broker")


class Misfits:
    """Messages that were not acted on, by device and reason. Thread-safe.

    Args:
        now: monotonic seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._logged: dict[tuple[str, str], float] = {}

    def count(self, device: str, reason: str, words: str) -> None:
        """One message of `device` could not be used, for `reason` (a short name); `words` go to the log."""
        if self._add(_harmless(device, NAME_LIMIT), reason, 1):
            said = _harmless(words, WORDS_LIMIT)
            log.warning("a message of %s was not used (%s): %s", _harmless(device, NAME_LIMIT), reason, said)

    def add(self, device: str, reason: str, count: int) -> None:
        """So many messages of `device` could not be used elsewhere, where they were logged."""
        self._add(_harmless(device, NAME_LIMIT), reason, count)

    def counts(self) -> dict[str, dict[str, int]]:
        """How many, by device and reason."""
        with self._lock:
            found: dict[str, dict[str, int]] = {}
            for (device, reason), count in self._counts.items():
                found.setdefault(device, {})[reason] = count
            return found

    def _add(self, device: str, reason: str, count: int) -> bool:
        """Count; whether it is time to log it."""
        with self._lock:
            key = (device, reason)
            if key not in self._counts and len(self._counts) >= NAMES_KEPT:
                key = (OTHERS, reason)
            self._counts[key] += count
            now = self._now()
            if now - self._logged.get(key, -LOG_EVERY_S) < LOG_EVERY_S:
                return False
            self._logged[key] = now
        return True


def _harmless(text: str, limit: int) -> str:
    """The text cut short and on one line: nobody writes lines of his own into our log."""
    text = text[:limit]
    return text if text.isprintable() else ascii(text)[1:-1][:limit]
