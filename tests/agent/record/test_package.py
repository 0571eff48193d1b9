import hashlib
import json

import pytest

from agent.record.gaps import gaps
from agent.record.package import PackageDraft, read_manifest
from agent.record.repair import Figures
from agent.record.trouble import PackageUnusable, SealFailed
from agent.record.writer import Needs, TrackWriter
from contract.package import MANIFEST, Manifest, Part
from contract.result import RoomResult
from contract.session import Policy
from tests.agent.record.packets import START_NS, Camera, Microphone, draft, together


def record(book, packets, begin_ns=START_NS):
    needs = Needs(lambda: 1 << 40, lambda track: None, lambda words: None)
    one = TrackWriter("camera", book, needs, fps=25, sound=True, begin_ns=begin_ns, end_ns=None)
    one.start()
    for packet in packets:
        one.take_video(packet) if hasattr(packet, "keyframe") else one.take_sound(packet)
    assert one.stop(10)


def second(at):
    camera = Camera()
    return together([camera.packet(at + index / 25) for index in range(25)])


def part(start_t, seconds, closed="end", fps=25.0, track="camera"):
    return Part(
        track=track,
        file="camera.mp4",
        index=0,
        boot="b",
        start_mono_ns=0,
        start_t=start_t,
        seconds=seconds,
        fps=fps,
        closed=closed,
    )


def test_the_draft_names_a_part_before_its_file_exists(tmp_path):
    book = draft(tmp_path)
    path = book.begin_part("camera", Camera().packet(0.5), fps=25, sound=True)
    assert not path.exists()
    (found,) = read_manifest(book.folder).parts
    assert (found.file, found.closed, found.start_t, found.boot, found.width) == (
        "camera.mp4",
        "open",
        0.5,
        "boot-1",
        320,
    )


def test_after_a_crash_the_next_run_mends_the_torn_part_and_goes_on_in_another(tmp_path):
    before = draft(tmp_path)
    record(before, together(Camera().packets(2), Microphone().packets(2)))
    path = before.folder / "camera.mp4"
    crashed = read_manifest(before.folder)
    crashed = crashed.model_copy(
        update={"parts": (crashed.parts[0].model_copy(update={"closed": "open", "seconds": 0.0, "video_frames": 0}),)}
    )
    (before.folder / MANIFEST).write_text(crashed.model_dump_json())
    path.write_bytes(path.read_bytes()[:-2000])
    (before.folder / ".manifest.json.x1.new").write_text("half")
    (before.folder / "quality.jsonl").write_text('{"a":1}\n{"b"')

    book = draft(tmp_path, boot="boot-2")
    assert [(one.closed, one.file) for one in book.manifest.parts] == [("crash", "camera.mp4")]
    assert 40 <= book.manifest.parts[0].video_frames <= 50
    record(book, second(3.0))
    assert [one.file for one in book.manifest.parts] == ["camera.mp4", "camera.1.mp4"]
    sealed = book.seal(4.0, ("camera",), RoomResult())
    (gap,) = sealed.gaps
    assert gap.end_t == 3.0
    assert 1.6 <= gap.start_t <= 2.0
    assert "stopped and started again" in gap.why
    assert (book.folder / "quality.jsonl").read_text() == '{"a":1}\n'
    assert not list(book.folder.glob(".*"))


def test_a_part_is_never_overwritten_even_where_the_draft_forgot_it(tmp_path):
    folder = tmp_path / "s-test-1" / "room-a"
    folder.mkdir(parents=True)
    (folder / "camera.4.mp4").write_bytes(b"older")
    book = draft(tmp_path)
    assert book.begin_part("camera", Camera().packet(0), fps=25, sound=False).name == "camera.5.mp4"
    assert book.begin_part("slides", Camera().packet(0), fps=5, sound=False).name == "slides.mp4"
    assert book.begin_part("camera", Camera().packet(1), fps=25, sound=False).name == "camera.6.mp4"


def test_a_part_that_was_named_and_never_written_is_forgotten(tmp_path):
    draft(tmp_path).begin_part("camera", Camera().packet(0), fps=25, sound=False)
    assert draft(tmp_path).manifest.parts == ()


def test_the_sealed_manifest_has_every_file_with_its_hash_and_the_recordings(tmp_path):
    book = draft(tmp_path, seconds=2.0)
    record(book, together(Camera().packets(2), Microphone().packets(2)))
    (book.folder / "timeline.jsonl").write_text("{}\n")
    (book.folder / "upload.json").write_text("{}")
    sealed = book.seal(2.0, ("camera",), RoomResult(video_frames_sent=50))
    assert sealed == read_manifest(book.folder)
    assert sealed.sealed
    assert sealed.gaps == ()
    assert [one.name for one in sealed.files] == ["camera.mp4", "timeline.jsonl"]
    for entry in sealed.files:
        data = (book.folder / entry.name).read_bytes()
        assert (entry.bytes, entry.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert sealed.result.video_frames_sent == 50
    (one,) = sealed.result.recording
    assert (one.track, one.file, one.parts, one.video_frames, one.audio_seconds) == ("camera", "camera.mp4", 1, 50, 2.0)
    assert one.sha256 == sealed.files[0].sha256
    assert json.loads((book.folder / MANIFEST).read_text())["role"] == "lead"


def test_nothing_may_be_added_to_a_sealed_package(tmp_path):
    draft(tmp_path).seal(4.0, ("camera",), RoomResult())
    with pytest.raises(PackageUnusable, match="sealed"):
        draft(tmp_path)
    with pytest.raises(PackageUnusable, match="no draft"):
        PackageDraft.reopen(tmp_path / "s-test-1" / "room-a")


def test_a_draft_whose_lesson_is_over_is_sealed_without_the_order(tmp_path):
    book = draft(tmp_path, seconds=1.0)
    record(book, Camera().packets(1))
    again = PackageDraft.reopen(book.folder)
    sealed = again.seal(again.manifest.seconds, ("camera",), RoomResult())
    assert sealed.sealed
    assert sealed.parts[0].video_frames == 25


def test_an_unreadable_manifest_is_told_and_the_recordings_are_left_alone(tmp_path):
    book = draft(tmp_path)
    record(book, Camera().packets(1))
    (book.folder / MANIFEST).write_bytes(b"\x00" * 100)
    with pytest.raises(PackageUnusable, match="untouched"):
        draft(tmp_path)
    assert (book.folder / "camera.mp4").stat().st_size > 0


def test_a_seal_that_the_disk_refuses_can_be_tried_again(tmp_path, monkeypatch):
    from agent.record import package

    book = draft(tmp_path)

    def refused(path, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(package, "replace_file", refused)
        with pytest.raises(SealFailed, match="free space"):
            book.seal(4.0, (), RoomResult())
        book.end_part("camera.mp4", Figures(), dropped=0, closed="disk-full")  # does not raise
    assert not read_manifest(book.folder).sealed
    assert book.seal(4.0, (), RoomResult()).sealed


def test_no_folder_appears_where_the_policy_keeps_nothing(tmp_path):
    draft(tmp_path, policy=Policy())
    assert list(tmp_path.iterdir()) == []


def test_gaps_are_what_no_part_holds_of_the_lesson():
    assert [(g.start_t, g.end_t) for g in gaps("camera", [], 10)] == [(0, 10)]
    assert gaps("camera", [part(0.02, 9.98)], 10) == ()
    assert gaps("slides", [part(0.2, 9.8, fps=5.0, track="slides")], 10) == ()
    found = gaps("camera", [part(6, 3), part(1, 3, "disk-full"), part(0, 10, track="slides")], 10)
    assert [(g.start_t, g.end_t, g.why) for g in found] == [
        (0, 1, "the recording began late"),
        (4, 6, "the disk took nothing"),
        (9, 10, "the recording ended early"),
    ]


def test_the_manifest_reads_back_as_it_was_written(tmp_path):
    book = draft(tmp_path)
    assert Manifest.model_validate_json((book.folder / MANIFEST).read_bytes()) == book.manifest
