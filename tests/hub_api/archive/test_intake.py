"""Packages come in over real HTTP with the client that agents use."""

import os
import time
from pathlib import Path

import httpx
import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

from contract.envelope import Envelope, verify
from contract.package import MANIFEST, FileEntry, Receipt
from contract.session import Policy, Role
from contract.state import SessionState
from hub.archive import intake as intake_module
from tests.hub_api.district import ALL_ON, Device, District, answering, entry, make, package

CHUNK = 1 << 20


def client(hub: District, device: Device) -> TusClient:
    return TusClient(f"{hub.url}/api/v1/uploads", headers=device.headers)


def about(session: str, room: str, file: FileEntry, /, **changes: str) -> dict[str, str]:
    return {
        "filename": file.name,
        "filetype": "video/mp4",
        "session": session,
        "room": room,
        "sha256": file.sha256,
    } | changes


def send(hub: District, device: Device, session: str, path: Path, /, **changes: str) -> None:
    metadata = about(session, device.room, entry(path), **changes)
    client(hub, device).uploader(str(path), chunk_size=CHUNK, metadata=metadata).upload()


def refusal(hub: District, device: Device, session: str, path: Path, /, **changes: str) -> tuple[int, str]:
    """Status and words with which an upload is refused."""
    with pytest.raises((TusCommunicationError, TusUploadFailed)) as refused:
        send(hub, device, session, path, **changes)
    return refused.value.status_code, refused.value.response_content.decode()


def status(hub: District, device: Device, session: str) -> dict:
    return httpx.get(f"{hub.url}/api/v1/packages/{session}/{device.room}", headers=device.headers).json()


def receipt(hub: District, device: Device, session: str) -> httpx.Response:
    return httpx.get(f"{hub.url}/api/v1/packages/{session}/{device.room}/receipt", headers=device.headers)


def test_a_large_file_cut_in_the_middle_goes_on_where_it_was_and_the_receipt_names_every_hash(
    hub: District, tmp_path: Path
):
    session = hub.session()
    files = {"camera.mp4": os.urandom(20_000_000), "timeline.jsonl": b"{}\n", "quality.jsonl": b""}
    manifest = package(tmp_path / "p", hub.lead, Role.LEAD, session, files)
    camera = tmp_path / "p" / "camera.mp4"
    first = client(hub, hub.lead).uploader(
        str(camera), chunk_size=CHUNK, metadata=about(session, hub.lead.room, entry(camera))
    )
    first.upload(stop_at=8 * CHUNK)
    cut_off_in_mid_request(hub, first.url, camera.read_bytes(), 8 * CHUNK)

    second = client(hub, hub.lead).uploader(str(camera), chunk_size=CHUNK, url=first.url)
    assert 8 * CHUNK <= second.offset < 20_000_000
    second.upload()
    for name in ("timeline.jsonl", "quality.jsonl"):
        send(hub, hub.lead, session, tmp_path / "p" / name)
    assert receipt(hub, hub.lead, session).status_code == 404
    assert status(hub, hub.lead, session)["complete"] is False
    send(hub, hub.lead, session, tmp_path / "p" / MANIFEST)

    envelope = Envelope.model_validate_json(receipt(hub, hub.lead, session).content)
    verify(envelope, hub.parts.key.public_key(), time.time())
    given = Receipt.model_validate_json(envelope.body)
    assert set(given.files) == {*manifest.files, entry(tmp_path / "p" / MANIFEST)}
    assert status(hub, hub.lead, session)["complete"] is True
    kept = hub.parts.archive / session / hub.lead.room
    assert (kept / "camera.mp4").read_bytes() == files["camera.mp4"]
    room = hub.parts.conductor.view(session).rooms[0]
    assert room.receipt
    assert room.state is SessionState.UPLOADED
    assert not list((hub.parts.archive / "uploads").iterdir())


def cut_off_in_mid_request(hub: District, url: str, data: bytes, offset: int) -> None:
    """Send half of what was announced, then drop the connection."""

    def half():
        yield data[offset : offset + CHUNK // 2]
        raise ConnectionError("the cable is out")

    headers = hub.lead.headers | {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(CHUNK),
    }
    with pytest.raises(ConnectionError):
        httpx.patch(url, headers=headers, content=half())
    until = time.monotonic() + 5
    while hub.app is not None and time.monotonic() < until:
        told = httpx.head(url, headers=hub.lead.headers | {"Tus-Resumable": "1.0.0"})
        if int(told.headers["upload-offset"]) >= offset:
            return
        time.sleep(0.05)


def test_bytes_that_a_crash_left_behind_the_recorded_offset_are_cut_off(hub: District, tmp_path: Path):
    session = hub.session()
    package(tmp_path / "p", hub.lead, Role.LEAD, session, {"camera.mp4": os.urandom(3_000_000)})
    camera = tmp_path / "p" / "camera.mp4"
    first = client(hub, hub.lead).uploader(
        str(camera), chunk_size=CHUNK, metadata=about(session, hub.lead.room, entry(camera))
    )
    first.upload(stop_at=CHUNK)
    with (hub.parts.archive / "uploads" / first.url.rsplit("/", 1)[1]).open("ab") as file:
        file.write(b"written, but not yet noted, when the hub was killed")
    client(hub, hub.lead).uploader(str(camera), chunk_size=CHUNK, url=first.url).upload()
    assert [one["name"] for one in status(hub, hub.lead, session)["have"]] == ["camera.mp4"]


def test_an_upload_that_was_whole_when_the_hub_stopped_is_taken_in_afterwards(tmp_path: Path, monkeypatch):
    (tmp_path / "hub").mkdir()
    hub = make(tmp_path / "hub")
    hub.register()
    session = hub.session()
    package(tmp_path / "p", hub.lead, Role.LEAD, session, {"slides.mp4": b"slides"})

    async def stopped(*_: object) -> None:
        raise RuntimeError("killed between the last byte and the check")

    with answering(hub), monkeypatch.context() as stop:
        stop.setattr(intake_module.Intake, "uploaded", stopped)
        assert refusal(hub, hub.lead, session, tmp_path / "p" / "slides.mp4")[0] == 500
    again = make(tmp_path / "hub")
    with answering(again):
        assert [one["name"] for one in status(again, hub.lead, session)["have"]] == ["slides.mp4"]


def test_a_wrong_hash_is_refused_in_words_and_the_file_removed(hub: District, tmp_path: Path):
    session = hub.session()
    package(tmp_path / "p", hub.lead, Role.LEAD, session, {"camera.mp4": b"picture"})
    code, words = refusal(hub, hub.lead, session, tmp_path / "p" / "camera.mp4", sha256="0" * 64)
    assert code == 422
    assert "from its beginning" in words
    assert status(hub, hub.lead, session)["have"] == []
    assert not list((hub.parts.archive / "uploads").iterdir())
    send(hub, hub.lead, session, tmp_path / "p" / "camera.mp4")
    assert len(status(hub, hub.lead, session)["have"]) == 1


def test_another_device_neither_uploads_nor_reads_nor_touches_an_upload(hub: District, tmp_path: Path):
    session = hub.session()
    package(tmp_path / "p", hub.lead, Role.LEAD, session, {"camera.mp4": b"picture" * 1000})
    camera = tmp_path / "p" / "camera.mp4"
    code, words = refusal(hub, hub.receiving, session, camera, room=hub.lead.room)
    assert (code, "not a room of device device-far" in words) == (403, True)
    assert receipt(hub, Device("device-lead", "room-far", hub.lead.key), session).status_code == 403
    begun = client(hub, hub.lead).uploader(
        str(camera), chunk_size=1000, metadata=about(session, hub.lead.room, entry(camera))
    )
    begun.upload(stop_at=1000)
    tus = {"Tus-Resumable": "1.0.0"}
    for method in ("HEAD", "DELETE", "PATCH"):
        more = {"Upload-Offset": "1000", "Content-Type": "application/offset+octet-stream"}
        answer = httpx.request(method, begun.url, headers=hub.receiving.headers | tus | more, content=b"x")
        assert answer.status_code == 404, method
    assert begun.get_offset() == 1000


@pytest.mark.parametrize(
    "changes",
    [
        {"filename": "../../hub.key"},
        {"filename": "/etc/passwd"},
        {"filename": ".receipt.json"},
        {"filename": "a\\b"},
        {"filename": ""},
        {"session": "../incoming"},
        {"room": ".."},
        {"sha256": "short"},
    ],
    ids=str,
)
def test_names_that_are_paths_are_refused_before_a_byte_is_sent(hub: District, tmp_path: Path, changes: dict):
    session = hub.session()
    package(tmp_path / "p", hub.lead, Role.LEAD, session, {"camera.mp4": b"picture"})
    code, words = refusal(hub, hub.lead, session, tmp_path / "p" / "camera.mp4", **changes)
    assert code == 400
    assert "metadata" in words


def test_a_session_that_may_not_upload_is_refused(hub: District, tmp_path: Path):
    session = hub.session(policy=Policy(record=True))
    package(tmp_path / "p", hub.lead, Role.LEAD, session, {"camera.mp4": b"picture"})
    code, words = refusal(hub, hub.lead, session, tmp_path / "p" / "camera.mp4")
    assert (code, "upload off" in words) == (403, True)


def test_the_same_file_twice_does_no_harm_and_another_after_the_receipt_is_refused(hub: District, tmp_path: Path):
    session = hub.session()
    folder = tmp_path / "p"
    package(folder, hub.lead, Role.LEAD, session, {"camera.mp4": b"picture"})
    for name in ("camera.mp4", "camera.mp4", MANIFEST, "camera.mp4", MANIFEST):
        send(hub, hub.lead, session, folder / name)
    first = receipt(hub, hub.lead, session).json()
    assert receipt(hub, hub.lead, session).json() == first
    (folder / "camera.mp4").write_bytes(b"another picture")
    code, words = refusal(hub, hub.lead, session, folder / "camera.mp4")
    assert (code, "is archived" in words) == (409, True)
    assert (hub.parts.archive / session / hub.lead.room / "camera.mp4").read_bytes() == b"picture"


def test_a_package_that_was_sealed_again_replaces_what_had_arrived_of_it(hub: District, tmp_path: Path):
    session = hub.session()
    folder = tmp_path / "p"
    package(folder, hub.lead, Role.LEAD, session, {"camera.mp4": b"first", "extra.jsonl": b"left out later"})
    send(hub, hub.lead, session, folder / "camera.mp4")
    send(hub, hub.lead, session, folder / "extra.jsonl")
    package(folder, hub.lead, Role.LEAD, session, {"camera.mp4": b"second"})
    send(hub, hub.lead, session, folder / MANIFEST)
    assert status(hub, hub.lead, session)["complete"] is False
    send(hub, hub.lead, session, folder / "camera.mp4")
    assert sorted(one["name"] for one in status(hub, hub.lead, session)["have"]) == ["camera.mp4", MANIFEST]
    assert receipt(hub, hub.lead, session).status_code == 200


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sealed": False}, "not a sealed one"),
        ({"room": "room-far"}, "room-far"),
        ({"device": "device-far"}, "device-far"),
    ],
    ids=str,
)
def test_a_manifest_that_is_not_this_packages_is_refused(hub: District, tmp_path: Path, changes: dict, words: str):
    session = hub.session()
    package(tmp_path / "p", hub.lead, Role.LEAD, session, {"camera.mp4": b"picture"}, **changes)
    assert words in refusal(hub, hub.lead, session, tmp_path / "p" / MANIFEST)[1]


def test_a_manifest_of_garbage_is_refused(hub: District, tmp_path: Path):
    session = hub.session()
    (tmp_path / MANIFEST).write_bytes(b"\x00" * 100)
    assert "manifest cannot be read" in refusal(hub, hub.lead, session, tmp_path / MANIFEST)[1]


def test_an_upload_larger_than_the_hubs_disk_is_refused_at_once(hub: District, tmp_path: Path):
    session = hub.session()
    package(tmp_path / "p", hub.lead, Role.LEAD, session, {"camera.mp4": b"picture"})
    metadata = about(session, hub.lead.room, entry(tmp_path / "p" / "camera.mp4"))
    told = client(hub, hub.lead).uploader(str(tmp_path / "p" / "camera.mp4"), metadata=metadata)
    headers = told.get_url_creation_headers() | {"upload-length": str(1 << 60)}
    answer = httpx.post(f"{hub.url}/api/v1/uploads", headers=headers)
    assert answer.status_code == 507
    assert "free space" in answer.json()["what_to_do"]


def test_ranges_of_an_archived_file_are_answered(hub: District, tmp_path: Path):
    session = hub.session(policy=ALL_ON)
    package(tmp_path / "p", hub.lead, Role.LEAD, session, {"camera.mp4": bytes(range(200))})
    for name in ("camera.mp4", MANIFEST):
        send(hub, hub.lead, session, tmp_path / "p" / name)
    there = f"/api/v1/packages/{session}/{hub.lead.room}/files/"
    with hub.http() as http:
        part = http.get(there + "camera.mp4", headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
        assert part.headers["content-type"] == "video/mp4"
        assert http.head(there + "camera.mp4").headers["content-length"] == "200"
        saved = http.get(there + "camera.mp4", params={"download": True}).headers["content-disposition"]
        assert f"{session}-room-lead-camera.mp4" in saved
        for name in (".receipt.json", "..%2Fx", "none.mp4"):
            assert http.get(there + name).status_code in {400, 404}, name
