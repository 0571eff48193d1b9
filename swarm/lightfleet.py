"""Thousands of light devices on one thread."""

import itertools
import random
import time
from collections.abc import Callable, Sequence

from agent.report.outbox import Sample
from swarm.ledger import BURST, DATA, SAMPLE, Produced, Waits
from swarm.light import LightDevice, LightLane, Phase, Takers
from swarm.scenario import Moment
from swarm.seat import Seat
from swarm.wire import Turns

TEND_S = 0.5
"""How often each device looks after what waits."""
SLICES = 20
"""In so many parts, so that no turn of the loop takes long."""
AT_ONCE_PLAIN, AT_ONCE_TLS = 2000.0, 150.0
"""Connections begun in a second while the fleet comes up for the first time."""


class LightFleet:
    """Light devices, one a seat.

    Args:
        seats: who, and where to call.
        produced: takes a line for each row before it is put.
        waits: is told how long rows took.
        chance: phases, jitter and the streams' names.
        more: further topics that a device subscribes to, each with who takes the payloads.
    """

    how = "light clients: the agent's own window and rows, boxes in memory, no signals"

    def __init__(
        self,
        seats: Sequence[Seat],
        produced: Produced,
        waits: Waits,
        chance: random.Random,
        more: Callable[[str], Takers] = lambda _device: {},
    ) -> None:
        self._seats = {seat.device: seat for seat in seats}
        self._produced = produced
        self._waits = waits
        self._chance = chance
        self._turns = Turns()
        self._numbers = itertools.count(1)
        self._running = True
        self.most_up = 0
        """Most devices that were up at one moment while the fleet came up."""
        self.devices = [self._device(seat, more(seat.device)) for seat in seats]

    def connect(self, within_s: float) -> float | None:
        """Bring everybody up; the seconds that took, or None where not all were up in time."""
        begun = time.monotonic()
        pace = AT_ONCE_TLS if any(one.certificate for one in self._seats.values()) else AT_ONCE_PLAIN
        for number, device in enumerate(self.devices):
            self._turns.at(begun + number / pace, device.dial)
        self._tend(0)

        def all_up() -> bool:
            up = self.up()
            self.most_up = max(self.most_up, up)
            return up == len(self.devices)

        done = self._turns.run(all_up, begun + within_s)
        return time.monotonic() - begun if done else None

    def produce(self, seconds: float, rate: float, moments: Sequence[Moment]) -> None:
        """Let every device say `rate` samples a second for so long; each moment's act is called when it comes.

        Args:
            seconds: how long.
            rate: samples a second and device.
            moments: what happens meanwhile, in seconds from the beginning.
        """
        begun = time.monotonic()
        until = begun + seconds
        for device in self.devices:
            first = begun + self._chance.random() / rate
            if first < until:
                self._turns.at(first, self._sampling(device, first, 1 / rate, until))
        for moment in moments:
            self._turns.at(begun + moment.at_s, moment.act)
        self._turns.run(lambda: False, until)

    def burst(self, rows: int) -> None:
        """Let every device say so many events at once."""
        for device in self.devices:
            for _ in range(rows):
                self._say(device, device.events, BURST)

    def drain(self, within_s: float) -> int:
        """Wait until the hub has every row; how many it has not, after `within_s` seconds."""
        self._turns.run(lambda: not self._waiting(), time.monotonic() + within_s)
        return self._waiting()

    def run(self, done: Callable[[], bool], within_s: float) -> bool:
        """Only stay connected until `done`; False where that took longer than `within_s`."""
        return self._turns.run(done, time.monotonic() + within_s)

    def up(self) -> int:
        """Devices that are connected and subscribed."""
        return sum(device.phase is Phase.UP for device in self.devices)

    def end(self) -> None:
        """Say goodbye and close everything."""
        self._running = False
        for device in self.devices:
            device.end()
        self._turns.close()

    def _device(self, seat: Seat, more: Takers) -> LightDevice:
        return LightDevice(
            self._turns,
            seat.device,
            seat.address,
            seat.certificate,
            random.Random(self._chance.getrandbits(64)),
            on_stored=lambda rows: self._waits.add(rows, cut=seat.cut),
            more=more,
        )

    def _sampling(self, device: LightDevice, due: float, every_s: float, until: float) -> Callable[[], None]:
        def sample() -> None:
            nonlocal due
            self._say(device, device.telemetry, SAMPLE)
            due = max(due, self._turns.now - every_s) + every_s
            if due < until:
                self._turns.at(due, sample)

        return sample

    def _say(self, device: LightDevice, lane: LightLane, kind: str) -> None:
        mark = f"{device.name}-{next(self._numbers)}"
        wall = time.time() + self._seats[device.name].skew_s
        self._produced.note(mark)
        device.put(lane, Sample(mark, kind, "swarm", time.monotonic_ns(), wall, DATA))

    def _tend(self, part: int) -> None:
        for device in self.devices[part::SLICES]:
            device.tend()
        if self._running:
            self._turns.at(self._turns.now + TEND_S / SLICES, lambda: self._tend((part + 1) % SLICES))

    def _waiting(self) -> int:
        return sum(device.waiting for device in self.devices)
