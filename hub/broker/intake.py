"""Rows and presence: from the network thread through a bounded queue to one writer, then acknowledged.

PUBACK means nothing here: a device forgets a row only after the watermark, and the
watermark is published only after the commit.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Protocol, TypeVar

from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from contract import topics
from contract.telemetry import DeviceState
from hub.broker.link import Arrival
from hub.broker.misfits import Misfits
from hub.broker.reading import KINDS, PAYLOAD_LIMIT, Refused, read_row, read_state
from hub.broker.waiting import Waiting
from hub.store.errors import DATABASE_TROUBLE, in_short
from hub.store.rows import Arrived, Taken

QUEUE_SIZE = 20_000
"""Arrivals that wait for the writer. Beyond it arrivals are dropped and counted: rows stay in the
outboxes and come again, presence is told again at the next connect."""
QUEUE_BYTES = 64 << 20
"""The same in bytes: 20,000 of the longest messages would not fit into memory."""
BATCH_ROWS = 500
BATCH_S = 0.05
RETRY_S = (0.2, 5.0)
"""First and longest pause after a commit failed, in seconds."""
WATERMARK_QOS = 0
"""A watermark that is lost is told again with the row that comes again for want of it; a PUBACK for each would cost
more than all the rest of a row."""
ALERT_EVERY_S = 60.0
"""A device's quarantined rows raise its alert at most so often, in seconds."""
QUARANTINED = "quarantined-rows"
"""The alert's kind."""

log = logging.getLogger("hub.broker")


class RowStore(Protocol):
    """Where rows go."""

    def take(self, batch: Sequence[Arrived]) -> Taken:
        """Store a batch in one transaction."""


class Roll(Protocol):
    """Who is registered, and who tells his presence."""

    def get(self, device: str) -> object | None:
        """The device, or None; None also where it was shut out."""

    def present(self, states: Sequence[DeviceState]) -> None:
        """Presences came from registered devices."""


class _Said(Protocol):
    @property
    def device(self) -> str:
        """Who said it."""


Said = TypeVar("Said", bound=_Said)


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

    def __add__(self, other: "IntakeCounts") -> "IntakeCounts":
        """Of two intakes together."""
        return IntakeCounts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


class Intake:
    """One writer thread behind a bounded queue.

    Args:
        rows: where rows go.
        roll: registered devices.
        publish: sends a payload to a topic, with a quality of service.
        misfits: counts what cannot be used.
        alert: is told a device, the kind of alert and words that somebody should read.
        elsewhere: what intakes in other processes did, who take in rows for the same hub.
    """

    def __init__(
        self,
        rows: RowStore,
        roll: Roll,
        publish: Callable[[str, bytes, int], None],
        misfits: Misfits,
        alert: Callable[[str, str, str], None] = lambda *_: None,
        elsewhere: Callable[[], IntakeCounts] = IntakeCounts,
    ) -> None:
        self._rows = rows
        self._roll = roll
        self._publish = publish
        self._misfits = misfits
        self._alert = alert
        self._elsewhere = elsewhere
        self._alerted: dict[str, float] = {}
        self._waiting = Waiting(QUEUE_SIZE, QUEUE_BYTES)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hub.intake", daemon=True)
        self._pause_s = 0.0
        self._counts = IntakeCounts()
        self.on_stored: list[Callable[[Sequence[Arrived]], object]] = []
        """Each is handed the rows of every batch after its commit, on the writer's thread; must return at once."""

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what has arrived, then end."""
        self._stopping.set()
        self._waiting.close()
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the writer runs."""
        return self._thread.is_alive()

    @property
    def counts(self) -> IntakeCounts:
        """What was done since the start, by every process that takes rows in for this hub."""
        return self._counts + self._elsewhere()

    @property
    def waiting(self) -> int:
        """Arrivals that wait for this process's writer."""
        return len(self._waiting)

    def offer(self, arrival: Arrival) -> None:
        """Take an arrival; called on the network thread, never blocks."""
        if len(arrival.payload) > PAYLOAD_LIMIT:
            self._misfits.count(_device(arrival), "oversized", f"{len(arrival.payload)} bytes are too many")
        elif not self._waiting.put(arrival):
            self._counts.dropped += 1
            self._misfits.count("the fleet", "queue-full", "more rows than the database takes; they will come again")

    def _run(self) -> None:
        while batch := self._waiting.gather(BATCH_ROWS, BATCH_S):
            try:
                self._work(batch)
            except Exception:
                # It would end the only writer, whatever it was: the hub would be deaf and look alive.
                self._counts.failed_batches += 1
                log.exception("%d messages could not be taken; rows among them will come again", len(batch))

    def _work(self, batch: Sequence[Arrival]) -> None:
        rows: list[Arrived] = []
        states: dict[str, DeviceState] = {}
        for arrival in batch:
            device, leaf = topics.parted(arrival.topic) or (arrival.topic, "")
            try:
                if leaf in KINDS:
                    rows.append(read_row(arrival, self._known(device), KINDS[leaf]))
                else:
                    states[device] = read_state(arrival, self._known(device))
            except Refused as refused:
                self._misfits.count(device, refused.reason, str(refused))
        if states:
            self._commit(self._present, list(states.values()))
        if rows:
            self._commit(self._take, rows)

    def _known(self, device: str) -> str:
        if self._roll.get(device) is None:
            raise Refused("unknown-device", "it is not registered; register it, or find out who speaks in its name")
        return device

    def _take(self, rows: Sequence[Arrived]) -> Taken:
        taken = self._rows.take(rows)
        for tell in self.on_stored:
            tell(rows)
        return taken

    def _present(self, states: Sequence[DeviceState]) -> Taken:
        self._roll.present(states)
        return Taken()

    def _commit(self, store: Callable[[Sequence[Said]], Taken], said: Sequence[Said]) -> None:
        """Commit, then acknowledge. What cannot be committed is dropped: it is still in the outboxes."""
        try:
            taken = store(said)
        except Exception as error:  # noqa: BLE001  told on, as trouble of the database or of one message
            if _is_down(error):
                self._wait_for_database(error)
            elif len(said) == 1:
                self._misfits.count(said[0].device, "unstorable", in_short(error))
            else:
                self._one_by_one(store, said)
            return
        if self._pause_s:
            self._pause_s = 0.0
            log.info("rows are stored again")
        self._tell(taken)

    def _one_by_one(self, store: Callable[[Sequence[Said]], Taken], said: Sequence[Said]) -> None:
        """One message that the database will never take must not keep the others out."""
        for one in said:
            self._commit(store, [one])
            if self._pause_s:
                return  # the database went down meanwhile

    def _wait_for_database(self, error: Exception) -> None:
        self._counts.failed_batches += 1
        if not self._pause_s:
            log.error("rows cannot be stored and stay with their devices: %s", in_short(error))
        self._pause_s = min(RETRY_S[1], max(RETRY_S[0], self._pause_s * 2))
        self._stopping.wait(self._pause_s)

    def _tell(self, taken: Taken) -> None:
        self._counts.stored += taken.stored
        self._counts.repeated += taken.repeated
        self._counts.quarantined += len(taken.quarantined)
        for one, why in taken.quarantined:
            self._misfits.count(one.device, "quarantined", why)
            self._raise(one.device)
        for one in taken.too_far:
            self._misfits.count(one.device, "too-far-ahead", f"stream {one.row.stream} has too much beyond a hole")
        for stream, first, last in taken.gaps:
            log.warning("rows %d to %d of stream %s are declared lost by their device", first, last, stream)
        if taken.rewound:
            self._counts.rewound += taken.rewound
            words = "%d streams are asked for rows again: this database is older than what their devices were told"
            log.warning(words, taken.rewound)
        for device, watermark in taken.watermarks:
            self._publish(topics.ack(device), watermark.model_dump_json().encode(), WATERMARK_QOS)

    def _raise(self, device: str) -> None:
        """Let somebody look at a device whose rows were quarantined."""
        now = time.monotonic()
        if now - self._alerted.get(device, -ALERT_EVERY_S) < ALERT_EVERY_S:
            return
        words = (
            "rows came under numbers that hold something else, as a copied disk makes them; they are set aside "
            "and not counted: find out which machine speaks as this device, and enrol the other one anew"
        )
        try:
            self._alert(device, QUARANTINED, words)
        except SQLAlchemyError as error:
            log.warning("an alert of %s could not be kept and will be raised again: %s", device, in_short(error))
            return
        self._alerted[device] = now


def _device(arrival: Arrival) -> str:
    return topics.device_of(arrival.topic) or arrival.topic


def _is_down(error: Exception) -> bool:
    """Whether the database itself is in trouble, not what it was given."""
    return isinstance(error, DATABASE_TROUBLE) and not isinstance(error, DataError | IntegrityError)
