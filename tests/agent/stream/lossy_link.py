"""A seeded link between a sender and a jitter buffer, in simulated time: loss, delay and jitter both ways."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.encode import h264
from agent.stream.jitter import Packet, PictureJitter
from agent.stream.redundancy import SoundGuard
from agent.stream.soundjitter import SoundJitter

FRAME_MS = 40.0
SPS = bytes([h264.NAL_SPS | 0x60, 1, 2])
SLICE = bytes([0x41, 0x9A, 2])
"""The first slice of a picture that is no keyframe."""


@dataclass
class LossyLink:
    """Runs what is due in the order of simulated time; `carry` delivers or loses."""

    seed: int
    loss: float
    one_way_ms: float = 20.0
    jitter_ms: float = 0.0
    burst: float = 0.0
    """Chance that a packet right behind a lost one is lost too."""
    now_ms: float = 0.0
    _due: list = field(default_factory=list)
    _order: itertools.count = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._bad = False

    def at(self, when_ms: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (when_ms, next(self._order), act))

    def carry(self, act: Callable[[], None]) -> None:
        self._bad = self._rng.random() < (self.burst if self._bad and self.burst else self.loss)
        if not self._bad:
            self.at(self.now_ms + self.one_way_ms + self._rng.uniform(0, self.jitter_ms), act)

    def run(self, until_ms: float) -> None:
        while self._due and self._due[0][0] <= until_ms:
            self.now_ms, _, act = heapq.heappop(self._due)
            act()


@dataclass
class Watched:
    """What a watcher of the simulated pictures saw."""

    frozen_share: float
    longest_ms: float
    p95_ms: float
    pictures: int
    keyframes_asked: int
    sent_again: int
    longest_queue: int


class VideoSender:
    """25 pictures a second of 5 to 13 packets, keyframes of 30 to 60 on request, paced, with a history."""

    def __init__(self, link: LossyLink, deliver: Callable[[Packet], None]) -> None:
        self.sent_again = 0
        self._link = link
        self._deliver = deliver
        self._rng = random.Random(link.seed + 1)
        self._sequence = 65_000
        self._history: dict[int, Packet] = {}
        self._keyframe_wanted = True
        self._last_keyframe_ms = -1e9

    def picture(self, index: int) -> None:
        now = self._link.now_ms
        key = self._keyframe_wanted and now - self._last_keyframe_ms >= 300
        if key:
            self._keyframe_wanted, self._last_keyframe_ms = False, now
        count = self._rng.randint(30, 60) if key else self._rng.randint(5, 13)
        for at in range(count):
            packet = Packet(self._sequence & 0xFFFF, index * 3600, at == count - 1, SPS if key and not at else SLICE)
            self._history[packet.sequence] = packet
            self._sequence += 1
            self._link.at(now + at * (0.7 if key else 1.5), lambda one=packet: self._send(one))

    def asked(self, sequences: list[int]) -> None:
        for sequence in sequences:
            self.sent_again += 1
            self._send(self._history[sequence])

    def keyframe_asked(self) -> None:
        self._keyframe_wanted = True

    def _send(self, packet: Packet) -> None:
        self._link.carry(lambda: self._deliver(packet))


def watch(link: LossyLink, seconds: float, tick_ms: float = 20.0) -> Watched:
    """Send pictures over a link for a while; what comes before the first picture does not count."""
    jitter = PictureJitter()
    shown: list[tuple[float, float]] = []
    asked = longest = 0

    def ask() -> None:
        nonlocal asked, longest
        longest = max(longest, len(jitter._held))
        if sequences := jitter.nacks(link.now_ms):
            link.carry(lambda: sender.asked(sequences))
        if jitter.keyframe_due(link.now_ms):
            asked += 1
            link.carry(sender.keyframe_asked)

    def show(pictures) -> None:
        shown.extend((link.now_ms, one.timestamp / 90) for one in pictures)

    def take(packet: Packet) -> None:
        show(jitter.add(packet, link.now_ms))
        ask()

    def tick() -> None:
        show(jitter.tick(link.now_ms))
        ask()

    sender = VideoSender(link, take)
    for index in range(int(seconds * 1000 / FRAME_MS)):
        link.at(index * FRAME_MS, lambda number=index: sender.picture(number))
    for index in range(int(seconds * 1000 / tick_ms)):
        link.at(index * tick_ms, tick)
    link.run(seconds * 1000)
    gaps = [later[0] - earlier[0] for earlier, later in itertools.pairwise(shown)]
    gaps.append(seconds * 1000 - shown[-1][0])
    ages = sorted(at - captured for at, captured in shown)
    frozen = sum(gap for gap in gaps if gap > 200)
    span = seconds * 1000 - shown[0][0]
    assert [captured for _, captured in shown] == sorted({captured for _, captured in shown})
    return Watched(frozen / span, max(gaps), ages[int(len(ages) * 0.95)], len(shown), asked, sender.sent_again, longest)


@dataclass
class Listened:
    """What a listener of the simulated sound heard."""

    sent: int
    heard: int
    lost: int
    recovered: int
    longest_wait_ms: float


def listen(link: LossyLink, seconds: float, *, nack: bool = True, guarded: bool = True) -> Listened:
    """Send sound over a link for a while, with the ways of repair that are allowed."""
    jitter = SoundJitter()
    guard = SoundGuard()
    sent: list[Packet] = []
    heard: list[Packet] = []
    waits: list[float] = []

    def play(items) -> None:
        for item in items:
            if item is not None:
                heard.append(item)
                waits.append(link.now_ms - item.timestamp / 48 - link.one_way_ms)

    def ask() -> None:
        sequences = jitter.nacks(link.now_ms)
        if nack and sequences:
            link.carry(lambda: [link.carry(lambda one=sent[number]: take(one)) for number in sequences])

    def take(packet: Packet) -> None:
        play(jitter.add(packet, link.now_ms))
        ask()

    def tick() -> None:
        play(jitter.tick(link.now_ms))
        ask()

    def send(number: int) -> None:
        data = bytes([0x78]) + number.to_bytes(4, "big")
        payload = guard.payload(data, 0.05 if guarded else 0.0, link.now_ms / 1000)
        sent.append(Packet(number, number * 960, False, payload))
        link.carry(lambda: take(sent[number]))

    count = int(seconds * 50)
    for number in range(count):
        link.at(number * 20.0, lambda one=number: send(one))
    for index in range(int(seconds * 50)):
        link.at(index * 20.0 + 7, tick)
    link.run(seconds * 1000 + 500)
    assert [one.payload for one in heard] == [
        bytes([0x78]) + (one.timestamp // 960).to_bytes(4, "big") for one in heard
    ]
    return Listened(count, len(heard), jitter.lost, jitter.recovered, max(waits))
