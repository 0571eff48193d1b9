"""SQLite's log is put away on a thread of its own, so that no commit, and no watermark, waits for it."""

from hub.repeating import Repeating
from hub.store.engine import Database

EVERY_S = 1.0
"""The rows of a district touch the same pages of the indexes in every batch: the more of the log is put away at once,
the less often each is written."""


def checkpoints(database: Database) -> Repeating:
    """What puts the log of `database` away; it does nothing for a PostgreSQL."""
    without = "the database's log grows, because it cannot be put away"
    return Repeating("hub.checkpoints", EVERY_S, database.put_log_away, without)
