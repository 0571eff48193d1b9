from pathlib import Path

import numpy as np
import pytest

from models.centerface import FaceDetector, best_apart, decode
from tests.models.faces import classroom

pytestmark = pytest.mark.models("centerface")


@pytest.fixture(scope="module")
def detector(models: Path) -> FaceDetector:
    return FaceDetector(models)


@pytest.mark.parametrize("rows,columns,size", [(1, 1, 120), (2, 4, 80), (4, 8, 60), (5, 10, 44)])
def test_each_face_at_a_seat_is_counted_once(detector: FaceDetector, rows: int, columns: int, size: int):
    assert len(detector.faces(classroom(rows, columns, size)).scores) == rows * columns


def test_a_larger_picture_keeps_its_proportions_and_boxes_lie_on_the_faces(detector: FaceDetector):
    picture = classroom(2, 4, 200, 1280, 720)
    faces = detector.faces(picture)
    assert len(faces.scores) == 8
    middles = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    # Left to right, a face in each quarter of each half, a little above the middle of its seat.
    cells = {(int(x // 320), int(y // 360)) for x, y in middles}
    assert cells == {(column, row) for column in range(4) for row in range(2)}
    assert np.all(faces.boxes >= 0)
    assert np.all(faces.boxes[:, 2] <= 1280)


def test_there_is_nobody_in_noise_or_on_an_empty_wall(detector: FaceDetector):
    noise = np.random.default_rng(1).integers(0, 256, (360, 640, 3), np.uint8)
    assert len(detector.faces(noise).scores) == 0
    assert len(detector.faces(np.full((360, 640, 3), 120, np.uint8)).scores) == 0


def test_decoding_places_a_box_by_its_cell_its_offset_and_its_size():
    heat = np.zeros((4, 6), np.float32)
    heat[2, 3] = 0.9
    size = np.zeros((2, 4, 6), np.float32)
    size[:, 2, 3] = np.log(2), np.log(1)
    offset = np.zeros((2, 4, 6), np.float32)
    offset[:, 2, 3] = 0.25, -0.25
    boxes, scores = decode(heat, size, offset, 0.5)
    # middle: x (3 - 0.25 + 0.5) * 4 = 13, y (2 + 0.25 + 0.5) * 4 = 11; 4 wide, 8 high
    assert np.allclose(boxes, [[11, 7, 15, 15]])
    assert np.allclose(scores, [0.9])


def test_of_boxes_on_one_face_the_best_stays():
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [30, 0, 40, 10], [8, 8, 18, 18]], np.float32)
    kept = best_apart(boxes, np.array([0.5, 0.9, 0.4, 0.6], np.float32))
    assert kept.tolist() == [1, 3, 2]


def test_no_boxes_stay_none():
    assert best_apart(np.zeros((0, 4), np.float32), np.zeros(0, np.float32)).tolist() == []
