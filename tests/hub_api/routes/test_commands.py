"""Commands and twins as an operator meets them over HTTP."""

import pytest

from contract.envelope import parse
from tests.hub_api.district import District


def test_a_command_is_on_its_way_to_whoever_was_named(hub: District):
    with hub.http() as http:
        sent = http.post("/api/v1/commands", json={"devices": ["device-lead"], "name": "identify"})
        assert sent.status_code == 202
        assert [one["device"] for one in sent.json()["commands"]] == ["device-lead"]
        assert sent.json()["expires"] - sent.json()["issued"] == pytest.approx(60)
        command = sent.json()["commands"][0]["id"]
        shown = http.get(f"/api/v1/commands/{command}").json()
    assert (shown["name"], shown["state"], shown["operator"]) == ("identify", "sent", "operator")
    assert "envelope" not in shown
    kept = hub.parts.commands.get(command)
    assert parse(kept.envelope).signature == "", "a database in other hands must command nobody"


def test_a_school_or_the_whole_district_may_be_named(hub: District):
    with hub.http() as http:
        school = http.post("/api/v1/commands", json={"school": "城关小学", "name": "ping"}).json()
        everyone = http.post("/api/v1/commands", json={"all": True, "name": "ping", "valid_s": 600}).json()
        assert [one["device"] for one in school["commands"]] == ["device-lead"]
        assert [one["device"] for one in everyone["commands"]] == ["device-far", "device-lead"]
        listed = http.get("/api/v1/commands", params={"device": "device-lead", "state": "sent"}).json()
        assert len(listed) == 2
        assert len(http.get("/api/v1/commands", params={"limit": 1}).json()) == 1
        assert http.get("/api/v1/commands", params={"since": everyone["issued"]}).json() != []


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"name": "ping"}, 422, "say for whom"),
        ({"all": True, "devices": ["device-lead"], "name": "ping"}, 422, "say for whom"),
        ({"all": True, "name": "pnig"}, 422, "did you mean ping"),
        ({"all": True, "name": "log", "arguments": {"lines": 10**6}}, 422, "lines"),
        ({"all": True, "name": "ping", "valid_s": 10**9}, 422, "valid_s"),
        ({"all": True, "name": "ping", "valid_s": "NaN"}, 422, "valid_s"),
        ({"school": "无此学校", "name": "ping"}, 422, "no device is of the school"),
        ({"devices": ["device-9"], "name": "ping"}, 404, "there is no device device-9"),
        ({"devices": ["../etc"], "name": "ping"}, 422, "devices"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_words(hub: District, body, status, words):
    with hub.http() as http:
        refused = http.post("/api/v1/commands", json=body)
        assert refused.status_code == status
        assert words in refused.json()["error"]
        assert refused.json()["what_to_do"]
        assert http.get("/api/v1/commands").json() == []


def test_a_command_that_never_was_is_not_found(hub: District):
    with hub.http() as http:
        assert http.get("/api/v1/commands/abc").status_code == 404


def test_a_twin_is_set_shown_and_refused_where_somebody_else_was_faster(hub: District):
    with hub.http() as http:
        empty = http.get("/api/v1/twins/device-lead").json()
        assert (empty["rev"], empty["config"], empty["lags"]) == (0, {}, False)
        wanted = http.put("/api/v1/twins/device-lead", json={"config": {"report": {"health_s": 10}}, "rev": 0})
        assert wanted.status_code == 200
        assert (wanted.json()["rev"], wanted.json()["lags"]) == (1, True)
        assert "away" in wanted.json()["says"]
        late = http.put("/api/v1/twins/device-lead", json={"config": {}, "rev": 0})
        assert late.status_code == 409
        assert [one["device"] for one in http.get("/api/v1/twins", params={"lagging": True}).json()] == ["device-lead"]
        assert http.get("/api/v1/twins/device-lead").json()["config"] == {"report": {"health_s": 10.0}}


@pytest.mark.parametrize(
    ("device", "config", "status", "words"),
    [
        ("device-lead", {"report": {"helth_s": 10}}, 422, "did you mean report.health_s"),
        ("device-lead", {"hub": {"url": "http://elsewhere"}}, 422, "no such setting in the twin"),
        ("device-lead", {"video": {"fps_max": 1000}}, 422, "video.fps_max"),
        ("device-9", {}, 404, "there is no device device-9"),
    ],
)
def test_what_cannot_be_wanted_is_refused_before_it_is_kept(hub: District, device, config, status, words):
    with hub.http() as http:
        refused = http.put(f"/api/v1/twins/{device}", json={"config": config})
        assert refused.status_code == status
        assert words in refused.json()["error"]
        assert http.get("/api/v1/twins").json() == []


def test_a_device_may_neither_command_nor_set(hub: District):
    with hub.http() as http:
        http.headers.update(hub.lead.headers)
        assert http.post("/api/v1/commands", json={"all": True, "name": "restart"}).status_code == 403
        assert http.get("/api/v1/commands").status_code == 403
        assert http.put("/api/v1/twins/device-far", json={"config": {}}).status_code == 403


def test_a_revoked_device_is_told_nothing_and_shown_no_more(hub: District):
    with hub.http() as http:
        http.put("/api/v1/twins/device-lead", json={"config": {"report": {"health_s": 10}}})
        hub.parts.devices.revoke("device-lead", "op")
        assert http.post("/api/v1/commands", json={"devices": ["device-lead"], "name": "ping"}).status_code == 404
        sent = http.post("/api/v1/commands", json={"all": True, "name": "ping"}).json()
        assert [one["device"] for one in sent["commands"]] == ["device-far"]
        assert http.get("/api/v1/twins").json() == []
