"""A few devices with the agent's own outbox on disk and its own link."""

import contextlib
import heapq
import itertools
import random
import secrets
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.report.lane import Lane
from agent.report.link import Link
from agent.report.outbox import Outbox, Sample
from contract import topics
from contract.telemetry import DeviceState, Watermark
from swarm.ledger import BURST, DATA, SAMPLE, Produced, Waits
from swarm.scenario import Moment
from swarm.seat import Seat, client_context

LOOK_S = 0.02


class TimedLane(Lane):
    """The agent's lane, which also tells which rows a watermark was the first to cover."""

    def __init__(self, topic: str, outbox: Outbox, on_stored: Callable[[Sequence[Sample]], None]) -> None:
        super().__init__(topic, outbox)
        self._on_stored = on_stored
        self._made: deque[Sample] = deque()
        self._covered = 0
        self._making = threading.Lock()

    def put(self, sample: Sample) -> None:
        """Keep a row."""
        with self._making:
            self._made.append(sample)
            self.outbox.put(sample)

    def marked(self, mark: Watermark) -> None:
        """Take a watermark of the hub."""
        super().marked(mark)
        with self._making:
            fresh = self.outbox.acked - self._covered
            rows = [self._made.popleft() for _ in range(max(0, fresh))]
            self._covered += len(rows)
        if rows:
            self._on_stored(rows)


class RealDevice:
    """One device: two outboxes on disk and a link with threads of its own."""

    def __init__(self, seat: Seat, folder: Path, waits: Waits, chance: random.Random) -> None:
        self.seat = seat
        machine = secrets.token_hex(8)
        boxes = [Outbox(folder / f"{name}.db", machine=machine) for name in ("event", "telemetry")]
        told = lambda rows: waits.add(rows, cut=seat.cut)  # noqa: E731  the same for both lanes
        self.events = TimedLane(topics.event(seat.device), boxes[0], told)
        self.telemetry = TimedLane(topics.tele(seat.device), boxes[1], told)
        birth = DeviceState(
            device=seat.device, online=True, boot="swarm", incarnation=secrets.token_hex(6), version="swarm"
        )
        tls = self._trust if seat.certificate is not None else None
        lanes = (self.events, self.telemetry)
        self.link = Link(birth, seat.address.host, seat.address.port, lanes, tls=tls, chance=chance)

    @property
    def waiting(self) -> int:
        """Rows that the hub has not acknowledged."""
        return self.events.outbox.depth().rows + self.telemetry.outbox.depth().rows

    def _trust(self) -> ssl.SSLContext:
        assert self.seat.authority is not None  # noqa: S101  who has a certificate has its authority
        assert self.seat.certificate is not None  # noqa: S101
        context = client_context(self.seat.authority)
        context.load_cert_chain(self.seat.certificate)
        return context

    def end(self) -> None:
        """Say goodbye and close the files."""
        self.link.stop()
        self.events.outbox.close()
        self.telemetry.outbox.close()


class RealFleet:
    """The agent's own outboxes and links, one pair of files and one link a seat.

    Args:
        seats: who, and where to call.
        folder: where the outboxes lie.
        produced: takes a line for each row before it is put.
        waits: is told how long rows took.
        chance: phases and jitter.
    """

    how = (
        "the agent's own outboxes on disk and its own link; a row waits up to 0.2 s for its fdatasync before it leaves"
    )

    def __init__(
        self, seats: Sequence[Seat], folder: Path, produced: Produced, waits: Waits, chance: random.Random
    ) -> None:
        self._produced = produced
        self._chance = chance
        self._numbers = itertools.count(1)
        self.devices = [
            RealDevice(seat, folder / seat.device, waits, random.Random(chance.getrandbits(64))) for seat in seats
        ]

    def connect(self, within_s: float) -> float | None:
        """Bring everybody up; the seconds that took, or None where not all were up in time."""
        begun = time.monotonic()
        for device in self.devices:
            device.link.start()
        while not all(device.link.up for device in self.devices):
            if time.monotonic() > begun + within_s:
                return None
            time.sleep(LOOK_S)
        return time.monotonic() - begun

    def produce(self, seconds: float, rate: float, moments: Sequence[Moment]) -> None:
        """Let every device say `rate` samples a second for so long; each moment's act is called when it comes."""
        begun = time.monotonic()
        due: list[tuple[float, int, Callable[[], None]]] = []
        order = itertools.count()
        for device in self.devices:
            at = self._chance.random() / rate
            while at < seconds:
                due.append((at, next(order), self._sampling(device)))
                at += 1 / rate
        due += [(moment.at_s, next(order), moment.act) for moment in moments]
        heapq.heapify(due)
        while due:
            at, _, act = heapq.heappop(due)
            time.sleep(max(0.0, begun + at - time.monotonic()))
            act()
        time.sleep(max(0.0, begun + seconds - time.monotonic()))

    def burst(self, rows: int) -> None:
        """Let every device say so many events at once."""
        for device in self.devices:
            for _ in range(rows):
                self._say(device, device.events, BURST)

    def drain(self, within_s: float) -> int:
        """Wait until the hub has every row; how many it has not, after `within_s` seconds."""
        until = time.monotonic() + within_s
        while (left := sum(device.waiting for device in self.devices)) and time.monotonic() < until:
            time.sleep(LOOK_S)
        return left

    def end(self) -> None:
        """Say goodbye and close everything."""
        with contextlib.ExitStack() as stack:
            for device in self.devices:
                stack.callback(device.end)

    def _sampling(self, device: RealDevice) -> Callable[[], None]:
        return lambda: self._say(device, device.telemetry, SAMPLE)

    def _say(self, device: RealDevice, lane: TimedLane, kind: str) -> None:
        mark = f"{device.seat.device}-{next(self._numbers)}"
        self._produced.note(mark)
        wall = time.time() + device.seat.skew_s
        lane.put(Sample(mark, kind, "swarm", time.monotonic_ns(), wall, DATA))
