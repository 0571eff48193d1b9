"""What gets installed is named, pinned, hashed and has a reason."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PYPROJECT)["project"]
PINNED = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)(.*(?:\n .*)*)", LOCK, re.MULTILINE)
DIRECT = [*PROJECT["dependencies"], *(one for extra in PROJECT["optional-dependencies"].values() for one in extra)]


@pytest.mark.parametrize("text", ["://", "index-url", "find-links", "file:", " @ ", "--trusted-host"])
def test_the_lock_names_no_host_and_no_folder(text: str):
    assert text not in LOCK


def test_every_requirement_of_the_lock_is_pinned_and_hashed():
    starts = [line for line in LOCK.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(starts) == len(PINNED) > 50
    for name, version, rest in PINNED:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", rest), f"{name}=={version} has no hash"


@pytest.mark.parametrize("text", DIRECT)
def test_the_lock_holds_what_the_project_asks_for(text: str):
    wanted = Requirement(text)
    versions = [version for name, version, _ in PINNED if name == canonicalize_name(wanted.name)]
    assert versions, f"{wanted.name} is not in requirements.lock; run: make lock"
    assert all(wanted.specifier.contains(one) for one in versions), f"{versions} is not {text}; run: make lock"


def test_every_dependency_says_why_it_is_there():
    for text in DIRECT:
        line = next(line for line in PYPROJECT.splitlines() if f'"{text}"' in line and "requires = " not in line)
        assert re.search(r'",\s+# \S+', line), f"no reason stands beside {text}"
