from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from agent.observe.board import BoardPart
from agent.observe.people import PeoplePart, without_face
from agent.observe.seats import SeatsPart
from agent.observe.spent import Spent
from agent.observe.view import Rectangle
from models.centerface import FaceDetector
from models.movenet import PoseDetector
from tests.models.faces import classroom, faceless

SECOND = 1_000_000_000
DARK = np.full((384, 640, 3), 3, np.uint8)
pytestmark = pytest.mark.models("centerface", "movenet-multipose")


@dataclass
class Seen:
    """What a detector says: faces and people at given places, as large as a head."""

    places: list[tuple[float, float]]
    looks: list[int] = field(default_factory=list)
    """One for each picture looked at."""

    @property
    def heads(self) -> np.ndarray:
        return np.asarray(self.places, np.float32).reshape(-1, 2)

    @property
    def boxes(self) -> np.ndarray:
        return np.concatenate([self.heads - 10, self.heads + 10], axis=1)

    @property
    def scores(self) -> np.ndarray:
        return np.full(len(self.places), 0.6, np.float32)

    @property
    def keypoints(self) -> np.ndarray:
        return np.zeros((len(self.places), 17, 3), np.float32)

    def faces(self, bgr: np.ndarray) -> "Seen":
        self.looks.append(1)
        return self

    def people(self, bgr: np.ndarray) -> "Seen":
        self.looks.append(1)
        return self


def lively(second: int) -> np.ndarray:
    """A room in which somebody has moved, whenever one looks."""
    picture = classroom(1, 1)
    left = second % 9 * 60
    picture[300:340, left : left + 40] = 255
    return picture


def noisy(second: int) -> np.ndarray:
    """A room in which nothing moves, and the light is poor."""
    noise = np.random.default_rng(second).normal(0, 6, (384, 640, 3))
    return np.clip(classroom(4, 8) + noise, 0, 255).astype(np.uint8)


def leaning(pixels: int) -> np.ndarray:
    picture = classroom(4, 8, 40)
    pupil = picture[96:192, 160:240].copy()
    picture[96:192, 160:240] = 127
    picture[96:192, 160 + pixels : 240 + pixels] = pupil
    return picture


def count(part: PeoplePart, picture: np.ndarray, mono_ns: int) -> dict[str, object]:
    return next(one.value for one in part.update(picture, mono_ns) if one.kind == "people")


def test_every_seat_with_a_face_is_counted(models: Path):
    (found,) = PeoplePart(FaceDetector(models)).update(classroom(4, 8), 7)
    assert (found.kind, found.mono_ns, found.value) == ("people", 7, {"count": 32, "faces": 32})
    assert found.confidence is not None
    assert 0.35 <= found.confidence <= 1


@pytest.mark.parametrize("rows,columns,size", [(1, 1, 120), (2, 4, 80), (4, 8, 60), (5, 10, 44)])
def test_whom_both_detectors_see_is_counted_once(models: Path, rows: int, columns: int, size: int):
    part = PeoplePart(FaceDetector(models), PoseDetector(models))
    assert count(part, classroom(rows, columns, size), 7) == {"count": rows * columns, "faces": rows * columns}


def test_who_shows_no_face_is_counted_too(models: Path):
    picture = faceless(4, 8)
    assert count(PeoplePart(FaceDetector(models)), picture, 7) == {"count": 0, "faces": 0}
    told = count(PeoplePart(FaceDetector(models), PoseDetector(models)), picture, 7)
    assert told["faces"] == 0
    assert 20 <= told["count"] <= 32, "measured: 24"


def test_an_empty_room_is_zero_and_says_nothing_of_confidence(models: Path):
    shelf = np.zeros((384, 640, 3), np.uint8)
    shelf[:, ::40] = 200
    (found,) = PeoplePart(FaceDetector(models), PoseDetector(models)).update(shelf, 7)
    assert (found.value, found.confidence) == ({"count": 0, "faces": 0}, None)


def test_a_covered_lens_is_unknown_and_not_nobody(models: Path):
    (found,) = PeoplePart(FaceDetector(models)).update(DARK, 7)
    assert (found.value, found.confidence) == ({"count": None}, None)


def test_without_a_model_the_count_is_unknown():
    (found,) = PeoplePart(None, Seen([(5, 5)])).update(classroom(1, 1), 7)
    assert found.value == {"count": None}


def test_bodies_are_looked_for_every_four_seconds_and_count_in_between():
    bodies = Seen([(100, 100), (300, 100)])
    faces = Seen([(100, 100)])
    part = PeoplePart(faces, bodies)
    counts = [count(part, lively(second), second * SECOND) for second in range(9)]
    assert counts == [{"count": 2, "faces": 1}] * 9
    assert len(bodies.looks) == 3
    assert len(faces.looks) == 7, "where bodies were looked for, the faces of the look before stand"


def test_faces_of_long_ago_are_not_lent_to_a_look_for_bodies():
    faces, bodies = Seen([(100, 100)]), Seen([(100, 100)])
    part = PeoplePart(faces, bodies)
    for second in range(0, 20, 4):
        count(part, lively(second), second * SECOND)
    assert (len(faces.looks), len(bodies.looks)) == (5, 5)


def test_where_nothing_moves_nobody_looks_but_every_ten_seconds():
    faces, bodies = Seen([(100, 100)]), Seen([(300, 100)])
    part = PeoplePart(faces, bodies)
    told = [part.update(noisy(second), second * SECOND)[0] for second in range(21)]
    assert [one.value.get("still", False) for one in told] == [second not in {0, 10, 12, 20} for second in range(21)]
    assert {one.value["count"] for one in told} == {2}
    assert {one.confidence for one in told} == {0.6}
    assert (len(faces.looks), len(bodies.looks)) == (3, 2), "bodies at 0 and, four seconds a turn, at 12, without faces"


def test_one_who_moves_is_looked_at_again_however_little():
    faces = Seen([(100, 100)])
    part = PeoplePart(faces)
    for second in range(10):
        # One pupil of 32 leans by a pixel more with each second: slow enough to be still from one to the next.
        count(part, leaning(second), second * SECOND)
    assert len(faces.looks) >= 5


def test_the_board_is_told_at_its_cadence_where_nothing_moves():
    board = BoardPart(Rectangle(0, 0, 1, 0.05))
    part = PeoplePart(Seen([]), Seen([(160, 10)]), board=board)
    told = [one for second in range(9) for one in part.update(noisy(second), second * SECOND)]
    assert [one.value for one in told if one.kind == "board"] == [{"position": 0.25, "people": 1}] * 3


def test_a_clock_that_steps_back_makes_everybody_look():
    faces = Seen([(100, 100)])
    part = PeoplePart(faces)
    count(part, noisy(0), 50 * SECOND)
    assert "still" not in count(part, noisy(1), 20 * SECOND)


def test_what_each_net_takes_is_told():
    spent = Spent()
    part = PeoplePart(Seen([(100, 100)]), Seen([(100, 100)]), spent=spent)
    count(part, lively(0), 0)
    assert set(spent.seconds()) == {"faces", "bodies"}


def test_who_turns_round_between_two_looks_counts_once():
    faces = Seen([(100, 100)])
    part = PeoplePart(faces, Seen([(100, 100), (300, 100)]))
    assert count(part, lively(0), 0) == {"count": 2, "faces": 1}
    faces.places = [(100, 100), (302, 103)]
    assert count(part, lively(1), SECOND) == {"count": 2, "faces": 2}
    faces.places = [(100, 100)]
    assert count(part, lively(2), 2 * SECOND) == {"count": 2, "faces": 1}, "and may turn away again"


def test_after_the_dark_nobody_is_remembered():
    bodies = Seen([(300, 100)])
    part = PeoplePart(Seen([(100, 100)]), bodies)
    assert count(part, classroom(1, 1), 0)["count"] == 2
    assert count(part, DARK, SECOND) == {"count": None}
    bodies.places = []
    assert count(part, classroom(1, 1), 2 * SECOND)["count"] == 1


def test_a_body_that_is_not_sure_does_not_count_alone():
    class Unsure(Seen):
        @property
        def scores(self) -> np.ndarray:
            return np.full(len(self.places), 0.2, np.float32)

    assert count(PeoplePart(Seen([(100, 100)]), Unsure([(300, 100)])), classroom(1, 1), 0)["count"] == 1


def test_of_two_heads_by_one_face_one_has_none():
    faces = np.asarray([[90, 90, 110, 110]], np.float32)
    heads = np.asarray([[115, 100], [102, 101], [100, 140]], np.float32)
    assert without_face(heads, faces).tolist() == [True, False, True]
    assert without_face(heads, np.zeros((0, 4), np.float32)).all()
    assert without_face(np.zeros((0, 2), np.float32), faces).tolist() == []


def test_heads_of_both_kinds_take_seats_and_the_dark_is_told_as_unknown():
    part = PeoplePart(Seen([(8, 8)]), Seen([(8, 8), (632, 376)]), seats=SeatsPart())
    for second in range(40):
        part.update(classroom(1, 1), second * SECOND)
    for second in range(40, 50):
        part.update(DARK, second * SECOND)
    (told,) = part.flush()
    share = told.value["share"]
    assert (told.kind, told.value["unknown"]) == ("seats", 10)
    assert (share[0][0], share[-1][-1], sum(map(sum, share))) == (1.0, 1.0, 2.0)


def test_who_stands_at_the_board_is_told_with_each_look_for_bodies():
    board = BoardPart(Rectangle(0, 0, 1, 0.05))
    part = PeoplePart(Seen([]), Seen([(160, 10)]), board=board)
    told = [one for second in range(5) for one in part.update(classroom(1, 1), second * SECOND)]
    assert [one.value for one in told if one.kind == "board"] == [{"position": 0.25, "people": 1}] * 2
    (_, dark) = part.update(DARK, 9 * SECOND)
    assert dark.value == {"position": None, "people": None}
