"""What has arrived and waits for the writer: bounded in messages and in bytes."""

import threading
import time
from collections import deque

from hub.broker.link import Arrival


class Waiting:
    """Arrivals in order, from the network thread to the writer's. Thread-safe.

    Args:
        most: messages that may wait.
        most_bytes: bytes of their payloads that may wait.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._held: deque[Arrival] = deque()
        self._bytes = 0
        self._closed = False
        self._wanted = 1
        """At how many arrivals the writer wants to be woken: a wake-up for each would cost more than the rows."""
        self._gathered = 0.0
        """When the last batch was complete, in monotonic seconds."""
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)

    def __len__(self) -> int:
        return len(self._held)

    def put(self, arrival: Arrival) -> bool:
        """Let an arrival wait; False where there is no room for it. Never blocks for long."""
        size = len(arrival.payload)
        with self._lock:
            if len(self._held) >= self._most or self._bytes + size > self._most_bytes:
                return False
            self._held.append(arrival)
            self._bytes += size
            if len(self._held) == self._wanted:
                self._changed.notify()
        return True

    def gather(self, most: int, within_s: float) -> list[Arrival]:
        """Wait for the first arrival, then for as many as come within `within_s` seconds.

        What arrived while the last batch was worked on has waited already: that time counts.

        Returns:
            At least one arrival and at most `most`; none only once it is closed and everything was handed out.
        """
        with self._lock:
            until = self._gathered + within_s
            if not self._held:
                self._wait(1, None)
                until = time.monotonic() + within_s
            if len(self._held) < most:
                self._wait(most, until)
            batch = [self._held.popleft() for _ in range(min(most, len(self._held)))]
            self._bytes -= sum(len(one.payload) for one in batch)
            self._gathered = time.monotonic()
        return batch

    def close(self) -> None:
        """Hand out what is here, then nothing more."""
        with self._lock:
            self._closed = True
            self._changed.notify()

    def clear(self) -> None:
        """Forget everything that waits, as a kill would."""
        with self._lock:
            self._held.clear()
            self._bytes = 0

    def _wait(self, wanted: int, until: float | None) -> None:
        """Wait, inside the lock, until so many arrivals are here, it is closed, or the moment `until` is over."""
        self._wanted = wanted
        while not self._closed and len(self._held) < wanted:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                break
            self._changed.wait(left)
