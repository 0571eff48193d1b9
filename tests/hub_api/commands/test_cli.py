"""`tongtang hub`: the commands, as somebody types them."""

import json
import os
import socket
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from contract.keys import new_device_key, public_pem
from hub.cli import app
from hub.platform import volume_encrypted
from hub.store.store import Store
from tests.hub_api.commands.running import running

SETTINGS = """
data = "{data}"
broker = "amqtt"
[http]
port = {port}
[mqtt]
port = 0
"""


def settings(folder: Path, port: int = 0) -> Path:
    path = folder / "hub.toml"
    path.write_text(SETTINGS.format(data=(folder / "data").as_posix(), port=port))
    return path


def say(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.output


def verdicts(*words: object) -> tuple[int, dict[str, str]]:
    code, told = say("check", *words, "--json")
    return code, {line["name"]: line["verdict"] for line in json.loads(told)}


def test_a_hub_is_made_once_and_left_alone_after_that(tmp_path: Path):
    code, first = say("init", "--data", tmp_path / "hub", "--json")
    assert code == 0
    code, second = say("init", "--data", tmp_path / "hub", "--json")
    assert code == 0
    assert json.loads(first) == json.loads(second) | {"new": True}
    assert json.loads(first)["token"].startswith("tt-")


def test_a_lost_token_is_replaced_while_the_hub_runs_and_others_get_their_own(tmp_path: Path):
    config = settings(tmp_path)
    lost = json.loads(say("init", "--config", config, "--json")[1])["token"]
    with running(config, tmp_path / "data") as hub:
        code, told = say("user", "add", "operator", "--config", config, "--json")
        assert code == 0
        fresh = json.loads(told)["token"]
        second = say("user", "add", "li-jing", "--config", config)[1].split()[-1]

        def answer(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return httpx.get(f"{hub.where['http']}/api/v1/devices", headers=headers).status_code

        assert [answer(token) for token in (lost, fresh, second)] == [401, 200, 200]
    assert (tmp_path / "data" / "operator.token").read_text().strip() == fresh


def test_an_operator_who_leaves_is_signed_out_everywhere_at_once(tmp_path: Path):
    config = settings(tmp_path)
    first = json.loads(say("init", "--config", config, "--json")[1])["token"]
    with running(config, tmp_path / "data") as hub:
        url = hub.where["http"]
        second = json.loads(say("user", "add", "li-jing", "--config", config, "--json")[1])["token"]
        named = [one["name"] for one in json.loads(say("user", "list", "--config", config, "--json")[1])]
        assert named == ["li-jing", "operator"]
        headers = {"Authorization": f"Bearer {first}"}
        with (
            httpx.Client(base_url=url, headers={"Accept": "text/html"}) as console,
            connect(url.replace("http", "ws") + "/api/v1/live", additional_headers=headers) as live,
        ):
            console.post("/login", data={"token": first})
            assert console.get("/").status_code == 200
            live.recv(timeout=5)
            code, told = say("user", "remove", "operator", "--config", config)
            assert (code, told) == (0, "operator may not operate the hub\n")
            assert console.get("/").headers["location"] == "/login?next=/"
            assert httpx.get(f"{url}/api/v1/devices", headers=headers).status_code == 401
            new = {"device": "d-1", "room": "r-1", "name": "", "school": "", "public_key": public_pem(new_device_key())}
            registered = httpx.post(f"{url}/api/v1/devices", json=new, headers={"Authorization": f"Bearer {second}"})
            assert registered.status_code == 200
            with pytest.raises(ConnectionClosed):  # instead of the device that came
                live.recv(timeout=10)
        assert not (tmp_path / "data" / "operator.token").exists()
        assert say("user", "list", "--config", config)[1].startswith("li-jing")
    assert hub.code == 0, hub.log
    assert "Traceback" not in hub.log


def test_the_last_operator_stays_and_one_who_is_none_is_told(tmp_path: Path):
    config = settings(tmp_path)
    token = json.loads(say("init", "--config", config, "--json")[1])["token"]
    code, told = say("user", "remove", "operator", "--config", config)
    assert (code, "last operator" in told) == (2, True)
    assert (tmp_path / "data" / "operator.token").read_text().strip() == token
    code, told = say("user", "remove", "li-jing", "--config", config)
    assert (code, "there is no operator li-jing; there are: operator" in told) == (2, True)
    code, told = say("user", "list", "--data", tmp_path / "none")
    assert (code, "tongtang hub init" in told) == (2, True)


@pytest.mark.parametrize(("name", "words"), [("Li Jing", "lower-case"), ("li-jing", "tongtang hub init")])
def test_no_token_without_a_hub_or_a_usable_name(tmp_path: Path, name: str, words: str):
    code, told = say("user", "add", name, "--data", tmp_path / "none")
    assert code == 2
    assert words in told


def test_check_is_content_with_a_new_hub_and_changes_nothing(tmp_path: Path):
    say("init", "--config", settings(tmp_path))
    before = sorted(tmp_path.rglob("*"))
    code, told = verdicts("--config", settings(tmp_path))
    assert code == 0
    assert [told[name] for name in ("data folder", "database", "ports")] == ["ok"] * 3
    assert sorted(path for path in tmp_path.rglob("*") if not path.name.startswith("hub.db-")) == before


def test_check_says_what_to_do_where_there_is_no_hub(tmp_path: Path):
    code, told = say("check", "--data", tmp_path / "none")
    assert code == 1
    assert f"tongtang hub init --data {tmp_path / 'none'}" in told
    assert not (tmp_path / "none").exists()


def test_check_tells_a_taken_port_and_an_open_door(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        say("init", "--config", settings(tmp_path, port))
        code, told = say("check", "--config", settings(tmp_path, port))
    assert code == 1
    assert f"127.0.0.1:{port} taken by another program" in told
    path = settings(tmp_path)
    path.write_text(path.read_text().replace("[http]", '[http]\nhost = "0.0.0.0"'))
    code, told = say("check", "--config", path)
    assert code == 1
    assert "will not listen on 0.0.0.0 without TLS" in told


def test_check_tells_a_database_of_a_newer_hub(tmp_path: Path):
    say("init", "--config", settings(tmp_path))
    store = Store.open(f"sqlite:///{tmp_path}/data/hub.db")
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999_later'")
    store.close()
    code, told = say("check", "--config", settings(tmp_path))
    assert code == 1
    assert "written by a newer hub" in told


def test_a_wrong_setting_is_named_with_the_right_one(tmp_path: Path):
    path = settings(tmp_path)
    path.write_text(path.read_text().replace("broker", "brokr"))
    for command in ("init", "run", "check"):
        code, told = say(command, "--config", path)
        assert (code, "did you mean broker" in told) == (2, True)
    assert say("check")[0] == 2
    assert say("run", "--data", tmp_path / "none")[0] == 2


@pytest.mark.parametrize("command", ["init", "run", "check"])
def test_help_has_examples(command: str):
    code, told = say(command, "--help")
    assert code == 0
    assert f"tongtang hub {command} --" in told


def test_a_hub_runs_answers_and_ends_in_order(tmp_path: Path):
    config = settings(tmp_path)
    token = json.loads(say("init", "--config", config, "--json")[1])["token"]
    where = tmp_path / "data" / "hub.json"
    with running(config, tmp_path / "data") as hub:
        url = hub.where["http"]
        assert httpx.get(f"{url}/healthz").json()["ok"] is True
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{url}/api/v1/sessions", headers=headers).json() == []
        assert verdicts("--config", config)[1]["ports"] == "ok"
    assert hub.code == 0, hub.log
    assert not where.exists()


def test_an_encrypted_volume_is_recognised_below_a_logical_one(tmp_path: Path):
    number = tmp_path.stat().st_dev
    block = tmp_path / "sys" / "dev" / "block"
    block.mkdir(parents=True)
    logical, crypt = tmp_path / "sys" / "dm-1", tmp_path / "sys" / "dm-0"
    (logical / "slaves").mkdir(parents=True)
    (crypt / "dm").mkdir(parents=True)
    (logical / "slaves" / "dm-0").symlink_to(crypt)
    (block / f"{os.major(number)}:{os.minor(number)}").symlink_to(logical)
    (crypt / "dm" / "uuid").write_text("LVM-abc")
    assert volume_encrypted(tmp_path, tmp_path / "sys") is False
    (crypt / "dm" / "uuid").write_text("CRYPT-LUKS2-abc")
    assert volume_encrypted(tmp_path, tmp_path / "sys") is True
    assert volume_encrypted(tmp_path, tmp_path / "elsewhere") is None
