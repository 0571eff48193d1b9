"""No door is open: every route and WebSocket, without, with a wrong and with another's token."""

import re
import time
from pathlib import Path

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from contract.keys import new_device_key
from hub.api.access import RULES, Who, open_rules
from hub.door import OpenBinding, refuse_open_binding
from tests.hub_api.district import PLAIN, Device, District, make

PROOF_IN_HAND = {
    "POST /api/v1/enrolments",
    "GET /calendars/{token}.ics",
    "HEAD /calendars/{token}.ics",
    "GET /services/available.json",
    "GET /recordings/calendars",
    "POST /capture-admin/agents/{agent}",
    "POST /capture-admin/recordings/{recording}",
}
"""Whoever shows a claim code or a calendar's token; their own tests knock at them without."""
ALLOW_LIST = {"GET /healthz", "GET /login", "POST /login", "GET /static/{name}", *PROOF_IN_HAND}
VALUES = {
    "device": "device-lead",
    "alert": "1",
    "command": "0" * 24,
    "session": "s-2026-abcd",
    "plan": "p-000001",
    "what": "propose",
    "month": "2026-11",
    "made": "i-000001",
    "dry_run": "0" * 16,
    "repair": "repair-0",
    "file": "pdf",
    "sha256": "0" * 64,
    "room": "room-lead",
    "name": "camera.mp4",
    "uuid": "device-lead." + "0" * 32,
    "token": "0" * 16,
    "kind": "room",
    "fact": "q1",
    "who": "room-lead",
}


def lines(app: object) -> set[str]:
    """Every route of the application as the rules name it."""
    found = set()
    for route in iter_route_contexts(app.routes):
        if type(route.original_route).__name__ == "APIWebSocketRoute":
            found.add(f"WS {route.path}")
        else:
            found |= {f"{method} {route.path}" for method in route.methods}
    return found


def closed() -> list[str]:
    return sorted(line for line in RULES if line not in ALLOW_LIST)


def address(line: str) -> tuple[str, str]:
    method, path = line.split(" ", 1)
    return method, re.sub(r"\{(\w+)\}", lambda found: VALUES[found[1]], path)


def knock(hub: District, line: str, headers: dict[str, str]) -> int:
    """Status of the answer to one request or WebSocket handshake."""
    method, path = address(line)
    if method != "WS":
        return httpx.request(method, hub.url + path, headers=headers, verify=PLAIN).status_code
    try:
        with connect(hub.url.replace("http", "ws") + path, additional_headers=headers):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_every_route_says_who_may_use_it_and_nothing_else_is_declared(tmp_path: Path):
    made = make(tmp_path)
    assert lines(made.app) == set(RULES)
    made.parts.store.close()


def test_only_health_and_sign_in_are_open():
    assert set(open_rules()) == ALLOW_LIST


def test_without_a_token_nothing_answers(hub: District):
    answers = {line: knock(hub, line, {}) for line in closed()}
    assert {line: status for line, status in answers.items() if status not in {401, 403}} == {}


@pytest.mark.parametrize(
    "authorization",
    ["Bearer tt-wrong", "Bearer a.b.c", "Bearer", "Basic b3BlcmF0b3I6eA==", "tt-wrong"],
    ids=["wrong", "jwt-like", "empty", "basic", "bare"],
)
def test_with_a_wrong_token_nothing_answers(hub: District, authorization: str):
    answers = {line: knock(hub, line, {"Authorization": authorization}) for line in closed()}
    assert {line: status for line, status in answers.items() if status not in {401, 403}} == {}


def test_a_device_gets_nowhere_where_only_an_operator_may(hub: District):
    only_operator = [line for line in closed() if RULES[line] is Who.OPERATOR]
    answers = {line: knock(hub, line, hub.lead.headers) for line in only_operator}
    assert set(answers.values()) == {403}


def test_an_operator_does_not_upload_in_a_rooms_name(hub: District):
    only_device = [line for line in closed() if RULES[line] is Who.DEVICE]
    assert {knock(hub, line, hub.headers) for line in only_device} == {403}


def test_a_path_that_is_no_route_is_refused_before_it_is_not_found(hub: District):
    for path in ("/docs", "/openapi.json", "/api/v1", "/static/../hub.key", "/api/v1/uploads/a/b"):
        assert httpx.get(hub.url + path).status_code == 401, path
        assert hub.http().get(path).status_code == 404, path


def test_the_open_doors_are_open(hub: District):
    assert httpx.get(hub.url + "/healthz").json()["ok"] is True
    assert httpx.get(hub.url + "/login").status_code == 200
    assert httpx.get(hub.url + "/static/nothing.js").status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "somebody-else"},
        {"exp": int(time.time()) - 100, "iat": int(time.time()) - 200},
        {"exp": int(time.time()) + 86_400},
        {"sub": "device-unknown"},
        {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 3700},
    ],
    ids=["audience", "expired", "too-long", "unknown", "future"],
)
def test_a_device_token_that_is_not_quite_right_is_refused(hub: District, changes: dict):
    headers = {"Authorization": f"Bearer {hub.lead.token(**changes)}"}
    assert knock(hub, "GET /api/v1/packages/{session}/{room}", headers) == 401


def test_a_device_token_signed_with_another_key_is_refused(hub: District):
    thief = Device(hub.lead.id, hub.lead.room, new_device_key())
    assert knock(hub, "GET /api/v1/packages/{session}/{room}", thief.headers) == 401


def test_a_method_override_is_refused(hub: District):
    answer = hub.http().get("/api/v1/sessions", headers={"X-HTTP-Method-Override": "POST"})
    assert answer.status_code == 400


def test_the_hub_does_not_listen_beyond_loopback_without_tls():
    for host in ("127.0.0.1", "localhost", "::1", "127.9.9.9"):
        refuse_open_binding(host, tls=False)
    refuse_open_binding("0.0.0.0", tls=True)
    for host in ("0.0.0.0", "::", "192.168.1.5", "hub.school.local"):
        with pytest.raises(OpenBinding, match="TLS"):
            refuse_open_binding(host, tls=False)
