"""One command to every device: from the operator's request to its arrival at each of them, by broker."""

import random
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.load import Load
from contract import topics
from swarm.conduct import SwarmPlan, allow
from swarm.hubs import OwnHub
from swarm.ledger import Produced, Waits
from swarm.lightfleet import LightFleet

TITLE = "A command to every device: from the request to its arrival"
GOAL_P99_MS = 250
ROUNDS = 5
CONNECT_S = 180.0
ARRIVE_S = 60.0
VALID_S = 5
"""Light devices answer nothing; a command must be past before the next round, or it would be sent again."""
RUNS = (("mosquitto", 1_893), ("amqtt", 200), ("amqtt", 1_893))


@dataclass(frozen=True)
class Round:
    """One command to all, in seconds from the beginning of the request."""

    arrived: list[float]
    answered_s: float
    """When the hub had answered the operator."""


class Ears:
    """Notes when the command of a round reaches each device."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}

    def of(self, device: str):
        def heard(_payload: bytes) -> None:
            self.arrived.setdefault(device, time.monotonic())

        return {topics.command(device): heard}


def command_all(hub: OwnHub, fleet: LightFleet, ears: Ears) -> Round:
    """Tell every device to answer a ping, and wait until all have heard it."""
    ears.arrived.clear()
    answered: list[float] = []
    with httpx.Client(base_url=hub.url, headers={"Authorization": f"Bearer {hub.token}"}, trust_env=False) as operator:
        operator.get("/healthz")

        def ask() -> None:
            body = {"all": True, "name": "ping", "valid_s": VALID_S}
            operator.post("/api/v1/commands", json=body, timeout=ARRIVE_S).raise_for_status()
            answered.append(time.monotonic())

        asking = threading.Thread(target=ask)
        begun = time.monotonic()
        asking.start()
        fleet.run(lambda: len(ears.arrived) == len(fleet.devices), ARRIVE_S)
        asking.join()
    return Round([at - begun for at in ears.arrived.values()], answered[0] - begun)


def run(broker: str, devices: int) -> str:
    """A line of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hub = OwnHub(folder, devices, tls=True, broker=broker)
        hub.start()
        ears = Ears()
        chance = random.Random(1)
        fleet = LightFleet(hub.seats(), Produced(folder / "produced.txt"), Waits(), chance, more=ears.of)
        try:
            connect_s = fleet.connect(CONNECT_S)
            if connect_s is None:
                words = f"never: at most {fleet.most_up:,} at a time, {fleet.up():,} after {CONNECT_S:.0f} s"
                return f"| {broker} | {devices:,} | {words} | | | |"
            rounds = []
            for _ in range(ROUNDS):
                fleet.run(lambda: False, VALID_S + 7)
                rounds.append(command_all(hub, fleet, ears))
        finally:
            fleet.end()
            hub.close()
    missing = sum(devices - len(one.arrived) for one in rounds)
    p50, p99, last = (
        statistics.median(1000 * sorted(one.arrived)[int((len(one.arrived) - 1) * share)] for one in rounds)
        for share in (0.5, 0.99, 1.0)
    )
    answered = statistics.median(1000 * one.answered_s for one in rounds)
    return (
        f"| {broker} | {devices:,} | {connect_s:.0f} s | {p50:.0f} / {p99:.0f} / {last:.0f} ms | {answered:.0f} ms "
        f"| {missing or 'none'} |"
    )


def table() -> list[str]:
    """Run everything and return the table's lines, in Markdown."""
    allow(SwarmPlan(max(devices for _, devices in RUNS), 1, 1))
    load = Load.begin()
    lines = [run(broker, devices) for broker, devices in RUNS]
    return [
        "`POST /api/v1/commands` for all devices at a real hub: the hub signs a command for each one, stores them and",
        "sends them through its broker with mutual TLS; light devices note the arrival. Hub, broker and devices share",
        f"the cores. Median of {ROUNDS} rounds; goal: p99 at most {GOAL_P99_MS} ms with mosquitto.",
        "",
        "| broker | devices | connecting them | arrival p50 / p99 / last | hub's answer to the request | not arrived |",
        "|---|---|---|---|---|---|",
        *lines,
        "",
        "amqtt keeps them only on a machine with nothing else to do: beside six busy processes it held 601 at most,",
        "and a minute later nobody. It is for demonstrations of up to 200 devices.",
        "",
        load.told(),
    ]
