import itertools
import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from benchmarks import lessons
from benchmarks.listening import Heard
from benchmarks.measured import over_files
from benchmarks.observe import main
from benchmarks.observe_speech import four, read_rttm, speakers
from measures.speech import HOP_S
from tests.lessons.lesson import CLASSES, HOP_SAMPLES, SEVERAL, STUDENT, TEACHER, lesson
from tests.lessons.recorded import Part
from tests.lessons.script import Room, Style
from tests.models.recordings import speech_folder

ROOT = Path(__file__).parents[2]
ROLES = {TEACHER: ("teacher",), STUDENT: ("student",), SEVERAL: ("teacher", "student")}


def labelled(folder: Path, seconds: float = 75.0) -> Path:
    """A folder as a researcher has it: the lead room of a synthetic lesson, and who speaks in it as RTTM."""
    room = lesson(Part.REPORT, Style.QUESTIONS, 3, seconds).rooms[Room.LEAD]
    place = folder / "speech"
    place.mkdir(parents=True)
    with wave.open(str(place / "class7.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes((np.clip(room.sound, -1, 1) * 32_767).astype("<i2").tobytes())
    edges = [0, *(np.flatnonzero(np.diff(room.truth)) + 1).tolist(), len(room.truth)]
    lines = [
        f"SPEAKER class7 1 {first * HOP_S:.3f} {(last - first) * HOP_S:.3f} <NA> <NA> {who} <NA> <NA>"
        for first, last in itertools.pairwise(edges)
        for who in ROLES.get(int(room.truth[first]), ())
    ]
    (place / "class7.rttm").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.models("silero-vad", "ge2e")
def test_a_labelled_lesson_is_judged_by_its_four_voices(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    assert main([str(labelled(tmp_path)), "--json"]) == 0
    frames, talk = json.loads(capsys.readouterr().out)
    assert frames["what"].startswith("teacher, student, several, silence")
    assert frames["files"] == 1
    assert frames["low"] is None, "one file has no interval"
    assert 0 < frames["value"] < 0.3
    assert 0 <= talk["value"] < 0.3
    assert frames["cpu"] > 0


@pytest.mark.models("silero-vad")
def test_the_labelled_meetings_are_judged_as_a_script_run_by_hand(models: Path):
    data = speech_folder().parent
    command = [sys.executable, str(ROOT / "benchmarks" / "observe.py"), str(data), "--json"]
    done = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    (one,) = json.loads(done.stdout)
    assert one["what"].startswith("speech or not")
    assert one["files"] == 7
    assert one["low"] < one["value"] < one["high"] < 0.15


def test_a_folder_without_labels_says_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture):
    (tmp_path / "speech").mkdir()
    assert main([str(tmp_path)]) == 2
    assert "it needs speech" in capsys.readouterr().err


def test_labels_that_are_not_rttm_are_named_with_their_line(tmp_path: Path, capsys: pytest.CaptureFixture):
    (tmp_path / "speech").mkdir()
    (tmp_path / "speech" / "a.rttm").write_text("SPEAKER a 1 0.0 1.0 <NA> <NA> x <NA> <NA>\nSPEAKER a 1 soon\n")
    assert main([str(tmp_path)]) == 2
    assert "a.rttm, line 2: not a line of RTTM" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content,says",
    [
        (None, "there are labels of a, and no such recording"),
        (b"no sound", "a.wav is no recording that can be read"),
        (b"", "a.wav is no recording that can be read"),
        ("empty", "a.wav holds no sound"),
    ],
    ids=["missing", "other", "nothing", "empty"],
)
def test_a_recording_that_cannot_be_used_is_named(tmp_path: Path, capsys: pytest.CaptureFixture, content, says: str):
    place = tmp_path / "speech"
    place.mkdir()
    (place / "a.rttm").write_text("SPEAKER a 1 0.0 1.0 <NA> <NA> x <NA> <NA>\n")
    if content == "empty":
        with wave.open(str(place / "a.wav"), "wb") as out:
            out.setparams((1, 2, 16_000, 0, "NONE", ""))
    elif content is not None:
        (place / "a.wav").write_bytes(content)
    assert main([str(tmp_path)]) == 2
    assert says in capsys.readouterr().err


def test_two_speakers_at_once_are_several(tmp_path: Path):
    path = tmp_path / "a.rttm"
    lines = [(0.0, 1.0, "teacher"), (0.5, 1.0, "student")]
    path.write_text("\n".join(f"SPEAKER a 1 {at} {s} <NA> <NA> {who} <NA> <NA>" for at, s, who in lines))
    labels = four(speakers(read_rttm(path)["a"], 60), 60)
    names = [CLASSES[label] for label, _ in itertools.groupby(labels)]
    assert names == ["teacher", "several", "student", "silence"]


def test_the_interval_of_equal_files_is_a_point_and_the_worst_is_named():
    same = over_files("speech", "error", [("a", 0.1, 10.0), ("b", 0.1, 30.0)])
    assert same.low == pytest.approx(0.1)
    assert same.high == pytest.approx(0.1)
    mixed = over_files("speech", "error", [("a", 0.0, 10.0), ("b", 0.4, 30.0)])
    assert mixed.value == pytest.approx(0.3), "longer files count more"
    assert mixed.worst == "b: 0.400"


def test_what_was_not_told_stands_in_a_column_of_its_own(monkeypatch: pytest.MonkeyPatch):
    one = lesson(Part.TUNE, Style.LECTURE, 5, 30.0)

    def deaf(sound: np.ndarray, played: np.ndarray | None = None) -> Heard:
        hops = len(sound) // HOP_SAMPLES
        return Heard(np.full(hops, -1), np.zeros(hops), 0.0, len(sound) / 16_000)

    monkeypatch.setattr(lessons, "listen", deaf)
    judged = lessons.judged(one, played_known=False)
    assert judged.error == {Room.LEAD: 1.0, Room.FAR: 1.0}
    assert judged.frames[Room.LEAD][:, 4].sum() == pytest.approx(1.0)
    assert judged.found == 0
