"""One batch of rows: what is new, what is known, what is somebody else's, and how all of it is written."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic_core import to_json
from sqlalchemy import Connection, Table, insert, select, tuple_

from contract.telemetry import Row, Watermark
from hub.store import gaps
from hub.store.bulk import insert_many
from hub.store.streams import TABLES, Arrived, RowKind, Stream, save
from hub.store.tables import GAP, QUARANTINE

COLUMNS = ("stream", "seq", "producer", "device", "kind", "boot", "mono_ns", "wall", "received", "digest", "data")


@dataclass(slots=True)
class Taken:
    """What one batch came to."""

    stored: int = 0
    repeated: int = 0
    quarantined: list[tuple[Arrived, str]] = field(default_factory=list)
    too_far: list[Arrived] = field(default_factory=list)
    """Refused because too much is already held beyond a hole; the device sends them again."""
    gaps: list[tuple[str, int, int]] = field(default_factory=list)
    """Stream, first and last seq of what was declared lost."""
    watermarks: list[tuple[str, Watermark]] = field(default_factory=list)
    """For each stream of the batch: whom to tell, and what."""

    @property
    def rewound(self) -> int:
        """How many streams are asked for again."""
        return sum(mark.rewind for _, mark in self.watermarks)


def data_of(row: Row) -> bytes:
    """The row's data as it is kept; what is no number in JSON, NaN and the infinities, becomes null."""
    return to_json(row.data, inf_nan_mode="null")


def digest_of(row: Row, data: bytes) -> str:
    """A digest of what the row says; its numbers are left out: they move when a row is sent again.

    Args:
        row: what came.
        data: its data, by `data_of`. An outbox sends again what it holds, with its keys in the same order.
    """
    said = f"{row.id}\n{row.kind}\n{row.boot}\n{row.mono_ns}\n{row.wall}\n"
    return hashlib.blake2b(said.encode() + data, digest_size=16).hexdigest()


class Batch:
    """Rows on their way into the tables, in one transaction.

    Args:
        streams: every stream that the rows speak of.
    """

    def __init__(self, streams: dict[str, Stream]) -> None:
        self.streams = streams
        self.taken = Taken()
        self._fresh: dict[tuple[str, int], _Written] = {}
        self._suspects: list[_Written] = []
        self._renumbered: list[_Written] = []

    def sort(self, one: Arrived) -> None:
        """Decide whether a row is new, suspect or somebody else's; nothing is written yet."""
        row = one.row
        stream = self.streams[row.stream]
        if (stream.device, stream.kind) != (one.device, one.kind):
            why = f"stream {row.stream} belongs to the {stream.kind} rows of {stream.device}"
            self.taken.quarantined.append((one, why))
            return
        mark = stream.mark
        stream.first = row.first
        kept = row.first if row.kept is None else row.kept
        self.taken.gaps += [(row.stream, first, last) for first, last in mark.declare(kept)]
        key = (row.stream, row.seq)
        if not mark.holds(row.seq):
            if not mark.takes(row.seq):
                self.taken.too_far.append(one)
                return
            mark.add(row.seq)
            self._fresh[key] = fresh = _Written.of(one)
            if row.was is not None:
                self._renumbered.append(fresh)
        elif key in self._fresh:
            self._compare(_Written.of(one), self._fresh[key].digest)
        else:
            self._suspects.append(_Written.of(one))

    def write(self, connection: Connection, now: float) -> None:
        """Write rows, gaps, watermarks and quarantine; `now` in seconds of hub UTC."""
        for kind, table in TABLES.items():
            self._know_again(connection, table, [row for row in self._renumbered if row.one.kind == kind])
            _store(connection, table, [row for row in self._fresh.values() if row.one.kind == kind])
        if self.taken.gaps:
            lost = [{"stream": name, "first": a, "last": b, "declared": now} for name, a, b in self.taken.gaps]
            connection.execute(insert(GAP), lost)
        self.taken.stored = len(self._fresh)
        for kind in TABLES:
            self._judge(connection, kind, [row for row in self._suspects if row.one.kind == kind])
        save(connection, self.streams)
        for one, why in self.taken.quarantined:
            _quarantine(connection, one, why)

    def _know_again(self, connection: Connection, table: Table, renumbered: Sequence["_Written"]) -> None:
        """Rows whose device began a new stream, and that are stored under their earlier numbers, are not fresh."""
        if not renumbered:
            return
        earlier = {row.was for row in renumbered}
        wanted = select(table.c.stream, table.c.seq, table.c.device, table.c.digest)
        found = connection.execute(wanted.where(tuple_(table.c.stream, table.c.seq).in_(sorted(earlier)))).all()
        stored = {(one.stream, one.seq): (one.device, one.digest) for one in found}
        stored |= {key: (row.one.device, row.digest) for key, row in self._fresh.items() if key in earlier}
        for row in renumbered:
            if stored.get(row.was) == (row.one.device, row.digest):
                del self._fresh[row.key]
                self.taken.repeated += 1

    def _judge(self, connection: Connection, kind: RowKind, suspects: list["_Written"]) -> None:
        """Tell repetitions from the same key with another content; a row that counted as lost is stored after all."""
        if not suspects:
            return
        table = TABLES[kind]
        keys = {row.key for row in suspects}
        wanted = select(table.c.stream, table.c.seq, table.c.digest)
        found = connection.execute(wanted.where(tuple_(table.c.stream, table.c.seq).in_(sorted(keys))))
        stored = {(row.stream, row.seq): row.digest for row in found}
        lost = gaps.close(connection, keys - stored.keys())
        late = []
        for row in suspects:
            if row.key in stored:
                self._compare(row, stored[row.key])
            elif row.key in lost:
                late.append(row)
                stored[row.key] = row.digest
            else:
                self.taken.repeated += 1  # stored once, and kept no longer than rows are kept
        _store(connection, table, late)
        self.taken.stored += len(late)

    def _compare(self, row: "_Written", stored: str) -> None:
        if row.digest == stored:
            self.taken.repeated += 1
        else:
            why = f"row {row.one.row.seq} of stream {row.one.row.stream} is stored with another content"
            self.taken.quarantined.append((row.one, why))


class _Written(NamedTuple):
    """A row, and how it is kept."""

    one: Arrived
    data: bytes
    digest: str

    @classmethod
    def of(cls, one: Arrived) -> "_Written":
        data = data_of(one.row)
        return cls(one, data, digest_of(one.row, data))

    @property
    def key(self) -> tuple[str, int]:
        return self.one.row.stream, self.one.row.seq

    @property
    def was(self) -> tuple[str, int]:
        """Its earlier key; no row has the one that stands for none."""
        was = self.one.row.was
        return (was.stream, was.seq) if was is not None else ("", 0)

    def values(self) -> tuple[Any, ...]:
        """In the order of `COLUMNS`."""
        one, row = self.one, self.one.row
        place = (row.stream, row.seq, row.id, one.device, row.kind, row.boot)
        return (*place, row.mono_ns, row.wall, one.received, self.digest, self.data.decode())


def _store(connection: Connection, table: Table, rows: Sequence[_Written]) -> None:
    insert_many(connection, table, COLUMNS, [row.values() for row in rows])


def _quarantine(connection: Connection, one: Arrived, why: str) -> None:
    digest = _Written.of(one).digest
    key = (one.row.stream, one.row.seq, digest, one.device)
    columns = (QUARANTINE.c.stream, QUARANTINE.c.seq, QUARANTINE.c.digest, QUARANTINE.c.device)
    there = select(QUARANTINE.c.id).where(*(column == value for column, value in zip(columns, key, strict=True)))
    if connection.scalar(there) is None:
        values = dict(zip(("stream", "seq", "digest", "device"), key, strict=True))
        connection.execute(
            insert(QUARANTINE).values(
                **values, kind=one.kind, why=why, received=one.received, row=one.row.model_dump_json()
            )
        )
