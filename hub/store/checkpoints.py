"""SQLite's log is put away on a thread of its own, so that no commit, and no watermark, waits for it."""

import logging
import sqlite3
import threading

from hub.store.engine import Database
from hub.store.errors import DATABASE_TROUBLE, in_short

EVERY_S = 1.0
"""The rows of a district touch the same pages of the indexes in every batch: the more of the log is put away at once,
the less often each is written."""

log = logging.getLogger("hub.store")


class Checkpoints:
    """Puts the log away, again and again.

    Args:
        database: whose log.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stopping = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="hub.checkpoints", daemon=True)

    def start(self) -> None:
        """Begin; nothing is done for a PostgreSQL."""
        self._thread.start()

    def stop(self) -> None:
        """End after the one in hand."""
        self._stopping.set()
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            try:
                self._database.put_log_away()
            except (sqlite3.Error, *DATABASE_TROUBLE) as error:
                if not self._failing:
                    words = "the database's log grows, because it cannot be put away: %s"
                    log.error(words, in_short(error))  # noqa: TRY400  told once
                self._failing = True
                continue
            self._failing = False
