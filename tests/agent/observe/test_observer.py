import itertools
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from agent.capture.still import StillPicture
from agent.observe.observer import ObserverState
from agent.observe.pace import SETTLE_S
from models.manifest import load_manifest
from tests.agent.observe.pages import page
from tests.agent.observe.rooms import Notes, Room, observer, until
from tests.models.faces import classroom
from tests.models.recordings import sound, teacher_clips

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def room() -> Room:
    spoken = np.concatenate([sound(clip, 48_000) for clip in teacher_clips()])
    return Room(classroom(3, 5, 80), [page(0), page(1), page(2)], spoken)


@pytest.fixture
def silent_room() -> Room:
    return Room(classroom(2, 4, 80), [page(0), page(1)], np.zeros(48_000, np.int16))


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.paired
def test_a_lesson_is_observed_in_session_time(models: Path, room: Room):
    notes = Notes()
    one = observer(models, notes, flush_s=60.0)
    one.start()
    assert until(lambda: one.state is ObserverState.WELL, 60)
    pid = one.pid
    before = time.monotonic()
    room.play(one, 6.0)
    one.stop()
    assert time.monotonic() - before < 40
    assert one.state is ObserverState.STOPPED
    assert pid is not None
    assert gone(pid)
    assert notes.troubles == []
    assert 15 in [count.value["count"] for count in notes.of("people")]
    assert 4 <= len(notes.of("people")) <= 7
    slides = notes.of("slide")
    assert [slide.value["index"] for slide in slides] == [1, 2, 3]
    assert slides[1].t - slides[0].t == pytest.approx(2.0, abs=0.6)
    spoken = sum(turn.seconds for turn in notes.of("speech"))
    assert 3.0 <= spoken <= 6.1, "the turn that was open at the end is told too"
    assert notes.of("cadence")[0].value == {"speech_s": 0.032, "people_s": 1.0, "board_s": 4.0, "slides_s": 0.5}
    assert all(seen.boot == "boot" and 0 <= seen.t < 60 for seen in notes.observations)


@pytest.mark.paired
def test_a_killed_process_is_replaced_told_once_and_slides_go_on_counting(models: Path, room: Room):
    notes = Notes()
    one = observer(models, notes, back_off_s=0.1)
    one.start()
    assert until(lambda: one.state is ObserverState.WELL, 60)
    room.play(one, 3.0)
    for _ in range(2):
        victim = one.pid
        assert victim is not None
        psutil.Process(victim).kill()
        assert until(lambda victim=victim: one.pid not in {None, victim} and one.state is ObserverState.WELL, 60)
    told = len(notes.of("people"))
    room.play(one, 3.0)
    one.stop()
    assert len(notes.of("people")) >= told + 2
    assert one.counts.replacements == 2
    assert len(notes.troubles) == 1
    assert "ended by itself" in notes.troubles[0]
    indices = [slide.value["index"] for slide in notes.of("slide")]
    assert indices == list(range(1, len(indices) + 1))
    assert len(notes.of("cadence")) == 1


@pytest.mark.paired
@pytest.mark.skipif(sys.platform == "win32", reason="a process is frozen with SIGSTOP, which Windows lacks")
def test_frames_flow_on_while_the_process_is_frozen_and_a_frozen_one_is_replaced(models: Path, silent_room: Room):
    notes = Notes()
    one = observer(models, notes, ping_s=0.2, hang_s=2.0, back_off_s=0.1)
    one.start()
    assert until(lambda: one.state is ObserverState.WELL, 60)
    frozen = one.pid
    assert frozen is not None
    os.kill(frozen, signal.SIGSTOP)
    silent_room.play(one, 3.0)
    assert silent_room.longest_feed_s < 0.5, "a full pipe would have held a frame for seconds"
    assert until(lambda: one.pid not in {None, frozen} and one.state is ObserverState.WELL, 60)
    told = len(notes.of("people"))
    silent_room.play(one, 2.0)
    one.stop()
    assert gone(frozen)
    assert len(notes.of("people")) > told
    assert "has not answered" in notes.troubles[0]


@pytest.mark.paired
@pytest.mark.skipif(sys.platform == "win32", reason="a process is frozen with SIGSTOP, which Windows lacks")
def test_a_machine_that_is_short_is_observed_less_often_and_the_timeline_says_so(models: Path, room: Room):
    notes = Notes()
    one = observer(models, notes, ping_s=0.2)
    one.start()
    assert until(lambda: one.state is ObserverState.WELL, 60)
    room.play(one, SETTLE_S + 2.0)
    assert one.pid is not None
    os.kill(one.pid, signal.SIGSTOP)
    room.play(one, 4.0)
    os.kill(one.pid, signal.SIGCONT)
    room.play(one, 6.0)
    one.stop()
    (full, *slowed) = notes.of("cadence")
    assert full.value == {"speech_s": 0.032, "people_s": 1.0, "board_s": 4.0, "slides_s": 0.5}
    assert slowed[0].value["level"] == "half"
    assert (slowed[0].value["people_s"], slowed[0].value["board_s"], slowed[0].value["speech_s"]) == (2.0, 8.0, 0.032)
    assert "pictures were" in slowed[0].value["why"]
    after = [count.t for count in notes.of("people") if count.t > slowed[0].t + 2.0]
    assert all(later - one >= 1.5 for one, later in itertools.pairwise(after))
    assert one.figures()["cadence"] == slowed[-1].value["level"]
    assert one.figures()["replaced"] >= 2
    heard = sum(turn.seconds for turn in notes.of("level"))
    assert heard >= SETTLE_S + 2.0 + 4.0 + 6.0 - 3, "sound waited, and none of it was left out"
    assert notes.troubles == []


@pytest.mark.paired
def test_what_observing_costs_is_known_by_part(models: Path, room: Room):
    notes = Notes()
    one = observer(models, notes, ping_s=0.2)
    one.start()
    assert until(lambda: one.state is ObserverState.WELL, 60)
    room.play(one, 4.0)
    around = psutil.Process(one.pid).environ()
    assert around["OPENBLAS_NUM_THREADS"] == around["OMP_NUM_THREADS"] == "1", "NumPy's threads would wait in a loop"
    one.stop()
    told = one.figures()
    assert {"speech", "faces", "bodies", "slides"} <= set(told["by_part"])
    assert 0 < sum(told["by_part"].values()) < told["cpu_s"]
    assert 100 < told["memory_mib"] <= told["memory_peak_mib"] < 450
    assert told["processes"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="a process is frozen with SIGSTOP, which Windows lacks")
def test_stopping_a_frozen_process_takes_no_longer_than_allowed(models: Path):
    notes = Notes()
    one = observer(models, notes, flush_s=0.5)
    one.start()
    assert until(lambda: one.state is ObserverState.WELL, 60)
    pid = one.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    before = time.monotonic()
    one.stop()
    assert time.monotonic() - before < 20
    assert gone(pid)
    assert "did not end in time" in notes.troubles[0]


def test_a_corrupt_model_makes_its_part_unknown_and_the_rest_goes_on(models: Path, tmp_path: Path, silent_room: Room):
    for model in load_manifest().model:
        (tmp_path / model.file).write_bytes((models / model.file).read_bytes())
    victim = tmp_path / load_manifest().find("centerface").file
    victim.write_bytes(victim.read_bytes()[: 1 << 20])
    notes = Notes()
    one = observer(tmp_path, notes, flush_s=60.0)
    one.start()
    assert until(lambda: one.state is ObserverState.WELL, 60)
    for _ in range(5):  # pictures that come while a slide is read, on a busy machine, give way to newer ones
        silent_room.play(one, 3.0)
        if len(notes.of("slide")) > 1:
            break
    one.stop()
    (words,) = notes.troubles
    assert "people are not counted" in words
    assert "tongtang models install" in words
    assert [count.value for count in notes.of("people")] == [{"count": None}] * len(notes.of("people"))
    assert len(notes.of("people")) >= 2
    assert len(notes.of("slide")) >= 2
    assert notes.of("cadence")[0].value == {"speech_s": 0.032, "people_s": None, "board_s": None, "slides_s": 0.5}


@pytest.mark.paired
def test_files_that_are_swapped_in_mid_lesson_change_nothing_until_the_next_process_checks_them(
    models: Path, tmp_path: Path, room: Room
):
    for model in load_manifest().model:
        (tmp_path / model.file).write_bytes((models / model.file).read_bytes())
    notes = Notes()
    one = observer(tmp_path, notes, back_off_s=0.1)
    one.start()
    assert until(lambda: one.state is ObserverState.WELL, 60)
    faces, bodies = (tmp_path / load_manifest().find(name).file for name in ("centerface", "movenet-multipose"))
    faces.unlink()
    bodies.write_bytes(bodies.read_bytes()[::-1])
    room.play(one, 3.0)
    assert notes.troubles == []
    assert 15 in [count.value["count"] for count in notes.of("people")]
    before = one.pid
    assert before is not None
    psutil.Process(before).kill()
    assert until(lambda: one.pid not in {None, before} and one.state is ObserverState.WELL, 60)
    room.play(one, 2.0)
    one.stop()
    assert [count.value for count in notes.of("people")][-1] == {"count": None}
    assert [words for words in notes.troubles if "people are not counted" in words and "is not installed" in words]
    assert notes.of("cadence")[-1].value["people_s"] is None, "and the timeline says so"


@pytest.mark.paired
def test_without_a_camera_it_is_unknown_who_is_there_and_a_card_is_no_slide(models: Path):
    notes = Notes()
    one = observer(models, notes, flush_s=60.0)
    one.start()
    assert until(lambda: one.state is ObserverState.WELL, 60)
    for number, frame in enumerate(StillPicture((1280, 720), 25, "没有画面", "No picture").frames(threading.Event())):
        one.feed_frame("camera", frame)
        one.feed_frame("slides", frame)
        if number == 100:
            break
    one.stop()
    assert len(notes.of("people")) >= 3
    assert [count.value for count in notes.of("people")] == [{"count": None}] * len(notes.of("people"))
    assert [minute.value["share"] for minute in notes.of("seats")] == [None]
    assert notes.of("slide") == []
    assert notes.troubles == []


def test_without_any_model_slides_are_still_counted(tmp_path: Path, silent_room: Room):
    notes = Notes()
    one = observer(tmp_path, notes, flush_s=60.0)
    one.start()
    assert until(lambda: one.state is ObserverState.WELL, 60)
    silent_room.play(one, 2.0)
    one.stop()
    assert len(notes.troubles) == 3, "who speaks, speech, people"
    assert [slide.value["index"] for slide in notes.of("slide")] == [1]


def test_a_process_that_grows_too_large_is_replaced(models: Path):
    notes = Notes()
    one = observer(models, notes, ping_s=0.1, memory_bytes=1 << 20, back_off_s=0.1)
    one.start()
    assert until(lambda: one.counts.replacements >= 2, 60)
    one.stop()
    assert len(notes.troubles) == 1
    assert "MB, more than 1 MB" in notes.troubles[0]


def test_an_observer_that_was_never_started_stops_twice(models: Path):
    one = observer(models, Notes())
    one.stop()
    one.stop()
    assert one.state is ObserverState.STOPPED


def test_the_process_ends_when_its_owner_is_gone(models: Path, tmp_path: Path):
    script = (
        "import sys, time; from pathlib import Path; from agent.observe.observer import Observer\n"
        "o = Observer(Path(sys.argv[1]), on_observation=print, on_trouble=print, session_t=float, boot='b')\n"
        "o.start()\n"
        "while o.state != 'well': time.sleep(0.02)\n"
        "print(o.pid, flush=True); time.sleep(60)\n"
    )
    owner = psutil.Popen([sys.executable, "-c", script, str(models)], stdout=-1, text=True)
    try:
        pid = next(int(line) for line in owner.stdout if line.strip().isdigit())
        owner.kill()
        assert until(lambda: gone(pid), 30)
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()
