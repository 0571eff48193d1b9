"""What an outbox's file holds: rows, the streams they belong to, and how far the hub has them. Knows no threads.

A row lies at a *place*; places go on for ever. A stream is a name for the places after its `base`, so that a row
keeps its stream and number for good, also when a later row belongs to another stream.
"""

import contextlib
import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass

from contract.telemetry import Number, Row, Watermark

Fields = tuple[str, str, str, int, float, str]
"""id, kind, boot, mono_ns, wall, data as JSON."""
FORMER = "former:"
"""Before the name of a stream: what its rows were called before, in `meta`."""
_INSERT = "INSERT INTO box (place, id, kind, boot, mono_ns, wall, data) VALUES (?,?,?,?,?,?,?)"


@dataclass(frozen=True, slots=True)
class Former:
    """Under which stream, begun at which base, the rows up to place `upto` may have gone out before."""

    name: str
    base: int
    upto: int


@dataclass(frozen=True, slots=True)
class Stream:
    """The rows after place `base`; number 1 lies at `base + 1`."""

    base: int
    name: str
    former: Former | None = None

    def was(self, place: int) -> Number | None:
        """The earlier number of the row at `place`, one of this stream's."""
        former = self.former
        if former is None or place > former.upto:
            return None
        return Number(stream=former.name, seq=place - former.base)


@dataclass(frozen=True, slots=True)
class Oldest:
    """When the oldest waiting row was made."""

    boot: str
    mono_ns: int
    wall: float


class Box:
    """The rows of one outbox. One thread at a time may use it.

    Rows lie at the places `kept` to `last` without a hole, those up to `acked` are the hub's already. The
    last row of all is never deleted: its id says what was put last.
    """

    def __init__(
        self, db: sqlite3.Connection, machine: str, device: str, name: str, say: Callable[[str], None]
    ) -> None:
        """Read where the file stands; where another machine or device wrote it, a new stream begins.

        On another machine, a copy, the rows that wait keep their numbers: whoever has the original sends the
        same ones, and the hub takes them once. As another device they cannot, because a stream is one device's.

        Args:
            db: the open file.
            machine: fingerprint of this machine.
            device: whose rows these are.
            name: of the file, for people.
            say: told when a new stream begins.
        """
        self._db = db
        self.name = name
        self._say = say
        held = dict(db.execute("SELECT name, value FROM meta").fetchall())
        streams = db.execute("SELECT base, name FROM stream ORDER BY base").fetchall()
        first, last = db.execute("SELECT min(place), max(place) FROM box").fetchone()
        former = {name: Former(*json.loads(held[key])) for _, name in streams if (key := FORMER + name) in held}
        self._streams = [Stream(base, name, former.get(name)) for base, name in streams]
        self.last = max(last or 0, int(held.get("acked", 0)))
        self.kept = first or self.last + 1
        self.acked = max(int(held.get("acked", 0)), self.kept - 1)
        self.lived_s = float(held.get("lived_s", 0.0))
        """How long this outbox had been open in all when that was last noted, in seconds."""
        self._out = self.last
        """Place of the last row that may have gone out under its number: those in the file when it was opened, too."""
        self._owned(machine, device, held)

    @property
    def stream(self) -> str:
        """The stream of the rows that are put now."""
        return self._streams[-1].name

    def insert(self, row: Fields) -> None:
        """Add a row.

        Raises:
            sqlite3.Error: the file does not take it.
        """
        self._db.execute(_INSERT, (self.last + 1, *row))
        self.last += 1

    def insert_all(self, rows: Sequence[Fields]) -> None:
        """Add rows, all or none: together they take much less of the log than one by one.

        Raises:
            sqlite3.Error: the file does not take them.
        """
        with self._whole():
            self._db.executemany(_INSERT, [(self.last + 1 + n, *row) for n, row in enumerate(rows)])
        self.last += len(rows)

    def rows(self, after: int, upto: int, limit: int) -> list[tuple[int, Row]]:
        """At most `limit` waiting rows with their places: after place `after`, up to `upto`, in order."""
        found = self._db.execute(
            "SELECT place, id, kind, boot, mono_ns, wall, data FROM box WHERE place > ? AND place <= ?"
            " ORDER BY place LIMIT ?",
            (max(after, self.acked), upto, limit),
        ).fetchall()
        if found:
            self._out = max(self._out, found[-1][0])
        return [(place, self._row(place, *fields)) for place, *fields in found]

    def mark(self, mark: Watermark, sent: int) -> int | None:
        """Take a watermark; the place up to which the hub has everything, None where it is of no stream of ours.

        A mark beyond the last row means that this file is older than what the hub holds, as after the restore
        of a disk or beside a copy of it: nothing counts as acknowledged, and what waits goes out as a new stream.
        Rows that may have gone out before tell their earlier numbers, so that the hub knows them.

        Args:
            mark: what the hub said.
            sent: place of the last row that went out; a mark beyond it speaks of rows that are not ours.

        Raises:
            sqlite3.Error: the file does not take it; what is in memory holds all the same.
        """
        index = next((n for n, one in enumerate(self._streams) if one.name == mark.stream), None)
        if index is None:
            return None
        place = self._streams[index].base + mark.upto
        if index < len(self._streams) - 1:
            place = min(place, self._streams[index + 1].base)
        elif place > self.last:
            self._say(f"{self.name} is older than what the hub holds; what waits goes out as a new stream")
            old = self._streams[index]
            self._begin_stream(self.acked, Former(old.name, old.base, self._out))
            return None
        if mark.rewind:
            # A hub that knows nothing of this stream may lack the end of the one before, too.
            self._move(max(self.kept - 1, min(place if mark.upto else 0, self.acked)))
            self._db.execute("DELETE FROM passed WHERE place > ?", (self.acked,))
        elif self.acked < min(place, sent):
            self._move(min(place, sent))
        return self.acked

    def oldest(self) -> Oldest | None:
        """When the oldest waiting row was made; None where nothing waits."""
        row = self._db.execute(
            "SELECT boot, mono_ns, wall FROM box WHERE place > ? ORDER BY place LIMIT 1", (self.acked,)
        ).fetchone()
        return None if row is None else Oldest(*row)

    def newest(self) -> str | None:
        """The producer's id of the last row that was put."""
        row = self._db.execute("SELECT id FROM box WHERE place = ?", (self.last,)).fetchone()
        return None if row is None else str(row[0])

    # Room.

    def bytes(self) -> tuple[int, int]:
        """Bytes of the file's pages that are in use, and of those that are free inside it."""
        names = ("page_count", "freelist_count", "page_size")
        pages, free, size = (self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
        return (pages - free) * size, free * size

    def evict(self, rows: int, upto: int) -> tuple[int, int]:
        """Delete at most `rows` rows, the oldest first, none beyond place `upto`.

        Returns:
            How many, and how many of them the hub does not have: those are declared as a gap with the next row.

        Raises:
            sqlite3.Error: the file does not take it.
        """
        edge = min(upto, self.kept + rows - 1, self.last - 1)
        if edge < self.kept:
            return 0, 0
        self._db.execute("DELETE FROM box WHERE place <= ?", (edge,))
        gone, lost = edge + 1 - self.kept, max(0, edge - self.acked)
        self.kept = edge + 1
        self.acked = max(self.acked, edge)
        return gone, lost

    def give_back(self, pages: int) -> bool:
        """Cut at most `pages` free pages off the file; False where none could be.

        Raises:
            sqlite3.Error: the file does not take it.
        """
        before = self._db.execute("PRAGMA page_count").fetchone()[0]
        # A script, because `execute` ends with the first page: the statement has no columns to be fetched.
        self._db.executescript(f"PRAGMA incremental_vacuum({int(pages)})")
        self.fold(whole=True)
        return int(self._db.execute("PRAGMA page_count").fetchone()[0]) < int(before)

    def fold(self, *, whole: bool = False) -> None:
        """Fold the write-ahead log into the file; `whole`: all of it, so that the next row begins the log anew.

        The log keeps its room on the disk: where the disk is full, a DELETE has no other.

        Raises:
            sqlite3.Error: the file does not take it.
        """
        self._db.execute(f"PRAGMA wal_checkpoint({'RESTART' if whole else 'PASSIVE'})").fetchall()

    # Age: in seconds that the outbox was open, because the wall clock may stand anywhere.

    def note(self, lived_s: float) -> None:
        """Note that the outbox has been open for `lived_s` in all, and what the hub has by now.

        Raises:
            sqlite3.Error: the file does not take it.
        """
        self.lived_s = lived_s
        self._put("lived_s", repr(lived_s))
        self._db.execute("DELETE FROM passed WHERE place < ?", (self.kept,))
        self._db.execute("INSERT OR IGNORE INTO passed VALUES (?, ?)", (self.acked, lived_s))

    def passed(self, lived_s: float) -> int:
        """The place up to which the hub had everything when the outbox had been open for `lived_s`; 0 for none."""
        found = self._db.execute("SELECT max(place) FROM passed WHERE lived_s <= ?", (lived_s,)).fetchone()[0]
        return min(int(found or 0), self.acked)

    # Inside.

    def _owned(self, machine: str, device: str, held: dict[str, str]) -> None:
        if self._streams and held.get("device", device) != device:
            self._say(f"{self.name} was another device's; what waits goes out as a new stream")
            self.evict(self.last, self.acked)
            self._begin_stream(self.acked)
        elif self._streams and held.get("machine") != machine:
            self._say(f"{self.name} comes from another machine; a new stream begins")
            self._begin_stream(self.last)
        elif not self._streams:
            self._begin_stream(self.last)
        for name, value in (("machine", machine), ("device", device)):
            if held.get(name) != value:
                self._put(name, value)

    def _row(self, place: int, id_: str, kind: str, boot: str, mono_ns: int, wall: float, data: str) -> Row:
        stream = next(one for one in reversed(self._streams) if one.base < place)
        return Row(
            stream=stream.name,
            seq=place - stream.base,
            first=max(self.acked - stream.base, 0) + 1,
            kept=max(self.kept - stream.base, 1),
            was=stream.was(place),
            id=id_,
            kind=kind,
            boot=boot,
            mono_ns=mono_ns,
            wall=wall,
            data=json.loads(data),
        )

    def _begin_stream(self, base: int, former: Former | None = None) -> None:
        """Give every row after place `base` to a new stream; streams of which nothing is left are forgotten."""
        new = Stream(base, secrets.token_hex(8), former)
        ends = [one.base for one in self._streams[1:]] + [base]
        left = [one for one, end in zip(self._streams, ends, strict=False) if one.base < base and end >= self.kept]
        with self._whole():
            self._db.execute("DELETE FROM stream")
            rows = [(one.base, one.name) for one in (*left, new)]
            self._db.executemany("INSERT INTO stream VALUES (?, ?)", rows)
            self._db.execute("DELETE FROM meta WHERE name LIKE ?", (f"{FORMER}%",))
            for one in (*left, new):
                if one.former is not None:
                    self._put(FORMER + one.name, json.dumps(astuple(one.former)))
        self._streams = [*left, new]

    @contextlib.contextmanager
    def _whole(self) -> Iterator[None]:
        """One transaction."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _move(self, acked: int) -> None:
        self.acked = acked
        self._put("acked", str(acked))

    def _put(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
