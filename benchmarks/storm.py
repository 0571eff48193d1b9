"""The broker is killed under a whole district: until the hub has heard every device again."""

import random
import tempfile
import time
from pathlib import Path

from benchmarks.load import Load
from swarm.conduct import SwarmPlan, allow
from swarm.hubs import OwnHub
from swarm.ledger import Produced, Waits
from swarm.lightfleet import LightFleet

TITLE = "Reconnect storm: the broker is killed, and everybody comes back"
DEVICES = 1_893
GOAL_S = 60
ROUNDS = 3
CONNECT_S = 300.0
STEADY_S = 32.0
"""Longer than a connection must stand not to count as a failed attempt (agent.report.retry)."""
LOOK_S = 0.25


def back_after(hub: OwnHub, fleet: LightFleet) -> tuple[dict[float, float], int]:
    """Kill the broker; seconds until each share of the fleet is online in the hub's database, and connections made."""
    before = sum(device.lives for device in fleet.devices)
    seen: dict[float, float] = {}
    look = 0.0
    wall, begun = time.time(), time.monotonic()
    hub.broker_process().kill()

    def looked() -> bool:
        nonlocal look
        now = time.monotonic()
        if now < look:
            return False
        look = now + LOOK_S
        online = hub.online_since(wall)
        for share in (0.5, 0.99, 1.0):
            if online >= share * len(fleet.devices):
                seen.setdefault(share, now - begun)
        return 1.0 in seen

    fleet.run(looked, 4 * GOAL_S)
    return seen, sum(device.lives for device in fleet.devices) - before


def table() -> list[str]:
    """Run everything and return the table's lines, in Markdown."""
    allow(SwarmPlan(DEVICES, 1, 1))
    load = Load.begin()
    lines = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hub = OwnHub(folder, DEVICES, tls=True, broker="mosquitto")
        hub.start()
        fleet = LightFleet(hub.seats(), Produced(folder / "produced.txt"), Waits(), random.Random(1))
        try:
            connect_s = fleet.connect(CONNECT_S)
            if connect_s is None:
                raise RuntimeError(f"only {fleet.up()} devices connect")
            for number in range(ROUNDS):
                fleet.run(lambda: False, STEADY_S)
                seen, connections = back_after(hub, fleet)
                half, most, every = (f"{seen[s]:.1f} s" if s in seen else "not yet" for s in (0.5, 0.99, 1.0))
                lines.append(f"| {number + 1} | {half} | {most} | {every} | {connections - DEVICES} |")
        finally:
            fleet.end()
            hub.close()
    return [
        f"{DEVICES:,} light devices over mutual TLS, each with a certificate of its own; mosquitto is killed with",
        "SIGKILL, and the hub starts it again. Devices wait by the agent's own rule (agent/report/retry.py). One",
        "counts as back when the hub's database has it online by a presence that came after the kill. Hub, broker and",
        f"devices share the cores. Goal: all within {GOAL_S} s. The first connecting of all took {connect_s:.0f} s.",
        "",
        "| round | half are back | 99 % | all | connections beyond one each |",
        "|---|---|---|---|---|",
        *lines,
        "",
        load.told(),
    ]
