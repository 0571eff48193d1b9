"""A room that was enrolled after the backup from which its hub was restored: what is said there, and at the hub."""

import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from agent.cli import app as agent
from hub.founding import init
from tests.hub_api.commands.running import running
from tests.hub_api.commands.test_fleet import say, told

SETTINGS = 'data = "{data}"\nbroker = "amqtt"\n[http]\nport = {port}\n[mqtt]\nport = {mqtt}\n'


def settings(folder: Path, data: Path, where: dict | None = None) -> Path:
    port = int(where["http"].rpartition(":")[2]) if where else 0
    path = folder / f"{data.name}.toml"
    path.write_text(SETTINGS.format(data=data.as_posix(), port=port, mqtt=where["mqtt"]["port"] if where else 0))
    return path


def at_the_room(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(agent, [str(word) for word in words])
    return done.exit_code, done.output


def member(config: Path) -> dict[str, str]:
    lines = json.loads(at_the_room("check", "--config", config, "--json")[1])
    return next(line for line in lines if line["name"] == "member")


@pytest.mark.timeout(120)
def test_a_room_that_a_restored_hub_does_not_know_is_told_so_on_both_sides_and_comes_back(tmp_path: Path):
    old, new, room = tmp_path / "old", tmp_path / "new", tmp_path / "agent.toml"
    room.write_text('[agent]\nstate = "state"\n')
    init(old)
    token = (old / "operator.token").read_text().strip()
    config = settings(tmp_path, old)
    code, words = say("backup", tmp_path / "old.tar", "--config", config)
    assert code == 0, words
    with running(config, old) as hub:
        where = hub.where
        claim = told("enrol", "--school", "城关小学", "--room", "cg-301", "--config", config)
        assert at_the_room("enrol", claim["code"], "--hub", where["http"], "--config", room)[0] == 0
        assert member(room)["verdict"] == "ok"
    code, words = say("restore", tmp_path / "old.tar", "--data", new)
    assert code == 0, words
    config = settings(tmp_path, new, where)
    with running(config, new) as hub:
        line = member(room)
        assert line["verdict"] == "bad"
        assert "restored from a backup" in line["words"]
        assert "tongtang agent enrol CODE --anew" in line["words"]

        def alerts() -> list[tuple[str, str]]:
            answer = httpx.get(f"{hub.where['http']}/api/v1/alerts", headers={"Authorization": f"Bearer {token}"})
            return [(one["device"], one["kind"]) for one in answer.json()]

        assert alerts() == [("cg-301", "forgotten-device")]
        claim = told("enrol", "--school", "城关小学", "--room", "cg-301", "--config", config)
        code, words = at_the_room("enrol", claim["code"], "--hub", where["http"], "--config", room)
        assert (code, "restored from a backup" in words, "--anew" in words) == (2, True, True), words
        assert at_the_room("enrol", claim["code"], "--hub", where["http"], "--config", room, "--anew")[0] == 0
        assert member(room)["verdict"] == "ok"
        assert alerts() == []
