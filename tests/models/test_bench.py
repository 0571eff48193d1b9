import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.bench import EXERCISES, FACE_MODEL, bench
from models.cli import app
from models.manifest import ModelsTrouble, load_manifest
from tests.models.yunets import write_yunet


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


def test_each_installed_model_is_timed_and_weighed(models: Path):
    code, text = run("bench", "--json", "--runs", "2", "--folder", str(models))
    rows = {row["name"]: row for row in json.loads(text)}
    assert code == 0
    assert set(rows) == {model.name for model in load_manifest().model}
    for row in rows.values():
        assert row["runs"] == 2
        assert 0 < row["median_ms"] <= row["p95_ms"]
        assert row["cpu_ms"] > 0
        assert row["load_ms"] > 0
        assert 0 < row["memory_mib"] < 450
    assert rows["silero-vad"]["median_ms"] < rows["movenet-multipose"]["median_ms"]


@pytest.mark.models("silero-vad")
def test_words_name_what_one_run_is_of(models: Path):
    code, text = run("bench", "silero-vad", "--runs", "1", "--folder", str(models))
    assert code == 0
    assert "silero-vad:" in text
    assert "ms a 320 ms of sound" in text
    assert "MiB" in text


def test_what_is_not_installed_is_told_and_left_out(tmp_path: Path):
    code, text = run("bench", "--folder", str(tmp_path))
    assert code == 0
    for model in load_manifest().model:
        assert f"{model.name}: not installed; run: tongtang models install" in text


def test_a_corrupt_model_is_told_and_fails(tmp_path: Path):
    model = load_manifest().find("centerface")
    (tmp_path / model.file).write_bytes(b"not a model")
    code, text = run("bench", "centerface", "--json", "--folder", str(tmp_path))
    assert code == 1
    (row,) = json.loads(text)
    assert "is corrupt: 11 bytes instead of" in row["why"]
    with pytest.raises(ModelsTrouble, match="is corrupt"):
        bench("centerface", tmp_path, 1)


def test_an_unknown_model_is_answered_with_the_known_ones(tmp_path: Path):
    code, text = run("bench", "yolo", "--folder", str(tmp_path))
    assert code == 2
    assert "known models: silero-vad" in text


def test_every_exercise_is_of_a_model_in_the_manifest():
    assert set(EXERCISES) - {FACE_MODEL} <= {model.name for model in load_manifest().model}


def test_the_gate_shows_why_each_behaviour_is_hidden():
    code, text = run("gate")
    assert code == 0
    assert "hand-raised: hidden" in text
    assert "average precision 0.15, at least 0.80 is asked" in text
    assert "standing: hidden" in text
    assert "nobody has measured this rule" in text
    rows = json.loads(run("gate", "--json")[1])
    assert [row["told"] for row in rows] == [False] * len(load_manifest().behaviour)


def test_figures_of_ones_own_rooms_are_held_against_the_bars(tmp_path: Path):
    figure = {"average_precision": 0.9, "people": 900, "positives": 100, "rooms": 3, "unseen": True}
    figure |= {"accuracy": 0.95, "majority": 0.8, "data": "three of our rooms"}
    path = tmp_path / "figures.json"
    path.write_text(json.dumps({"standing": figure}))
    code, text = run("gate", "--figures", str(path))
    assert code == 0
    assert "standing: hidden\n  no threshold was chosen\n  measured on three of our rooms" in text


@pytest.mark.parametrize("content", [None, "", "[]", '{"standing": {"average_precision": 2}}'])
def test_figures_that_cannot_be_read_are_told(tmp_path: Path, content: str | None):
    path = tmp_path / "figures.json"
    if content is not None:
        path.write_text(content)
    code, text = run("gate", "--figures", str(path))
    assert code == 2
    assert "holds no figures that can be read" in text


def test_a_face_model_of_the_operators_own_is_measured_beside_the_others(tmp_path: Path):
    file = write_yunet(tmp_path / "yunet.onnx")
    code, text = run("bench", "--json", "--runs", "2", "--folder", str(tmp_path), "--face-model", str(file))
    row = json.loads(text)[-1]
    assert code == 0
    assert (row["name"], row["unit"], row["runs"]) == ("face-model", "picture", 2)
    assert row["median_ms"] > 0
    code, text = run("bench", "--folder", str(tmp_path), "--face-model", str(tmp_path / "other.onnx"))
    assert code == 1
    assert "face-model: there is no face model" in text
