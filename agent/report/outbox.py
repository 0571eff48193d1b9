"""The outbox: rows wait on disk until the hub has committed them.

Loss bound: a row is safe from a kill of the process when `put` returns, and from a
power cut at most `sync_s` later (one fdatasync for all rows of that time). A row is
sent only after that: a power cut must not hand out a sequence number twice, or the
hub would take the second row for a repetition of the first.
"""

import json
import logging
import shutil
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.report.boxfile import (
    BALLAST_BYTES,
    WAL_BYTES,
    ballast_of,
    is_full,
    last_number,
    lay_ballast,
    log_bytes,
    new_stream,
    open_or_renew,
    stream_of,
    sync_log,
)
from contract.telemetry import Row, Watermark

log = logging.getLogger(__name__)

AGAIN_BYTES = 1 << 20
"""Room, on the disk and in the file, at which an outbox that was full takes rows again; less would flap."""
_DELETE_SOME = "DELETE FROM box WHERE seq <= min(?, (SELECT min(seq) FROM box) + 199)"
ASIDE_ROWS = 1000
"""Rows that wait in memory while the disk is full."""
_Fields = tuple[str, str, str, int, float, str]
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
    oldest_wall: float | None
    """Device's wall clock when the oldest row was made; None where nothing waits."""
    dropped: int
    """Rows given up since the service started: disk full, or more than the cap."""


class Outbox:
    """Rows of one stream, in order, with contiguous numbers; any thread may call it."""

    def __init__(
        self,
        path: Path,
        *,
        machine: str,
        cap_bytes: int = 64 << 20,
        sync_s: float = 0.2,
        sync_rows: int = 50,
        say: Callable[[str], None] = log.warning,
    ) -> None:
        """Open or make the file; a damaged one is moved aside and told.

        Args:
            path: the SQLite file; its folder is made.
            machine: fingerprint of this machine; another one begins a new stream.
            cap_bytes: most bytes of waiting rows; the oldest are given up beyond it, and the gap is declared.
            sync_s: longest time a row waits for its fdatasync, in seconds.
            sync_rows: or as soon as this many rows wait for it.
            say: told once for each thing that goes wrong, and once when it is well again.
        """
        self.path = path
        self.wake: Callable[[], None] = lambda: None
        """Called, on the outbox's thread, when there is something new to send."""
        self._cap_bytes = cap_bytes
        self._sync_s = sync_s
        self._sync_rows = sync_rows
        self._say = say
        self._lock = threading.Lock()
        self._dirty = threading.Event()
        self._hasten = threading.Event()
        self._closing = False
        self._full = False
        self._dropped = 0
        self._aside: deque[_Fields] = deque(maxlen=ASIDE_ROWS)
        self._trimmed = False
        self._told: set[str] = set()
        self._db, self._on_disk = open_or_renew(path, say)
        self.stream = stream_of(self._db, machine, path.name, say)
        self._last = last_number(self._db)
        self._durable = self._last
        self._thread = threading.Thread(target=self._keep, name=f"outbox.{path.stem}", daemon=True)
        self._thread.start()

    def put(self, sample: Sample) -> bool:
        """Keep a row; False where the disk is full and a row had to be given up (counted, told once).

        While the disk is full, `ASIDE_ROWS` rows wait in memory for room; then the oldest of them goes.
        """
        data = _written(sample.data)
        row = (sample.id, sample.kind, sample.boot, sample.mono_ns, sample.wall, data)
        with self._lock:
            if self._full or not self._insert(row):
                return self._set_aside(row)
            waiting = self._last - self._durable
            try:
                self._shorten_log()
            except sqlite3.Error as error:
                self._troubled(error)
        self._dirty.set()
        if waiting >= self._sync_rows:
            self._hasten.set()
        return True

    @property
    def acked(self) -> int:
        """The place of the last row that the hub holds; 0 before the first."""
        with self._lock:
            first = self._db.execute("SELECT min(seq) FROM box").fetchone()[0]
            return self._last if first is None else int(first) - 1

    def after(self, seq: int, limit: int) -> list[tuple[int, Row]]:
        """At most `limit` rows after place `seq`, in order, each with its place; only what no power cut can take."""
        if limit <= 0:
            return []
        with self._lock:
            try:
                first = self._db.execute("SELECT min(seq) FROM box").fetchone()[0]
                rows = self._db.execute(
                    "SELECT seq, id, kind, boot, mono_ns, wall, data FROM box WHERE seq > ? AND seq <= ?"
                    " ORDER BY seq LIMIT ?",
                    (seq, self._durable, limit),
                ).fetchall()
            except sqlite3.Error as error:
                self._troubled(error)
                return []
            stream = self.stream
        return [
            (n, Row(stream=stream, seq=n, first=first, id=i, kind=k, boot=b, mono_ns=m, wall=w, data=json.loads(d)))
            for n, i, k, b, m, w, d in rows
        ]

    def acknowledge(self, mark: Watermark, sent: int | None = None) -> int | None:
        """Let go of what the hub has committed, at most up to place `sent`; None where the mark is not of this stream.

        A mark beyond the last row means that this file is older than what the hub holds
        (a restored disk): nothing is deleted, and the rows go out again as a new stream.
        """
        with self._lock:
            if mark.stream != self.stream:
                return None
            try:
                if mark.upto > self._last:
                    self.stream = new_stream(self._db)
                    self._say(f"{self.path.name} is older than what the hub holds; its rows go out as a new stream")
                    return None
                upto = mark.upto if sent is None else min(mark.upto, sent)
                self._let_go(upto)
            except sqlite3.Error as error:
                self._troubled(error)
                return None
        return upto

    def newest(self) -> str | None:
        """The producer's id of the last row that was put, also when it has long been let go."""
        with self._lock:
            row = self._db.execute("SELECT value FROM meta WHERE name = 'newest'").fetchone()
        return None if row is None else str(row[0])

    def depth(self) -> Depth:
        """How much waits."""
        with self._lock:
            try:
                rows = self._db.execute("SELECT count(*) FROM box").fetchone()[0]
                oldest = self._db.execute("SELECT wall FROM box ORDER BY seq LIMIT 1").fetchone()
            except sqlite3.Error as error:
                self._troubled(error)
                return Depth(0, None, self._dropped)
            return Depth(rows, oldest[0] if oldest else None, self._dropped)

    def flush(self) -> None:
        """Make every row that was put safe from a power cut, now."""
        self._sync()

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
            self._dirty.wait(timeout=0.5 if self._full else 5.0)
            self._hasten.wait(timeout=self._sync_s)
            self._hasten.clear()
            self._dirty.clear()
            self._sync()
            if folding is not None:
                self._fold(folding)
            self._trim()
        with self._lock:
            self._take_back()
            if self._aside:
                self._dropped += len(self._aside)
                self._say(f"{len(self._aside)} rows of {self.path.name} are given up: the disk took nothing to the end")
        self._sync()
        if folding is not None:
            folding.close()

    def _sync(self) -> None:
        with self._lock:
            last = self._last
            if last == self._durable:
                return
        if self._on_disk:
            try:
                sync_log(self.path)
            except OSError as error:
                self._say_once(f"{self.path.name} cannot be made safe from a power cut: {error.strerror}")
                return
        with self._lock:
            self._durable = max(self._durable, last)
        self.wake()

    def _fold(self, folding: sqlite3.Connection) -> None:
        """Fold the write-ahead log into the file, on a connection of its own so that `put` never waits for it."""
        if log_bytes(self.path) < WAL_BYTES and not self._full:
            return
        try:
            folding.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            self._recover()
        except sqlite3.Error as error:
            with self._lock:
                self._troubled(error)
        except OSError as error:
            self._say_once(f"the folder of {self.path.name} is gone: {error}")

    def _recover(self) -> None:
        """Take rows again once there is room, and put the ballast back first."""
        there = ballast_of(self.path).exists()
        free = shutil.disk_usage(self.path.parent).free
        if not there and free > BALLAST_BYTES + WAL_BYTES:
            there = lay_ballast(self.path)
            free -= BALLAST_BYTES
        with self._lock:
            if not self._full or not there or free < WAL_BYTES:
                return
            pages, size = (self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
            if free + pages * size >= AGAIN_BYTES:
                self._full = False
                self._take_back()
                self._say(f"{self.path.name} takes rows again; {self._dropped} were given up")
        self._dirty.set()

    def _trim(self) -> None:
        with self._lock:
            try:
                gone = self._over_cap()
            except sqlite3.Error as error:
                self._troubled(error)
                return
            if gone and not self._trimmed:
                self._trimmed = True
                self._say(f"{self.path.name} is longer than its cap; the oldest rows are given up and the gap declared")
            self._dropped += gone

    # Inside the lock, or before the thread runs.

    def _insert(self, row: _Fields) -> bool:
        try:
            done = self._db.execute("INSERT INTO box (id, kind, boot, mono_ns, wall, data) VALUES (?,?,?,?,?,?)", row)
        except sqlite3.Error as error:
            self._troubled(error)
            return False
        self._last = done.lastrowid or self._last
        return True

    def _set_aside(self, row: _Fields) -> bool:
        given_up = len(self._aside) == ASIDE_ROWS
        self._dropped += given_up
        self._aside.append(row)
        return not given_up

    def _take_back(self) -> None:
        """Put what waits in memory into the file, the oldest first."""
        while self._aside and self._insert(self._aside[0]):
            self._aside.popleft()

    def _over_cap(self) -> int:
        """Give up the oldest tenth where the cap is passed; how many rows that were."""
        names = ("page_count", "freelist_count", "page_size")
        pages, free, size = (self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
        if (pages - free) * size <= self._cap_bytes:
            return 0
        rows = self._db.execute("SELECT count(*) FROM box").fetchone()[0]
        edge = self._db.execute("SELECT seq FROM box ORDER BY seq LIMIT 1 OFFSET ?", (rows // 10,)).fetchone()
        return self._let_go(edge[0]) if edge else 0

    def _let_go(self, upto: int) -> int:
        """Delete every row up to `upto`, with the ballast's room where the disk has none; how many there were."""
        try:
            gone = self._db.execute("DELETE FROM box WHERE seq <= ?", (upto,)).rowcount
        except sqlite3.OperationalError as error:
            if not is_full(error):
                raise
            self._troubled(error)
            ballast_of(self.path).unlink(missing_ok=True)
            gone = 0
            while done := self._db.execute(_DELETE_SOME, (upto,)).rowcount:
                gone += done
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if self._full:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return gone

    def _shorten_log(self) -> None:
        """Fold here where the other thread cannot keep up: a log longer than the ballast could not be folded later."""
        if self._on_disk and self._last % 64 == 0 and log_bytes(self.path) > 2 * WAL_BYTES:
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _troubled(self, error: sqlite3.Error) -> None:
        if not is_full(error):
            self._say_once(f"{self.path.name}: {error}")
        elif not self._full:
            self._full = True
            self._dirty.set()
            self._say(f"the disk is full: {self.path.name} takes no more rows until there is room ({error})")

    def _say_once(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            self._say(words)


def _written(data: dict[str, Any]) -> str:
    text = json.dumps(data, separators=(",", ":"), default=str)
    return text if len(text) <= DATA_LIMIT else json.dumps({"left_out": f"{len(text)} characters are too many"})
