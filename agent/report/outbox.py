"""The outbox: rows wait on disk until the hub has committed them, and a while longer.

Loss bound: a row is safe from a kill of the process when `put` returns, and from a
power cut at most `sync_s` later (one fdatasync for all rows of that time). A row is
sent only after that: a power cut must not hand out a sequence number twice, or the
hub would take the second row for a repetition of the first.

What the hub has is kept for a week, in case its database is restored from a backup.
Where there is no room, kept rows go first, then the oldest waiting ones; an outbox of
telemetry gives way to one of events.
"""

import itertools
import json
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.report.box import Box, Fields
from agent.report.boxfile import open_or_renew, sync_log
from agent.report.upkeep import KEEP_S, Limits, Upkeep
from contract.telemetry import Row, Watermark

log = logging.getLogger(__name__)

IDLE_S = 5.0
FULL_S = 0.5
"""How often the outbox looks after itself where nothing is put, in seconds: at rest, and while the disk is full."""
LOG_ROWS = 64
"""How often the length of the log is looked at, in rows."""
ASIDE_ROWS = 1000
"""Rows that wait in memory while the disk is full."""
DATA_LIMIT = 100_000
"""Longest data of one row, in characters; the hub refuses longer rows, and would so refuse all behind it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One telemetry sample or event as its producer hands it over."""

    id: str
    """The producer's own, unique in the district."""
    kind: str
    boot: str
    mono_ns: int
    wall: float
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Depth:
    """How much waits in an outbox."""

    rows: int
    """Rows that the hub has not acknowledged."""
    oldest_wall: float | None
    """Device's wall clock when the oldest of them was made; None where nothing waits."""
    dropped: int
    """Rows given up since the service started: disk full, or more than the cap."""
    oldest_boot: str = ""
    oldest_mono_ns: int = 0
    kept: int = 0
    """Acknowledged rows that are still there."""

    def age_s(self, boot: str, mono_ns: int, wall: float) -> float:
        """How long the oldest has waited, in seconds; 0 where nothing waits.

        Judged by the monotonic clock where the row is of this boot: the wall clock may have been set since.
        """
        if self.oldest_wall is None:
            return 0.0
        age_s = (mono_ns - self.oldest_mono_ns) / 1e9 if boot == self.oldest_boot else wall - self.oldest_wall
        return max(0.0, age_s)


class Outbox:
    """Rows of one stream, in order, with contiguous numbers; any thread may call it."""

    def __init__(
        self,
        path: Path,
        *,
        machine: str,
        device: str = "",
        cap_bytes: int = 64 << 20,
        keep_s: float = KEEP_S,
        floor_bytes: int = 0,
        lesser: "Outbox | None" = None,
        sync_s: float = 0.2,
        sync_rows: int = 50,
        say: Callable[[str], None] = log.warning,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open or make the file; a damaged one is moved aside and told.

        Args:
            path: the SQLite file; its folder is made.
            machine: fingerprint of this machine; another one begins a new stream.
            device: whose rows these are; another one begins a new stream, too.
            cap_bytes: most bytes of rows; the oldest are given up beyond it, and the gap is declared.
            keep_s: how long rows that the hub has are kept, in seconds that the outbox is open.
            floor_bytes: what this outbox leaves free on the disk, as far as giving up rows helps.
            lesser: an outbox whose rows are worth less; where the disk is full, they go first.
            sync_s: longest time a row waits for its fdatasync, in seconds.
            sync_rows: or as soon as this many rows wait for it.
            say: told once for each thing that goes wrong, and once when it is well again.
            mono_s: a clock that nobody sets, in seconds.
        """
        self.path = path
        self.wake: Callable[[], None] = lambda: None
        """Called, on the outbox's thread, when there is something new to send."""
        self._sync_s = sync_s
        self._sync_rows = sync_rows
        self._lock = threading.Lock()
        self._dirty = threading.Event()
        self._hasten = threading.Event()
        self._closing = False
        self._aside: deque[Fields] = deque(maxlen=ASIDE_ROWS)
        self._db, self._on_disk = open_or_renew(path, say)
        self._box = Box(self._db, machine, device, path.name, say)
        self._upkeep = Upkeep(
            self._box,
            path if self._on_disk else None,
            self._lock,
            Limits(cap_bytes, keep_s, floor_bytes),
            lesser=None if lesser is None else lesser.give_way,
            on_room=self._take_back,
            say=say,
            mono_s=mono_s,
        )
        self._durable = self._box.acked
        self._dirty.set()  # what an earlier process put need not have reached the disk
        self._thread = threading.Thread(target=self._keep, name=f"outbox.{path.stem}", daemon=True)
        self._thread.start()

    @property
    def stream(self) -> str:
        """The stream of the rows that are put now."""
        return self._box.stream

    @property
    def acked(self) -> int:
        """The place of the last row that the hub has; 0 before the first."""
        return self._box.acked

    def put(self, sample: Sample) -> bool:
        """Keep a row; False where the disk is full and a row had to be given up (counted, told once).

        While the disk is full, `ASIDE_ROWS` rows wait in memory for room; then the oldest of them goes.
        """
        data = _written(sample.data)
        row = (sample.id, sample.kind, sample.boot, sample.mono_ns, sample.wall, data)
        with self._lock:
            if self._upkeep.full or not self._insert(row):
                return self._set_aside(row)
            waiting = self._box.last - self._durable
            if self._box.last % LOG_ROWS == 0:
                try:
                    self._upkeep.shorten_log()
                except sqlite3.Error as error:
                    self._troubled(error)
        self._dirty.set()
        if waiting >= self._sync_rows:
            self._hasten.set()
        return True

    def after(self, place: int, limit: int) -> list[tuple[int, Row]]:
        """At most `limit` waiting rows after `place`, in order, each with its own place.

        Only rows that a power cut cannot take back.
        """
        if limit <= 0:
            return []
        with self._lock:
            try:
                return self._box.rows(place, self._durable, limit)
            except sqlite3.Error as error:
                self._troubled(error)
                return []

    def acknowledge(self, mark: Watermark, sent: int | None = None) -> int | None:
        """Take a watermark of the hub.

        Args:
            mark: what the hub said.
            sent: place of the last row that went out, where not all did; no row beyond it counts as acknowledged.

        Returns:
            The place up to which the hub has everything; None where the mark is of no stream of ours.
        """
        with self._lock:
            stream = self._box.stream
            try:
                place = self._box.mark(mark, self._box.last if sent is None else sent)
            except sqlite3.Error as error:
                self._troubled(error)
                place = self._box.acked
            if stream != self._box.stream:
                self._durable = min(self._durable, self._box.acked)  # the new name has to be on the disk first, too
        if self._upkeep.full or place is None:
            self._dirty.set()
        return place

    def newest(self) -> str | None:
        """The producer's id of the last row that was put, also when the hub has long had it."""
        with self._lock:
            return self._box.newest()

    def depth(self) -> Depth:
        """How much waits."""
        with self._lock:
            box = self._box
            rows, kept = box.last - box.acked + len(self._aside), box.acked + 1 - box.kept
            try:
                oldest = box.oldest()
            except sqlite3.Error as error:
                self._troubled(error)
                oldest = None
            if oldest is None:
                return Depth(rows, None, self._upkeep.dropped, kept=kept)
            return Depth(rows, oldest.wall, self._upkeep.dropped, oldest.boot, oldest.mono_ns, kept)

    def flush(self) -> None:
        """Make every row that was put safe from a power cut, now."""
        self._sync()

    def give_way(self, free_bytes: int) -> None:
        """Give up rows, those that the hub has first, until so much of the disk is free: it is for another outbox."""
        self._upkeep.give_way(free_bytes)

    def close(self) -> None:
        """Make everything safe and close the file; rows that wait stay in it."""
        self._closing = True
        self._dirty.set()
        self._hasten.set()
        self._thread.join()
        with self._lock:
            self._db.close()

    # The outbox's own thread.

    def _keep(self) -> None:
        folding = sqlite3.connect(self.path, isolation_level=None, timeout=1) if self._on_disk else None
        while not self._closing:
            self._dirty.wait(timeout=FULL_S if self._upkeep.full else IDLE_S)
            self._hasten.wait(timeout=self._sync_s)
            self._hasten.clear()
            self._dirty.clear()
            self._sync()
            if folding is not None:
                self._upkeep.fold(folding)
            if self._upkeep.turn():
                self._dirty.set()
        with self._lock:
            self._take_back()
            if self._aside:
                self._upkeep.give_up_aside(len(self._aside))
            self._upkeep.end()
        self._sync()
        if folding is not None:
            folding.close()

    def _sync(self) -> None:
        with self._lock:
            last, stream = self._box.last, self._box.stream
            if last == self._durable:
                return
        if self._on_disk:
            try:
                sync_log(self.path)
            except OSError as error:
                self._upkeep.say_once(f"{self.path.name} cannot be made safe from a power cut: {error.strerror}")
                return
        with self._lock:
            if stream == self._box.stream:
                self._durable = max(self._durable, last)
        self.wake()

    # Inside the lock.

    def _insert(self, row: Fields) -> bool:
        try:
            self._box.insert(row)
        except sqlite3.Error as error:
            self._troubled(error)
            return False
        return True

    def _set_aside(self, row: Fields) -> bool:
        given_up = len(self._aside) == ASIDE_ROWS
        self._upkeep.dropped += given_up
        self._aside.append(row)
        return not given_up

    def _take_back(self) -> None:
        """Put what waits in memory into the file, the oldest first."""
        while self._aside:
            some = list(itertools.islice(self._aside, LOG_ROWS))
            try:
                self._box.insert_all(some)
                for _ in some:
                    self._aside.popleft()
                self._box.fold()
            except sqlite3.Error as error:
                self._troubled(error)
                return

    def _troubled(self, error: sqlite3.Error) -> None:
        self._upkeep.troubled(error)
        self._dirty.set()
        self._hasten.set()


def _written(data: dict[str, Any]) -> str:
    text = json.dumps(data, separators=(",", ":"), default=str)
    return text if len(text) <= DATA_LIMIT else json.dumps({"left_out": f"{len(text)} characters are too many"})
