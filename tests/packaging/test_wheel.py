"""The wheel holds all it needs: installed into an empty environment, it runs from any folder."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
HOUSE = [name.strip("/") for name in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["include"]]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")

pytestmark = pytest.mark.timeout(300)


def tracked_files() -> set[str]:
    listed = subprocess.run(["git", "ls-files", *HOUSE], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout, so what belongs into the wheel is not known")
    return {name for name in listed.stdout.split() if (ROOT / name).exists()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(out.glob("tongtang-*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_file_of_the_packages_is_in_the_wheel(names: set[str]):
    assert tracked_files() - names == set()


def test_every_package_of_the_house_is_named_in_pyproject():
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert packages - set(HOUSE) == set()


def test_the_wheel_carries_what_is_not_code(names: set[str]):
    for what in (
        r"models/manifest\.toml",
        r"hub/store/migrations/versions/\w+\.py",
        r"hub/console/.+\.html",
        r"hub/console/.+\.css",
        r"configs/\w+\.toml",
        r"configs/.+\.service",
        r"tongtang-[^/]+\.dist-info/licenses/LICENSE",
        r"tongtang-[^/]+\.dist-info/licenses/THIRD_PARTY_NOTICES\.md",
    ):
        assert any(re.fullmatch(what, name) for name in names), f"nothing in the wheel is like {what}"


def test_the_wheel_carries_no_weights_no_tests_and_no_secrets(names: set[str]):
    strange = [name for name in names if re.search(r"\.(onnx|pem|db|pyc|mp4)$|^(tests|benchmarks|docs|scripts)/", name)]
    assert strange == []


def needed(extra: str) -> set[str]:
    """Every distribution that `tongtang[extra]` needs here, by canonical name, from what is installed."""
    found: set[str] = set()
    waiting = [("tongtang", frozenset({extra}))]
    seen = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for text in metadata.requires(name) or []:
            wanted = Requirement(text)
            if wanted.marker is None or any(wanted.marker.evaluate({"extra": one}) for one in extras | {""}):
                found.add(canonicalize_name(wanted.name))
                waiting.append((canonicalize_name(wanted.name), frozenset(wanted.extras)))
    return found


def lock_of(wanted: set[str]) -> str:
    """The lines of requirements.lock for these distributions, hashes and all."""
    blocks = re.split(r"^(?=\S)", LOCK, flags=re.MULTILINE)
    return "".join(one for one in blocks if canonicalize_name(one.split("==")[0]) in wanted)


class Classroom:
    """An empty environment and an empty folder, far from the checkout."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.bin = place / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
        self.home = place / "home"
        self.home.mkdir()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)

    def install(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "pip", "--python", str(self.bin / "python"), "install", "--quiet"]
        done = subprocess.run([*command, "--no-compile", *arguments], capture_output=True, text=True, check=False)
        if done.returncode and re.search(r"NewConnectionError|Could not find a version|timed out", done.stderr):
            pytest.skip(f"the package registry is out of reach: {done.stderr.splitlines()[-1]}")
        assert done.returncode == 0, done.stderr

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("SYSTEMROOT", "LANG") if name in os.environ}
        env = {**kept, "PATH": os.pathsep.join([str(self.bin), os.defpath]), "HOME": str(self.home)}
        return subprocess.run(command, cwd=self.home, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def hub_machine(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """An empty machine with tongtang[hub] alone."""
    machine = Classroom(tmp_path_factory.mktemp("hub"))
    return installed(machine, "hub", wheel)


@pytest.fixture(scope="module")
def agent_machine(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """An empty machine with tongtang[agent] alone."""
    machine = Classroom(tmp_path_factory.mktemp("agent"))
    return installed(machine, "agent", wheel)


def installed(machine: Classroom, extra: str, wheel: Path) -> Classroom:
    lock = machine.place / f"{extra}.lock"
    lock.write_text(lock_of(needed(extra)))
    machine.install("--no-deps", "--require-hashes", "-r", str(lock))
    machine.install("--no-deps", "--no-index", str(wheel))
    return machine


def test_a_hub_machine_needs_no_media_and_keeps_a_hub(hub_machine: Classroom):
    assert "tongtang" in hub_machine.run("tongtang", "--help").stdout.lower()
    assert hub_machine.run("python", "-c", "import onnxruntime").returncode != 0, "the hub's extra installs no models"
    made = hub_machine.run("tongtang", "hub", "init", "--data", "district")
    assert made.returncode == 0, made.stdout + made.stderr
    assert (hub_machine.home / "district").is_dir()
    checked = hub_machine.run("tongtang", "hub", "check", "--data", "district")
    assert "Traceback" not in checked.stderr
    assert checked.stdout.strip()


def test_an_agent_machine_needs_no_web_server_and_checks_itself(agent_machine: Classroom):
    assert "tongtang" in agent_machine.run("tongtang", "--help").stdout.lower()
    assert agent_machine.run("python", "-c", "import fastapi").returncode != 0, "the agent's extra installs no server"
    listed = agent_machine.run("tongtang", "models", "list", "--json")
    assert "silero-vad" in listed.stdout, listed.stderr
    sources = agent_machine.run("tongtang", "agent", "sources")
    assert sources.returncode == 0, sources.stderr
    assert "rehearsal" in sources.stdout


def test_the_version_of_the_wheel_is_the_projects(wheel: Path):
    assert wheel.name.startswith(f"tongtang-{PYPROJECT['project']['version']}-")
