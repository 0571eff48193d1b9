"""The real models, installed once by the real install function into the checkout's `.weights/`.

A test that takes the fixture `models` needs all of them, or those that it names: `@pytest.mark.models("ge2e")`. It
skips in words where one of these cannot be had, and the others run. A conftest imports both names below.
"""

from functools import lru_cache
from pathlib import Path

import pytest

from models.install import InstallFailed, install
from models.manifest import load_manifest

FOLDER = Path(__file__).resolve().parents[2] / ".weights"


@lru_cache
def _trouble(name: str) -> str:
    """Why a model cannot be had; nothing where it is here."""
    try:
        install(load_manifest().find(name), FOLDER)
    except InstallFailed as failed:
        return f"the model {name} is not here and cannot be fetched: {failed}"
    return ""


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of installed models."""
    return FOLDER


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look for what the test needs before its fixtures are made, which may open a model for a whole module."""
    if "models" not in getattr(item, "fixturenames", ()):
        return
    named = item.get_closest_marker("models")
    for name in named.args if named else [model.name for model in load_manifest().model]:
        if trouble := _trouble(name):
            pytest.skip(trouble)
