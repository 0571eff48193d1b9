from agent.record.leftover import WORDS, seal_left_over
from agent.record.store import FolderStore, PackageRef, manifest_of
from contract.result import RoomResult
from tests.agent.record.packets import Camera, draft
from tests.agent.record.test_package import record


def test_drafts_of_lessons_that_are_over_are_sealed_and_the_others_are_not(tmp_path):
    store = FolderStore(tmp_path)
    for session in ("s-over", "s-live", "s-sealed", "s-damaged"):
        record(draft(tmp_path, session=session), Camera().packets(1))
    store.reopen(PackageRef("s-sealed", "room-a")).seal(4.0, ("camera",), RoomResult())
    (tmp_path / "s-damaged" / "room-a" / "manifest.json").write_text("{")
    over = PackageRef("s-over", "room-a")
    assert seal_left_over(store, lambda manifest: manifest.session != "s-live") == (over,)
    sealed = manifest_of(store, over)
    assert sealed.sealed
    assert sealed.result.words == (WORDS,)
    assert sealed.result.recording[0].video_frames == 25
    assert not manifest_of(store, PackageRef("s-live", "room-a")).sealed
    assert seal_left_over(store, lambda manifest: manifest.session != "s-live") == ()
