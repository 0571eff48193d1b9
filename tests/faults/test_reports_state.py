"""What else may happen to what is reported: clocks that jump, a hub restored from a backup, copied and full disks."""

import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.machine import Facts, MachineFile, look
from agent.report.report import Report
from agent.report.reporter import Ledger
from contract.keys import new_device_key, public_pem, save_private
from tests.agent.report.brokers import broker_of, wait_for
from tests.agent.report.conftest import identity_of, settings_of
from tests.agent.report.hubside import HubSide
from tests.faults.test_power_cut import needs_root, run

pytestmark = pytest.mark.faults

AGAIN_S = 60.0
ROOT = Path(__file__).parents[2]
DAY_S = 86_400.0


class House:
    """A broker, a hub and as many devices as a test needs, all called d-1 where it does not say otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = broker_of("", folder / "broker")
        self.broker.start()
        self.key = new_device_key()
        self.hub_folder = folder / "hub"
        self.hub_folder.mkdir()
        self.hub = HubSide(self.hub_folder, self.broker.port)
        self.hub.know("d-1", self.key)
        self.hub.start()
        self._reports: list[Report] = []

    def report(self, state: Path, incarnation: str = "i-1", **more: object) -> Report:
        identity = identity_of(self.key, self.hub.key.public_key(), self.broker.port)
        settings = settings_of(state)
        settings = settings.model_copy(update={"report": settings.report.model_copy(update=more)})
        self._reports.append(Report(identity, settings, incarnation=incarnation))
        return self._reports[-1]

    def missing(self, *states: Path) -> set[str]:
        """What was produced in the given state folders and is not stored; fails where anything is stored twice."""
        stored = self.hub.ids("d-1")
        assert len(stored) == len(set(stored)), "stored twice"
        return {one for state in states for one in Ledger.read(state / "produced")} - set(stored)

    def set_aside(self) -> set[str]:
        """What the hub put into quarantine."""
        with sqlite3.connect(self.hub_folder / "hub.db") as db:
            rows = db.execute("SELECT row FROM quarantine").fetchall()
        db.close()
        return {json.loads(row)["id"] for (row,) in rows}

    @staticmethod
    def waiting(*states: Path) -> set[str]:
        """What the outboxes of stopped devices still hold for the hub: a device that is just connected says so."""
        found = set()
        for file in (state / name for state in states for name in ("event.db", "telemetry.db")):
            with contextlib.closing(sqlite3.connect(file)) as db:
                acked = db.execute("SELECT value FROM meta WHERE name = 'acked'").fetchone()
                rows = db.execute("SELECT id FROM box WHERE place > ?", (int(acked[0]) if acked else 0,))
                found |= {one for (one,) in rows}
        return found

    def gaps(self) -> int:
        """Rows that a device declared lost."""
        return int(self.hub.store.rows.summary().get("d-1", {}).get("gaps", 0))

    def end(self) -> None:
        for report in self._reports:
            report.stop(drain_s=0)
        self.hub.stop()
        self.broker.kill()


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.end()


def put(report: Report, count: int) -> None:
    for number in range(count):
        report.reporter.event("thing", {"number": number})
        report.reporter.telemetry("sample", {"number": number})


# Clocks.


class WrongClock:
    """The device of `wrong_clock.py`, in a process of its own."""

    def __init__(self, house: House, state: Path) -> None:
        save_private(house.key, house.folder / "key.pem")
        (house.folder / "hub.pem").write_text(public_pem(house.hub.key))
        files = (str(state), str(house.folder / "key.pem"), str(house.folder / "hub.pem"), str(house.broker.port))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.wrong_clock", *files],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def do(self, line: str) -> None:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "ok\n", line

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


@pytest.mark.parametrize(
    "shifts",
    [(-time.time(), 0.0), (DAY_S, 0.0), (0.0, DAY_S, -time.time(), 3650 * DAY_S, 0.0)],
    ids=["1970, then right", "a day ahead, then right", "to and fro"],
)
def test_a_clock_that_stands_anywhere_and_jumps_loses_nothing_and_keeps_the_order(house, tmp_path, shifts):
    state = tmp_path / "state"
    device = WrongClock(house, state)
    try:
        for shift in shifts:
            device.do(f"shift {shift}")
            device.do("put 40")
        device.do("drain")
    finally:
        device.kill()
    assert house.missing(state) == set()
    assert house.gaps() == 0
    for kind in ("event", "tele"):
        rows = [row for row in house.hub.store.rows.latest("d-1", kind, 10_000) if row["kind"] in {"thing", "sample"}]
        assert [row["data"]["number"] for row in reversed(rows)] == list(range(1, 40 * len(shifts) + 1))
        assert [row["mono_ns"] for row in rows] == sorted((row["mono_ns"] for row in rows), reverse=True)
    # And all of it is still there for a hub that is restored.
    last = house.report(state, "i-last")
    assert all(box.depth().kept >= 40 * len(shifts) for box in last._outboxes.both)


# A hub restored from a backup.


def backup(house: House) -> Path:
    """A copy of the hub's database as it is now, while the hub runs."""
    copy = house.folder / "backup.db"
    with sqlite3.connect(house.hub_folder / "hub.db") as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    return copy


def restore(house: House, copy: Path) -> None:
    house.hub.stop()
    for end in ("-wal", "-shm"):
        (house.hub_folder / f"hub.db{end}").unlink(missing_ok=True)
    shutil.copy(copy, house.hub_folder / "hub.db")
    house.hub.start()


def test_a_restored_hub_gets_everything_again_once(house, tmp_path):
    state = tmp_path / "state"
    report = house.report(state)
    report.start()
    put(report, 60)
    assert report.drain(AGAIN_S)
    copy = backup(house)
    put(report, 400)
    assert report.drain(AGAIN_S)
    restore(house, copy)
    assert len(house.missing(state)) >= 800, "the backup is older"
    put(report, 1)
    assert wait_for(lambda: house.missing(state) == set(), AGAIN_S)
    assert house.gaps() == 0
    assert house.set_aside() == set()
    assert report.drain(AGAIN_S)


def test_a_hub_that_starts_with_an_empty_database_gets_everything_that_is_kept(house, tmp_path):
    state = tmp_path / "state"
    copy = backup(house)
    report = house.report(state)
    report.start()
    put(report, 200)
    assert report.drain(AGAIN_S)
    report.stop()
    restore(house, copy)
    again = house.report(state, "i-2")
    again.start()
    assert wait_for(lambda: len(house.hub.ids("d-1")) > 400 and house.missing(state) == set(), AGAIN_S)
    assert house.gaps() == 0


def test_what_a_device_no_longer_keeps_is_a_gap_and_the_rest_arrives(house, tmp_path):
    state = tmp_path / "state"
    copy = backup(house)
    report = house.report(state, event_cap_bytes=1 << 17)
    report.start()
    for number in range(1500):
        report.reporter.event("thing", {"number": number, "words": "x" * 300})
        if number % 50 == 0:
            assert report.drain(AGAIN_S)
    assert report.drain(AGAIN_S)
    assert house.gaps() == 0, "it was handed over in time"
    restore(house, copy)
    report.reporter.event("thing", {"number": 1500})
    report.reporter.telemetry("sample")
    assert wait_for(lambda: house.gaps() > 0 and report.waiting() == 0, AGAIN_S)
    assert report.drain(AGAIN_S)
    assert wait_for(lambda: len(house.missing(state)) == house.gaps(), AGAIN_S), "what is gone is declared, all of it"
    numbers = [row["data"]["number"] for row in house.hub.store.rows.latest("d-1", "event", 10_000) if row["data"]]
    assert 1500 in numbers


# Copied disks.


def original_machine(state: Path) -> None:
    """Let this machine be the one that the state folder began on, under a fingerprint of its own."""
    state.mkdir()
    (state / "machine.json").write_text(MachineFile(fingerprint="0123456789abcdef", facts=look()).model_dump_json())


def another_machine(state: Path) -> None:
    """Let the state folder have come here from another machine."""
    facts = Facts(system="elsewhere", board="elsewhere", addresses=("02:00:00:00:00:01",))
    (state / "machine.json").write_text(MachineFile(fingerprint="0123456789abcdef", facts=facts).model_dump_json())


@contextlib.contextmanager
def two_of_one_disk(house: House, tmp_path: Path, *, same_machine: bool):
    """Two devices that hold the same state, with rows that wait in it, and both know the same hub."""
    one, two = tmp_path / "one", tmp_path / "two"
    original_machine(one)
    report = house.report(one)
    report.start()
    put(report, 20)
    assert report.drain(AGAIN_S)
    report.stop()
    waiting = house.report(one, "i-2")
    put(waiting, 30)
    waiting.stop(drain_s=0)
    shutil.copytree(one, two)
    if not same_machine:
        another_machine(two)
    yield one, two


@pytest.mark.parametrize("order", ["together", "one after the other"])
@pytest.mark.parametrize("same_machine", [False, True], ids=["another machine", "one that looks like the same"])
def test_a_copied_disk_loses_nothing_and_what_collides_is_set_aside(house, tmp_path, order, same_machine):
    with two_of_one_disk(house, tmp_path, same_machine=same_machine) as (one, two):
        first, second = house.report(one, "i-one"), house.report(two, "i-two")
        for report in (first, second):
            report.start()
            put(report, 100)
            if order == "one after the other":
                assert report.drain(AGAIN_S)
                report.stop()
        if order == "together":
            _let_each_finish(house, (first, one), (second, two))
        assert len(set(Ledger.read(one / "produced")) | set(Ledger.read(two / "produced"))) > 400
        waits = house.waiting(one, two)
        assert len(waits) <= 4, "each drained; what came with its last connection may wait"
        assert wait_for(lambda: house.missing(one, two) <= house.set_aside() | waits, AGAIN_S), "lost"
        if not same_machine:
            assert house.set_aside() == set(), "each machine has streams of its own"
            assert house.gaps() == 0


def _let_each_finish(house: House, *both: tuple[Report, Path]) -> None:
    """They take the one connection from each other for a while; then each has it alone."""
    time.sleep(2.0)
    for report, _ in both:
        report.stop(drain_s=0)
    for number, (_, state) in enumerate(both):
        alone = house.report(state, f"i-alone-{number}")
        alone.start()
        assert alone.drain(AGAIN_S)
        alone.stop()


def test_a_machine_whose_disk_is_set_back_at_every_start_stores_what_waited_once(house, tmp_path, caplog):
    with two_of_one_disk(house, tmp_path, same_machine=True) as (image, _):
        produced = set()
        for day in range(3):
            state = tmp_path / f"day-{day}"
            shutil.copytree(image, state)
            report = house.report(state, f"i-day-{day}")
            caplog.clear()
            report.start()
            until = time.monotonic() + AGAIN_S
            while day > 0 and caplog.text.count("older than what the hub holds") < 2:  # events and telemetry
                assert time.monotonic() < until
                time.sleep(0.05)
            put(report, 200)  # the hub gets far beyond what the picture knows
            assert report.drain(AGAIN_S)
            report.stop()
            produced |= set(Ledger.read(state / "produced"))
            assert house.missing(state) == set()
        assert len(produced) > 600


# Full disks.


@pytest.fixture
def small_disk(tmp_path):
    needs_root()
    folder = tmp_path / "small"
    folder.mkdir()
    code, words = run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder))
    if code != 0:
        pytest.skip(f"this machine cannot mount a tmpfs: {words}")
    yield folder
    code, words = run("umount", "-l", str(folder))
    assert code == 0, words


def take_the_rest(file: Path) -> None:
    """Take the last free byte of the disk, as a recording would."""
    with file.open("wb", buffering=0) as taken:
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while taken.write(bytes(size)) == size:
                    pass


def test_a_disk_that_fills_while_the_hub_is_away_costs_telemetry_and_no_event(house, tmp_path, small_disk):
    house.hub.stop()
    report = house.report(small_disk / "state", ledger=False)
    report.start()
    for number in range(4000):
        report.reporter.telemetry("sample", {"number": number, "words": "x" * 5000})
    take_the_rest(small_disk / "recording.mp4")
    for number in range(1500):
        assert report.reporter.event("thing", {"number": number, "words": "x" * 300})
        time.sleep(0.001)
    house.hub.start()
    assert report.drain(AGAIN_S)
    events = [row["data"] for row in house.hub.store.rows.latest("d-1", "event", 10_000) if row["kind"] == "thing"]
    assert sorted(one["number"] for one in events) == list(range(1500))
    samples = [row for row in house.hub.store.rows.latest("d-1", "tele", 10_000) if row["kind"] == "sample"]
    assert 0 < len(samples) < 4000
    assert house.gaps() > 0
    (small_disk / "recording.mp4").unlink()
    put(report, 10)
    assert report.drain(AGAIN_S)
