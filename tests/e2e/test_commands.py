"""Commands and the twin between real processes, asked for at the command line as an operator does."""

import json
import time

import httpx
import pytest
from typer.testing import CliRunner

from agent.certificate import load_certificate
from agent.identity import load_identity
from agent.twin import TWIN, Phase, TwinFile
from hub.cli import app
from tests.e2e.district import District, a_district
from tests.e2e.test_certificates import BROKERS, Room, closed

BRISK = "tests.e2e.brisk_room"


def hub(district: District, *words: str) -> tuple[int, str]:
    """`tongtang hub ...` on this district's hub, in this process: exit code, and what it said."""
    done = CliRunner().invoke(app, [*words, "--config", str(district.plan.hub_settings)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def twin_of(district: District, room: int = 0) -> dict:
    return district.operator._get(f"/api/v1/twins/{district.plan.rooms[room].device}")


def twin_file(district: District, room: int = 0) -> TwinFile:
    path = district.plan.rooms[room].folder / "state" / TWIN
    return TwinFile.model_validate_json(path.read_bytes()) if path.exists() else TwinFile()


@pytest.mark.e2e
def test_an_operator_commands_one_room_or_all_and_reads_what_came_of_it(tmp_path):
    with a_district(tmp_path / "out") as district:
        device = district.plan.rooms[0].device
        code, said = hub(district, "command", "--all", "ping", "--wait", "--json")
        assert code == 0, said
        assert {one["device"]: one["state"] for one in json.loads(said)} == {
            room.device: "done" for room in district.plan.rooms
        }
        code, said = hub(district, "command", device, "log", "--arg", "lines=3", "--wait")
        assert (code, "agent.commands: command" in said) == (0, True), said
        code, said = hub(district, "command", device, "identify", "--wait")
        assert (code, "no teacher's screen is connected" in said) == (1, True), said
        code, said = hub(district, "command", device, "rstart")
        assert (code, "did you mean restart" in said) == (2, True), said
        code, said = hub(district, "command", device)
        assert (code, "say for whom" in said) == (2, True), said


@pytest.mark.e2e
def test_the_service_starts_anew_by_command_and_not_during_a_lesson(tmp_path):
    with a_district(tmp_path / "out") as district:
        device = district.plan.rooms[0].device
        session = district.new_session(120)
        district.wait_state(session, "live", 90)
        code, said = hub(district, "command", device, "restart", "--wait")
        assert (code, "does not start anew now" in said) == (1, True), said
        district.operator.end(session)
        district.wait_state(session, "uploaded", 60)
        code, said = hub(district, "command", device, "restart", "--wait")
        assert (code, "the service has started anew" in said) == (0, True), said
        assert district.log("lead").count("is at work") == 2
        district.wait_online()
        again = district.wait_state(district.new_session(6), "uploaded", 90)
        assert all(room["result"]["received"] and room["result"]["recording"] for room in again["rooms"]), (
            "the new life holds lessons, too"
        )
        telemetry = district.telemetry()
        assert (telemetry.lost, telemetry.duplicated) == (0, 0)


@pytest.mark.e2e
def test_settings_from_afar_are_in_force_outside_lessons_and_told_where_they_are_wrong(tmp_path):
    with a_district(tmp_path / "out", program=BRISK) as district:
        device = district.plan.rooms[0].device
        code, said = hub(district, "twin", "set", device, "report.helth_s=3")
        assert (code, "did you mean report.health_s" in said) == (2, True), said
        assert twin_of(district)["rev"] == 0
        code, said = hub(district, "twin", "set", device, "report.health_s=3", "video.fps_max=20")
        assert code == 0, said
        district.wait(lambda: not twin_of(district)["lags"], 60, "the twin is in force")
        assert twin_of(district)["reported"] == {"report": {"health_s": 3.0}, "video": {"fps_max": 20}}
        code, said = hub(district, "command", device, "health", "--wait", "--json")
        assert json.loads(said)[0]["data"]["every_s"] == 3.0
        code, said = hub(district, "twin", "set", device, "video.fps_max=")
        assert twin_of(district)["config"] == {"report": {"health_s": 3.0}}
        code, said = hub(district, "twin", "show", device)
        assert (code, "wanted: report.health_s=3.0" in said) == (0, True), said


@pytest.mark.e2e
@pytest.mark.parametrize("broker", BROKERS)
def test_commands_and_the_twin_pass_a_closed_broker_and_a_certificate_is_renewed_by_command(tmp_path, broker):
    with closed(tmp_path / "out", broker, BRISK) as room:
        room.enrol()
        room.start()
        room.online()
        device, serial = load_identity(room.state).device, load_certificate(room.state).serial
        assert told(room, device, "ping")["state"] == "done"
        renewed = told(room, device, "renew-certificate")
        assert (renewed["state"], "the new certificate holds until" in renewed["words"]) == ("done", True)
        assert load_certificate(room.state).serial != serial
        room.district.wait(lambda: told(room, device, "ping")["state"] == "done", 60, "it is there with the new one")
        url = f"{room.district.operator.url}/api/v1/twins/{device}"
        headers = {"Authorization": f"Bearer {room.district.operator.token}"}
        assert httpx.put(url, json={"config": {"report": {"health_s": 3}}}, headers=headers, timeout=20).is_success
        room.district.wait(lambda: not room.get(f"/api/v1/twins/{device}")["lags"], 90, "the twin is in force")


def told(room: Room, device: str, name: str) -> dict:
    sent = room.post("/api/v1/commands", {"devices": [device], "name": name, "valid_s": 30})
    command = f"/api/v1/commands/{sent['commands'][0]['id']}"
    room.district.wait(lambda: room.get(command)["state"] != "sent", 45, f"{name} is answered")
    return room.get(command)


@pytest.mark.faults
def test_settings_with_which_the_agent_does_not_get_well_are_taken_back_whatever_is_killed(tmp_path):
    with a_district(tmp_path / "out") as district:
        room = district.plan.rooms[0]
        code, said = hub(district, "twin", "set", room.device, "report.health_s=7")
        assert code == 0, said
        district.wait(lambda: twin_file(district).phase is Phase.TRIAL, 90, "it is on trial")
        for start in range(1, 4):
            district.wait(lambda start=start: twin_file(district).starts == start, 90, f"start {start} is counted")
            district.kill(room.room)
            district.start_room(room.room)
        district.wait(lambda: twin_of(district)["status"] == "restored", 90, "the hub hears that it was taken back")
        shown = twin_of(district)
        assert "started 3 times without getting well" in shown["says"]
        assert (shown["lags"], shown["reported"]) == (True, {})
        alerts = district.operator._get("/api/v1/alerts")
        assert [one["device"] for one in alerts if one["kind"] == "twin-not-in-force"] == [room.device]
        time.sleep(1)
        assert twin_file(district).phase is Phase.SETTLED
