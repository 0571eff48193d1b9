"""The real models, installed once by the real install function into the checkout's `.weights/`."""

from functools import lru_cache
from pathlib import Path

import pytest

from models.install import InstallFailed, install
from models.manifest import load_manifest

FOLDER = Path(__file__).resolve().parents[2] / ".weights"


@lru_cache
def _trouble() -> str:
    try:
        for model in load_manifest().model:
            install(model, FOLDER)
    except InstallFailed as failed:
        return str(failed)
    return ""


def installed_models() -> Path:
    """The folder of installed models; skips the test in words where they cannot be had."""
    if _trouble():
        pytest.skip(f"the models are not here and cannot be fetched: {_trouble()}")
    return FOLDER
