"""Agents, hub and broker are killed at random while devices report; then everything is counted.

What was produced comes from the producers' own ledgers, what was stored from the hub's database.
"""

import contextlib
import json
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from agent.report.reporter import Ledger
from contract.keys import load_private, new_device_key, public_pem, save_private
from demo.processes import Children
from hub.fleet.devices import Devices, NewDevice
from hub.founding import init
from hub.store.store import Store
from tests.agent.report.brokers import free_port
from tests.soak.nursery import Nursery
from tests.soak.producing import DRAIN_S, Device

UP_S = 90.0
"""How long hub, broker and devices may take to come up; generous, because machines are busy."""
AHEAD = 5
"""So many kills may be done out of turn, so that what takes long to come up is not left for the end."""
STORED = 20
"""A hub or broker dies only after so many rows have gone through it, that is in the middle of its work."""
EARLY = 0.02
"""Chance of a device that has only just been started to be killed at each look."""
HUB_TOML = """data = "{data}"
broker = "{broker}"

[http]
host = "127.0.0.1"
port = 0

[mqtt]
host = "127.0.0.1"
port = {port}
tls = false
"""


@dataclass(frozen=True)
class Plan:
    """What is killed how often."""

    broker: str
    agents: int
    hub: int
    brokers: int = 0
    devices: int = 6
    per_s: float = 20.0
    seed: int = 1

    @property
    def kills(self) -> int:
        return self.agents + self.hub + self.brokers


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    plan: Plan
    seconds: float
    produced: int
    stored: int
    lost: tuple[str, ...]
    twice: tuple[str, ...]
    """Ids of producers that the hub stored more than once."""
    unknown: tuple[str, ...]
    """Ids that the hub stored and nobody produced."""
    quarantined: int
    gaps: int
    drain_s: float
    """From the end of the production, with everything up, until the last device knew that the hub has all."""

    @property
    def whole(self) -> bool:
        return not (self.lost or self.twice or self.unknown or self.quarantined or self.gaps)


def table(outcomes: list[Outcome]) -> str:
    """The table of docs/performance.md."""
    names = ("broker", "rows/s", "killed: agent / hub / broker", "produced", "stored", "lost", "twice", "drained after")
    lines = [" | ".join(names), "|".join("---" for _ in names)]
    for one in outcomes:
        plan = one.plan
        kills = f"{plan.agents} / {plan.hub} / {plan.brokers or 'with the hub'}"
        counts = f"{one.produced:,} | {one.stored:,} | {len(one.lost)} | {len(one.twice)}"
        rows_s = 2 * plan.devices * plan.per_s
        lines.append(f"{plan.broker} | {rows_s:.0f} | {kills} | {counts} | {one.drain_s:.1f} s")
    return "\n".join(f"| {line} |".replace("| ---", "|---").replace("--- |", "---|") for line in lines)


def killed(folder: Path, plan: Plan) -> Outcome:
    """Carry out a plan in `folder`, an empty one."""
    begun = time.monotonic()
    with District(folder, plan) as district:
        district.kill_all()
        return district.count(begun)


class District:
    """One hub with its broker and some devices, all of them real processes."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.plan = plan
        self._chance = random.Random(plan.seed)
        self._data = folder / "hub"
        self._port = free_port()
        founded = init(self._data)
        self._toml = folder / "hub.toml"
        self._toml.write_text(HUB_TOML.format(data=self._data.as_posix(), broker=plan.broker, port=self._port))
        (folder / "hub.pem").write_text(founded.public_key)
        (folder / "logs").mkdir()
        self._children = Children(folder / "logs")
        self._devices = [
            Device(f"d-{number}", folder / f"d-{number}", folder / "hub.pem", self._port, plan.per_s)
            for number in range(plan.devices)
        ]
        self._enrol()
        self._stored = 0
        """How many rows the hub had stored when it, or its broker, was killed."""
        self._pids: dict[str, int] = {}
        self._started_ns: dict[str, int] = {}
        self._nursery = Nursery()

    def __enter__(self) -> Self:
        try:
            self._start_hub()
            self._wait(self._hub_up, "the hub is up")
            for device in self._devices:
                self._start(device)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def kill_all(self) -> None:
        """Everything that the plan says, one after the other, in a random order."""
        plan = self.plan
        order = ["agent"] * plan.agents + ["hub"] * plan.hub + ["broker"] * plan.brokers
        self._chance.shuffle(order)
        kill: Mapping[str, Callable[[], bool]] = {
            "agent": self._kill_agent,
            "hub": self._kill_hub,
            "broker": self._kill_broker,
        }
        deadline = time.monotonic() + UP_S
        while order:
            self._children.check()
            # What is not at work again by now has its turn a little later; the others are killed meanwhile.
            done = next((what for what in dict.fromkeys(order[:AHEAD]) if kill[what]()), None)
            if done is not None:
                order.remove(done)
                deadline = time.monotonic() + UP_S
            assert time.monotonic() < deadline, f"nothing comes up again: {Counter(order)} are left to kill"
            time.sleep(self._chance.uniform(0.0, 0.1))

    def count(self, begun: float) -> Outcome:
        """Let the devices rest, wait until the hub has everything, end the hub and count."""
        self._wait(self._hub_up, "the hub is up")
        stored = self._stored_count()
        self._wait(lambda: self._stored_count() > stored, "the hub stores again")
        rested = time.monotonic()
        for device in self._devices:
            device.rest.touch()
        self._wait(lambda: all(map(self._nursery.ended, self._pids.values())), "the devices drain and end", 2 * DRAIN_S)
        drained = max(float(device.drained.read_text()) for device in self._devices)
        self._children.stop()
        produced = [one for device in self._devices for one in Ledger.read(device.produced)]
        stored_ids = self._ask("SELECT producer FROM telemetry UNION ALL SELECT producer FROM event")
        counts = Counter(one for (one,) in stored_ids)
        assert len(produced) == len(set(produced)), "a producer gave an id twice"
        return Outcome(
            plan=self.plan,
            seconds=time.monotonic() - begun,
            produced=len(produced),
            stored=counts.total(),
            lost=tuple(set(produced) - counts.keys()),
            twice=tuple(one for one, times in counts.items() if times > 1),
            unknown=tuple(counts.keys() - set(produced)),
            quarantined=self._ask("SELECT count(*) FROM quarantine")[0][0],
            gaps=self._ask("SELECT count(*) FROM gap")[0][0],
            drain_s=drained - rested,
        )

    # Killing. Each returns False where there is nothing at work to be killed.

    def _kill_agent(self) -> bool:
        device = self._chance.choice(self._devices)
        pid = self._pids[device.name]
        # Some die in their first moments, while they open or mend their files.
        if not self._at_work(device) and self._chance.random() > EARLY:
            assert not self._nursery.ended(pid), f"{device.name} ended by itself"
            return False
        self._nursery.kill(pid)
        self._start(device)
        return True

    def _kill_hub(self) -> bool:
        if not self._storing():
            return False
        self._stored = self._stored_count()
        self._children.kill("hub")
        with contextlib.suppress(FileNotFoundError):
            (self._data / "hub.json").unlink()
        self._start_hub()
        return True

    def _kill_broker(self) -> bool:
        broker = self._broker() if self._storing() else None
        if broker is None:
            return False
        self._stored = self._stored_count()
        with contextlib.suppress(psutil.NoSuchProcess):
            broker.kill()
            broker.wait(UP_S)
        return True

    def _at_work(self, device: Device) -> bool:
        """Whether its process of now has produced something."""
        started_ns = self._started_ns[device.name]
        return any(path.stat().st_mtime_ns >= started_ns for path in device.produced.glob("*.txt"))

    def _storing(self) -> bool:
        """Whether the hub has stored rows since it or its broker was last killed."""
        return self._hub_up() and self._stored_count() > self._stored + STORED

    def _hub_up(self) -> bool:
        try:
            found = json.loads((self._data / "hub.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(found["pid"] == self._children.pid("hub"))

    def _broker(self) -> psutil.Process | None:
        try:
            for child in psutil.Process(self._children.pid("hub")).children(recursive=True):
                if child.name() == "mosquitto" and child.status() != psutil.STATUS_ZOMBIE:
                    return child
        except psutil.NoSuchProcess:
            pass
        return None

    # Starting and ending.

    def _enrol(self) -> None:
        store = Store.open(f"sqlite:///{self._data / 'hub.db'}")
        devices = Devices(store.devices, time.time, lambda _device: None)
        for device in self._devices:
            device.state.mkdir()
            save_private(new_device_key(), device.key)
            public = public_pem(load_private(device.key))
            devices.register(NewDevice(device.name, f"room-{device.name}", "", "", public))
        store.close()

    def _start(self, device: Device) -> None:
        self._started_ns[device.name] = time.time_ns()
        self._pids[device.name] = self._nursery.start(device)

    def _start_hub(self) -> None:
        self._children.start("hub", "hub", "run", "--config", str(self._toml))

    def _end(self) -> None:
        self._nursery.close()
        self._children.kill_all()

    def _wait(self, ready: Callable[[], bool], what: str, within_s: float = UP_S) -> None:
        deadline = time.monotonic() + within_s
        while not ready():
            assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
            time.sleep(0.02)

    def _stored_count(self) -> int:
        return int(self._ask("SELECT (SELECT count(*) FROM telemetry) + (SELECT count(*) FROM event)")[0][0])

    def _ask(self, sql: str) -> list[tuple]:
        with self._database() as db:
            return db.execute(sql).fetchall()

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(f"file:{(self._data / 'hub.db').as_posix()}?mode=ro", uri=True, timeout=30)
        try:
            yield db
        finally:
            db.close()
