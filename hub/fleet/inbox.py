"""From the network thread to a worker that takes what devices say in batches, and looks after its things in between."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

from sqlalchemy.exc import DataError, IntegrityError

from hub.broker.link import Arrival
from hub.broker.misfits import Misfits
from hub.broker.reading import Refused
from hub.broker.signed import speaker
from hub.store.errors import DATABASE_TROUBLE, in_short

QUEUE_SIZE = 10_000
"""Arrivals that wait. Beyond it they are dropped and told: what is unanswered is asked for again."""
QUEUE_BYTES = 64 << 20
"""The same in bytes of their payloads."""
BATCH = 500
BATCH_S = 0.05
TEND_S = 1.0
RETRY_S = (0.2, 5.0)
"""First and longest pause after the database failed, in seconds."""

M = TypeVar("M")

log = logging.getLogger("hub.fleet")


class Inbox(Generic[M]):
    """One worker thread behind a bounded queue.

    A batch that the database does not take is tried again, so that nothing that was answered is asked for twice.

    Args:
        name: of the thread.
        read: what a device says in an arrival; raises `Refused` where it cannot be used.
        take: works on what some said; what it raises for the database is retried, anything else is logged.
        tend: called about every second and after each batch, on the worker.
        misfits: counts what cannot be used, and what there is no room for.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[Arrival], M],
        take: Callable[[Sequence[M]], None],
        tend: Callable[[], None],
        misfits: Misfits,
    ) -> None:
        self._name = name
        self._read = read
        self._take = take
        self._tend = tend
        self._misfits = misfits
        self._queue: queue.Queue[Arrival | None] = queue.Queue(QUEUE_SIZE)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._bytes = 0
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

    def offer(self, arrival: Arrival) -> None:
        """Take an arrival; called on the network thread, never blocks."""
        with self._lock:
            room = self._bytes + len(arrival.payload) <= QUEUE_BYTES
            if room:
                try:
                    self._queue.put_nowait(arrival)
                    self._bytes += len(arrival.payload)
                except queue.Full:
                    room = False
        if not room:
            words = f"more arrives at {self._name} than can be worked on; what is dropped is asked for again"
            self._misfits.count("the fleet", "queue-full", words)

    def _run(self) -> None:
        while not (self._stopping.is_set() and self._queue.empty()):
            batch = self._gather()
            if said := self._said(batch):
                self._tried(partial(self._take, said))
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

    def _said(self, batch: Sequence[Arrival]) -> list[M]:
        said = []
        for arrival in batch:
            try:
                said.append(self._read(arrival))
            except Refused as refused:
                self._misfits.count(speaker(arrival), refused.reason, str(refused))
            except Exception:
                # It would end the worker, whatever it was: nothing would be heard any more.
                log.exception("%s: a message of %s could not be read", self._name, speaker(arrival)[:64])
        return said

    def _tried(self, act: Callable[[], None]) -> None:
        """Act; wait for a database that is away, and log anything else, because the next batch must be worked on."""
        while True:
            try:
                act()
            except (DataError, IntegrityError):
                log.exception("%s: the database refuses what arrived; it is left out", self._name)
                return
            except DATABASE_TROUBLE as error:
                if not self._pause_s:
                    words = "%s: the database does not answer: %s"
                    log.error(words, self._name, in_short(error))  # noqa: TRY400  told once
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
