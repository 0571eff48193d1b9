"""Writes the package's files of lines from a thread of its own, so that no caller waits for the disk."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from agent.record.durable import SYNC_LINES_S, Lines

log = logging.getLogger(__name__)

WAITING_LINES = 2000
"""Lines that wait for the disk at the most; more are dropped and counted."""


class LineWriter:
    """Takes lines for several files; each is on the disk within a second.

    Lines are dropped, and counted in `dropped`, where the volume takes nothing or is too slow.
    """

    def __init__(self, files: Mapping[str, Path], monotonic: Callable[[], float] = time.monotonic) -> None:
        """Prepare; a file appears with its first line.

        Args:
            files: path by the name that `take` is given.
            monotonic: seconds that only grow.
        """
        self._files = {name: Lines(path, monotonic) for name, path in files.items()}
        self._queue: queue.Queue[tuple[str, str] | None] = queue.Queue(WAITING_LINES)
        self._refused = 0
        self._thread = threading.Thread(target=self._run, name="record.lines", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Lines that are lost."""
        return self._refused + sum(lines.dropped for lines in self._files.values())

    def take(self, name: str, text: str) -> None:
        """Take one line for the file `name`; returns at once, and does nothing for a name that is not kept."""
        if name not in self._files:
            return
        try:
            self._queue.put_nowait((name, text))
        except queue.Full:
            self._refused += 1

    def stop(self, timeout_s: float) -> bool:
        """Write what waits, close the files and end; returns whether that was done in time."""
        if self._thread.ident is None:
            return True
        if self._thread.is_alive():
            try:
                self._queue.put(None, timeout=timeout_s)
            except queue.Full:
                return False
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            try:
                item = self._queue.get(timeout=SYNC_LINES_S)
            except queue.Empty:
                self._each(Lines.sync)
                continue
            if item is None:
                break
            name, text = item
            self._files[name].append(text)
        self._each(Lines.close)

    def _each(self, do: Callable[[Lines], None]) -> None:
        for lines in self._files.values():
            try:
                do(lines)
            except OSError as error:
                log.warning("%s: %s", lines.path, error)
