import importlib
import itertools
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from agent.capture import camera, microphone, screen
from agent.capture.frame import SourceLost
from agent.capture.lasting import LastingPicture
from agent.capture.masks import masked
from agent.capture.microphone import Hearing, captured_ns, chosen
from agent.capture.sources import list_sources, open_room, parse_source
from agent.capture.still import StillPicture
from tests.agent.capture.conftest import luma

NO_CAMERA = 61
"""A number that no machine gives to a camera."""


def room(text, *, has_slides=False, **more):
    return open_room(parse_source(text), size=(320, 180), fps=25, seed=1, has_slides=has_slides, **more)


def test_a_missing_camera_is_told_and_the_lesson_goes_on_with_a_card(stop):
    told: list[str] = []
    opened = room(f"camera:{NO_CAMERA}+mic:", on_trouble=told.append)
    assert any(f"camera:{NO_CAMERA}" in words for words in opened.missing)
    frames = list(itertools.islice(opened.camera.frames(stop), 40))
    opened.close()
    assert (np.diff([frame.mono_ns for frame in frames]) > 0).all()
    assert np.median(np.diff([frame.mono_ns for frame in frames])) == pytest.approx(40e6, rel=0.1)
    assert luma(frames[-1].picture).std() > 10
    assert len(told) == 1
    assert "tried again" in told[0]


def test_a_camera_that_is_there_and_does_not_open_is_told_as_in_use(stop, monkeypatch):
    monkeypatch.setattr(camera, "missing_words", lambda _index: None)  # as if its device file were there
    with pytest.raises(SourceLost, match="another program may be using it: close that"):
        next(camera.Camera(NO_CAMERA, (320, 180), 25).frames(stop))


def test_the_card_of_a_camera_that_is_away_says_that_it_stands_in_also_masked(stop):
    opened = room(f"camera:{NO_CAMERA}")
    corner = ((0.0, 0.0), (0.2, 0.2))
    shown = masked("the camera's picture", opened.camera, [corner], (320, 180), pytest.fail)
    frame = next(shown.frames(stop))
    stop.set()
    opened.close()
    assert frame.stand_in
    assert not next(room("rehearsal").camera.frames(threading.Event())).stand_in


def test_a_missing_camera_does_not_delay_the_end(stop, monkeypatch):
    monkeypatch.setattr("agent.capture.lasting.RETRY_S", (60.0,))
    opened = room(f"camera:{NO_CAMERA}")
    frames = opened.camera.frames(stop)
    next(frames)
    begun = time.monotonic()
    stop.set()
    assert list(frames) == []
    opened.close()
    assert time.monotonic() - begun < 20, "the pause before the next attempt is a minute"


def test_a_driver_that_fails_as_nobody_foresaw_is_tried_again(stop):
    class Moody:
        width, height, fps, opened = 320, 180, 25, 0

        def frames(self, stop):
            self.opened += 1
            if self.opened == 1:
                raise ValueError("a driver may raise anything")
            yield from StillPicture((320, 180), 25, "", "").frames(stop)

    told: list[str] = []
    moody = Moody()
    lasting = LastingPicture("camera:0", moody, ("没有画面", "No picture"), told.append)
    frames = lasting.frames(stop)
    while len(told) < 2:
        next(frames)
    stop.set()
    lasting.close()
    assert moody.opened == 2
    assert "ended with a fault" in told[0]
    assert told[1] == "camera:0 is back"


def test_a_missing_microphone_is_silence_without_a_hole(stop):
    opened = room("camera:61+mic:no such microphone")
    assert any("mic" in words for words in opened.missing)
    blocks = list(itertools.islice(opened.sound.blocks(stop), 40))
    opened.close()
    assert not any(block.samples.any() for block in blocks)
    assert {b.mono_ns - a.mono_ns for a, b in itertools.pairwise(blocks)} == {20_000_000}
    assert abs(time.monotonic_ns() - blocks[-1].mono_ns) < 2_000_000_000


def test_a_machine_without_portaudio_says_what_to_install(tmp_path: Path):
    # Another process in which the library is not found, as on a machine without it.
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    code = (
        "from agent.capture.sources import list_sources, open_room, parse_source\n"
        "r = open_room(parse_source('rehearsal+mic:'), size=(320, 180), fps=25, seed=1, has_slides=False)\n"
        "print(r.missing, [one.words for one in list_sources() if one.source == 'mic:default'])\n"
    )
    root = Path(__file__).resolve().parents[3]
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("libportaudio2") == 2


def test_nothing_is_loaded_for_sound_before_a_microphone_is_named():
    code = "import sys, agent.capture.sources; print('sounddevice' in sys.modules)"
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "False"


HEARINGS = [
    Hearing(0, "HDA Intel: ALC256 Analog", 2, 48000, False),
    Hearing(3, "USB 会议麦克风", 1, 16000, True),
]


@pytest.mark.parametrize("name,index", [("", 3), ("default", 3), ("0", 0), ("会议", 3), ("alc256", 0)])
def test_a_microphone_is_found_by_number_or_part_of_its_name(name, index):
    assert chosen(HEARINGS, name).index == index


def test_an_unknown_microphone_is_answered_with_those_there_are():
    with pytest.raises(SourceLost, match=r"mic:0 \(HDA Intel.*mic:3 \(USB 会议麦克风"):
        chosen(HEARINGS, "7")


def test_sound_is_stamped_with_the_time_at_which_it_was_heard():
    assert captured_ns(10_000_000_000, 100.000, 100.035, 0.02) == 9_965_000_000
    assert captured_ns(10_000_000_000, 0.0, 100.0, 0.02) == 9_980_000_000
    assert captured_ns(10_000_000_000, 500.0, 100.0, 0.02) == 9_980_000_000


def test_a_real_microphone_is_heard(stop):
    portaudio = importlib.import_module("sounddevice")
    if not microphone.hearings(portaudio):
        pytest.skip("this machine has no microphone")
    opened = room("rehearsal+mic:")
    assert len(list(itertools.islice(opened.sound.blocks(stop), 50))) == 50
    opened.close()


def test_cameras_are_listed_by_name_without_opening_them(tmp_path: Path):
    for entry, name, index in (("video0", "HD Webcam", "0"), ("video1", "HD Webcam", "1"), ("video10", "展台", "0")):
        (tmp_path / entry).mkdir()
        (tmp_path / entry / "name").write_text(f"{name}\n", encoding="utf-8")
        (tmp_path / entry / "index").write_text(f"{index}\n")
    assert camera.camera_names(tmp_path) == [(0, "HD Webcam"), (10, "展台")]
    assert camera.camera_names(tmp_path / "nowhere") == []


def test_every_listed_source_can_be_pasted_and_what_is_missing_has_words():
    lines = list_sources()
    assert lines[0].source == "rehearsal"
    assert lines[0].usable
    for line in lines:
        assert parse_source(line.source)
        assert line.usable or line.words


def test_a_real_camera_gives_pictures(stop):
    usable = [line.source for line in list_sources() if line.source.startswith("camera:") and line.usable]
    if not usable:
        pytest.skip("this machine has no camera")
    opened = room(usable[0])
    assert len(list(itertools.islice(opened.camera.frames(stop), 10))) == 10
    opened.close()


def test_without_a_display_the_screen_is_told_missing(stop, monkeypatch):
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux has machines without a display")
    monkeypatch.delenv("DISPLAY", raising=False)
    opened = room("rehearsal+screen:0", has_slides=True)
    assert any("DISPLAY" in words for words in opened.missing)
    assert next(opened.slides.frames(stop)).picture.width == 1280
    opened.close()


@pytest.fixture
def display(monkeypatch):
    """A real X server of 1000x500, painted by nobody: black."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed, no screen can be captured here")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1000x500x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=(write,),
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as told:
        number = told.readline().strip()
    monkeypatch.setenv("DISPLAY", f":{number}")
    yield server
    server.terminate()
    server.wait()


def test_a_screen_becomes_the_slides_of_the_room(display, stop):
    opened = room("rehearsal+screen:0", has_slides=True)
    assert opened.missing == ()
    frames = list(itertools.islice(opened.slides.frames(stop), 6))
    opened.close()
    assert {(frame.picture.width, frame.picture.height, frame.picture.format.name) for frame in frames} == {
        (1280, 720, "yuv420p")
    }
    assert np.allclose(np.diff([frame.mono_ns for frame in frames]) / 1e6, 200, atol=60)
    assert luma(frames[-1].picture).max() <= 20
    assert [line.name for line in list_sources() if line.source == "screen:0"] == ["screen, 1000x500"]


def test_a_screen_that_is_not_there_is_answered_with_how_many_there_are(display):
    assert "has 1, counted from 0" in (screen.missing_words(3) or "")


def test_a_display_that_dies_gives_way_to_a_card(display, stop):
    told: list[str] = []
    opened = room("rehearsal+screen:0", has_slides=True, on_trouble=told.append)
    count = 0
    for count, _frame in enumerate(opened.slides.frames(stop)):
        if count == 3:
            display.terminate()
            display.wait()
        if count == 10:
            break
    opened.close()
    assert count == 10
    assert len(told) == 1
