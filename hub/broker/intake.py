"""Rows and presence: from the network thread through a bounded queue to one writer, then acknowledged.

PUBACK means nothing here: a device forgets a row only after the watermark, and the
watermark is published only after the commit.
"""

import contextlib
import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from contract import topics
from contract.telemetry import DeviceState, Row
from hub.broker.link import Arrival
from hub.broker.misfits import Misfits
from hub.store.rows import Arrived, RowKind, Taken

QUEUE_SIZE = 20_000
"""Arrivals that wait for the writer. Beyond it arrivals are dropped and counted: rows stay in the
outboxes and come again, presence is told again at the next connect."""
BATCH_ROWS = 500
BATCH_S = 0.05
RETRY_S = (0.2, 5.0)
"""First and longest pause after a commit failed, in seconds."""
TEXT_LIMIT = 64
KINDS: Mapping[str, RowKind] = {"tele": "tele", "event": "event"}
"""By the last level of the topic."""
NUMBER_LIMIT = 2**63
PAYLOAD_LIMIT = 256 * 1024
"""Longest row or presence, in bytes."""

log = logging.getLogger("hub.broker")


class RowStore(Protocol):
    """Where rows go."""

    def take(self, batch: Sequence[Arrived]) -> Taken:
        """Store a batch in one transaction."""


class Roll(Protocol):
    """Who is registered, and who tells his presence."""

    def get(self, device: str) -> object | None:
        """The device, or None."""

    def present(self, states: Sequence[DeviceState]) -> None:
        """Presences came from registered devices."""


class Refused(Exception):
    """A message that cannot be used; `reason` is its short name."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


@dataclass(slots=True)
class IntakeCounts:
    """What the intake did since it started."""

    stored: int = 0
    repeated: int = 0
    quarantined: int = 0
    rewound: int = 0
    """Times a stream was asked for again, because this database is older than what its device was told."""
    dropped: int = 0
    """Arrivals that found the queue full."""
    failed_batches: int = 0


class Intake:
    """One writer thread behind a bounded queue.

    Args:
        rows: where rows go.
        roll: registered devices.
        publish: sends a payload to a topic.
        misfits: counts what cannot be used.
    """

    def __init__(self, rows: RowStore, roll: Roll, publish: Callable[[str, bytes], None], misfits: Misfits) -> None:
        self._rows = rows
        self._roll = roll
        self._publish = publish
        self._misfits = misfits
        self._queue: queue.Queue[Arrival | None] = queue.Queue(QUEUE_SIZE)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hub.intake", daemon=True)
        self._pause_s = 0.0
        self._gathered = 0.0
        """When the last batch was complete, in monotonic seconds."""
        self.counts = IntakeCounts()

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what has arrived, then end."""
        self._stopping.set()
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)  # wakes a writer that waits
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the writer runs."""
        return self._thread.is_alive()

    def offer(self, arrival: Arrival) -> None:
        """Take an arrival; called on the network thread, never blocks."""
        try:
            self._queue.put_nowait(arrival)
        except queue.Full:
            self.counts.dropped += 1
            self._misfits.count("the fleet", "queue-full", "more rows than the database takes; they will come again")

    def _run(self) -> None:
        while not (self._stopping.is_set() and self._queue.empty()):
            batch = self._gather()
            if batch:
                self._work(batch)

    def _gather(self) -> list[Arrival]:
        """Wait for the first arrival, then for as many as come within `BATCH_S`.

        What arrived while the last batch was written has waited already: that time counts.
        """
        try:
            first = self._queue.get_nowait()
            until = self._gathered + BATCH_S
        except queue.Empty:
            first = self._queue.get()
            until = time.monotonic() + BATCH_S
        if first is None:
            return []
        batch = [first]
        self._fill(batch, until)
        self._gathered = time.monotonic()
        return batch

    def _fill(self, batch: list[Arrival], until: float) -> None:
        while len(batch) < BATCH_ROWS:
            try:
                arrival = self._queue.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return
            if arrival is None:
                return
            batch.append(arrival)

    def _work(self, batch: Sequence[Arrival]) -> None:
        rows: list[Arrived] = []
        states: dict[str, DeviceState] = {}
        for arrival in batch:
            device = topics.device_of(arrival.topic) or arrival.topic[:TEXT_LIMIT]
            try:
                self._read(arrival, device, rows, states)
            except Refused as refused:
                self._misfits.count(device, refused.reason, str(refused))
        self._commit(rows, states)

    def _read(self, arrival: Arrival, device: str, rows: list[Arrived], states: dict[str, DeviceState]) -> None:
        if self._roll.get(device) is None:
            raise Refused("unknown-device", "it is not registered; register it, or find out who speaks in its name")
        if len(arrival.payload) > PAYLOAD_LIMIT:
            raise Refused("malformed", f"{len(arrival.payload)} bytes are too many")
        leaf = arrival.topic.rpartition("/")[2]
        if leaf == "state":
            states[device] = _state(arrival, device)
        elif leaf in KINDS:
            rows.append(_row(arrival, device, KINDS[leaf]))
        else:
            raise Refused("topic", f"nothing is expected on {arrival.topic}")

    def _commit(self, rows: Sequence[Arrived], states: dict[str, DeviceState]) -> None:
        """Commit, then acknowledge. What cannot be committed is dropped: it is still in the outboxes."""
        try:
            if states:
                self._roll.present(list(states.values()))
            taken = self._rows.take(rows) if rows else Taken()
        except (DataError, IntegrityError) as error:
            self._one_by_one(rows, error)
            return
        except DBAPIError as error:
            self.counts.failed_batches += 1
            if not self._pause_s:
                log.error("rows cannot be stored and stay with their devices: %s", error.orig)  # noqa: TRY400  told once
            self._pause_s = min(RETRY_S[1], max(RETRY_S[0], self._pause_s * 2))
            self._stopping.wait(self._pause_s)
            return
        if self._pause_s:
            self._pause_s = 0.0
            log.info("rows are stored again")
        self._tell(taken)

    def _one_by_one(self, rows: Sequence[Arrived], error: DBAPIError) -> None:
        """One row that the database will never take must not keep the others out."""
        if len(rows) > 1:
            for row in rows:
                self._commit([row], {})
        else:
            self._misfits.count(rows[0].device, "unstorable", str(error.orig))

    def _tell(self, taken: Taken) -> None:
        self.counts.stored += taken.stored
        self.counts.repeated += taken.repeated
        self.counts.quarantined += len(taken.quarantined)
        for one, why in taken.quarantined:
            self._misfits.count(one.device, "quarantined", why)
        for one in taken.too_far:
            self._misfits.count(one.device, "too-far-ahead", f"stream {one.row.stream} has too much beyond a hole")
        for stream, first, last in taken.gaps:
            log.warning("rows %d to %d of stream %s are declared lost by their device", first, last, stream)
        if taken.rewound:
            self.counts.rewound += taken.rewound
            words = "%d streams are asked for rows again: this database is older than what their devices were told"
            log.warning(words, taken.rewound)
        for device, watermark in taken.watermarks:
            self._publish(topics.ack(device), watermark.model_dump_json().encode())


def _row(arrival: Arrival, device: str, kind: RowKind) -> Arrived:
    try:
        row = Row.model_validate_json(arrival.payload)
    except ValidationError as error:
        raise Refused("malformed", f"not a row: {error.error_count()} fields are wrong") from error
    in_order = (row.kept or 1) <= row.first <= row.seq
    if not in_order or max(row.seq, abs(row.mono_ns)) >= NUMBER_LIMIT or not math.isfinite(row.wall):
        raise Refused("malformed", f"row {row.id[:TEXT_LIMIT]!r} has numbers that make no sense")
    texts = (row.stream, row.id, row.kind, row.boot)
    if not all(len(text) <= TEXT_LIMIT and text.isprintable() for text in texts) or not (row.stream and row.id):
        raise Refused("malformed", f"row {row.seq} has a name that is empty, longer than {TEXT_LIMIT} or unprintable")
    return Arrived(device, kind, row, arrival.at_ns / 1e9)


def _state(arrival: Arrival, device: str) -> DeviceState:
    try:
        state = DeviceState.model_validate_json(arrival.payload)
    except ValidationError as error:
        raise Refused("malformed", f"not a presence: {error.error_count()} fields are wrong") from error
    if state.device != device:
        raise Refused("spoofed", f"it tells the presence of {state.device}")
    return state
