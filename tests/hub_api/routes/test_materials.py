"""Materials over HTTP: attached by operators, fetched by the rooms of the session and by nobody else."""

import hashlib

import pytest

from contract.keys import public_pem
from hub.fleet.devices import NewDevice
from tests.hub_api.district import Device, District

PAPER = "勾股定理 练习.pdf"
BYTES = bytes(range(256)) * 5000


def attached(hub: District, session: str, name: str = PAPER, data: bytes = BYTES) -> list[dict]:
    with hub.http() as http:
        answer = http.put(f"/api/v1/sessions/{session}/materials/{name}", content=data)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_file_is_ordered_of_every_room_and_each_says_when_it_holds_it(hub: District):
    session = hub.session(seconds=600)
    (one,) = attached(hub, session)
    sha256 = hashlib.sha256(BYTES).hexdigest()
    assert one["material"] == {"name": PAPER, "sha256": sha256, "bytes": len(BYTES)}
    assert one["operator"] == "operator"
    order = hub.parts.conductor.order(session)
    assert (order.rev, [material.sha256 for material in order.materials]) == (2, [sha256])
    with hub.http() as http:
        http.headers = hub.receiving.headers
        whole = http.get(f"/api/v1/materials/{sha256}")
        assert whole.content == BYTES
        rest = http.get(f"/api/v1/materials/{sha256}", headers={"Range": f"bytes={len(BYTES) - 10}-"})
        assert (rest.status_code, rest.content) == (206, BYTES[-10:])
        held = {"session": session, "room": "room-far", "sha256": sha256}
        assert http.post("/api/v1/materials/held", json=held).status_code == 204
        assert http.post("/api/v1/materials/held", json=held | {"room": "room-lead"}).status_code == 403
        http.headers = hub.headers
        (listed,) = http.get(f"/api/v1/sessions/{session}/materials").json()
    assert (listed["held"], listed["missing"]) == (["room-far"], ["room-lead"])
    assert hub.parts.materials.lacking(session, "room-far") == ()
    assert hub.parts.materials.lacking(session, "room-lead") == (PAPER,)


def test_a_file_of_the_same_name_takes_the_others_place_and_what_is_taken_out_is_ordered_no_more(hub: District):
    session = hub.session(seconds=600)
    attached(hub, session)
    (one,) = attached(hub, session, data=b"better")
    assert one["material"]["bytes"] == 6
    attached(hub, session, "题目.txt", b"")
    with hub.http() as http:
        left = http.delete(f"/api/v1/sessions/{session}/materials/{PAPER}").json()
    assert [one["material"]["name"] for one in left] == ["题目.txt"]
    assert [one.name for one in hub.parts.conductor.order(session).materials] == ["题目.txt"]


def test_a_device_without_a_part_in_the_session_gets_nothing(hub: District):
    sha256 = attached(hub, hub.session(seconds=600))[0]["material"]["sha256"]
    other = Device("device-other", "room-other")
    hub.parts.devices.register(NewDevice(other.id, other.room, "别的教室", "", public_pem(other.key)))
    with hub.http() as http:
        http.headers = other.headers
        answer = http.get(f"/api/v1/materials/{sha256}")
        assert answer.status_code == 403
        assert "no session of this device" in answer.json()["error"]
        assert http.get("/api/v1/materials/" + "0" * 64).status_code == 403
        http.headers = hub.headers
        assert http.get("/api/v1/materials/" + "0" * 64).status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "a%2Fb.pdf",
        "..",
        "x" * 65,
        "中" * 65,
        "a:b",
        "%00",
        " lead",
        "a ",
        "a.",
        "a%7F",
        "a%E2%80%AEgpj.exe",
        "%E2%80%8B",
    ],
)
def test_what_cannot_be_a_files_name_is_refused_and_nothing_is_kept(hub: District, name: str):
    session = hub.session(seconds=600)
    with hub.http() as http:
        answer = http.put(f"/api/v1/sessions/{session}/materials/{name}", content=b"x")
    assert answer.status_code in {400, 403, 404, 405}
    assert hub.parts.materials.of(session) == []
    assert list(hub.parts.settings.materials_folder.iterdir()) == []


def test_two_ways_to_write_one_name_are_one_file(hub: District):
    session = hub.session(seconds=600)
    with hub.http() as http:
        for name in ("e\u0301.pdf", "\u00e9.pdf"):
            told = http.put(f"/api/v1/sessions/{session}/materials/{name}", content=name.encode()).json()
    assert [one["material"]["name"] for one in told] == ["\u00e9.pdf"]


def test_one_that_is_too_large_is_refused_while_it_arrives(hub: District, tmp_path):
    session = hub.session(seconds=600)

    def pieces():
        for _ in range(501):
            yield bytes(1 << 20)

    with hub.http(timeout=60) as http:
        answer = http.put(f"/api/v1/sessions/{session}/materials/long.mp4", content=pieces())
    assert answer.status_code == 400
    assert "more than 500 MiB" in answer.json()["error"]
    assert list(hub.parts.settings.materials_folder.iterdir()) == []


def test_a_session_that_is_over_takes_none_and_keeps_those_it_has(hub: District):
    session = hub.session(seconds=600)
    attached(hub, session)
    hub.parts.clock.behind_s = -700.0
    with hub.http() as http:
        answer = http.put(f"/api/v1/sessions/{session}/materials/late.pdf", content=b"x")
        assert answer.status_code == 409, answer.text
        assert http.delete(f"/api/v1/sessions/{session}/materials/{PAPER}").status_code == 409
        assert [one["material"]["name"] for one in http.get(f"/api/v1/sessions/{session}/materials").json()] == [PAPER]
        assert http.put("/api/v1/sessions/s-nowhere/materials/x.pdf", content=b"x").status_code == 404


def test_files_go_a_month_after_the_last_session_that_has_them(hub: District):
    session = hub.session(seconds=600)
    sha256 = attached(hub, session)[0]["material"]["sha256"]
    hub.parts.materials.look()
    assert hub.parts.materials.folder.path(sha256) is not None
    hub.parts.clock.behind_s = -32 * 86_400.0
    hub.parts.materials.look()
    assert hub.parts.materials.folder.path(sha256) is None


def test_what_a_kill_left_between_table_and_order_is_mended(hub: District):
    session = hub.session(seconds=600)
    attached(hub, session)
    hub.parts.conductor.provide(session, ())
    hub.parts.materials.look()
    assert [one.name for one in hub.parts.conductor.order(session).materials] == [PAPER]
