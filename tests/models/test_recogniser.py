from pathlib import Path

import numpy as np
import pytest

from models import sherpa
from models.recogniser import RecogniserUnusable, read_recogniser, verified
from models.sherpa import SherpaEngine
from tests.models.recognisers import hum, write_recogniser


def opened(path: Path) -> SherpaEngine:
    recogniser = read_recogniser(path)
    return SherpaEngine(recogniser, verified(recogniser, path.parent))


def test_the_real_engine_says_what_the_model_hears(tmp_path: Path):
    pytest.importorskip("sherpa_onnx", reason="sherpa-onnx is not installed (the extra asr)")
    engine = opened(write_recogniser(tmp_path))
    low, high = hum(200, 1), hum(6_000, 1)
    assert [engine.words(sound).text for sound in (low, high, np.concatenate([low, high]))] == ["你", "好", "你好"]
    assert engine.words(np.zeros(16_000, np.float32)).text == ""
    assert engine.words(low).confidence is None, "this model gives none"


@pytest.mark.parametrize(
    "other,says",
    [
        ({"kind": "whisper"}, "kind: Input should be 'sense_voice', 'paraformer'"),
        ({"engine": "other"}, "engine: Input should be 'sherpa-onnx'"),
        ({"licence": None}, "licence: Field required"),
        ({"memory_mb": 3}, "memory_mb: Input should be greater than or equal to 64"),
        ({"language": "Chinese!"}, "language: String should match"),
        ({"treads": 2}, "treads: Extra inputs are not permitted"),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else "",
)
def test_a_manifest_with_a_wrong_field_names_it(tmp_path: Path, other: dict, says: str):
    path = write_recogniser(tmp_path, **other)
    with pytest.raises(RecogniserUnusable, match=says) as caught:
        read_recogniser(path)
    assert str(path) in str(caught.value)


def test_a_manifest_that_is_not_there_or_not_toml_says_so(tmp_path: Path):
    path = tmp_path / "recogniser.toml"
    with pytest.raises(RecogniserUnusable, match=r"cannot be read \(No such file.*correct observe\.recogniser"):
        read_recogniser(path)
    path.write_text("name = ")
    with pytest.raises(RecogniserUnusable, match="is not TOML"):
        read_recogniser(path)


@pytest.mark.parametrize(
    "damage,says", [("gone", "cannot be read"), ("longer", "instead of"), ("other", "its SHA-256 is")]
)
def test_a_file_that_is_not_the_one_named_is_refused(tmp_path: Path, damage: str, says: str):
    path = write_recogniser(tmp_path)
    tokens = tmp_path / "tokens.txt"
    content = tokens.read_bytes()
    if damage == "gone":
        tokens.unlink()
    else:
        tokens.write_bytes(content + b"x" if damage == "longer" else content[:-2] + b"9\n")
    with pytest.raises(RecogniserUnusable, match=rf"tokens\.txt.*{says}"):
        verified(read_recogniser(path), tmp_path)


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sherpa, "PACKAGE", "a_package_that_nobody_has")
    with pytest.raises(RecogniserUnusable, match=r"run: pip install 'tongtang\[asr\]'"):
        opened(write_recogniser(tmp_path))
