import json

import pytest
from fastapi.routing import iter_route_contexts
from websockets.sync.client import connect

from contract.keys import load_public, new_device_key, public_pem
from contract.telemetry import DeviceState, Row
from hub.store.rows import Arrived
from tests.hub_api.district import District

ROOMS = [{"room": "room-lead", "role": "lead"}, {"room": "room-far", "role": "receiving"}]


def test_a_device_is_registered_and_listed(hub: District):
    key = public_pem(new_device_key())
    new = {"device": "device-3", "room": "room-3", "name": "三年级", "school": "云岭小学", "public_key": key}
    with hub.http() as http:
        welcome = http.post("/api/v1/devices", json=new).json()
        listed = http.get("/api/v1/devices").json()
    assert welcome["mqtt"] == {"host": "127.0.0.1", "port": 1883, "tls": True}
    load_public(welcome["hub_public_key"])
    assert [one["school"] for one in listed if one["device"] == "device-3"] == ["云岭小学"]


def test_a_device_with_anothers_key_is_refused_in_words(hub: District):
    new = {"device": "device-lead", "room": "room-lead", "public_key": public_pem(new_device_key())}
    answer = hub.http().post("/api/v1/devices", json=new)
    assert answer.status_code == 409
    assert "another key" in answer.json()["error"]
    assert answer.json()["what_to_do"]


def test_a_session_is_made_shown_and_called_off(hub: District):
    with hub.http() as http:
        made = http.post("/api/v1/sessions", json={"title": "勾股定理", "seconds": 60, "rooms": ROOMS})
        assert made.status_code == 201
        session = made.json()["session"]
        assert made.json()["epoch"] > hub.parts.clock.now()
        assert [one["session"] for one in http.get("/api/v1/sessions").json()] == [session]
        assert http.get(f"/api/v1/sessions/{session}").json()["title"] == "勾股定理"
        assert http.post(f"/api/v1/sessions/{session}/cancel").json()["state"] == "cancelled"
        again = http.post(f"/api/v1/sessions/{session}/end")
    assert again.status_code == 409
    assert set(again.json()) == {"error", "what_to_do"}


def test_bad_sessions_are_refused_in_words(hub: District):
    with hub.http() as http:
        unknown = http.post(
            "/api/v1/sessions", json={"seconds": 60, "rooms": [ROOMS[0], {"room": "nowhere", "role": "receiving"}]}
        )
        two_leads = http.post(
            "/api/v1/sessions", json={"seconds": 60, "rooms": [ROOMS[0], ROOMS[1] | {"role": "lead"}]}
        )
        no_length = http.post("/api/v1/sessions", json={"rooms": ROOMS})
        no_json = http.post("/api/v1/sessions", content=b"{")
        none = http.get("/api/v1/sessions/s-2026-none")
    assert (unknown.status_code, two_leads.status_code, none.status_code) == (404, 422, 404)
    assert (no_length.status_code, no_json.status_code) == (422, 422)
    assert "seconds" in no_length.json()["error"]
    for answer in (unknown, two_leads, no_length, no_json, none):
        assert set(answer.json()) == {"error", "what_to_do"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start", "NaN"),
        ("start", "Infinity"),
        ("start", "1e300"),
        ("start", '"tomorrow"'),
        ("lead_s", "NaN"),
        ("seconds", "NaN"),
        ("seconds", "0"),
        ("video", "[0, 0]"),
        ("video", "[1281, 720]"),
        ("video", "[100000, 100000]"),
        ("video_bps", "1e12"),
        ("fps", "1000"),
        ("rooms", "[]"),
        ("titel", '"x"'),
    ],
)
def test_a_number_that_makes_no_sense_makes_no_session(refusing: District, field: str, value: str):
    fields = {"seconds": "60", "rooms": json.dumps(ROOMS)} | {field: value}
    body = "{" + ", ".join(f'"{name}": {said}' for name, said in fields.items()) + "}"
    with refusing.http() as http:
        answer = http.post("/api/v1/sessions", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, answer.text
        assert http.get("/api/v1/sessions").json() == []
    assert field in answer.json()["error"] or "400 days" in answer.json()["error"]


def told(socket, wanted) -> None:
    """Wait for an overview that is as wanted; what changed before the viewer came may be told first."""
    while not wanted(json.loads(socket.recv(10))):
        pass


def test_the_live_overview_comes_at_once_and_after_each_change(hub: District):
    with connect(hub.url.replace("http", "ws") + "/api/v1/live", additional_headers=hub.headers) as socket:
        first = json.loads(socket.recv(5))
        assert [one["online"] for one in first["devices"]] == [False, False]
        hub.parts.devices.present([DeviceState(device="device-lead", online=True, boot="b", incarnation="i")])
        told(socket, lambda overview: [one["online"] for one in overview["devices"]] == [False, True])
        session = hub.session()
        told(socket, lambda overview: [one["session"] for one in overview["sessions"]] == [session])


def test_what_a_viewer_sends_is_ignored_whatever_it_is(hub: District):
    with connect(hub.url.replace("http", "ws") + "/api/v1/live", additional_headers=hub.headers) as socket:
        socket.recv(5)
        socket.send("hello")
        socket.send(b"\x00\xff")
        session = hub.session()
        told(socket, lambda overview: [one["session"] for one in overview["sessions"]] == [session])


def test_telemetry_tells_what_is_stored_and_by_which_ids(hub: District):
    rows = [
        Row(stream="st-1", seq=seq, first=1, id=f"p-{seq}", kind="health", boot="b", mono_ns=seq, wall=0.0)
        for seq in (1, 2, 3)
    ]
    hub.parts.store.rows.take([Arrived("device-lead", "tele", row, 1.0) for row in [*rows, rows[0]]])
    with hub.http() as http:
        summary = http.get("/api/v1/telemetry/summary").json()["device-lead"]
        ids = http.get("/api/v1/telemetry/ids", params={"device": "device-lead"}).json()
    assert (summary["stored"], summary["ids"], summary["streams"]["st-1"]["upto"]) == (3, 3, 3)
    assert ids == ["p-1", "p-2", "p-3"]


def test_every_route_of_the_api_is_described(hub: District):
    told = hub.http().get("/api/v1/openapi.json").json()
    for route in iter_route_contexts(hub.app.routes):
        if route.path.startswith("/api/") and hasattr(route.original_route, "methods"):
            for method in route.methods:
                one = told["paths"][route.path][method.lower()]
                assert one["summary"], (method, route.path)
                assert one["description"], (method, route.path)
                assert "401" in one["responses"], (method, route.path)
    assert "Problem" in told["components"]["schemas"]


def test_answers_carry_a_strict_content_policy(hub: District):
    headers = hub.http().get("/").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
