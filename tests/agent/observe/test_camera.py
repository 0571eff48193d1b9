from pathlib import Path

import numpy as np
import pytest

from agent.observe.camera import people_part
from agent.observe.view import Rectangle, View
from models.manifest import load_manifest
from tests.models.faces import classroom, faceless
from tests.models.yunets import write_yunet

SECOND = 1_000_000_000
BOARD = View(board=Rectangle(0, 0, 1, 0.5))


@pytest.fixture
def troubles() -> list[tuple[str, str]]:
    return []


def without(models: Path, folder: Path, *missing: str) -> Path:
    """A folder of installed models but for some."""
    for model in load_manifest().model:
        if model.name not in missing:
            (folder / model.file).symlink_to(models / model.file)
    return folder


def kinds(part, picture: np.ndarray) -> dict[str, dict[str, object]]:
    return {one.kind: one.value for one in [*part.update(picture, SECOND), *part.flush()]}


def test_with_all_models_people_board_and_seats_are_told(models: Path, troubles: list[tuple[str, str]]):
    part = people_part(models, BOARD, lambda *told: troubles.append(told))
    told = kinds(part, classroom(2, 4, 80))
    assert part.sees
    assert troubles == []
    assert told["people"] == {"count": 8, "faces": 8}
    assert set(told) == {"people", "board", "seats"}, "what people do is told by no rule that was not measured"


def test_a_camera_that_sees_no_board_tells_nothing_of_one(models: Path, troubles: list[tuple[str, str]]):
    part = people_part(models, View(), lambda *told: troubles.append(told))
    assert set(kinds(part, classroom(2, 4, 80))) == {"people", "seats"}


@pytest.mark.models("centerface")
def test_without_bodies_faces_alone_count_and_it_is_told(models: Path, tmp_path: Path, troubles: list[tuple[str, str]]):
    folder = without(models, tmp_path, "movenet-multipose")
    part = people_part(folder, BOARD, lambda *told: troubles.append(told))
    ((about, words),) = troubles
    assert about == "bodies"
    assert "who shows no face is not counted" in words
    assert "tongtang models install" in words
    assert kinds(part, classroom(2, 4, 80))["people"] == {"count": 8, "faces": 8}
    assert kinds(part, faceless(4, 8))["people"] == {"count": 0, "faces": 0}


@pytest.mark.models()
def test_a_corrupt_model_of_faces_makes_the_count_unknown(
    models: Path, tmp_path: Path, troubles: list[tuple[str, str]]
):
    folder = without(models, tmp_path, "centerface")
    (folder / load_manifest().find("centerface").file).write_bytes(b"not a model")
    part = people_part(folder, BOARD, lambda *told: troubles.append(told))
    ((about, words),) = troubles
    assert (about, part.sees) == ("people", False)
    assert "is corrupt" in words
    assert kinds(part, classroom(2, 4, 80)) == {"people": {"count": None}}


def test_a_face_model_of_the_operators_own_finds_the_faces(
    models: Path, tmp_path: Path, troubles: list[tuple[str, str]]
):
    folder = without(models, tmp_path, "centerface", "movenet-multipose")
    file = write_yunet(tmp_path / "yunet.onnx")
    part = people_part(folder, View(), lambda *told: troubles.append(told), face_model=file)
    room = np.zeros((384, 640, 3), np.uint8)
    room[32:48, 64:80] = room[320:336, 480:496] = 255
    assert kinds(part, room)["people"] == {"count": 2, "faces": 2}
    assert [about for about, _ in troubles] == ["bodies"], "faces need no other model"


def test_where_the_operators_face_model_is_unusable_the_usual_one_takes_its_place_and_it_is_told(
    models: Path, tmp_path: Path, troubles: list[tuple[str, str]]
):
    other = tmp_path / "other.onnx"
    other.write_bytes(b"not a model")
    part = people_part(models, View(), lambda *told: troubles.append(told), face_model=other)
    ((about, words),) = troubles
    assert about == "face-model"
    assert words.startswith("faces are found with CenterFace instead: ")
    assert kinds(part, classroom(2, 4, 80))["people"] == {"count": 8, "faces": 8}
