import asyncio
import json
import threading
import time

import pytest

from agent.record.recorder import LessonRecorder
from agent.record.writer import Needs
from contract.observation import Observation
from contract.result import RoomResult
from contract.session import Policy
from tests.agent.record.packets import START_NS, Camera, Microphone, draft, read, together


def recorder(package, seconds, told=None, **more):
    needs = Needs(lambda: 1 << 40, lambda track: None, (told if told is not None else []).append)
    more = {"tracks": {"camera": 25, "slides": 5}, "sound": True, **more}
    one = LessonRecorder(
        package, begin_mono_ns=START_NS, end_mono_ns=START_NS + round(seconds * 1e9), needs=needs, **more
    )
    one.start()
    return one


def hold_lesson(one, seconds):
    """Picture, sound and slides from before the lesson until after it, each from its own thread.

    None gets further ahead than 0.4 s: sound waits 2 s at most for the first picture.
    """
    together = threading.Barrier(3, timeout=30)

    def camera():
        made = Camera()
        for index in range(-10, round(seconds * 25) + 10):
            if index % 10 == 0:
                together.wait()
            made.force = index == 0
            one.camera(made.packet(index / 25))

    def slides():
        made = Camera(fps=5)
        for index in range(-2, round(seconds * 5) + 2):
            if index % 2 == 0:
                together.wait()
            made.force = index == 0
            one.slides(made.packet(index / 5))

    def sound():
        made = Microphone()
        for index in range(-20, round(seconds * 50) + 20):
            if index % 20 == 0:
                together.wait()
            one.sound(made.packet(START_NS + index * 20_000_000))

    threads = [threading.Thread(target=run) for run in (camera, slides, sound)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    at = START_NS + 500_000_000
    one.observation(Observation(kind="speech", t=0.5, mono_ns=at, seconds=0.2))
    one.observation(Observation(kind="speech", t=-0.5, mono_ns=START_NS - 500_000_000))
    one.quality({"t": 0.5, "cpu": 0.2})


async def test_a_lesson_is_recorded_for_exactly_its_length(tmp_path):
    package = draft(tmp_path, seconds=4.0)
    one = recorder(package, 4.0)
    hold_lesson(one, 4.0)
    manifest = await one.finish(RoomResult(video_frames_sent=100))
    assert manifest.sealed
    assert manifest.seconds == 4.0
    assert manifest.gaps == ()
    camera, slides = manifest.result.recording
    assert (camera.video_frames, camera.audio_seconds, camera.dropped_frames) == (100, 4.0, 0)
    assert (slides.video_frames, slides.audio_seconds) == (20, 0.0)
    assert camera.seconds == pytest.approx(4.0, abs=0.02)
    assert slides.seconds == pytest.approx(4.0, abs=0.02)
    video, sound, _, _ = read(package.folder / "camera.mp4")
    assert len(video) == 100
    assert abs(sound[-1] + 0.02 - 4.0) < 0.03
    assert [file.name for file in manifest.files] == ["camera.mp4", "quality.jsonl", "slides.mp4", "timeline.jsonl"]
    assert len((package.folder / "timeline.jsonl").read_text().splitlines()) == 1
    assert json.loads((package.folder / "quality.jsonl").read_text()) == {"t": 0.5, "cpu": 0.2}


async def test_nothing_at_all_is_written_where_the_policy_says_so(tmp_path):
    package = draft(tmp_path, policy=Policy(), seconds=1.0)
    one = recorder(package, 1.0)
    hold_lesson(one, 1.0)
    manifest = await one.finish(RoomResult(video_frames_sent=25))
    assert (manifest.sealed, manifest.files, manifest.parts, manifest.gaps) == (True, (), (), ())
    assert manifest.result.video_frames_sent == 25
    assert list(tmp_path.iterdir()) == []
    assert not one.recording


async def test_a_room_that_may_only_be_observed_has_a_timeline_and_no_picture_or_sound(tmp_path):
    package = draft(tmp_path, policy=Policy(observe=True), seconds=1.0)
    one = recorder(package, 1.0)
    hold_lesson(one, 1.0)
    manifest = await one.finish(RoomResult())
    assert [file.name for file in manifest.files] == ["timeline.jsonl"]
    assert manifest.gaps == ()


async def test_a_room_that_may_only_be_recorded_has_no_timeline(tmp_path):
    package = draft(tmp_path, policy=Policy(record=True), seconds=1.0)
    one = recorder(package, 1.0)
    hold_lesson(one, 1.0)
    manifest = await one.finish(RoomResult())
    assert "timeline.jsonl" not in [file.name for file in manifest.files]


async def test_how_often_was_looked_stands_at_the_beginning_though_it_was_told_before(tmp_path):
    package = draft(tmp_path, policy=Policy(observe=True), seconds=1.0)
    one = recorder(package, 1.0)
    told = Observation(kind="cadence", t=-90.0, mono_ns=START_NS - 90_000_000_000, value={"speech_s": 0.032})
    one.observation(told)
    await one.finish(RoomResult())
    kept = Observation.model_validate_json((package.folder / "timeline.jsonl").read_bytes())
    assert (kept.t, kept.mono_ns, kept.value) == (0.0, START_NS, {"speech_s": 0.032})


async def test_a_lesson_that_is_ended_early_is_as_long_as_it_was(tmp_path):
    package = draft(tmp_path, seconds=60.0)
    one = recorder(package, 60.0)
    one.end_at(START_NS + 2_000_000_000)
    hold_lesson(one, 3.0)
    manifest = await one.finish(RoomResult())
    assert manifest.seconds == 2.0
    assert manifest.gaps == ()
    assert manifest.result.recording[0].video_frames == 50


async def test_a_room_whose_camera_never_came_says_so_in_its_gaps(tmp_path):
    one = recorder(draft(tmp_path, seconds=5.0), 5.0)
    begun = time.monotonic()
    manifest = await one.finish(RoomResult())
    assert time.monotonic() - begun < 10
    assert [(gap.track, gap.start_t, gap.end_t) for gap in manifest.gaps] == [("camera", 0, 5), ("slides", 0, 5)]
    assert manifest.result.recording == ()


async def test_the_sign_that_it_records_is_true_while_a_file_is_written(tmp_path):
    one = recorder(draft(tmp_path, seconds=2.0), 2.0, tracks={"camera": 25}, sound=False)
    assert not one.recording
    for packet in together(Camera().packets(1)):
        one.camera(packet)
    await asyncio.to_thread(wait_until, lambda: one.recording)
    await one.finish(RoomResult())
    assert not one.recording


def wait_until(true):
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)
