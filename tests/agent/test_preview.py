"""The picture by which an operator places masks: what is masked is not in it."""

import sys
from pathlib import Path

import cv2
import numpy as np
from typer.testing import CliRunner

from agent.cli import app
from agent.preview import BOARD, CLEAR, MASK, SEATS, draw
from agent.settings import AgentSettings

MASKS = "camera = [[[0.0, 0.0], [0.25, 0.5]]]\nclear = [[[0.4, 0.1], [0.6, 0.3]]]\n"


def previewed(folder: Path, text: str) -> tuple[int, str, np.ndarray | None]:
    config, path = folder / "agent.toml", folder / "room.png"
    config.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["sources", "--preview", str(path), "--config", str(config)])
    assert not isinstance(result.exception, Exception), result.exception
    image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR) if path.exists() else None
    return result.exit_code, result.output, image


def of_colour(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(image.astype(int) - colour) <= 2).all(axis=2)


def test_the_picture_shows_the_room_with_the_mask_burnt_in_and_its_outline(tmp_path):
    code, said, image = previewed(tmp_path, f"[masks]\n{MASKS}")
    assert code == 0, said
    assert "room.png" in said
    assert image is not None
    assert image.shape == (720, 1280, 3)
    inner = image[60:350, 60:310]
    assert inner[90:].max() < 20, "black, below the label and within the outline"
    assert image[400:].mean() > 60, "the room"
    assert of_colour(image, MASK)[:, 315:325].sum() > 200
    assert of_colour(image, CLEAR).sum() > 500
    if sys.platform != "win32":
        assert (tmp_path / "room.png").stat().st_mode & 0o077 == 0, "a classroom is in it"


def test_where_faces_cannot_be_found_the_picture_is_blurred_as_in_a_lesson_and_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr("agent.preview.WAITS_S", 4.0)
    sharp = previewed(tmp_path, f"[masks]\n{MASKS}")[2]
    text = f'[masks]\n{MASKS}faces = "blur"\n[models]\nfolder = "none here"\n'
    code, said, image = previewed(tmp_path, text)
    assert code == 0
    assert "tongtang models install" in said
    assert sharp is not None
    assert image is not None
    seats = [np.abs(np.diff(one[400:700, 100:1200].astype(int), axis=1)).max() for one in (sharp, image)]
    assert seats[1] < 25 < seats[0]
    clear = [np.abs(np.diff(one[130:210, 520:760].astype(int), axis=1)).max() for one in (sharp, image)]
    assert clear[1] > 60, clear


def test_without_a_camera_there_is_no_picture_but_words(tmp_path):
    code, said, image = previewed(tmp_path, '[sources]\nsource = "camera:77"\n')
    assert code == 2
    assert "camera:77" in said
    assert "stand-in" not in said
    assert image is None


def test_seats_and_board_are_drawn_where_they_were_said_to_be():
    image = np.full((720, 1280, 3), 128, np.uint8)
    observe = {"seats": [[0.1, 0.5], [0.9, 0.9]], "board": [[0.2, 0.1], [0.8, 0.45]]}
    draw(image, AgentSettings.model_validate({"observe": observe}))
    for colour, (left, top, right, bottom) in ((SEATS, (0.1, 0.5, 0.9, 0.9)), (BOARD, (0.2, 0.1, 0.8, 0.45))):
        rows, columns = np.nonzero(of_colour(image, colour))
        found = (columns.min() / 1280, rows.min() / 720, columns.max() / 1280, rows.max() / 720)
        assert np.allclose(found, (left, top, right, bottom), atol=0.005)
