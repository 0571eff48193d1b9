"""What every test leaves behind, and what none has to look through."""

import gc
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

# The planner's compiled code, for all processes and runs: each hub keeps it in its data folder, which here is new, and
# compiling takes 15 s of processor time.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(__file__).resolve().parents[1] / ".cache" / "compiled"))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported stays: looking for garbage in it, now or between tests, takes as long as importing it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


IN_REAL_TIME = ("e2e", "faults", "browser", "alone", "paired")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try what plays in real time among other programs once more when it fails; the report names it as run again."""
    for item in items:
        if any(item.get_closest_marker(mark) for mark in IN_REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(autouse=True)
def forgotten_applications() -> Iterator[None]:
    """Let go of the web applications that a test made: FastAPI remembers the routes of some forty, and with them all
    that these hold. A process that makes hundreds would look for garbage among a million things again and again.
    """
    yield
    models = sys.modules.get("fastapi.dependencies.models")
    for one in vars(models).values() if models is not None else ():
        if hasattr(one, "cache_clear"):
            one.cache_clear()
