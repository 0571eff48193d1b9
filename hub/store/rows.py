"""Telemetry and event rows: stored once, and the watermark that lets a device forget them."""

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, Table, bindparam, func, insert, select, tuple_, union_all, update

from contract.telemetry import Row, Watermark
from hub.store.engine import Database
from hub.store.tables import EVENT, GAP, QUARANTINE, STREAM, TELEMETRY
from hub.store.watermark import Mark

RowKind = Literal["tele", "event"]
TABLES: Mapping[RowKind, Table] = {"tele": TELEMETRY, "event": EVENT}
COMPACT = json.JSONEncoder(separators=(",", ":"))
REWIND_EVERY_S = 5.0
"""A stream is asked for again at most so often, in seconds: rows already on their way cannot know of it."""
SORTED = json.JSONEncoder(separators=(",", ":"), sort_keys=True)
"""Made once: `json.dumps` would make one for every row."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A valid row, from whom, on which topic, and when in seconds of hub UTC."""

    device: str
    kind: RowKind
    row: Row
    received: float


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


@dataclass(slots=True)
class _Stream:
    device: str
    kind: RowKind
    mark: Mark
    known: bool = True
    """Whether the table has it."""
    first: int = 1
    """Its device's oldest unacknowledged row, as the newest arrival said."""


@dataclass(slots=True)
class _Batch:
    """What is gathered before anything is written."""

    streams: dict[str, _Stream] = field(default_factory=dict)
    fresh: dict[tuple[str, int], tuple[Arrived, str]] = field(default_factory=dict)
    suspects: list[tuple[Arrived, str]] = field(default_factory=list)
    taken: Taken = field(default_factory=Taken)


def digest_of(row: Row) -> str:
    """A digest of what the row says; `first` and `kept` are left out: they move when a row is sent again."""
    said = [row.id, row.kind, row.boot, row.mono_ns, row.wall, row.data]
    return hashlib.blake2b(SORTED.encode(said).encode(), digest_size=16).hexdigest()


class RowTable:
    """Rows by stream and seq.

    `take` belongs to one thread of one process: it keeps the watermarks in memory.
    The rest is thread-safe.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._streams: dict[str, _Stream] = {}
        self._rewound: dict[str, float] = {}
        """When streams were asked for again, in seconds of hub UTC."""

    def take(self, batch: Sequence[Arrived]) -> Taken:
        """Store a batch in one transaction; after it returns, its watermarks may be published.

        A key that is known is not stored again; a known key with another content, or a stream
        that belongs to another device, goes to quarantine.
        """
        with self._database.write() as connection:
            work = _Batch()
            self._load(connection, work, {one.row.stream for one in batch})
            for one in batch:
                _sort(one, work)
            _insert(connection, work)
            _judge(connection, work)
            _save(connection, work, batch[0].received if batch else 0.0)
        for stream in work.streams.values():
            stream.known = True
        self._streams.update(work.streams)
        work.taken.stored = len(work.fresh)
        now = batch[0].received if batch else 0.0
        work.taken.watermarks = [
            (stream.device, Watermark(stream=name, upto=stream.mark.upto, rewind=self._rewinds(name, stream, now)))
            for name, stream in work.streams.items()
        ]
        return work.taken

    def _rewinds(self, name: str, stream: _Stream, now: float) -> bool:
        """Whether the device must send again what it thinks is stored."""
        if not stream.mark.lacks(stream.first):
            self._rewound.pop(name, None)
            return False
        if abs(now - self._rewound.get(name, -math.inf)) < REWIND_EVERY_S:
            return False
        self._rewound[name] = now
        return True

    def _load(self, connection: Connection, work: _Batch, names: set[str]) -> None:
        for name in names & self._streams.keys():
            known = self._streams[name]
            work.streams[name] = _Stream(known.device, known.kind, known.mark.copy())
        for found in connection.execute(select(STREAM).where(STREAM.c.stream.in_(names - self._streams.keys()))):
            table = TABLES[found.kind]
            ahead = select(table.c.seq).where(table.c.stream == found.stream, table.c.seq > found.upto)
            mark = Mark(found.upto, set(connection.scalars(ahead)))
            work.streams[found.stream] = _Stream(found.device, found.kind, mark)

    def summary(self) -> dict[str, dict[str, Any]]:
        """By device: `stored`, `ids` (different ones), `quarantined`, `gaps` (rows declared lost) and `streams`."""
        devices: dict[str, dict[str, Any]] = {}
        with self._database.read() as connection:
            for stream in connection.execute(select(STREAM)):
                device = devices.setdefault(stream.device, _nothing())
                device["streams"][stream.stream] = {"kind": stream.kind, "upto": stream.upto, "rows": 0}
            for table in TABLES.values():
                counted = select(table.c.device, table.c.stream, func.count()).group_by(table.c.device, table.c.stream)
                for name, stream_name, count in connection.execute(counted):
                    devices[name]["streams"][stream_name]["rows"] = count
                    devices[name]["stored"] += count
            every = union_all(*(select(table.c.device, table.c.producer) for table in TABLES.values())).subquery()
            different = select(every.c.device, func.count(every.c.producer.distinct())).group_by(every.c.device)
            for name, count in connection.execute(different):
                devices[name]["ids"] = count
            for name, count in connection.execute(
                select(QUARANTINE.c.device, func.count()).group_by(QUARANTINE.c.device)
            ):
                devices.setdefault(name, _nothing())["quarantined"] = count
            lost = func.sum(GAP.c.last - GAP.c.first + 1)
            joined = select(STREAM.c.device, lost).join_from(GAP, STREAM, GAP.c.stream == STREAM.c.stream)
            for name, count in connection.execute(joined.group_by(STREAM.c.device)):
                devices[name]["gaps"] = int(count)
        return devices

    def ids(self, device: str) -> list[str]:
        """The producers' ids of every stored row of `device`, telemetry first; a repeated id stands twice."""
        with self._database.read() as connection:
            return [
                one
                for table in TABLES.values()
                for one in connection.scalars(
                    select(table.c.producer).where(table.c.device == device).order_by(table.c.id)
                )
            ]

    def latest(self, device: str, kind: RowKind, limit: int = 100) -> list[dict[str, Any]]:
        """The newest rows of `device`, newest first: id, kind, boot, mono_ns, wall, received, data."""
        table = TABLES[kind]
        # In the order of the index: a device's newest rows are found without sorting all that it ever sent.
        latest = (table.c.received.desc(), table.c.id.desc())
        newest = select(table).where(table.c.device == device).order_by(*latest).limit(limit)
        with self._database.read() as connection:
            return [
                {
                    "id": row.producer,
                    "kind": row.kind,
                    "boot": row.boot,
                    "mono_ns": row.mono_ns,
                    "wall": row.wall,
                    "received": row.received,
                    "data": json.loads(row.data),
                }
                for row in connection.execute(newest)
            ]


def _nothing() -> dict[str, Any]:
    return {"stored": 0, "ids": 0, "quarantined": 0, "gaps": 0, "streams": {}}


def _sort(one: Arrived, work: _Batch) -> None:
    """Decide whether a row is new, known, suspect or somebody else's."""
    row = one.row
    stream = work.streams.setdefault(row.stream, _Stream(one.device, one.kind, Mark(), known=False))
    if (stream.device, stream.kind) != (one.device, one.kind):
        why = f"stream {row.stream} belongs to the {stream.kind} rows of {stream.device}"
        work.taken.quarantined.append((one, why))
        return
    mark = stream.mark
    stream.first = row.first
    kept = row.first if row.kept is None else row.kept
    work.taken.gaps += [(row.stream, first, last) for first, last in mark.declare(kept)]
    key = (row.stream, row.seq)
    if not mark.holds(row.seq):
        if not mark.takes(row.seq):
            work.taken.too_far.append(one)
            return
        mark.add(row.seq)
        work.fresh[key] = (one, digest_of(row))
    elif key in work.fresh:
        _compare(one, digest_of(row), work.fresh[key][1], work.taken)
    else:
        work.suspects.append((one, digest_of(row)))


def _compare(one: Arrived, digest: str, stored: str, taken: Taken) -> None:
    if digest == stored:
        taken.repeated += 1
    else:
        why = f"row {one.row.seq} of stream {one.row.stream} is stored with another content"
        taken.quarantined.append((one, why))


def _judge(connection: Connection, work: _Batch) -> None:
    """Tell repetitions from the same key with another content; late rows of a declared gap are stored."""
    for kind, table in TABLES.items():
        keys = {(one.row.stream, one.row.seq) for one, _ in work.suspects if one.kind == kind}
        if not keys:
            continue
        wanted = select(table.c.stream, table.c.seq, table.c.digest)
        found = connection.execute(wanted.where(tuple_(table.c.stream, table.c.seq).in_(sorted(keys))))
        stored = {(row.stream, row.seq): row.digest for row in found}
        late: dict[tuple[str, int], tuple[Arrived, str]] = {}
        for one, digest in work.suspects:
            key = (one.row.stream, one.row.seq)
            if one.kind != kind:
                continue
            if key in stored:
                _compare(one, digest, stored[key], work.taken)
            else:
                late[key] = (one, digest)
                stored[key] = digest
        _store(connection, table, late.values())
        work.fresh.update(late)


def _insert(connection: Connection, work: _Batch) -> None:
    by_kind: dict[RowKind, list[tuple[Arrived, str]]] = defaultdict(list)
    for one, digest in work.fresh.values():
        by_kind[one.kind].append((one, digest))
    for kind, rows in by_kind.items():
        _store(connection, TABLES[kind], rows)


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
            "data": COMPACT.encode(one.row.data),
        }
        for one, digest in rows
    ]
    if values:
        connection.execute(insert(table), values)


def _save(connection: Connection, work: _Batch, now: float) -> None:
    """Write watermarks, gaps and quarantine."""
    new = [(name, stream) for name, stream in work.streams.items() if not stream.known]
    if new:
        values = [{"stream": n, "device": s.device, "kind": s.kind, "upto": s.mark.upto} for n, s in new]
        connection.execute(insert(STREAM), values)
    old = [{"name": name, "moved": s.mark.upto} for name, s in work.streams.items() if s.known]
    if old:
        moved = update(STREAM).where(STREAM.c.stream == bindparam("name")).values(upto=bindparam("moved"))
        connection.execute(moved, old)
    if work.taken.gaps:
        gaps = [{"stream": name, "first": a, "last": b, "declared": now} for name, a, b in work.taken.gaps]
        connection.execute(insert(GAP), gaps)
    for one, why in work.taken.quarantined:
        _quarantine(connection, one, why)


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
