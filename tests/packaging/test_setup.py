"""`make setup` says in words what it cannot do, and does nothing where nothing is to be done."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "cat", "dirname", "id", "mkdir", "rm", "sed", "tail", "tr")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="make setup is for Linux")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of nothing but the set-up, and a PATH without apt-get."""
    place = tmp_path / "checkout"
    (place / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "setup.sh", place / "scripts")
    shutil.copy(ROOT / "pyproject.toml", place)
    (place / "requirements.lock").write_text(f"paho-mqtt==2.1.0 --hash=sha256:{'0' * 64}\n")
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")
    return place


def children_cpu_s() -> float:
    """Processor time of the children that ended; other than the time of day it is the same on a busy machine."""
    times = psutil.Process().cpu_times()
    return times.children_user + times.children_system


def set_up(place: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": str(place.parent / "bin"), "HOME": str(place.parent), **extra}
    command = ["sh", "scripts/setup.sh"]
    return subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, timeout=100, check=False)


def test_without_a_python_it_says_what_to_install(checkout: Path):
    done = set_up(checkout)
    assert done.returncode == 1
    assert "no Python 3.11 or newer found" in done.stderr
    assert "make setup PYTHON=" in done.stderr


def test_with_the_registry_out_of_reach_it_says_how_to_go_on(checkout: Path):
    python = str(Path(sys.base_prefix) / "bin" / "python3")
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"}
    done = set_up(checkout, PYTHON=python, **nowhere)
    assert done.returncode == 1
    assert "the packages could not be installed" in done.stderr
    assert "PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER make setup" in done.stderr
    assert not (checkout / ".venv" / "stamp-packages").exists()


def test_the_second_time_it_does_nothing_and_is_quick():
    if not (ROOT / ".venv" / "stamp-packages").exists():
        pytest.skip("this .venv was not made by make setup")
    before_s = children_cpu_s()
    done = subprocess.run(["sh", "scripts/setup.sh"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert children_cpu_s() - before_s < 5, "the goal is 1 s, and to install anything takes far more than this"
