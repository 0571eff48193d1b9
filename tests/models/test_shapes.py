from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.manifest import load_manifest
from models.session import open_session, read_model
from models.shapes import with_shapes


def centerface_shapes(width: int, height: int) -> dict[str, tuple[int, ...]]:
    high, wide = height // 4, width // 4
    return {
        "input.1": (1, 3, height, width),
        "537": (1, 1, high, wide),
        "538": (1, 2, high, wide),
        "539": (1, 2, high, wide),
        "540": (1, 10, high, wide),
    }


@pytest.mark.models("centerface")
def test_a_model_published_for_one_size_runs_at_another(models: Path):
    session = open_session(load_manifest().find("centerface"), models, centerface_shapes(320, 192))
    heat = session.run(["537"], {"input.1": np.zeros((1, 3, 192, 320), np.float32)})[0]
    assert heat.shape == (1, 1, 48, 80)


@pytest.mark.models("silero-vad")
def test_the_same_shape_changes_nothing(models: Path):
    content = read_model(load_manifest().find("silero-vad"), models)
    assert with_shapes(content, {"h": (1, 1, 128)}) == content


@pytest.mark.models("centerface")
def test_an_unknown_name_is_refused(models: Path):
    content = read_model(load_manifest().find("centerface"), models)
    with pytest.raises(ValueError, match=r"no input or output named output.9"):
        with_shapes(content, {"output.9": (1,)})


@given(st.binary(max_size=200))
def test_garbage_is_refused_in_words_or_left_without_the_name(content: bytes):
    with pytest.raises(ValueError, match=r"not protobuf|no input or output|codec"):
        with_shapes(content, {"input": (1,)})
