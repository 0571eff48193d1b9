"""Enrolment as machines and operators see it over HTTP."""

import httpx
import pytest
from cryptography import x509

from contract.enrolment import fingerprint, read_ticket
from contract.keys import load_public, new_device_key, public_pem
from hub.fleet.guesses import WRONG_BY_ADDRESS
from tests.hub.fleet.papers import request
from tests.hub_api.district import Device, District


def code(hub: District, room: str = "room-301", **more: object) -> dict:
    answer = hub.http().post("/api/v1/claims", json={"school": "城关小学", "room": room, "name": "三年级", **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def show(hub: District, code: str, key: object, machine: str = "m1") -> httpx.Response:
    asked = {"code": code, "csr": request(key), "machine": machine}
    return httpx.post(f"{hub.url}/api/v1/enrolments", json=asked)


def test_a_claim_code_makes_a_machine_a_device_that_may_use_the_api(hub: District):
    made, key = code(hub), new_device_key()
    ticket = read_ticket(made["ticket"])
    assert (ticket.hub, ticket.code) == (hub.url, made["code"])
    answer = show(hub, made["code"], key)
    assert answer.status_code == 200
    told = answer.json()
    assert [told[name] for name in ("device", "room", "name", "school")] == [
        "room-301",
        "room-301",
        "三年级",
        "城关小学",
    ]
    assert fingerprint(told["hub_public_key"]) == ticket.hub_key == made["hub_key"]
    assert told["mqtt"].keys() == {"host", "port", "tls"}
    trust = x509.load_pem_x509_certificates(told["ca"].encode())
    own = x509.load_pem_x509_certificate(told["certificate"].encode())
    own.verify_directly_issued_by(trust[0])
    assert own.public_key() == key.public_key()
    device = Device("room-301", "room-301", key)
    assert httpx.options(f"{hub.url}/api/v1/uploads/", headers=device.headers).status_code == 204
    assert {one["device"] for one in hub.http().get("/api/v1/devices").json()} >= {"room-301"}


def test_a_machine_waits_until_an_operator_confirms_it_and_the_console_asks_for_that(hub: District):
    made, key = code(hub, confirm=True), new_device_key()
    answer = show(hub, made["code"], key)
    assert answer.status_code == 202
    assert "operator must confirm" in answer.json()["words"]
    (claim,) = hub.http().get("/api/v1/claims").json()
    assert (claim["state"], claim["machine"], claim["address"]) == ("waiting", "m1", "127.0.0.1")
    assert fingerprint(load_public(public_pem(key))).startswith(claim["key"])
    assert made["code"] not in str(claim)
    page = hub.http().get("/overview").text
    assert "/api/v1/claims/room-301/confirm" in page
    assert hub.http().post("/api/v1/claims/room-301/confirm").json()["state"] == "used"
    assert show(hub, made["code"], key).status_code == 200
    assert "/api/v1/claims/room-301/confirm" not in hub.http().get("/overview").text


def test_refusals_are_told_in_words_with_what_to_do(hub: District):
    key = new_device_key()
    made = code(hub)["code"]
    assert show(hub, made, key).status_code == 200
    asked = {"code": made, "csr": "nonsense", "machine": ""}
    answers = {
        "another key": show(hub, made, new_device_key()),
        "unknown": show(hub, "2222-2222-2222", new_device_key()),
        "unreadable": show(hub, "1234", new_device_key()),
        "unfit": httpx.post(f"{hub.url}/api/v1/enrolments", json=asked),
        "huge": httpx.post(f"{hub.url}/api/v1/enrolments", json=asked | {"csr": "x" * 100_000}),
        "nothing": httpx.post(f"{hub.url}/api/v1/enrolments", json={}),
        "taken": hub.http().post("/api/v1/claims", json={"school": "x", "room": "room-301"}),
        "unused": hub.http().post("/api/v1/claims/room-9/confirm"),
        "alert": hub.http().post("/api/v1/alerts/99/clear"),
        "device": hub.http().post("/api/v1/devices/room-9/revoke"),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "another key": 410,
        "unknown": 403,
        "unreadable": 422,
        "unfit": 422,
        "huge": 422,
        "nothing": 422,
        "taken": 409,
        "unused": 409,
        "alert": 404,
        "device": 404,
    }
    assert all(answer.json()["error"] and answer.json()["what_to_do"] for answer in answers.values())


def test_whoever_guesses_is_told_when_to_try_again(hub: District):
    answers = [show(hub, "2222-2222-2222", new_device_key()) for _ in range(WRONG_BY_ADDRESS)]
    assert {one.status_code for one in answers[:-1]} == {403}
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["retry-after"]) <= 301
    assert "try again in" in answers[-1].json()["error"]
    assert show(hub, code(hub)["code"], new_device_key()).status_code == 200


def test_a_device_renews_by_its_key_until_it_is_revoked(hub: District):
    asked = {"csr": request(hub.lead.key)}
    answer = httpx.post(f"{hub.url}/api/v1/certificates", json=asked, headers=hub.lead.headers)
    assert answer.status_code == 200
    assert (
        "CN=device-lead"
        in x509.load_pem_x509_certificate(answer.json()["certificate"].encode()).subject.rfc4514_string()
    )
    forged = {"Authorization": f"Bearer {Device(hub.lead.id, hub.lead.room).token()}"}
    assert httpx.post(f"{hub.url}/api/v1/certificates", json=asked, headers=forged).status_code == 401
    assert hub.http().post("/api/v1/devices/device-lead/revoke").json()["revoked"] is not None
    answer = httpx.post(f"{hub.url}/api/v1/certificates", json=asked, headers=hub.lead.headers)
    assert answer.status_code == 403
    assert answer.json()["error"] == "device device-lead was revoked"


def test_a_revoked_device_gets_nowhere_and_its_room_takes_another(hub: District):
    assert hub.http().post("/api/v1/devices/device-lead/revoke").status_code == 200
    assert hub.http().post("/api/v1/devices/device-lead/revoke").status_code == 200
    for path in ("/api/v1/packages/s-2026-abcd/room-lead", "/api/v1/devices", "/", "/nowhere"):
        assert httpx.get(hub.url + path, headers=hub.lead.headers).status_code == 403, path
    assert httpx.options(f"{hub.url}/api/v1/uploads/", headers=hub.lead.headers).status_code == 403
    assert [one["device"] for one in hub.http().get("/api/v1/devices").json()] == ["device-far"]
    assert [one["device"] for one in hub.http().get("/api/v1/devices?revoked=true").json()] == ["device-lead"]
    assert show(hub, code(hub, "room-lead")["code"], new_device_key()).json()["device"] == "room-lead"
    assert show(hub, code(hub, "room-free")["code"], hub.lead.key).status_code == 403


@pytest.mark.parametrize(("language", "words"), [("zh", "疑似克隆磁盘"), ("en", "Copied disk")])
def test_open_alerts_stand_on_the_overview_until_an_operator_clears_them(hub: District, language: str, words: str):
    hub.parts.alerts.raise_("device-lead", "cloned-disk", "two machines")
    hub.parts.alerts.raise_("", "something-new", "said as it is")
    page = hub.http().get(f"/?lang={language}").text
    assert words in page
    assert "something-new" in page
    first, second = hub.http().get("/api/v1/alerts").json()
    assert (first["device"], first["kind"], first["times"]) == ("device-lead", "cloned-disk", 1)
    for alert in (first, second):
        assert hub.http().post(f"/api/v1/alerts/{alert['alert']}/clear").status_code == 200
    assert words not in hub.http().get(f"/?lang={language}").text
    assert hub.http().get("/api/v1/alerts").json() == []
