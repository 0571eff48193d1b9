"""Telemetry and event rows: stored once, and the watermark that lets a device forget them."""

import json
import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, union_all

from contract.telemetry import Watermark
from hub.store.batch import Batch, Taken
from hub.store.engine import Database
from hub.store.streams import TABLES, Arrived, LockedStreams, RememberedStreams, RowKind, Stream, Streams
from hub.store.tables import GAP, QUARANTINE, STREAM

__all__ = ["TABLES", "Arrived", "RowKind", "RowTable", "Taken"]

REWIND_EVERY_S = 5.0
"""A stream is asked for again at most so often, in seconds: rows already on their way cannot know of it."""


class RowTable:
    """Rows by stream and seq.

    `take` belongs to one thread of each process that takes rows in, and with SQLite to one process.
    The rest is thread-safe.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._streams: Streams = LockedStreams() if database.shared else RememberedStreams()
        self._rewound: dict[str, float] = {}
        """When streams were asked for again, in seconds of hub UTC."""

    def take(self, batch: Sequence[Arrived]) -> Taken:
        """Store a batch in one transaction; after it returns, its watermarks may be published.

        A key that is known is not stored again; a known key with another content, or a stream
        that belongs to another device, goes to quarantine.
        """
        now = max((one.received for one in batch), default=0.0)
        with self._database.write_beside() as connection:
            work = Batch(self._streams.load(connection, batch))
            for one in batch:
                work.sort(one)
            work.write(connection, now)
        self._streams.committed(work.streams)
        work.taken.watermarks = [
            (stream.device, Watermark(stream=name, upto=stream.mark.upto, rewind=self._rewinds(name, stream, now)))
            for name, stream in work.streams.items()
        ]
        return work.taken

    def _rewinds(self, name: str, stream: Stream, now: float) -> bool:
        """Whether the device must send again what it thinks is stored."""
        if not stream.mark.lacks(stream.first):
            self._rewound.pop(name, None)
            return False
        if abs(now - self._rewound.get(name, -math.inf)) < REWIND_EVERY_S:
            return False
        self._rewound[name] = now
        return True

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
