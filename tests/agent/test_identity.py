import json
import stat
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest

from agent.identity import (
    EnrolledElsewhere,
    EnrolmentRefused,
    HubUnreachable,
    IdentityDamaged,
    NotEnrolled,
    device_token,
    enrol,
    load_identity,
)
from contract.keys import load_public, new_hub_key, public_pem


class SmallHub:
    """The one route that enrolment needs, as the hub answers it."""

    def __init__(self) -> None:
        self.key = new_hub_key()
        self.asked: list[dict] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                allowed = self.headers["Authorization"] == "Bearer operator"
                hub.asked.append(body)
                answer = {"hub_public_key": public_pem(hub.key), "mqtt": {"host": "0.0.0.0", "port": 18830}}
                if body["room"] == "taken":
                    self._say(409, {"detail": "room taken already has device d-0"})
                else:
                    self._say(200 if allowed else 401, answer if allowed else {"detail": "no"})

            def _say(self, status: int, answer: dict) -> None:
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hub():
    one = SmallHub()
    yield one
    one.server.shutdown()
    one.server.server_close()


def test_enrolling_makes_a_key_that_stays_here_and_remembers_the_hub(hub, tmp_path):
    made = enrol(tmp_path, hub.url + "/", "operator", "d-1", "lead", "一班", "石桥小学")
    again = load_identity(tmp_path)
    assert (again.device, again.room, again.name, again.mqtt_host, again.mqtt_port) == (
        "d-1",
        "lead",
        "一班",
        "127.0.0.1",
        18830,
    )
    assert "PRIVATE" not in json.dumps(hub.asked)
    assert load_public(hub.asked[0]["public_key"]) == made.key.public_key()
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


def test_enrolling_again_with_the_same_hub_keeps_the_key(hub, tmp_path):
    enrol(tmp_path, hub.url, "operator", "d-1", "lead")
    enrol(tmp_path, hub.url, "operator", "d-1", "lead", "new name")
    assert hub.asked[0]["public_key"] == hub.asked[1]["public_key"]
    assert load_identity(tmp_path).name == "new name"


def test_a_hub_that_is_not_there_is_told_with_its_address(tmp_path):
    with pytest.raises(HubUnreachable, match=r"http://127\.0\.0\.1:1 "):
        enrol(tmp_path, "http://127.0.0.1:1", "operator", "d-1", "lead", timeout_s=2)
    with pytest.raises(NotEnrolled, match="tongtang agent enrol"):
        load_identity(tmp_path)


def test_a_wrong_token_and_a_taken_room_are_told_apart(hub, tmp_path):
    with pytest.raises(EnrolmentRefused, match="operator token"):
        enrol(tmp_path, hub.url, "wrong", "d-1", "lead")
    with pytest.raises(EnrolmentRefused, match="already has device d-0"):
        enrol(tmp_path, hub.url, "operator", "d-1", "taken")


def test_a_device_of_another_hub_is_not_taken_over(hub, tmp_path):
    enrol(tmp_path, hub.url, "operator", "d-1", "lead")
    other = SmallHub()
    with pytest.raises(EnrolledElsewhere, match="d-1"):
        enrol(tmp_path, other.url, "operator", "d-1", "lead")
    other.server.shutdown()
    other.server.server_close()
    hub.key = new_hub_key()
    with pytest.raises(EnrolledElsewhere, match="another key"):
        enrol(tmp_path, hub.url, "operator", "d-1", "lead")
    assert load_identity(tmp_path).hub_url == hub.url


def test_damaged_files_are_named_with_what_to_do(hub, tmp_path):
    enrol(tmp_path, hub.url, "operator", "d-1", "lead")
    (tmp_path / "key.pem").write_text("torn")
    with pytest.raises(IdentityDamaged, match="enrol again"):
        load_identity(tmp_path)
    (tmp_path / "identity.json").write_text("{")
    with pytest.raises(IdentityDamaged, match=r"identity\.json"):
        load_identity(tmp_path)


def test_the_token_is_one_that_the_hub_can_check(hub, tmp_path):
    me = enrol(tmp_path, hub.url, "operator", "d-1", "lead")
    token = device_token(me, time.time())
    claims = jwt.decode(token, me.key.public_key(), algorithms=["ES256"], audience="tongtang-hub")
    assert claims["sub"] == "d-1"
    assert claims["exp"] - claims["iat"] <= 300
