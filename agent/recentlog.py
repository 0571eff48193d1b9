"""The last lines of this process's log, kept in memory for whoever asks from afar."""

import logging
from collections import deque

LINES_KEPT = 400
LINE_MAX = 400
"""Characters of a line that are kept."""
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class RecentLog(logging.Handler):
    """Keeps the last lines; the system's journal keeps them all."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(FORMAT))
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record, a line each; called by `logging` with its lock held."""
        self._lines.extend(line[:LINE_MAX] for line in self.format(record).splitlines())

    def last(self, lines: int, limit_bytes: int) -> list[str]:
        """The last so many lines that fit into `limit_bytes`, the oldest first."""
        found: list[str] = []
        self.acquire()
        try:
            kept = list(self._lines)[-lines:]
        finally:
            self.release()
        for line in reversed(kept):
            limit_bytes -= len(line.encode()) + 1
            if limit_bytes < 0:
                break
            found.append(line)
        return found[::-1]
