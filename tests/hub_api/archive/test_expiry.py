import shutil
import time
from pathlib import Path

import pytest

from contract.package import MANIFEST
from contract.session import Policy, Role
from hub.api.app import RoomsOfConductor
from hub.archive.expiry import DAY_S, Kept, delete_due, delete_remains, due, forget_stale
from hub.archive.store import FolderStore, PackageId
from hub.archive.uploads import UploadFolder
from tests.hub_api.archive.test_intake import about, client, receipt, refusal, send
from tests.hub_api.district import ALL_ON, District, entry, package

ONE = PackageId("s-2026-one", "room-lead")
EXPIRING = ALL_ON.model_copy(update={"delete_after_days": 1.0})


def test_packages_are_due_at_their_day_and_not_before():
    kept = [Kept(ONE, ended=1000.0, delete_after_days=2.0)]
    assert due(kept, 1000.0 + 2 * DAY_S - 1) == []
    assert due(kept, 1000.0 + 2 * DAY_S) == kept


def test_packages_without_an_expiry_stay():
    assert due([Kept(ONE, ended=0.0, delete_after_days=None)], 1e12) == []


def test_at_expiry_the_files_are_gone_and_a_note_stays(hub: District, tmp_path: Path):
    policy = ALL_ON.model_copy(update={"delete_after_days": 1.0})
    session = hub.session(policy=policy)
    folder = tmp_path / "p"
    package(folder, hub.lead, Role.LEAD, session, {"camera.mp4": b"faces"}, policy=policy)
    package(tmp_path / "q", hub.receiving, Role.RECEIVING, session, {"camera.mp4": b"others"})
    for device, where in ((hub.lead, folder), (hub.receiving, tmp_path / "q")):
        send(hub, device, session, where / "camera.mp4")
        send(hub, device, session, where / MANIFEST)
    store = FolderStore(hub.parts.archive)
    assert delete_due(store, time.time()) == []
    notes = delete_due(store, time.time() + DAY_S + 60)
    assert [(note.room, note.bytes > 0) for note in notes] == [("room-lead", True)]
    assert delete_due(store, time.time() + DAY_S + 60) == []

    left = [path for path in hub.parts.archive.rglob("*") if path.is_file() and b"faces" in path.read_bytes()]
    assert left == []
    assert (hub.parts.archive / session / hub.receiving.room / "camera.mp4").exists()
    with hub.http() as http:
        shown = http.get(f"/api/v1/sessions/{session}/playback").json()
        page = http.get(f"/lessons/{session}").text
    assert [bool(room["deleted"]) for room in shown["rooms"]] == [True, False]
    assert "到期删除" in page
    assert receipt(hub, hub.lead, session).status_code == 200
    code, words = refusal(hub, hub.lead, session, folder / "camera.mp4")
    assert (code, "deleted from the archive" in words) == (410, True)


def test_a_deletion_that_was_cut_short_is_finished_by_the_next_round(tmp_path: Path, hub: District, monkeypatch):
    policy = Policy(record=True, upload=True, delete_after_days=1)
    session = hub.session(policy=policy)
    package(tmp_path / "p", hub.lead, Role.LEAD, session, {"camera.mp4": b"faces"}, policy=policy)
    for name in ("camera.mp4", MANIFEST):
        send(hub, hub.lead, session, tmp_path / "p" / name)
    store = FolderStore(hub.parts.archive)
    later = time.time() + 2 * DAY_S
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", _refuse)
        with pytest.raises(PermissionError):
            delete_due(store, later)
    assert store.deletion(PackageId(session, hub.lead.room)) is not None
    delete_due(store, later)
    assert store.file(PackageId(session, hub.lead.room), "camera.mp4") is None
    assert list(store.packages()) == []


def _refuse(*_: object, **__: object) -> None:
    raise PermissionError("in use")


def test_at_expiry_what_never_became_complete_goes_as_well(tmp_path: Path, hub: District):
    policy = ALL_ON.model_copy(update={"delete_after_days": 1.0})
    session = hub.session(policy=policy)
    package(tmp_path / "p", hub.lead, Role.LEAD, session, {"camera.mp4": b"faces", "slides.mp4": b"slides"})
    send(hub, hub.lead, session, tmp_path / "p" / "camera.mp4")
    slides = tmp_path / "p" / "slides.mp4"
    begun = client(hub, hub.lead).uploader(
        str(slides), chunk_size=3, metadata=about(session, "room-lead", entry(slides))
    )
    begun.upload(stop_at=3)
    store, uploads = FolderStore(hub.parts.archive), UploadFolder(hub.parts.archive / "uploads")
    rooms = RoomsOfConductor(hub.parts.conductor)
    assert delete_remains(store, uploads, rooms, time.time()) == []
    assert len(delete_remains(store, uploads, rooms, time.time() + 2 * DAY_S)) == 2
    assert [path.name for path in hub.parts.archive.rglob("*") if path.is_file()] == [".deleted.json"]


def test_remains_that_cannot_be_deleted_are_told_and_do_not_keep_the_others(tmp_path: Path, hub: District, monkeypatch):
    session = hub.session(policy=EXPIRING)
    for device, role in ((hub.lead, Role.LEAD), (hub.receiving, Role.RECEIVING)):
        package(tmp_path / device.room, device, role, session, {"camera.mp4": b"faces"})
        send(hub, device, session, tmp_path / device.room / "camera.mp4")
    store, uploads = FolderStore(hub.parts.archive), UploadFolder(hub.parts.archive / "uploads")
    first, _ = store.incoming.glob("s-*/*")
    remove = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda path: _refuse() if path == first else remove(path))
    with pytest.raises(PermissionError):
        delete_remains(store, uploads, RoomsOfConductor(hub.parts.conductor), time.time() + 2 * DAY_S)
    assert list(store.incoming.glob("s-*/*")) == [first]


def test_uploads_that_nobody_went_on_with_are_forgotten(tmp_path: Path):
    uploads = UploadFolder(tmp_path)
    uid = "device-lead." + "0" * 32
    (tmp_path / uid).write_bytes(b"half")
    (tmp_path / f"{uid}.info").write_text("{}")
    assert forget_stale(uploads, time.time() + 6 * DAY_S) == []
    assert forget_stale(uploads, time.time() + 8 * DAY_S) == [uid]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_somebody_else_made_keeps_nothing_from_expiring(tmp_path: Path, hub: District):
    session = hub.session()
    package(tmp_path / "p", hub.lead, Role.LEAD, session, {"camera.mp4": b"faces"}, policy=EXPIRING)
    for name in ("camera.mp4", MANIFEST):
        send(hub, hub.lead, session, tmp_path / "p" / name)
    store = FolderStore(hub.parts.archive)
    for root in (store.root, store.incoming):
        strange = root / "s-000 copy" / "Room A"
        strange.mkdir(parents=True)
        for name in (".receipt.json", ".arrived.json"):
            (strange / name).write_text("{}")
        (strange / "mine.mp4").write_bytes(b"mine")
    assert len(delete_due(store, time.time() + 2 * DAY_S)) == 1
    uploads = UploadFolder(hub.parts.archive / "uploads")
    assert delete_remains(store, uploads, RoomsOfConductor(hub.parts.conductor), time.time() + 2 * DAY_S) == []
    assert (store.root / "s-000 copy" / "Room A" / "mine.mp4").exists()


def test_one_package_that_cannot_be_deleted_does_not_keep_the_others(tmp_path: Path, hub: District, monkeypatch):
    session = hub.session()
    for device, role in ((hub.lead, Role.LEAD), (hub.receiving, Role.RECEIVING)):
        folder = tmp_path / device.room
        package(folder, device, role, session, {"camera.mp4": b"faces"}, policy=EXPIRING)
        for name in ("camera.mp4", MANIFEST):
            send(hub, device, session, folder / name)
    store = FolderStore(hub.parts.archive)
    delete = store.delete
    first = next(iter(store.packages()))
    monkeypatch.setattr(store, "delete", lambda one, *more: _refuse() if one == first else delete(one, *more))
    with pytest.raises(PermissionError):
        delete_due(store, time.time() + 2 * DAY_S)
    assert list(store.packages()) == [first]
