"""`agent check` looks at the face model that an operator supplied."""

from pathlib import Path

from agent.checks import Verdict
from agent.checks import models as check
from tests.agent.checks.test_checks import settings_of
from tests.models.yunets import write_yunet


def told(tmp_path: Path, folder: Path, file: Path):
    tables = {"models": {"folder": folder}, "observe": {"face_model": file}}
    return check.look(settings_of(tmp_path, **tables), None)


def test_a_yunet_is_fine(tmp_path: Path, models: Path):
    assert told(tmp_path, models, write_yunet(tmp_path / "yunet.onnx")).verdict is Verdict.OK


def test_another_file_is_warned_of_with_what_takes_its_place(tmp_path: Path, models: Path):
    (tmp_path / "other.onnx").write_bytes(b"no model")
    for name, why in (("other.onnx", "cannot run the model"), ("gone.onnx", "there is no face model")):
        line = told(tmp_path, models, tmp_path / name)
        assert (line.verdict, line.todo) == (Verdict.WARN, "correct `face_model` in [observe]")
        assert why in line.words
        assert "CenterFace finds the faces instead" in line.words
