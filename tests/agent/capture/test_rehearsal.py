import itertools
import time
from pathlib import Path

import av
import numpy as np
import pytest

from agent.capture.rehearsal import pages, voice
from agent.capture.rehearsal.lesson import PAGE_S, page_at
from agent.capture.rehearsal.pupils import PupilsScene
from agent.capture.rehearsal.teacher import TeacherScene
from agent.capture.sources import open_room, parse_source
from models.silero import SpeechDetector
from tests.agent.capture.conftest import REPO, luma

SILERO = "silero-vad-6.2.3.onnx"
WEIGHTS = (REPO / ".weights", Path.home() / ".local/share/tongtang/models")


def room(*, seed=1, lead=True, size=(640, 360), name=""):
    return open_room(parse_source("rehearsal"), size=size, fps=25, seed=seed, has_slides=lead, name=name)


def first(source, stop):
    return next(source.frames(stop)).picture


def test_the_rehearsal_gives_every_track_without_any_device(stop):
    opened = room()
    assert opened.missing == ()
    picture, slide = first(opened.camera, stop), first(opened.slides, stop)
    block = next(opened.sound.blocks(stop))
    assert (picture.width, picture.height, picture.format.name) == (640, 360, "yuv420p")
    assert (slide.width, slide.height, slide.format.name) == (1280, 720, "yuv420p")
    assert block.samples.shape == (960,)
    assert block.samples.dtype == np.int16
    opened.close()
    opened.close()


def test_a_receiving_room_sends_no_slides(stop):
    opened = room(lead=False)
    assert opened.slides is None


def test_rooms_look_and_sound_different(stop):
    pictures = [
        luma(first(room(seed=seed, lead=lead).camera, stop)) for seed, lead in ((1, True), (1, False), (2, False))
    ]
    for a, b in itertools.combinations(pictures, 2):
        assert np.abs(a.astype(int) - b.astype(int)).mean() > 4
    loops = [voice.loop(seed, lead=lead) for seed, lead in ((1, True), (1, False), (2, False))]
    assert not any(np.array_equal(a, b) for a, b in itertools.combinations(loops, 2))


def test_the_name_of_the_room_can_be_seen(stop):
    plain, named = (luma(first(room(name=name).camera, stop)) for name in ("", "育才小学三年级二班"))
    assert np.abs(plain[:40, :200].astype(int) - named[:40, :200]).mean() > 3


def test_the_camera_keeps_its_rate_and_moves(stop):
    frames = list(itertools.islice(room().camera.frames(stop), 26))
    assert np.allclose(np.diff([frame.mono_ns for frame in frames]), 40_000_000, atol=2)
    lumas = [luma(frame.picture).astype(int) for frame in frames]
    moved = [np.abs(b - a).max() for a, b in itertools.pairwise(lumas)]
    assert min(moved) > 30


def test_every_slide_is_another_one_and_stands_for_some_seconds():
    buffers = pages.buffers()
    assert len({buffer.tobytes() for buffer in buffers}) == len(buffers) >= 6
    shown = [page_at(second) for second in range(int(len(buffers) * PAGE_S) + 1)]
    assert [len(list(group)) for _, group in itertools.groupby(shown)][:-1] == [int(PAGE_S)] * len(buffers)
    assert shown[-1] == 0


def test_slides_carry_ink_that_can_be_read():
    for image in pages.images():
        assert (image.max(axis=2) < 140).mean() > 0.005
        assert image.shape == (720, 1280, 3)


def test_the_voice_speaks_in_turns_with_pauses():
    sound = voice.loop(1, lead=True).astype(float).reshape(-1, 960)
    level_db = 20 * np.log10(np.sqrt((sound**2).mean(axis=1)) / 32768 + 1e-9)
    assert 0.45 < (level_db > -40).mean() < 0.85
    assert (level_db < -55).mean() > 0.1
    quiet = [len(list(group)) for silent, group in itertools.groupby(level_db < -50) if silent]
    assert max(quiet) * 0.02 > 0.6
    assert level_db[0] < -50
    assert level_db[-1] < -50


def test_pupils_speak_less_than_their_teacher():
    shares = [(np.abs(voice.loop(3, lead=lead)) > 400).mean() for lead in (True, False)]
    assert shares[0] > 1.5 * shares[1]


def test_the_voice_is_ready_before_anyone_waits_for_it():
    begun = time.process_time()
    voice.loop(5, lead=True)
    assert time.process_time() - begun < 1.0


@pytest.mark.parametrize("scene", [TeacherScene, PupilsScene])
def test_a_camera_picture_costs_little(scene):
    drawn = scene((1280, 720), "", 1)
    begun = time.process_time()
    for tick in range(100):
        drawn.draw(tick / 25, tick, 0)
    assert (time.process_time() - begun) / 100 < 0.003


@pytest.mark.parametrize("size", [(640, 480), (854, 480), (320, 240), (1920, 1080), (360, 640)])
@pytest.mark.parametrize("scene", [TeacherScene, PupilsScene])
def test_any_even_size_can_be_drawn_at_any_time(scene, size):
    drawn = scene(size, "很长很长很长很长的教室名字 " * 4, 3)
    for second in (0.0, 3.3, 59.99, 3600.0):
        assert drawn.draw(second, int(second * 25), page_at(second)).shape == (size[1] * 3 // 2, size[0])


def test_pictures_handed_out_are_never_drawn_over(stop):
    frames = list(itertools.islice(room().camera.frames(stop), 3))
    before = [luma(frame.picture).copy() for frame in frames]
    list(itertools.islice(room().camera.frames(stop), 3))
    assert all(np.array_equal(a, luma(frame.picture)) for a, frame in zip(before, frames, strict=True))


def test_a_camera_read_again_goes_on_where_the_lesson_is(stop):
    opened = room()
    one = next(opened.camera.frames(stop))
    time.sleep(0.3)
    two = next(opened.camera.frames(stop))
    assert two.mono_ns - one.mono_ns > 250_000_000
    assert (two.mono_ns - one.mono_ns) % 40_000_000 == 0


def test_the_speech_detector_takes_the_voice_for_speech_and_the_pauses_for_pauses():
    folder = next((one for one in WEIGHTS if (one / SILERO).is_file()), None)
    if folder is None:
        pytest.skip("the speech model is not installed (tongtang models install)")
    sound = voice.loop(4, lead=True)
    resampler = av.AudioResampler("s16", "mono", 16_000)
    frame = av.AudioFrame.from_ndarray(sound[None, :], "s16", "mono")
    frame.sample_rate = 48_000
    low = np.concatenate([part.to_ndarray()[0] for part in resampler.resample(frame)]).astype(np.float32) / 32768
    speech = SpeechDetector(folder).update(low) > 0.5
    level = np.sqrt((sound[: speech.size * 1536].reshape(-1, 1536).astype(float) ** 2).mean(axis=1))
    assert speech[level > 600].mean() > 0.9
    assert speech[level < 40].mean() < 0.2
    assert 0.4 < speech.mean() < 0.85
