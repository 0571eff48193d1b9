from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from models.manifest import load_manifest
from models.movenet import (
    KEYPOINTS,
    Heads,
    PoseDetector,
    decode,
    heads,
    keypoints_near,
    peaks,
    sigmoid,
    with_heads,
)
from models.session import ModelUnusable
from tests.models.faces import classroom, faceless

pytestmark = pytest.mark.models("movenet-multipose")
ROWS, COLUMNS = 24, 40


@pytest.fixture(scope="module")
def detector(models: Path) -> PoseDetector:
    return PoseDetector(models)


def nobody() -> Heads:
    return Heads(
        center=np.full((ROWS, COLUMNS), -20, np.float32),
        size=np.zeros((2, ROWS, COLUMNS), np.float32),
        shift=np.zeros((2, ROWS, COLUMNS), np.float32),
        regression=np.zeros((34, ROWS, COLUMNS), np.float32),
        heat=np.full((KEYPOINTS, ROWS, COLUMNS), -20, np.float32),
        offset=np.zeros((34, ROWS, COLUMNS), np.float32),
    )


def person(said: Heads, row: int, column: int, logit: float = 2.0, high: float = 9, wide: float = 6) -> None:
    """Somebody in that cell: all keypoints three cells above it, a quarter of a cell to the right."""
    said.center[row, column] = logit
    said.size[:, row, column] = high, wide
    said.regression[0::2, row, column] = -3
    said.heat[:, row - 3, column] = 1
    said.offset[1::2, row - 3, column] = 0.25


def test_a_person_is_placed_by_cell_size_and_shift_and_keypoints_by_heat_and_offset():
    said = nobody()
    person(said, 12, 20)
    said.shift[:, 12, 20] = 0.5, -0.5
    found = decode(said)
    # middle: down 12.5, across 19.5; 9 high, 6 wide
    assert np.allclose(found.boxes, [[16.5, 8, 22.5, 17]])
    assert np.allclose(found.scores, sigmoid(np.float32(2.0)))
    assert np.allclose(found.keypoints[0, :, 0], 20.25)
    assert np.allclose(found.keypoints[0, :, 1], 9)
    assert np.allclose(found.keypoints[0, :, 2], sigmoid(np.float32(1.0)))


def test_more_than_six_people_are_found_best_first():
    said = nobody()
    for number in range(24):
        person(said, 4 + number // 8 * 8, 2 + number % 8 * 5, logit=number / 10)
    found = with_heads(decode(said))
    assert len(found.scores) == 24
    assert np.all(np.diff(found.scores) <= 0)


def test_of_two_boxes_on_one_person_the_better_stays():
    said = nobody()
    person(said, 12, 20, logit=1)
    person(said, 12, 22, logit=2, high=10, wide=10)
    said.size[:, 12, 20] = 10, 10
    assert len(decode(said).scores) == 1


def test_neighbouring_cells_are_one_peak():
    center = np.full((8, 8), -20, np.float32)
    center[3, 3:5] = 1, 2
    row, column, scores = peaks(center, 0.12)
    assert (row.tolist(), column.tolist()) == ([3], [4])
    assert scores == pytest.approx([0.8808], abs=1e-3)


def test_the_number_of_people_looked_at_is_bounded():
    center = np.random.default_rng(1).normal(5, 1, (96, 160)).astype(np.float32)
    assert len(peaks(center, 0.12, most=50)[2]) == 50


def test_keypoints_are_the_same_as_one_by_one():
    random = np.random.default_rng(7)
    said = nobody()
    said.heat[:] = random.normal(-2, 2, said.heat.shape)
    said.offset[:] = random.normal(0, 0.3, said.offset.shape)
    guess = random.uniform([-6, -6], [ROWS + 6, COLUMNS + 6], (5, KEYPOINTS, 2)).astype(np.float32)
    reach = 4
    found = keypoints_near(said, guess, reach)
    for who in range(5):
        for point in range(KEYPOINTS):
            down, across = guess[who, point]
            best, place = 0.0, None
            for row in range(max(0, round(down) - reach), min(ROWS, round(down) + reach + 1)):
                for column in range(max(0, round(across) - reach), min(COLUMNS, round(across) + reach + 1)):
                    near = np.exp(-((row - down) ** 2 + (column - across) ** 2) / (2 * (reach / 1.5) ** 2))
                    worth = float(sigmoid(said.heat[point, row, column]) * near)
                    if worth > best:
                        best, place = worth, (row, column)
            if place is None:
                assert found[who, point, 2] == 0
                continue
            exact = np.asarray(place) + said.offset[2 * point : 2 * point + 2, *place]
            assert np.allclose(found[who, point, :2], exact[::-1], atol=1e-4)
            assert found[who, point, 2] == pytest.approx(float(sigmoid(said.heat[point, *place])), abs=1e-5)


def test_legs_without_a_head_are_left_out():
    said = nobody()
    person(said, 12, 20)
    person(said, 18, 32)
    said.heat[0:5, 15, 32] = -20
    found = with_heads(decode(said))
    assert len(decode(said).scores) == 2
    assert np.allclose(found.boxes[0, :2], [17, 7.5])
    assert len(found.scores) == 1


def test_two_people_with_one_head_are_one():
    said = nobody()
    person(said, 12, 20)
    said.center[18, 20] = 1
    said.size[:, 18, 20] = 8, 6
    said.regression[0::2, 18, 20] = -9
    assert len(decode(said).scores) == 2
    assert len(with_heads(decode(said)).scores) == 1


def test_nobody_is_nobody():
    found = with_heads(decode(nobody()))
    assert (found.boxes.shape, found.keypoints.shape) == ((0, 4), (0, KEYPOINTS, 3))
    assert heads(found.keypoints).shape == (0, 2)


@pytest.mark.parametrize("rows,columns,size", [(1, 1, 240), (2, 4, 80), (4, 8, 60)])
def test_everybody_at_a_seat_is_found_once(detector: PoseDetector, rows: int, columns: int, size: int):
    assert len(detector.people(classroom(rows, columns, size)).scores) == rows * columns


def test_the_portraits_head_lies_where_it_is_also_in_a_larger_picture(detector: PoseDetector):
    portrait = data.astronaut()[:, :, ::-1]
    large = cv2.resize(portrait, (1024, 1024), interpolation=cv2.INTER_LINEAR)
    for picture, scale in ((portrait, 1), (large, 2)):
        found = detector.people(picture)
        nose, left_eye, right_eye = found.keypoints[0, :3, :2] / scale
        assert len(found.scores) == 1
        assert np.allclose(nose, [219, 122], atol=12)
        assert left_eye[0] > right_eye[0], "left is hers"
        assert np.allclose(found.heads[0] / scale, [222, 115], atol=15)
        assert np.all(found.boxes >= 0)


def test_people_are_found_who_show_no_face(detector: PoseDetector):
    assert len(detector.people(faceless(4, 8)).scores) >= 28


def test_somebody_behind_a_camera_is_found_with_the_head(detector: PoseDetector):
    cameraman = cv2.cvtColor(data.camera(), cv2.COLOR_GRAY2BGR)
    found = detector.people(cameraman)
    assert len(found.scores) == 1
    assert np.allclose(found.heads[0], [225, 140], atol=30)


def test_there_is_nobody_in_noise_on_a_wall_or_in_the_dark(detector: PoseDetector):
    noise = np.random.default_rng(1).integers(0, 256, (360, 640, 3), np.uint8)
    for picture in (noise, np.full((360, 640, 3), 120, np.uint8), np.zeros((384, 640, 3), np.uint8)):
        assert len(detector.people(picture).scores) == 0


def test_a_corrupt_file_says_what_to_run(models: Path, tmp_path: Path):
    model = load_manifest().find("movenet-multipose")
    content = bytearray((models / model.file).read_bytes())
    content[100_000] ^= 1
    (tmp_path / model.file).write_bytes(content)
    with pytest.raises(ModelUnusable, match=r"is corrupt:.*run: tongtang models install"):
        PoseDetector(tmp_path)
