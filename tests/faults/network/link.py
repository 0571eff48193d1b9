"""What one direction of a link does to packets. Pure: time is an argument, in seconds, and chance is seeded."""

import heapq
import random
from collections import deque
from dataclasses import asdict, dataclass

Direction = tuple[str, str]
"""(from, to), by the names of the namespaces."""
BOTH: None = None
"""Where a direction is asked for: every direction between every two namespaces."""
FLYING_MAX = 20_000
"""Packets on their way in one direction; more are dropped and counted as overflowed."""


@dataclass(frozen=True, slots=True)
class Link:
    """How one direction behaves. Without arguments: as fast as the machine, and nothing is lost."""

    delay_ms: float = 0.0
    """One way."""
    jitter_ms: float = 0.0
    """Up to so much is added to the delay, evenly distributed."""
    reorder: bool = False
    """Whether jitter may let a packet overtake another."""
    loss: float = 0.0
    """Share of the packets that are lost, 0 to 1; they do not use up the rate."""
    burst: float = 1.0
    """Mean length of a run of losses, in packets (Gilbert-Elliott: all is lost in the bad state, nothing in
    the good one); 1 for losses that know nothing of each other."""
    rate_bps: float = 0.0
    """Bits a second, IP header included; 0 for no limit."""
    queue_bytes: int = 64_000
    """What may wait for its turn where there is a rate; a packet that finds no room is dropped."""

    def __post_init__(self) -> None:
        if not 0 <= self.loss <= 1 or self.burst < 1:
            raise ValueError(f"loss is a share from 0 to 1 and a burst at least one packet: {self}")
        if min(self.delay_ms, self.jitter_ms, self.rate_bps, self.queue_bytes) < 0:
            raise ValueError(f"no figure of a link is below zero: {self}")


@dataclass
class Counts:
    """What became of the packets of one direction."""

    offered: int = 0
    lost: int = 0
    """By chance."""
    overflowed: int = 0
    """Found no room in the queue."""
    cut: int = 0
    """While the direction was cut."""
    passed: int = 0
    passed_bytes: int = 0


class Pipe:
    """One direction: chance, then the queue and its rate, then the delay."""

    def __init__(self, seed: str) -> None:
        self.link = Link()
        self.counts = Counts()
        self._cut = False
        # Two generators: the losses of a seed are the same whatever the jitter is.
        self._chance = random.Random(f"{seed} loss")
        self._wobble = random.Random(f"{seed} jitter")
        self._in_burst = False
        self._queue: deque[tuple[float, bytes]] = deque()
        self._queued_bytes = 0
        self._free_s = 0.0
        self._flying: list[tuple[float, int, bytes]] = []
        self._flown = 0
        self._last_due_s = 0.0

    def shape(self, link: Link, now_s: float) -> None:
        """Behave like this from now on; what waits leaves at the new rate."""
        self._serve(now_s)
        self.link = link

    def cut(self, now_s: float) -> None:
        """Pull the cable: what is under way is lost as well."""
        self._serve(now_s)
        self._cut = True
        self.counts.cut += len(self._queue) + len(self._flying)
        self._queue.clear()
        self._queued_bytes = 0
        self._flying.clear()

    def heal(self) -> None:
        """Plug the cable in again."""
        self._cut = False

    def put(self, packet: bytes, now_s: float) -> None:
        """A packet comes in."""
        self.counts.offered += 1
        unlucky = self._unlucky()
        if self._cut:
            self.counts.cut += 1
        elif unlucky:
            self.counts.lost += 1
        elif not self.link.rate_bps and not self._queue:
            self._fly(packet, now_s)
        else:
            self._serve(now_s)
            if self._queued_bytes + len(packet) > self.link.queue_bytes:
                self.counts.overflowed += 1
                return
            self._queue.append((now_s, packet))
            self._queued_bytes += len(packet)

    def take(self, now_s: float) -> list[bytes]:
        """The packets that have arrived by now, in the order of their arrival."""
        self._serve(now_s)
        arrived = []
        while self._flying and self._flying[0][0] <= now_s:
            packet = heapq.heappop(self._flying)[2]
            self.counts.passed += 1
            self.counts.passed_bytes += len(packet)
            arrived.append(packet)
        return arrived

    def next_s(self) -> float | None:
        """When something happens next; None while the direction is empty."""
        times = [self._flying[0][0]] if self._flying else []
        if self._queue:
            times.append(self._head_leaves_s())
        return min(times, default=None)

    def figures(self) -> dict[str, int]:
        """The counts, and what waits in the queue now."""
        return {**asdict(self.counts), "queued_bytes": self._queued_bytes}

    def _unlucky(self) -> bool:
        """One draw a packet, whatever the link is, so that a seed means the same packets."""
        drawn, loss, burst = self._chance.random(), self.link.loss, self.link.burst
        if burst <= 1 or not 0 < loss < 1:
            return drawn < loss
        leave, enter = 1 / burst, min(1.0, loss / (burst * (1 - loss)))
        self._in_burst = drawn >= leave if self._in_burst else drawn < enter
        return self._in_burst

    def _head_leaves_s(self) -> float:
        came_s, packet = self._queue[0]
        taken_s = len(packet) * 8 / self.link.rate_bps if self.link.rate_bps else 0.0
        return max(came_s, self._free_s) + taken_s

    def _serve(self, now_s: float) -> None:
        while self._queue and (left_s := self._head_leaves_s()) <= now_s:
            _, packet = self._queue.popleft()
            self._queued_bytes -= len(packet)
            self._free_s = left_s
            self._fly(packet, left_s)

    def _fly(self, packet: bytes, now_s: float) -> None:
        if len(self._flying) >= FLYING_MAX:
            self.counts.overflowed += 1
            return
        due_s = now_s + (self.link.delay_ms + self._wobble.random() * self.link.jitter_ms) / 1000
        if not self.link.reorder:
            due_s = max(due_s, self._last_due_s)
        self._last_due_s = due_s
        self._flown += 1
        heapq.heappush(self._flying, (due_s, self._flown, packet))
