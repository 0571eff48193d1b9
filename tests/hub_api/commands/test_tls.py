"""A hub that the whole school network may reach: its own certificate, an authority that classrooms know."""

import json
import ssl
import time
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner
from websockets.sync.client import connect

from agent.identity import EnrolmentRefused, HubUntrusted, device_token
from agent.registration import register
from agent.settings import load_settings
from hub.cli import app
from hub.founding import init
from tests.hub_api.commands.authority import Authority
from tests.hub_api.commands.running import refused_here, running

SETTINGS = """
data = "{data}"
broker = "amqtt"
[http]
host = "0.0.0.0"
port = 0
{tls}
[mqtt]
host = "0.0.0.0"
port = 0
"""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def settings(folder: Path, pair: tuple[Path, Path] | None) -> Path:
    tls = f'tls_cert = "{pair[0].as_posix()}"\ntls_key = "{pair[1].as_posix()}"' if pair else ""
    path = folder / "hub.toml"
    path.write_text(SETTINGS.format(data=(folder / "data").as_posix(), tls=tls))
    return path


def checked(config: Path) -> dict[str, dict[str, str]]:
    told = CliRunner().invoke(app, ["check", "--config", str(config), "--json"]).output
    return {line["name"]: line for line in json.loads(told)}


def test_a_hub_with_a_certificate_serves_the_network_and_its_agents_over_https(tmp_path: Path, authority: Authority):
    config = settings(tmp_path, authority.certificate("127.0.0.1", "localhost"))
    token = init(tmp_path / "data").token
    with running(config, tmp_path / "data") as hub:
        url = hub.where["http"]
        assert url.startswith("https://127.0.0.1:")
        port = url.rpartition(":")[2]
        trust = ssl.create_default_context(cafile=authority.file)
        (tmp_path / "agent.toml").write_text('[hub]\nca = "authority.pem"\n')
        ca = load_settings(tmp_path / "agent.toml").hub.ca
        near = register(tmp_path / "near", url, token, "dev-a", "room-a", ca=ca)
        far = register(tmp_path / "far", f"https://localhost:{port}", token, "dev-b", "room-b", ca=ca)
        # Each is told the host by which it reached the hub: the broker listens on all of them.
        assert (near.mqtt_host, far.mqtt_host) == ("127.0.0.1", "localhost")
        assert near.mqtt_port == hub.where["mqtt"]["port"]
        with pytest.raises(EnrolmentRefused, match="room room-a already has device dev-a"):
            register(tmp_path / "third", url, token, "dev-c", "room-a", ca=ca)
        with httpx.Client(base_url=url, verify=trust) as console:
            headers = {"Authorization": f"Bearer {device_token(near, time.time())}"}
            assert console.get("/api/v1/packages/s-2026-abcd/room-a", headers=headers).status_code == 403
            answer = console.post("/login", data={"token": token})
            assert "secure" in answer.headers["set-cookie"].lower()
            assert console.get("/").status_code == 200
            cookie = "; ".join(f"{name}={value}" for name, value in console.cookies.items())
        with connect(
            url.replace("https", "wss") + "/api/v1/live",
            ssl=trust,
            origin=url,
            additional_headers={"Cookie": cookie},
        ) as live:
            assert {one["device"] for one in json.loads(live.recv(timeout=5))["devices"]} == {"dev-a", "dev-b"}
        with pytest.raises(HubUntrusted, match=r"name the file of the authority.* with ca under \[hub\]"):
            register(tmp_path / "stranger", url, token, "dev-c", "room-c")
        with pytest.raises(HubUntrusted, match="is not trusted here"):
            register(tmp_path / "misled", url, token, "dev-c", "room-c", ca=Authority(tmp_path, "another").file)
        with pytest.raises(httpx.HTTPError):
            httpx.get(url.replace("https", "http") + "/healthz")
    assert hub.code == 0, hub.log


def test_check_is_content_with_tls_on_both_doors_and_not_with_an_open_broker(tmp_path: Path, authority: Authority):
    config = settings(tmp_path, authority.certificate("127.0.0.1"))
    init(tmp_path / "data")
    found = checked(config)
    assert found["ports"]["verdict"] == "ok"
    assert "https 0.0.0.0" in found["ports"]["words"]
    assert "mqtts 0.0.0.0" in found["ports"]["words"]
    assert "200 devices" in found["broker"]["words"]
    config.write_text(f"{config.read_text()}tls = false\n")
    found = checked(config)
    assert found["broker"]["verdict"] == "bad"
    assert "will not listen on 0.0.0.0 without TLS" in found["broker"]["words"]


@pytest.mark.parametrize(("days", "verdict"), [(10, "warn"), (-1, "bad")])
def test_check_tells_a_certificate_that_expires_before_it_stops_lessons(tmp_path, authority, days, verdict):
    config = settings(tmp_path, authority.certificate("127.0.0.1", days=days))
    init(tmp_path / "data")
    found = checked(config)["ports"]
    assert found["verdict"] == verdict
    assert "expire" in found["words"]


def test_a_hub_does_not_begin_with_a_certificate_that_it_cannot_use(tmp_path: Path, authority: Authority):
    init(tmp_path / "data")
    good = authority.certificate("127.0.0.1")
    other = authority.certificate("localhost")
    locked = authority.certificate("hub.school", password=b"secret")
    (tmp_path / "text.pem").write_text("nothing")
    cases = {
        None: "will not listen on 0.0.0.0 without TLS",
        (good[0], tmp_path / "none.pem"): "none.pem cannot be read: No such file or directory; mend tls_key",
        (tmp_path / "text.pem", good[1]): "text.pem holds no certificate",
        (good[0], other[1]): "is not the key of",
        locked: "locked by a password",
    }
    for pair, words in cases.items():
        config = settings(tmp_path, pair)
        code, told = refused_here("run", "--config", config)
        assert (code, words in told, told.count("\n")) == (2, True, 1), told
        assert checked(config)["ports"]["verdict"] == "bad"


@pytest.mark.parametrize(("text", "words"), [(None, "No such file"), ("nothing", "holds no certificate")])
def test_an_authority_that_cannot_be_read_is_told_before_anything_is_sent(tmp_path, text, words):
    ca = tmp_path / "authority.pem"
    if text:
        ca.write_text(text)
    with pytest.raises(HubUntrusted, match=words):
        register(tmp_path / "state", "https://127.0.0.1:1", "token", "dev-a", "room-a", ca=ca)
    assert not (tmp_path / "state").exists()
