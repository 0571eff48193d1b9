"""Where the observing process's processor time goes, by part."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Spent:
    """Processor time of the thread that looks, by part; time within an inner part is the inner one's."""

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        """`clock`: processor time of this thread, in seconds."""
        self._clock = clock
        self._seconds: dict[str, float] = {}
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def on(self, part: str) -> Iterator[None]:
        """What is done within is `part`'s."""
        self._settle()
        self._open.append(part)
        try:
            yield
        finally:
            self._settle()
            self._open.pop()

    def seconds(self) -> dict[str, float]:
        """So far, by part, in milliseconds' precision."""
        return {part: round(seconds, 3) for part, seconds in self._seconds.items()}

    def _settle(self) -> None:
        now = self._clock()
        if self._open:
            part = self._open[-1]
            self._seconds[part] = self._seconds.get(part, 0.0) + now - self._since
        self._since = now
