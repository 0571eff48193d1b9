"""The observing process itself, by its pipes: what it is told on the command line, and what comes of pictures."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from agent.observe.view import Rectangle, View
from agent.observe.wire import FACE_MODEL, NO_SLIDE_TEXT, Kind, Message, packed_picture, write_message
from tests.models.faces import classroom
from tests.models.yunets import write_yunet

SECOND = 1_000_000_000
pytestmark = pytest.mark.models("centerface", "movenet-multipose")


def told(models: Path, view: View, pictures: list[np.ndarray], *options: str) -> list[dict]:
    """Every line that the process says of a second each of these camera pictures."""
    command = [sys.executable, "-m", "agent.observe", str(models), *options, view.text(), NO_SLIDE_TEXT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            for number, picture in enumerate(pictures):
                write_message(process.stdin, Message(Kind.CAMERA, number * SECOND, packed_picture(picture)))
            write_message(process.stdin, Message(Kind.STOP, 0))
            lines = process.stdout.read().splitlines()
        finally:
            process.kill()
    return [json.loads(line) for line in lines]


def values(lines: list[dict], kind: str) -> list[dict]:
    return [line["value"] for line in lines if line.get("kind") == kind]


def test_seats_and_board_are_where_the_command_line_says(models: Path):
    view = View(seats=Rectangle(0, 0.5, 1, 1), board=Rectangle(0, 0, 1, 0.5))
    lines = told(models, view, [classroom(2, 4, 80)] * 6)
    seen = {"count": 8, "faces": 8}
    assert values(lines, "people") == [seen] + [seen | {"still": True}] * 5, "nothing moves"
    assert [value["people"] is not None for value in values(lines, "board")] == [True] * 2
    (seats,) = values(lines, "seats")
    assert sum(map(sum, seats["share"])) == 4, "the lower row alone"
    assert lines[-1]["what"] == "done"


def test_a_dark_room_is_told_as_unknown_and_no_room_as_nothing(models: Path):
    dark = np.full((384, 640, 3), 2, np.uint8)
    lines = told(models, View(board=Rectangle(0, 0, 1, 0.5)), [dark] * 5)
    assert values(lines, "people") == [{"count": None}] * 5
    assert values(lines, "board") == [{"position": None, "people": None}] * 5
    assert [value["share"] for value in values(lines, "seats")] == [None]
    nothing = told(models, View(), [])
    assert [line["what"] for line in nothing if line["what"] != "trouble"] == ["ready", "done"]


def test_a_face_model_named_on_the_command_line_is_used(tmp_path: Path):
    file = write_yunet(tmp_path / "yunet.onnx")
    room = np.zeros((384, 640, 3), np.uint8)
    room[32:48, 64:80] = 255
    lines = told(tmp_path, View(), [room], f"{FACE_MODEL}{file}")
    assert values(lines, "people") == [{"count": 1, "faces": 1}]
    lines = told(tmp_path, View(), [room], f"{FACE_MODEL}{tmp_path / 'gone.onnx'}")
    assert values(lines, "people") == [{"count": None}]
    assert any("there is no face model" in line.get("words", "") for line in lines)
