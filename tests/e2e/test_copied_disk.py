"""A classroom's disk in two machines: the operators are told, and neither machine loses a row."""

import json
import shutil
from pathlib import Path

import httpx
import pytest

from agent.report.reporter import Ledger
from demo.plan import agent_settings
from tests.e2e.district import District, a_district
from tests.e2e.test_certificates import BROKERS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def looks_like(state: Path, fingerprint: str) -> None:
    """Let the agent know this machine by another fingerprint, as it would on hardware of its own."""
    file = state / "machine.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"fingerprint": fingerprint}))


def asked(district: District, method: str, path: str) -> list[dict]:
    headers = {"Authorization": f"Bearer {district.operator.token}"}
    return httpx.request(method, district.operator.url + path, headers=headers).json()


def copied(district: District) -> list[dict]:
    """Open alerts of copied disks."""
    return [one for one in asked(district, "GET", "/api/v1/alerts") if one["kind"] == "cloned-disk"]


def lost(district: District, *states: Path) -> set[str]:
    """Rows that the machines wrote down and the hub does not have."""
    produced = {one for state in states for one in Ledger.read(state / "produced")}
    return produced - set(district.operator.stored_ids(district.plan.rooms[0].device))


@pytest.mark.parametrize("broker", BROKERS)
def test_two_machines_with_one_disk_raise_one_alert_and_lose_nothing(tmp_path: Path, broker: str):
    with a_district(tmp_path / "out", broker) as district:
        room = district.plan.rooms[0]
        district.children.stop(room.room)
        state, copy = room.folder / "state", room.folder / "copy"
        looks_like(state, "1111111111111111")
        district.start_room(room.room)
        district.wait_online()
        district.wait(lambda: copied(district) != [], 20, "so far it may be one disk, moved into another machine")
        (moved,) = copied(district)
        asked(district, "POST", f"/api/v1/alerts/{moved['alert']}/clear")
        district.children.stop(room.room)
        shutil.copytree(state, copy)
        looks_like(copy, "2222222222222222")
        settings = room.folder / "copy.toml"
        settings.write_text(agent_settings(room).replace('state = "state"', 'state = "copy"'), encoding="utf-8")

        district.start_room(room.room)
        district.children.start("copy", "agent", "run", "--config", str(settings))
        district.wait(lambda: copied(district) != [], 60, "the alert is raised")
        (alert,) = copied(district)
        assert alert["device"] == room.device
        for fingerprint in ("1111111111111111", "2222222222222222"):
            assert fingerprint in alert["words"]

        # While both run they take the connection from each other; then each hands over alone what it has.
        district.children.stop(room.room, "copy")
        for name, file in ((room.room, room.settings_file), ("copy", settings)):
            district.wait(lambda: room.device not in district.operator.devices_online(), 60, "the device is away")
            district.children.start(name, "agent", "run", "--config", str(file))
            district.wait(lambda: room.device in district.operator.devices_online(), 60, f"{name} is online")
            district.children.stop(name)
        assert len(list(Ledger.read(copy / "produced"))) > 0
        assert lost(district, state, copy) == set()
