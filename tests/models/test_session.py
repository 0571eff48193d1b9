import hashlib
from pathlib import Path

import pytest

from models.centerface import FaceDetector
from models.manifest import load_manifest
from models.session import ModelUnusable, open_session
from models.silero import SpeechDetector


def test_a_missing_model_says_what_to_run(tmp_path: Path):
    with pytest.raises(ModelUnusable, match=r"silero-vad is not installed.*run: tongtang models install"):
        SpeechDetector(tmp_path)


@pytest.mark.models("centerface")
@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
def test_a_corrupt_model_says_what_to_run(models: Path, tmp_path: Path, damage: str):
    model = load_manifest().find("centerface")
    content = bytearray((models / model.file).read_bytes())
    if damage == "cut":
        del content[-1000:]
    elif damage == "flipped":
        content[5000] ^= 1
    else:
        content.clear()
    (tmp_path / model.file).write_bytes(content)
    with pytest.raises(ModelUnusable, match=r"is corrupt:.*run: tongtang models install"):
        FaceDetector(tmp_path)


def test_a_model_that_onnxruntime_refuses_is_told_in_words(tmp_path: Path):
    content = b"\x08\x07not a model"
    model = load_manifest().find("silero-vad")
    same = model.model_copy(update={"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    (tmp_path / model.file).write_bytes(content)
    with pytest.raises(ModelUnusable, match="onnxruntime cannot run the model silero-vad"):
        open_session(same, tmp_path)
