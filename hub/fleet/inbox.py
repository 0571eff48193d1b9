"""From the network thread to a worker that takes what has arrived in batches, and looks after its things in between."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from hub.broker.link import Arrival

QUEUE_SIZE = 10_000
"""Arrivals that wait. Beyond it they are dropped and told: what is unanswered is asked for again."""
QUEUE_BYTES = 64 << 20
"""The same in bytes of their payloads."""
BATCH = 500
BATCH_S = 0.05
TEND_S = 1.0
RETRY_S = (0.2, 5.0)
"""First and longest pause after the database failed, in seconds."""

log = logging.getLogger("hub.fleet")


class Inbox:
    """One worker thread behind a bounded queue.

    A batch that the database does not take is tried again, so that nothing that was answered is asked for twice.

    Args:
        name: of the thread.
        take: works on a batch; what it raises for the database is retried, anything else is logged.
        tend: called about every second and after each batch, on the worker.
    """

    def __init__(self, name: str, take: Callable[[Sequence[Arrival]], None], tend: Callable[[], None]) -> None:
        self._name = name
        self._take = take
        self._tend = tend
        self._queue: queue.Queue[Arrival | None] = queue.Queue(QUEUE_SIZE)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._bytes = 0
        self._full = False
        self._pause_s = 0.0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Work on what has arrived, then end."""
        self._stopping.set()
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)  # wakes a worker that waits
        if self._thread.is_alive():
            self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the worker runs."""
        return self._thread.is_alive()

    def offer(self, arrival: Arrival) -> bool:
        """Take an arrival; False where there is no room for it. Called on the network thread, never blocks."""
        with self._lock:
            room = self._bytes + len(arrival.payload) <= QUEUE_BYTES
            if room:
                try:
                    self._queue.put_nowait(arrival)
                    self._bytes += len(arrival.payload)
                except queue.Full:
                    room = False
        if not room and not self._full:
            log.warning("%s: more arrives than can be worked on; what is dropped is asked for again", self._name)
        self._full = not room
        return room

    def _run(self) -> None:
        while not (self._stopping.is_set() and self._queue.empty()):
            batch = self._gather()
            if batch:
                self._tried(partial(self._take, batch))
            self._tried(self._tend)

    def _gather(self) -> list[Arrival]:
        """What arrives within `BATCH_S` after the first; nothing where a second goes by without."""
        batch: list[Arrival] = []
        until = time.monotonic() + TEND_S
        while len(batch) < BATCH:
            try:
                arrival = self._queue.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            if arrival is None:
                break
            if not batch:
                until = time.monotonic() + BATCH_S
            batch.append(arrival)
        with self._lock:
            self._bytes -= sum(len(one.payload) for one in batch)
        return batch

    def _tried(self, act: Callable[[], None]) -> None:
        """Act; wait for a database that is away, and log anything else, because the next batch must be worked on."""
        while True:
            try:
                act()
            except (DataError, IntegrityError):
                log.exception("%s: the database refuses what arrived; it is left out", self._name)
                return
            except DBAPIError as error:
                if not self._pause_s:
                    log.error("%s: the database does not answer: %s", self._name, error.orig)  # noqa: TRY400  told once
                self._pause_s = min(RETRY_S[1], max(RETRY_S[0], self._pause_s * 2))
                if self._stopping.wait(self._pause_s):
                    return
                continue
            except Exception:
                log.exception("%s: what arrived could not be worked on", self._name)
                return
            if self._pause_s:
                self._pause_s = 0.0
                log.info("%s: the database answers again", self._name)
            return
