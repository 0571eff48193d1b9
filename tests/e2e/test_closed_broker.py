"""A whole district on a closed broker: claim codes, certificates, a lesson, a room that is shut out."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

import agent.cli
import hub.cli
from agent.report.reporter import Ledger
from demo.summary import count_telemetry
from hub.broker.embedded import find_mosquitto
from tests.e2e.district import UP_S, District, a_district

APPS = {"agent": agent.cli.app, "hub": hub.cli.app}
MINE = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed; amqtt alone is tried")


def say(*words: object) -> str:
    """What `tongtang` says to these words, in this process."""
    part, *rest = map(str, words)
    done = CliRunner().invoke(APPS[part], rest)
    assert done.exit_code == 0, done.output
    return done.stdout


@contextmanager
def closed(out: Path, broker: str) -> Iterator[District]:
    """A district whose rooms come in by claim codes and speak TLS with the broker."""
    with a_district(out, broker, start=False) as district:
        settings = district.plan.hub_settings
        settings.write_text(settings.read_text().replace("tls = false", "tls = true"))
        district.start_hub()
        for room in district.plan.rooms:
            asked = ("--school", room.school, "--room", room.room, "--name", room.name)
            told = say("hub", "enrol", *asked, "--url", district.operator.url, "--config", settings, "--json")
            code = json.loads(told)["code"]
            own = room.settings_file
            own.write_text(own.read_text().replace(f'device = "{room.device}"\n', ""))  # the hub says who it is
            say("agent", "enrol", code, "--hub", district.operator.url, "--config", room.settings_file)
            assert (room.folder / "state" / "certificate.pem").exists()
            district.start_room(room.room)
        rooms = {room.room for room in district.plan.rooms}
        district.wait(lambda: rooms <= district.operator.devices_online(), UP_S, "all rooms are online")
        yield district


@pytest.mark.e2e
@pytest.mark.timeout(240)
@pytest.mark.parametrize("broker", ["amqtt", pytest.param("mosquitto", marks=MINE)])
def test_a_lesson_over_tls_and_a_room_that_is_shut_out_for_good(tmp_path: Path, broker: str) -> None:
    with closed(tmp_path / "out", broker) as district:
        assert json.loads((district.plan.hub_folder / "hub.json").read_text())["mqtt"]["tls"] is True
        session = district.new_session(6.0)
        district.wait_state(session, "live", UP_S)
        district.wait_state(session, "uploaded", UP_S)
        say("hub", "revoke", "receiving-1", "--config", district.plan.hub_settings)
        district.wait(lambda: district.operator.devices_online() == {"lead"}, UP_S, "the revoked room is cut off")
        district.kill("hub")
        district.start_hub()
        district.wait(lambda: district.operator.devices_online() == {"lead"}, UP_S, "the other room is back, it alone")
        district.wait(lambda: "refuses us" in district.log("receiving-1"), UP_S, "the room says why it is away")
        if broker == "mosquitto":
            running = json.loads((district.plan.hub_folder / "broker" / "mosquitto.pid.json").read_text())["pid"]
            before = district.log("lead").count("is back")
            psutil.Process(running).kill()
            district.wait(lambda: district.log("lead").count("is back") > before, UP_S, "broker and room are back")
        district.children.stop("lead", "receiving-1")
        produced = list(Ledger.read(district.plan.out / "lead" / "state" / "produced"))
        told = count_telemetry(produced, district.operator.stored_ids("lead"))
        assert (told.lost, told.duplicated) == (0, 0)
