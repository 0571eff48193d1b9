"""A bottleneck that is the same at every run: rate, queue, delay, jitter, loss; senders with the real controller."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.stream.congestion import CongestionController
from agent.stream.pacer import Pacer, Priority
from agent.stream.twcc import FeedbackBuilder, parse_feedback

PACKET = 1150


@dataclass
class Link:
    """What lies between: one queue for everybody."""

    rate_bps: float = 1e9
    queue_bytes: int = 60_000
    delay_us: int = 20_000
    jitter_us: int = 0
    loss: float = 0.0
    burst: float = 1.0
    """Mean length of a run of losses, in packets."""
    feedback_loss: float = 0.0
    policer: bool = False
    """Drop what exceeds the rate (100 ms of burst) instead of queueing it."""
    busy_until_us: float = 0.0
    tokens: float = 0.0
    refilled_us: int = 0
    in_burst: bool = False


@dataclass
class Sample:
    at_us: int
    target_bps: int
    arrived_bytes: int
    queue_ms: float


@dataclass
class Flow:
    """A sender that encodes at the target, up to what it wants, 25 pictures a second and sound."""

    controller: CongestionController
    wanted_bps: float = 2e6
    start_us: int = 0
    drift: float = 0.0
    probes: bool = True
    random_sizes: bool = True
    fills: float = 0.95
    """Share of the target that the encoder makes of it."""
    camera_from_bps: float = 0.0
    """With less than this beside the sound no pictures are sent; nor padding, which repeats them."""
    pacer: Pacer = field(default_factory=lambda: Pacer(1_000_000))
    builder: FeedbackBuilder = field(default_factory=FeedbackBuilder)
    sequence: int = 65_000
    samples: list[Sample] = field(default_factory=list)
    arrived_bytes: int = 0
    sent: int = 0
    lost: int = 0
    probe_count: int = 0
    delays_ms: list[tuple[int, float]] = field(default_factory=list)


class Simulation:
    def __init__(self, link: Link, seed: int = 1):
        self.link = link
        self.dice = random.Random(seed)
        self.now_us = 0
        self._events: list = []
        self._tie = itertools.count()
        self.flows: list[Flow] = []

    def at(self, time_us: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (max(int(time_us), self.now_us), next(self._tie), act))

    def run(self, until_s: float) -> None:
        while self._events and self._events[0][0] <= until_s * 1e6:
            self.now_us, _, act = heapq.heappop(self._events)
            act()
        self.now_us = int(until_s * 1e6)

    def change(self, at_s: float, **fields) -> None:
        self.at(at_s * 1e6, lambda: [setattr(self.link, name, value) for name, value in fields.items()])

    def carry(self, size: int, arrive: Callable[[], None], lose: Callable[[], None] = lambda: None) -> None:
        link = self.link
        # Gilbert: enter a burst so often that the mean loss is `loss`, leave it after `burst` packets on average.
        if link.in_burst:
            link.in_burst = self.dice.random() >= 1 / link.burst
        else:
            link.in_burst = self.dice.random() < link.loss / max(1e-9, (1 - link.loss) * link.burst)
        if link.in_burst:
            lose()
            return
        if link.policer:
            link.tokens = min(
                link.rate_bps * 0.1 / 8, link.tokens + (self.now_us - link.refilled_us) * link.rate_bps / 8e6
            )
            link.refilled_us = self.now_us
            if link.tokens < size:
                lose()
                return
            link.tokens -= size
            wait_us = 0.0
        else:
            begin = max(self.now_us, link.busy_until_us)
            if (begin - self.now_us) * link.rate_bps / 8e6 + size > link.queue_bytes:
                lose()
                return
            link.busy_until_us = begin + size * 8e6 / link.rate_bps
            wait_us = link.busy_until_us - self.now_us
        jitter = abs(self.dice.gauss(0, link.jitter_us)) if link.jitter_us else 0
        self.at(self.now_us + wait_us + link.delay_us + jitter, arrive)

    def queue_ms(self) -> float:
        return max(0.0, self.link.busy_until_us - self.now_us) / 1000

    def constant(self, bps: float, from_s: float, to_s: float) -> None:
        step_us = PACKET * 8e6 / bps

        def tick() -> None:
            if self.now_us < to_s * 1e6:
                self.carry(PACKET, lambda: None)
                self.at(self.now_us + step_us, tick)

        self.at(from_s * 1e6, tick)

    def tcp(self, from_s: float, to_s: float = 1e6, kind: "type[Reno] | None" = None) -> "Reno":
        return (kind or Reno)(self, from_s, to_s)

    def add(self, start_bps=2_000_000, min_bps=60_000, max_bps=8_000_000, **fields) -> Flow:
        flow = Flow(CongestionController(start_bps, min_bps, max_bps), **fields)
        flow.controller.wanted_bps = int(flow.wanted_bps)
        self.flows.append(flow)
        for act, step_us in (
            (self._picture, 40_000),
            (self._sound, 20_000),
            (self._tick, 50_000),
            (self._sample, 100_000),
        ):
            self._every(flow, act, step_us)
        return flow

    def _every(self, flow: Flow, act: Callable[[Flow], None], step_us: int) -> None:
        def tick() -> None:
            act(flow)
            self.at(self.now_us + step_us, tick)

        self.at(flow.start_us, tick)

    def _picture(self, flow: Flow) -> None:
        if not self._has_pictures(flow):
            return
        bps = max(40_000, min(flow.wanted_bps, flow.controller.target_bps * flow.fills) - 45_000)
        size = int(bps * 0.04 / 8 * (self.dice.uniform(0.7, 1.3) if flow.random_sizes else 1))
        while size > 0:
            flow.pacer.put(
                min(size, PACKET), Priority.CAMERA, min(size, PACKET), self.now_us, picture=self.now_us, keyframe=True
            )
            size -= PACKET
        self._leave(flow)

    def _has_pictures(self, flow: Flow) -> bool:
        return flow.controller.target_bps - 45_000 >= flow.camera_from_bps

    def _sound(self, flow: Flow) -> None:
        flow.pacer.put(110, Priority.SOUND, 110, self.now_us)
        self._leave(flow)

    def _leave(self, flow: Flow) -> None:
        for size in flow.pacer.take(self.now_us):
            self._send(flow, size)
        while self._has_pictures(flow) and flow.pacer.padding_bytes(self.now_us) > 0:
            flow.pacer.padded(PACKET)
            self._send(flow, PACKET)
        due = flow.pacer.next_us(self.now_us)
        if due is not None and due > self.now_us:
            self.at(due, lambda: self._leave(flow))

    def _send(self, flow: Flow, size: int) -> None:
        sequence = flow.sequence
        flow.sequence = (sequence + 1) & 0xFFFF
        flow.controller.sent(sequence, size, self.now_us)
        flow.sent += 1
        sent_us = self.now_us

        def arrive() -> None:
            flow.builder.arrived(sequence, int(self.now_us * (1 + flow.drift)) + 77_000_000)
            flow.arrived_bytes += size
            flow.delays_ms.append((self.now_us, (self.now_us - sent_us) / 1000))

        def lose() -> None:
            flow.lost += 1

        self.carry(size, arrive, lose)

    def _tick(self, flow: Flow) -> None:
        now = int(self.now_us * (1 + flow.drift)) + 77_000_000
        if flow.builder.due(now):
            for packet in flow.builder.build(1, 2, now):
                if self.dice.random() >= self.link.feedback_loss:
                    self.at(self.now_us + self.link.delay_us, lambda packet=packet: self._told(flow, packet))
        flow.controller.tick(self.now_us)
        if flow.probes and (probe := flow.controller.probe(self.now_us)) is not None:
            flow.probe_count += 1
            flow.pacer.probe(*probe, self.now_us)
            self._leave(flow)
        flow.pacer.target_bps = flow.controller.target_bps

    def _told(self, flow: Flow, packet: bytes) -> None:
        flow.controller.feedback(parse_feedback(packet), self.now_us)
        flow.pacer.target_bps = flow.controller.target_bps

    def _sample(self, flow: Flow) -> None:
        flow.samples.append(Sample(self.now_us, flow.controller.target_bps, flow.arrived_bytes, self.queue_ms()))


class Reno:
    """A greedy TCP-like flow: a window that grows by a packet a round trip and halves on loss."""

    def __init__(self, simulation: Simulation, from_s: float, to_s: float):
        self.simulation = simulation
        self.to_us = to_s * 1e6
        self.window, self.flying, self.threshold = 10.0, 0, 1000.0
        self.arrived_bytes = 0
        self._halved_us = -1e9
        simulation.at(from_s * 1e6, self._fill)

    def _fill(self) -> None:
        while self.flying < int(self.window) and self.simulation.now_us < self.to_us:
            self.flying += 1
            sent_us = self.simulation.now_us
            self.simulation.carry(1400, self._arrive, lambda sent_us=sent_us: self._lose(sent_us))

    def _arrive(self) -> None:
        self.arrived_bytes += 1400
        self.simulation.at(self.simulation.now_us + self.simulation.link.delay_us, self._acked)

    def _acked(self) -> None:
        self.flying -= 1
        self._grow()
        self._fill()

    def _grow(self) -> None:
        self.window += 1 if self.window < self.threshold else 1 / self.window

    def _shrink(self) -> None:
        self.threshold = self.window = max(2.0, self.window / 2)

    def _lose(self, sent_us: int) -> None:
        def noticed() -> None:
            self.flying -= 1
            if sent_us > self._halved_us:
                self._shrink()
                self._halved_us = self.simulation.now_us
            self._fill()

        self.simulation.at(self.simulation.now_us + 2 * self.simulation.link.delay_us + 50_000, noticed)


class Cubic(Reno):
    """The TCP of most downloads. Source: RFC 9438, sections 4.2 to 4.7; without HyStart."""

    def __init__(self, simulation: Simulation, from_s: float, to_s: float):
        super().__init__(simulation, from_s, to_s)
        self._most = self._origin = self._like_reno = self._climb_s = 0.0
        self._epoch_us: int | None = None

    def _grow(self) -> None:
        if self.window < self.threshold:
            self.window += 1
            return
        now_us = self.simulation.now_us
        if self._epoch_us is None:
            self._epoch_us, self._origin, self._like_reno = now_us, max(self._most, self.window), self.window
            self._climb_s = ((self._origin - self.window) / 0.4) ** (1 / 3)
        self._like_reno += 0.53 / self.window
        wanted = self._origin + 0.4 * ((now_us - self._epoch_us) / 1e6 - self._climb_s) ** 3
        wanted = min(max(wanted, self._like_reno, self.window), 1.5 * self.window)
        self.window += (wanted - self.window) / self.window

    def _shrink(self) -> None:
        self._most = self.window * (0.85 if self.window < self._most else 1)
        self.threshold = self.window = max(2.0, 0.7 * self.window)
        self._epoch_us = None


def mean_bps(flow: Flow, from_s: float, to_s: float) -> float:
    """What arrived of a flow, in bits a second."""
    inside = [one for one in flow.samples if from_s * 1e6 <= one.at_us <= to_s * 1e6]
    return (inside[-1].arrived_bytes - inside[0].arrived_bytes) * 8e6 / (inside[-1].at_us - inside[0].at_us)


def targets(flow: Flow, from_s: float, to_s: float) -> list[int]:
    return [one.target_bps for one in flow.samples if from_s * 1e6 <= one.at_us <= to_s * 1e6]


def queues(flow: Flow, from_s: float, to_s: float) -> list[float]:
    return [one.queue_ms for one in flow.samples if from_s * 1e6 <= one.at_us <= to_s * 1e6]
