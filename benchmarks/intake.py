"""Rows of a district into the hub's database: the hub's intake beside a subscriber that only counts."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Load as Beside
from benchmarks.wire import HOST
from hub.broker.embedded import Broker, choose
from hub.broker.port import free_port

TITLE = "Taking telemetry in: from the device's publish to the hub's commit"
GOAL_P99_MS = 250
GOAL_SHARE = 0.65
PATIENCE_S = 12.0
"""How much longer than the sending a listener may take before it is given up."""


@dataclass(frozen=True)
class Load:
    """What is sent."""

    name: str
    devices: int
    rate: float
    """Rows a second; 0 for as fast as they go."""
    rows: int


LOADS = (
    Load("district (1,893 screens, 0.2/s each)", 1_893, 379, 2_274),
    Load("ten districts", 18_930, 3_786, 26_502),
    Load("as fast as they go", 1_893, 0, 20_000),
)


@dataclass(frozen=True)
class Run:
    """What one listener made of one load."""

    rows: int
    whole: bool
    rate: float
    cpu_us: float
    """CPU time of the listening process for a row."""
    p50_ms: float
    p99_ms: float


def run(which: str, load: Load, port: int) -> Run:
    """Send the load to one listener."""
    patience_s = (load.rows / load.rate if load.rate else 0) + PATIENCE_S
    with tempfile.TemporaryDirectory() as folder:
        said = [which, str(port), str(load.devices), str(load.rows), folder, str(patience_s)]
        ear = subprocess.Popen([sys.executable, "-m", "benchmarks.ear", *said], stdout=subprocess.PIPE, text=True)
        try:
            assert ear.stdout is not None
            if ear.stdout.readline() != "ready\n":
                raise RuntimeError(f"the {which} did not begin to listen")
            told = [str(port), str(load.devices), str(load.rows), str(load.rate)]
            subprocess.run(
                [sys.executable, "-m", "benchmarks.fleet", *told], check=True, timeout=60, stdout=subprocess.DEVNULL
            )
            found = json.loads(ear.stdout.readline())
        finally:
            ear.kill()
            ear.wait()
    cpu_us = 1e6 * found["cpu_s"] / max(found["rows"], 1)
    return Run(found["rows"], found["whole"], found["rate"], cpu_us, found["p50_ms"], found["p99_ms"])


def table() -> list[str]:
    """Run everything and return the table's lines, in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        broker = choose("auto", HOST, free_port(HOST), Path(folder))
        broker.start()
        try:
            return _lines(broker)
        finally:
            broker.stop()


def _lines(broker: Broker) -> list[str]:
    beside = Beside.begin()
    lines = [
        f"Broker: {broker.name}, on the same cores as sender and listener. SQLite, WAL, every commit synchronised.",
        "Every row is of another device than the one before, so that a batch acknowledges as many streams as it has",
        "rows. The floor is a paho subscriber that counts: its p50 and p99 are to arrival, the hub's to the commit.",
        f"Goal: p99 at most {GOAL_P99_MS} ms at ten districts; {GOAL_SHARE} of the floor's rate as fast as they go.",
        "",
        "| load | listener | rows | rows / s | CPU a row | times the floor | p50 / p99 |",
        "|---|---|---|---|---|---|---|",
    ]
    for load in LOADS:
        floor, hub = (run(which, load, broker.port) for which in ("floor", "hub"))
        for name, one in (("floor", floor), ("Tongtang", hub)):
            times = f"{hub.cpu_us / floor.cpu_us:.1f}" if one is hub else ""
            rows = f"{one.rows:,}" if one.whole else f"{one.rows:,} of {load.rows:,}"
            share = f" ({one.rate / floor.rate:.2f} of the floor)" if one is hub and not load.rate else ""
            lines.append(
                f"| {load.name} | {name} | {rows} | {one.rate:,.0f}{share} | {one.cpu_us:.0f} µs | {times} "
                f"| {one.p50_ms:.0f} / {one.p99_ms:.0f} ms |"
            )
    return [*lines, "", beside.told()]
