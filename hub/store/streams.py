"""Streams and their watermarks, as one batch of rows needs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from sqlalchemy import Connection, Table, select

from contract.telemetry import Row
from hub.store.bulk import among, insert_many, set_many
from hub.store.tables import EVENT, STREAM, TELEMETRY
from hub.store.watermark import Mark

RowKind = Literal["tele", "event"]
TABLES: Mapping[RowKind, Table] = {"tele": TELEMETRY, "event": EVENT}
COLUMNS = ("stream", "device", "kind", "upto")


class Arrived(NamedTuple):
    """A valid row, from whom, on which topic, and when in seconds of hub UTC."""

    device: str
    kind: RowKind
    row: Row
    received: float


@dataclass(slots=True)
class Stream:
    """Whose a stream is, and how far it is stored."""

    device: str
    kind: RowKind
    mark: Mark
    kept: int | None
    """The watermark that the table has; None where it does not have the stream."""
    first: int = 1
    """Its device's oldest unacknowledged row, as the newest arrival said."""


class Streams(Protocol):
    """Where the streams of a batch come from."""

    def load(self, connection: Connection, batch: Sequence[Arrived]) -> dict[str, Stream]:
        """The streams that the batch speaks of, to work on until the commit; new ones belong to who spoke first."""

    def committed(self, streams: Mapping[str, Stream]) -> None:
        """What was made of them is in the database now."""


class RememberedStreams:
    """In the memory of the only process that writes rows (SQLite)."""

    def __init__(self) -> None:
        self._streams: dict[str, Stream] = {}

    def load(self, connection: Connection, batch: Sequence[Arrived]) -> dict[str, Stream]:
        """From memory, or from the tables where the stream was not spoken of since the hub started."""
        streams: dict[str, Stream] = {}
        names = {one.row.stream for one in batch}
        for name in names & self._streams.keys():
            known = self._streams[name]
            streams[name] = Stream(known.device, known.kind, known.mark.copy(), known.kept)
        others = names - self._streams.keys()
        for found in connection.execute(select(STREAM).where(STREAM.c.stream.in_(others))) if others else ():
            table = TABLES[found.kind]
            ahead = select(table.c.seq).where(table.c.stream == found.stream, table.c.seq > found.upto)
            mark = Mark(found.upto, set(connection.scalars(ahead)))
            streams[found.stream] = Stream(found.device, found.kind, mark, found.upto)
        for one in batch:
            if one.row.stream not in streams:
                streams[one.row.stream] = Stream(one.device, one.kind, Mark(), None)
        return streams

    def committed(self, streams: Mapping[str, Stream]) -> None:
        """Remember them."""
        for stream in streams.values():
            stream.kept = stream.mark.upto
        self._streams.update(streams)


class LockedStreams:
    """In the database alone, each under a lock until the commit: rows of one stream may come to several processes.

    Nobody waits in a circle: streams that are not there are made first and in one order, by transactions that hold
    nothing else yet; then all are locked, again in one order.
    """

    def load(self, connection: Connection, batch: Sequence[Arrived]) -> dict[str, Stream]:
        """Make what is missing, lock them all, and read how far each is stored under that lock."""
        owners: dict[str, Arrived] = {}
        for one in batch:
            owners.setdefault(one.row.stream, one)
        ours = among(STREAM.c.stream, owners)
        missing = sorted(owners.keys() - set(connection.scalars(select(STREAM.c.stream).where(ours))))
        new = [(name, owners[name].device, owners[name].kind, 0) for name in missing]
        insert_many(connection, STREAM, COLUMNS, new, skip_known=True)
        locked = select(STREAM).where(ours).order_by(STREAM.c.stream).with_for_update()
        streams = {
            found.stream: Stream(found.device, found.kind, Mark(found.upto), found.upto)
            for found in connection.execute(locked)
        }
        for kind in {one.kind for one in batch}:
            table = TABLES[kind]
            joined = select(table.c.stream, table.c.seq).join(STREAM, STREAM.c.stream == table.c.stream)
            for name, seq in connection.execute(joined.where(ours, table.c.seq > STREAM.c.upto)):
                streams[name].mark.beyond.add(seq)
        return streams

    def committed(self, streams: Mapping[str, Stream]) -> None:
        """Forget them: the next batch of theirs may go through another process."""


def save(connection: Connection, streams: Mapping[str, Stream]) -> None:
    """Write how far each stream is stored."""
    new = [(name, s.device, s.kind, s.mark.upto) for name, s in streams.items() if s.kept is None]
    insert_many(connection, STREAM, COLUMNS, new)
    moved = [(name, s.mark.upto) for name, s in streams.items() if s.kept not in {None, s.mark.upto}]
    set_many(connection, STREAM, "stream", "upto", moved)
