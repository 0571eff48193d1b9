"""Health and readiness over HTTP."""

import time

import httpx
import pytest

from contract.telemetry import DeviceState, Row
from hub.store.rows import Arrived
from tests.hub.fleet.test_health import WELL
from tests.hub_api.district import District


def tells(hub: District, device: str, **data: object) -> None:
    row = Row(
        stream=f"st-{device}",
        seq=time.monotonic_ns(),
        first=1,
        id="p",
        kind="health",
        boot="b",
        mono_ns=1,
        wall=time.time(),
        data=WELL | {"all": True} | data,
    )
    hub.parts.health.on_stored([Arrived(device, "tele", row, hub.parts.clock.now())])


@pytest.fixture
def there(hub: District) -> District:
    for device in ("device-lead", "device-far"):
        hub.parts.devices.present([DeviceState(device=device, online=True, boot="b", incarnation="i")])
    tells(hub, "device-lead")
    tells(hub, "device-far", camera="missing")
    return hub


def test_every_device_is_told_with_its_state_and_what_to_do(there: District):
    with there.http() as http:
        told = {one["device"]: one for one in http.get("/api/v1/health").json()}
        bad = http.get("/api/v1/health", params={"state": "degraded"}).json()
        one = http.get("/api/v1/devices/device-far/health").json()
    assert (told["device-lead"]["state"], told["device-lead"]["words"]) == ("ok", "")
    assert [each["device"] for each in bad] == ["device-far"]
    assert one == bad[0]
    assert one["remarks"] == [{"sign": "camera_missing", "values": {}}]
    assert "camera" in one["words"]
    assert one["fields"]["disk_free_mib"] == WELL["disk_free_mib"]


def test_a_device_that_nobody_knows_is_not_found(hub: District):
    answer = hub.http().get("/api/v1/devices/nobody/health")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "what_to_do"}


def test_a_state_that_does_not_exist_is_refused_in_words(hub: District):
    answer = hub.http().get("/api/v1/health", params={"state": "merry"})
    assert answer.status_code == 422


def test_a_session_that_begins_soon_tells_what_is_expected_of_its_rooms(there: District):
    session = there.session()
    with there.http() as http:
        one = http.get(f"/api/v1/sessions/{session}").json()
        listed = http.get("/api/v1/sessions").json()[0]
    standing = {room["room"]: room["readiness"]["standing"] for room in one["rooms"]}
    assert standing == {"room-lead": "at-risk", "room-far": "at-risk"}  # their devices do not hold the order yet
    signs = {room["room"]: [remark["sign"] for remark in room["readiness"]["remarks"]] for room in listed["rooms"]}
    assert signs == {"room-lead": ["order_not_held"], "room-far": ["camera_missing", "order_not_held"]}


def test_the_devices_list_says_how_each_is(there: District):
    told = {one["device"]: one["health"] for one in there.http().get("/api/v1/devices").json()}
    assert told == {"device-lead": "ok", "device-far": "degraded"}


def test_the_overview_page_shows_health_and_readiness_in_both_languages(there: District):
    there.session()
    headers = there.headers | {"Accept": "text/html"}
    chinese = httpx.get(there.url + "/?lang=zh", headers=headers).text
    english = httpx.get(there.url + "/?lang=en", headers=headers).text
    assert "摄像头不见了，请检查连接线" in chinese
    assert "its camera is not there; look at its cable" in english
    assert "可能受影响" in chinese
    assert "尚未收到最新安排" in chinese
    assert "At risk" in english
