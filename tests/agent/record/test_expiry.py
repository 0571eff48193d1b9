import io
import json

import pytest

from agent.record.expiry import DAY_S, EXPIRED, UPLOADED, Deletion, Kept, Sweeper, due
from agent.record.package import file_entry
from agent.record.store import FolderStore, PackageRef
from agent.record.trouble import PackageUnusable
from contract.envelope import sign
from contract.keys import new_hub_key
from contract.package import FileEntry, Receipt
from contract.result import RoomResult
from contract.session import Policy
from tests.agent.record.packets import EPOCH, draft

REF = PackageRef("s-test-1", "room-a")
FILES = frozenset(
    {FileEntry(name="camera.mp4", bytes=3, sha256="a" * 64), FileEntry(name="manifest.json", bytes=3, sha256="b" * 64)}
)
RECEIPT = Receipt(session="s-test-1", room="room-a", device="device-a", stored=1.0, files=tuple(FILES))
WEEK = Policy(record=True, delete_after_days=7)
FOREVER = Policy(record=True, upload=True)


def kept(**more):
    return Kept(**{"ref": REF, "current": False, "sealed": True, "ends": 0.0, "policy": FOREVER, **more})


def gone(one, now=8 * DAY_S, *, keep_uploaded=False):
    return [deletion.why for deletion in due([one], now, keep_uploaded=keep_uploaded)]


def test_a_package_expires_on_its_day_uploaded_or_not():
    assert gone(kept(policy=WEEK), 7 * DAY_S - 1) == []
    assert gone(kept(policy=WEEK), 7 * DAY_S) == [EXPIRED]
    assert gone(kept(policy=WEEK, sealed=False)) == [EXPIRED]
    assert gone(kept(policy=WEEK, receipt=RECEIPT, files=FILES), keep_uploaded=True) == [EXPIRED]


def test_without_a_day_in_the_policy_nothing_expires():
    assert gone(kept(), 1e12) == []


def test_a_device_that_does_not_know_the_time_lets_nothing_expire():
    assert gone(kept(policy=WEEK), None) == []
    assert gone(kept(receipt=RECEIPT, files=FILES), None) == [UPLOADED]


def test_an_uploaded_package_goes_only_where_the_receipt_has_every_hash():
    assert gone(kept(receipt=RECEIPT, files=FILES)) == [UPLOADED]
    assert gone(kept(receipt=RECEIPT, files=FILES), keep_uploaded=True) == []
    assert gone(kept(receipt=None, files=FILES)) == []
    assert gone(kept(receipt=RECEIPT, files=frozenset())) == []
    one, other = sorted(FILES, key=lambda entry: entry.name)
    for wrong in (
        {one},
        {one, other.model_copy(update={"sha256": "c" * 64})},
        {one, other.model_copy(update={"bytes": 4})},
        {*FILES, other.model_copy(update={"name": "more.mp4"})},
    ):
        assert gone(kept(receipt=RECEIPT, files=frozenset(wrong))) == []


def test_a_session_that_is_being_held_loses_nothing():
    assert gone(kept(current=True, policy=WEEK, sealed=False)) == []
    assert gone(kept(current=True, policy=WEEK, receipt=RECEIPT, files=FILES)) == []


def test_an_unsealed_package_never_goes_by_a_receipt():
    assert gone(kept(sealed=False, receipt=RECEIPT, files=FILES)) == []


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "packages")


def sealed(store, session, policy):
    book = draft(store.root, session=session, policy=policy)
    (book.folder / "camera.mp4").write_bytes(b"picture")
    book.seal(4.0, (), RoomResult())
    return book.folder


def keep_receipt(folder, session, key):
    files = tuple(
        file_entry(name, io.BytesIO((folder / name).read_bytes())) for name in ("camera.mp4", "manifest.json")
    )
    receipt = Receipt(session=session, room="room-a", device="device-a", stored=1.0, files=files)
    (folder / "receipt.json").write_bytes(sign(receipt, key, 0.0, 1.0).to_json())


def test_the_sweep_really_deletes_and_leaves_one_line_about_it(store):
    key = new_hub_key()
    sealed(store, "s-expired", WEEK)
    sealed(store, "s-current", WEEK)
    kept_folder = sealed(store, "s-stays", FOREVER)
    keep_receipt(sealed(store, "s-uploaded", FOREVER), "s-uploaded", key)
    keep_receipt(sealed(store, "s-forged", FOREVER), "s-forged", new_hub_key())
    (draft(store.root, session="s-damaged", policy=WEEK).folder / "manifest.json").write_text("{")
    now = EPOCH + 4 + 7 * DAY_S
    sweeper = Sweeper(store, hub_key=key.public_key, now=lambda: now, current=lambda: {"s-current"})
    assert set(sweeper.sweep()) == {
        Deletion(PackageRef("s-expired", "room-a"), EXPIRED),
        Deletion(PackageRef("s-uploaded", "room-a"), UPLOADED),
    }
    assert [ref.session for ref in store.packages()] == ["s-current", "s-damaged", "s-forged", "s-stays"]
    assert not (store.root / "s-expired").exists()
    assert (kept_folder / "camera.mp4").read_bytes() == b"picture"
    lines = [json.loads(line) for line in (store.root / "deleted.jsonl").read_text().splitlines()]
    assert {line["session"]: line["why"] for line in lines} == {"s-expired": EXPIRED, "s-uploaded": UPLOADED}
    assert sweeper.sweep() == ()


def test_a_deletion_that_a_power_cut_left_half_done_is_finished(store):
    sealed(store, "s-other", WEEK)
    folder = sealed(store, "s-expired", WEEK)
    leaving = store.root / ".leaving-s-expired.room-a"
    folder.rename(leaving)
    assert [ref.session for ref in FolderStore(store.root).packages()] == ["s-other"]
    assert not leaving.exists()


def test_names_that_are_paths_reach_no_file(store, tmp_path):
    (tmp_path / "secret").write_text("x")
    sealed(store, "s-test-1", FOREVER)
    for ref, name in (
        (PackageRef("s-../..", "room-a"), "secret"),
        (PackageRef("s-test-1", ".."), "x"),
        (REF, "../../../secret"),
    ):
        with pytest.raises(PackageUnusable):
            store.read(ref, name)
    with pytest.raises(PackageUnusable):
        store.keep(REF, "manifest.json", b"")
    assert store.free_bytes() > 0
