"""What exists is documented, and what is documented exists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hub.api.access import RULES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
COMMAND = re.compile(r"(?:^|`|\bbin/)tongtang((?: [a-z]+(?:-[a-z]+)*)+)", re.MULTILINE)


def test_every_setting_and_every_command_is_documented_as_the_code_has_it():
    command = [sys.executable, str(ROOT / "scripts" / "write_docs.py"), "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("rule", RULES)
def test_every_route_is_documented(rule: str):
    method, path = rule.split(" ", 1)
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert re.search(rf"\b{method}\b[^\n]*{re.escape(path.rstrip('/'))}(?![\w/{{])", page), (
        f"{rule} is not in docs/api.md"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_between_pages_leads_somewhere(page: Path):
    text = page.read_text(encoding="utf-8")
    targets = [one for one in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in one]
    assert [one for one in targets if not (page.parent / one).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_that_a_page_tells_to_run_exists(page: Path):
    exist = set(
        re.findall(r"^#+ `tongtang ([^`]+)`", (ROOT / "docs" / "commands.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    groups = {one for one in exist if any(other.startswith(f"{one} ") for other in exist)}
    for words in COMMAND.findall(page.read_text(encoding="utf-8")):
        first, *more = words.split()
        told = f"{first} {more[0]}" if first in groups and more else first
        assert told in exist, f"{page.name} speaks of tongtang {told}"
