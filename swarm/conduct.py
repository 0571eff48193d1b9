"""Holds one run: hub, fleet, what befalls it, and the account at the end."""

import os
import random
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from hub.platform import allow_files
from swarm.hubs import Hub, SwarmRefused
from swarm.ledger import Produced, Spread, Waits
from swarm.lightfleet import LightFleet
from swarm.realfleet import RealFleet
from swarm.relay import Relay
from swarm.result import Percentiles, SwarmResult, arrivals, count
from swarm.scenario import CUT_SHARE, Moment, bursts, outages, skew_s
from swarm.seat import Seat

REAL_AT_MOST = 40
"""More devices than this are light ones: a real one is five threads and two files."""
CONNECT_S = 180.0
SETTLE_S = 1.0
"""Between the last connect and the first sample, so that greetings do not count as work of the run."""
STUCK_S = 60.0
"""The end is waited for as long as the hub acknowledges anything within so many seconds."""
FILES_BESIDE = 400
"""Open files of hub, broker and swarm beside one for each device."""
FILES_A_REAL_DEVICE = 12


@dataclass(frozen=True, slots=True)
class SwarmPlan:
    """What is asked for."""

    devices: int
    seconds: float
    rate: float
    outages: bool = False
    bursts: bool = False
    skew: bool = False
    seed: int = 1

    @property
    def real(self) -> bool:
        """Whether devices have the agent's own outbox and link."""
        return self.devices <= REAL_AT_MOST

    @property
    def files(self) -> int:
        """Open files that one process of the run needs."""
        return FILES_BESIDE + self.devices * (FILES_A_REAL_DEVICE if self.real else 1)


class Fleet(Protocol):
    """Simulated devices, whatever they are made of."""

    how: str

    def connect(self, within_s: float) -> float | None:
        """Bring everybody up."""

    def produce(self, seconds: float, rate: float, moments: Sequence[Moment]) -> None:
        """Let every device report for so long."""

    def burst(self, rows: int) -> None:
        """Let every device say so many events at once."""

    def drain(self, within_s: float) -> int:
        """Wait until the hub has everything; how much it has not."""

    def end(self) -> None:
        """Close everything."""


@dataclass(frozen=True, slots=True)
class _Usage:
    at: float
    swarm_s: float
    hub_s: float | None
    broker_s: float | None

    @classmethod
    def now(cls, hub: Hub) -> "_Usage":
        used = hub.cpu_s()
        own = os.times()
        hub_s, broker_s = used if used is not None else (None, None)
        return cls(time.monotonic(), own.user + own.system, hub_s, broker_s)


def conduct(plan: SwarmPlan, hub: Hub, folder: Path, say: Callable[[str], None]) -> SwarmResult:
    """Simulate the fleet against `hub`, which runs, and count.

    Args:
        plan: what is asked for.
        hub: whom the fleet reports to.
        folder: for the ledger and the outboxes.
        say: told what is going on, a line each.

    Raises:
        SwarmRefused: not all devices come up.
    """
    with ExitStack() as stack:
        seats, moments = _seats(plan, hub, stack)
        produced, waits = Produced(folder / "produced.txt"), Waits()
        fleet = _fleet(plan, seats, folder, produced, waits)
        stack.callback(fleet.end)
        say(f"{plan.devices} devices over {'mutual TLS' if hub.tls else 'plain MQTT'}: {fleet.how}")
        connect_s = fleet.connect(CONNECT_S)
        if connect_s is None:
            raise SwarmRefused(
                f"not all {plan.devices} devices are connected after {CONNECT_S:.0f} s; see the hub's log"
            )
        say(f"all connected after {connect_s:.1f} s")
        time.sleep(SETTLE_S)
        if plan.bursts:
            moments = [*moments, *bursts(plan.seconds, fleet.burst)]
        before = _Usage.now(hub)
        fleet.produce(plan.seconds, plan.rate, moments)
        after = _Usage.now(hub)
        left, drain_s = _drained(fleet)
        say(f"{left} rows are stuck" if left else f"drained in {drain_s:.1f} s")
        produced.close()
        return _result(plan, hub, fleet.how, connect_s, produced.path, waits, before, after, left, drain_s)


def allow(plan: SwarmPlan) -> None:
    """Make room for as many connections as the plan needs, for this process and those that it starts.

    Raises:
        SwarmRefused: the system does not allow it; the message says how to.
    """
    allowed = allow_files(plan.files)
    if allowed < plan.files:
        raise SwarmRefused(
            f"{plan.devices} devices need {plan.files} open files a process, and {allowed} are allowed here; "
            f"raise the hard limit (ulimit -Hn {plan.files} as root, or LimitNOFILE= in the unit)"
        )


def _seats(plan: SwarmPlan, hub: Hub, stack: ExitStack) -> tuple[list[Seat], list[Moment]]:
    seats = hub.seats()
    if plan.skew:
        wall = time.time()
        seats = [replace(seat, skew_s=skew_s(number, wall)) for number, seat in enumerate(seats)]
    if not plan.outages:
        return seats, []
    relay = Relay(seats[0].address.host, seats[0].address.port)
    relay.start()
    stack.callback(relay.stop)
    cut = max(1, round(CUT_SHARE * len(seats)))
    seats = [seat.behind(relay.host, relay.port) if number < cut else seat for number, seat in enumerate(seats)]
    return seats, outages(plan.seconds, {"cut": relay.cut, "freeze": relay.freeze}, relay.mend)


def _fleet(plan: SwarmPlan, seats: Sequence[Seat], folder: Path, produced: Produced, waits: Waits) -> Fleet:
    chance = random.Random(plan.seed)
    if not plan.real:
        return LightFleet(seats, produced, waits, chance)
    boxes = folder / "boxes"
    shutil.rmtree(boxes, ignore_errors=True)
    return RealFleet(seats, boxes, produced, waits, chance)


def _drained(fleet: Fleet) -> tuple[int, float]:
    """Wait for the hub as long as it goes on; how many rows it does not take, and the seconds that it needed."""
    begun = time.monotonic()
    left = fleet.drain(STUCK_S)
    while left and (now := fleet.drain(STUCK_S)) < left:
        left = now
    return left, time.monotonic() - begun


def _result(
    plan: SwarmPlan,
    hub: Hub,
    how: str,
    connect_s: float,
    ledger: Path,
    waits: Waits,
    before: _Usage,
    after: _Usage,
    left: int,
    drain_s: float,
) -> SwarmResult:
    lines, stored = Produced.read(ledger), hub.stored()
    counted = count(lines, stored)
    ran_s = after.at - before.at
    return SwarmResult(
        devices=plan.devices,
        how=how,
        seconds=plan.seconds,
        rate=plan.rate,
        messages_per_s=round(counted.produced / ran_s, 1),
        broker=hub.broker,
        tls=hub.tls,
        connect_s=round(connect_s, 1),
        **counted.model_dump(),
        commit_ms=Percentiles.of(Spread.of(waits.steady)),
        arrival_ms=Percentiles.of(Spread.of(arrivals(lines, stored))),
        cut_commit_ms=Percentiles.of(Spread.of(waits.cut)),
        burst_commit_ms=Percentiles.of(Spread.of(waits.bursts)),
        hub_cpu_share=_share(before.hub_s, after.hub_s, ran_s),
        broker_cpu_share=_share(before.broker_s, after.broker_s, ran_s),
        swarm_cpu_share=round((after.swarm_s - before.swarm_s) / ran_s, 3),
        load_average=round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        drain_s=round(drain_s, 1),
        words=(f"{left} rows wait in their devices; the hub took none for {STUCK_S:.0f} s",) if left else (),
    )


def _share(before_s: float | None, after_s: float | None, ran_s: float) -> float | None:
    return None if before_s is None or after_s is None else round((after_s - before_s) / ran_s, 3)
