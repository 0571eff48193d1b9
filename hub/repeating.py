"""What is done again and again on a thread of its own, also while the database is away."""

import logging
import sqlite3
import threading
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from hub.store.errors import StoreRefused, in_short

TROUBLE = (SQLAlchemyError, sqlite3.Error, StoreRefused)

log = logging.getLogger("hub")


class Repeating:
    """A thread that does one thing every so often; trouble of the database is told once, and it is tried again.

    Args:
        name: of the thread.
        every_s: pause between two times, in seconds.
        act: what is done; long work looks at `stopping` on the way.
        without: what is missing while it cannot be done, in words.
    """

    def __init__(self, name: str, every_s: float, act: Callable[[], object], without: str) -> None:
        self._every_s = every_s
        self._act = act
        self._without = without
        self.stopping = threading.Event()
        """Set when it is to end."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin, after the first pause."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is in hand."""
        self.stopping.set()
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        failing = False
        while not self.stopping.wait(self._every_s):
            try:
                self._act()
            except TROUBLE as error:
                if not failing:
                    log.error("%s: %s", self._without, in_short(error))  # noqa: TRY400  told once
                failing = True
                continue
            if failing:
                log.info("no longer: %s", self._without)
            failing = False
