"""The hub dies and is restored from last night's backup: devices send again what it lacks, and nothing is lost."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.report.outbox import Sample
from hub.founding import init
from hub.settings import HubSettings
from hub.store.store import Store
from swarm.hubs import GivenHub
from swarm.ledger import Waits
from swarm.realfleet import RealDevice
from tests.hub_api.commands.running import running

pytestmark = pytest.mark.faults


def settings_file(folder: Path, data: Path) -> Path:
    file = folder / f"{data.name}.toml"
    file.write_text(
        f"data = {json.dumps(data.as_posix())}\n[http]\nport = 0\n[mqtt]\nport = 0\ntls = false\n", encoding="utf-8"
    )
    return file


def command(*words: object) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tongtang", "hub", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def say(device: RealDevice, produced: list[str], rows: int) -> None:
    for _ in range(rows):
        for lane in (device.telemetry, device.events):
            mark = f"d-{len(produced)}"
            produced.append(mark)
            lane.put(Sample(mark, "sample", "b", time.monotonic_ns(), time.time(), {"number": len(produced)}))


def wait_for(condition, within_s: float = 60.0) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.1)
    return bool(condition())


def stored(data: Path) -> list[str]:
    store = Store.open(HubSettings(data=data).database_url)
    try:
        return store.rows.ids("room-1-screen")
    finally:
        store.close()


def test_what_came_after_the_backup_is_sent_again_and_stored_once(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    token = init(old).token
    produced: list[str] = []
    with running(settings_file(tmp_path, old), old) as hub:
        given = GivenHub(hub.where["http"], token, ["room-1-screen"], tmp_path)
        (seat,) = given.seats()
        given.close()
        device = RealDevice(seat, tmp_path / "device", Waits(), random.Random(1))
        device.link.start()
        say(device, produced, 30)
        assert wait_for(lambda: not device.waiting)
        command("backup", tmp_path / "night.tar", "--data", old)
        say(device, produced, 50)
        assert wait_for(lambda: not device.waiting)
    assert len(stored(old)) == 160
    try:
        command("restore", tmp_path / "night.tar", "--data", new)
        assert len(stored(new)) == 60
        with running(settings_file(tmp_path, new), new) as hub:
            say(device, produced, 5)
            assert wait_for(lambda: set(stored(new)) == set(produced)), f"{len(stored(new))} of {len(produced)}"
            assert wait_for(lambda: not device.waiting)
    finally:
        device.end()
    kept = stored(new)
    assert len(kept) == len(set(kept)) == 170
    store = Store.open(HubSettings(data=new).database_url)
    assert store.rows.summary()["room-1-screen"]["gaps"] == 0
    store.close()
