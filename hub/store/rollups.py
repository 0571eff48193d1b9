"""Telemetry summed up by the minute and the hour, each row exactly once, however often that is interrupted."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.buckets import Bucket, Key, Sample, Step
from hub.store.engine import Database
from hub.store.errors import StoreRefused
from hub.store.tables import META, ROLLUP_HOUR, ROLLUP_MINUTE, TELEMETRY

TABLES: Mapping[Step, Table] = {"minute": ROLLUP_MINUTE, "hour": ROLLUP_HOUR}
PROGRESS = "rollup"
"""Name of the fact that says how far it has come; written with the buckets, in one transaction."""
RANGE_ROWS = 50_000
"""Rows that are summed up together: the more, the fewer buckets are written again and again."""
SLICE_ROWS = 200
UPSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
COLUMNS = tuple(TELEMETRY.c[name] for name in ("id", "device", "kind", "boot", "mono_ns", "wall", "received", "data"))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the rows are summed up, by their ids."""

    done: int = 0
    """Every row up to this one is in its buckets."""
    doing: int = 0
    """So are, of the rows after `done` up to this one, those whose bucket's key is at most `after`."""
    after: Key | None = None

    def to_json(self) -> str:
        """As it is kept."""
        return json.dumps({"done": self.done, "doing": self.doing, "after": self.after})

    @classmethod
    def from_json(cls, kept: str) -> "Progress":
        """What `to_json` wrote."""
        found = json.loads(kept)
        return cls(found["done"], found["doing"], Key(*found["after"]) if found["after"] else None)


class RollupTable:
    """Buckets, and what has been put into them. One thread of one process writes; anybody reads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._settled = 0
        self._looked: tuple[int, int] | None = None

    def progress(self) -> Progress:
        """How far it has come."""
        with self._database.read() as connection:
            kept = connection.scalar(select(META.c.value).where(META.c.name == PROGRESS))
        return Progress() if kept is None else Progress.from_json(kept)

    def settled(self) -> int:
        """Id of a row up to which no other row can appear any more.

        SQLite has one writer, so that is the newest row. PostgreSQL hands out ids before it commits: its newest row
        counts once every transaction that was under way when we looked has ended, at a later call.
        """
        newest = select(func.coalesce(func.max(TELEMETRY.c.id), 0))
        if not self._database.shared:
            with self._database.read() as connection:
                return int(connection.scalar(newest) or 0)
        with self._database.write_beside() as connection:
            oldest = connection.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")) or 0
            if self._looked is not None and oldest >= self._looked[1]:
                self._settled = self._looked[0]
                self._looked = None
            if self._looked is None:
                # In this order: whoever drew an id up to `found` has a transaction number below ours.
                found = int(connection.scalar(newest) or 0)
                ours = connection.scalar(text("SELECT pg_current_xact_id()::text::bigint")) or 0
                self._looked = (found, int(ours))
        return self._settled

    def begin(self, progress: Progress, settled: int) -> Progress:
        """What to do next: the rest of what was interrupted, else the rows after `done`; `doing` stays where none are.

        Nothing is written: a range counts as begun with its first buckets.
        """
        if progress.doing > progress.done or settled <= progress.done:
            return progress
        fresh = (TELEMETRY.c.id > progress.done, TELEMETRY.c.id <= settled)
        last = select(TELEMETRY.c.id).where(*fresh).order_by(TELEMETRY.c.id).offset(RANGE_ROWS - 1).limit(1)
        with self._database.read() as connection:
            edge = connection.scalar(last)
        return Progress(progress.done, settled if edge is None else int(edge))

    def samples(self, progress: Progress) -> Iterator[list[Sample]]:
        """The rows in hand, a slice at a time, in order."""
        position = progress.done
        while True:
            wanted = select(*COLUMNS).where(TELEMETRY.c.id > position, TELEMETRY.c.id <= progress.doing)
            with self._database.read() as connection:
                rows = connection.execute(wanted.order_by(TELEMETRY.c.id).limit(SLICE_ROWS)).all()
            if not rows:
                return
            yield [Sample(*row) for row in rows]
            position = rows[-1].id

    def add(self, buckets: Mapping[Key, Bucket], before: Progress, after: Progress) -> None:
        """Put `buckets` on top of what is there, and move from `before` to `after`, in one transaction.

        Raises:
            StoreRefused: somebody else has moved on meanwhile; nothing was written.
        """
        by_step: dict[Step, dict[Key, Bucket]] = defaultdict(dict)
        for key, bucket in buckets.items():
            by_step[key.step][key] = bucket
        # Read outside the writing transaction: nobody else changes buckets, and `_move` notices who does.
        with self._database.read() as connection:
            values = [(TABLES[step], _on_top(connection, step, some)) for step, some in by_step.items()]
        with self._database.write_beside() as connection:
            _move(connection, before, after)
            for table, some in values:
                put = UPSERT[connection.dialect.name](table)
                replaced = {"rows": put.excluded.rows, "data": put.excluded.data}
                keys = [column.name for column in table.primary_key]
                connection.execute(put.on_conflict_do_update(index_elements=keys, set_=replaced), some)

    def read(
        self, step: Step, device: str, kind: str, since: float, until: float, limit: int
    ) -> list[tuple[int, Bucket]]:
        """At most `limit` buckets that begin from `since` to before `until` (hub UTC, in seconds), oldest first."""
        table = TABLES[step]
        wanted = select(table.c.bucket, table.c.rows, table.c.data).where(
            table.c.device == device, table.c.kind == kind, table.c.bucket >= since, table.c.bucket < until
        )
        with self._database.read() as connection:
            found = connection.execute(wanted.order_by(table.c.bucket).limit(limit)).all()
        return [(start, Bucket.from_json(rows, data)) for start, rows, data in found]


def parts(buckets: Mapping[Key, Bucket], progress: Progress, size: int) -> Iterator[tuple[dict[Key, Bucket], Progress]]:
    """The buckets that are not written yet, in the order of their keys, so many at a time, and how far each brings."""
    left = sorted(key for key in buckets if progress.after is None or key > progress.after)
    for start in range(0, len(left), size):
        some = left[start : start + size]
        last = start + size >= len(left)
        reached = Progress(progress.doing, progress.doing) if last else replace(progress, after=some[-1])
        yield {key: buckets[key] for key in some}, reached
    if not left:
        yield {}, Progress(progress.doing, progress.doing)


def _on_top(connection: Connection, step: Step, buckets: Mapping[Key, Bucket]) -> list[dict[str, Any]]:
    """The buckets as rows, added to what the table has of them."""
    table = TABLES[step]
    names = tuple_(table.c.device, table.c.kind, table.c.bucket)
    wanted = [(key.device, key.kind, key.start) for key in buckets]
    rows = []
    there = {
        Key(step, row.device, row.kind, row.bucket): Bucket.from_json(row.rows, row.data)
        for row in connection.execute(select(table).where(names.in_(wanted)))
    }
    for key, bucket in buckets.items():
        whole = there.get(key, Bucket())
        whole.merge(bucket)
        rows.append(
            {"device": key.device, "kind": key.kind, "bucket": key.start, "rows": whole.rows, "data": whole.to_json()}
        )
    return rows


def _move(connection: Connection, before: Progress, after: Progress) -> None:
    ours = (META.c.name == PROGRESS, META.c.value == before.to_json())
    moved = connection.execute(update(META).where(*ours).values(value=after.to_json())).rowcount
    if moved:
        return
    if connection.scalar(select(META.c.value).where(META.c.name == PROGRESS)) is not None:
        raise StoreRefused("telemetry is summed up by another hub on the same database; stop one of them")
    connection.execute(insert(META).values(name=PROGRESS, value=after.to_json()))
