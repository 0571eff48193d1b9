from pathlib import Path

import numpy as np

from agent.observe.people import PeoplePart
from models.centerface import FaceDetector
from tests.models.faces import classroom


def test_every_seat_with_a_face_is_counted(models: Path):
    (found,) = PeoplePart(FaceDetector(models)).update(classroom(4, 8), 7)
    assert (found.kind, found.mono_ns, found.value) == ("people", 7, {"count": 32})
    assert found.confidence is not None
    assert 0.35 <= found.confidence <= 1


def test_an_empty_room_is_zero_and_says_nothing_of_confidence(models: Path):
    shelf = np.zeros((384, 640, 3), np.uint8)
    shelf[:, ::40] = 200
    (found,) = PeoplePart(FaceDetector(models)).update(shelf, 7)
    assert (found.value, found.confidence) == ({"count": 0}, None)


def test_a_covered_lens_is_unknown_and_not_nobody(models: Path):
    (found,) = PeoplePart(FaceDetector(models)).update(np.full((384, 640, 3), 3, np.uint8), 7)
    assert (found.value, found.confidence) == ({"count": None}, None)


def test_without_a_model_the_count_is_unknown():
    (found,) = PeoplePart(None).update(classroom(1, 1), 7)
    assert found.value == {"count": None}
