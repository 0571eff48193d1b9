"""One batch of rows: what is new, what is known, what is somebody else's, and how all of it is written."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic_core import to_json
from sqlalchemy import Connection, Table, insert, select, tuple_

from contract.telemetry import Row, Watermark
from hub.store import gaps
from hub.store.streams import TABLES, Arrived, RowKind, Stream, save
from hub.store.tables import GAP, QUARANTINE

SORTED = json.JSONEncoder(separators=(",", ":"), sort_keys=True)
"""Made once: `json.dumps` would make one for every row."""


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


def digest_of(row: Row) -> str:
    """A digest of what the row says; `first` and `kept` are left out: they move when a row is sent again."""
    said = [row.id, row.kind, row.boot, row.mono_ns, row.wall, row.data]
    return hashlib.blake2b(SORTED.encode(said).encode(), digest_size=16).hexdigest()


class Batch:
    """Rows on their way into the tables, in one transaction.

    Args:
        streams: every stream that the rows speak of.
    """

    def __init__(self, streams: dict[str, Stream]) -> None:
        self.streams = streams
        self.taken = Taken()
        self._fresh: dict[tuple[str, int], tuple[Arrived, str]] = {}
        self._suspects: list[tuple[Arrived, str]] = []

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
            self._fresh[key] = (one, digest_of(row))
        elif key in self._fresh:
            self._compare(one, digest_of(row), self._fresh[key][1])
        else:
            self._suspects.append((one, digest_of(row)))

    def write(self, connection: Connection, now: float) -> None:
        """Write rows, gaps, watermarks and quarantine; `now` in seconds of hub UTC."""
        by_kind: dict[RowKind, list[tuple[Arrived, str]]] = defaultdict(list)
        for one, digest in self._fresh.values():
            by_kind[one.kind].append((one, digest))
        for kind, rows in by_kind.items():
            _store(connection, TABLES[kind], rows)
        if self.taken.gaps:
            lost = [{"stream": name, "first": a, "last": b, "declared": now} for name, a, b in self.taken.gaps]
            connection.execute(insert(GAP), lost)
        self.taken.stored = len(self._fresh)
        for kind in TABLES:
            self._judge(connection, kind, [(one, digest) for one, digest in self._suspects if one.kind == kind])
        save(connection, self.streams)
        for one, why in self.taken.quarantined:
            _quarantine(connection, one, why)

    def _judge(self, connection: Connection, kind: RowKind, suspects: list[tuple[Arrived, str]]) -> None:
        """Tell repetitions from the same key with another content; a row that counted as lost is stored after all."""
        if not suspects:
            return
        table = TABLES[kind]
        keys = {(one.row.stream, one.row.seq) for one, _ in suspects}
        wanted = select(table.c.stream, table.c.seq, table.c.digest)
        found = connection.execute(wanted.where(tuple_(table.c.stream, table.c.seq).in_(sorted(keys))))
        stored = {(row.stream, row.seq): row.digest for row in found}
        lost = gaps.close(connection, keys - stored.keys())
        late = []
        for one, digest in suspects:
            key = (one.row.stream, one.row.seq)
            if key in stored:
                self._compare(one, digest, stored[key])
            elif key in lost:
                late.append((one, digest))
                stored[key] = digest
            else:
                self.taken.repeated += 1  # stored once, and kept no longer than rows are kept
        _store(connection, table, late)
        self.taken.stored += len(late)

    def _compare(self, one: Arrived, digest: str, stored: str) -> None:
        if digest == stored:
            self.taken.repeated += 1
        else:
            why = f"row {one.row.seq} of stream {one.row.stream} is stored with another content"
            self.taken.quarantined.append((one, why))


def _store(connection: Connection, table: Table, rows: Iterable[tuple[Arrived, str]]) -> None:
    values = [
        {
            "stream": one.row.stream,
            "seq": one.row.seq,
            "producer": one.row.id,
            "device": one.device,
            "kind": one.row.kind,
            "boot": one.row.boot,
            "mono_ns": one.row.mono_ns,
            "wall": one.row.wall,
            "received": one.received,
            "digest": digest,
            # What is no number in JSON, NaN and the infinities, is kept as null: readers are strict.
            "data": to_json(one.row.data, inf_nan_mode="null").decode(),
        }
        for one, digest in rows
    ]
    if values:
        connection.execute(insert(table), values)


def _quarantine(connection: Connection, one: Arrived, why: str) -> None:
    digest = digest_of(one.row)
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
