"""What the rehearsal measures on: the nets see its people, and its figures are what the lines of quality say."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.rehearsal import _figures, _kinds
from benchmarks.rehearsal_scene import COLUMNS, HEIGHT, ROWS, WIDTH, SeatedScene, spoken
from models.centerface import FaceDetector
from tests.models.recordings import speech_folder


def seen(scene: SeatedScene, seconds: float) -> np.ndarray:
    picture = cv2.cvtColor(scene.draw(seconds, round(seconds * 25), 0), cv2.COLOR_YUV2BGR_I420)
    return np.asarray(cv2.resize(picture, (640, 360), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.models("centerface")
def test_every_seat_and_the_one_who_walks_are_people_to_the_net(models: Path):
    scene = SeatedScene((WIDTH, HEIGHT), "", 1)
    net = FaceDetector(models)
    counts = [len(net.faces(seen(scene, seconds)).scores) for seconds in (0.0, 3.0, 7.0, 12.0)]
    assert all(abs(count - (ROWS * COLUMNS + 1)) <= 2 for count in counts), counts


def test_somebody_moves_from_one_look_to_the_next():
    scene = SeatedScene((WIDTH, HEIGHT), "", 1)
    still = cv2.absdiff(seen(scene, 1.0), seen(scene, 1.04)).mean()
    assert cv2.absdiff(seen(scene, 1.0), seen(scene, 1.5)).mean() > still


def test_shares_are_of_the_time_between_the_lines_that_tell_them(tmp_path: Path):
    def line(t: float, cpu_s: float, **by_part: float) -> str:
        return json.dumps({"t": t, "sent": 1, "observe": {"cpu_s": cpu_s, "by_part": by_part, "pictures": 9}})

    lines = [json.dumps({"t": 1.0}), line(2.0, 3.0, faces=1.0), line(12.0, 5.0, faces=2.0, bodies=0.5)]
    (tmp_path / "quality.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "timeline.jsonl").write_text('{"kind": "people"}\n{"kind": "people"}\n{"kind": "slide"}\n')
    told = _figures(tmp_path)
    assert told["share"] == pytest.approx({"all": 0.2, "faces": 0.1, "bodies": 0.05, "rest": 0.05})
    assert told["pictures"] == 9
    assert _kinds(tmp_path) == {"people": 2, "slide": 1}
    assert _figures(tmp_path / "nowhere") == {}


def test_a_minute_of_speech_has_pauses_and_more_speech_where_the_teacher_is():
    folder = speech_folder()
    loud = {lead: float((np.abs(spoken(folder, lead=lead)) > 300).mean()) for lead in (True, False)}
    assert 0.05 < loud[False] < loud[True] < 0.9
