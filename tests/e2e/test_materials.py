"""With the link gone, a room still has what its teacher needs: files fetched before, by real agents from a real hub."""

import asyncio
import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.district import District, a_district
from tests.e2e.test_insight import screen

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PAPER = "练习.pdf"
BYTES = bytes(range(256)) * 8000


def held(district: District, session: str) -> list[str]:
    headers = {"Authorization": f"Bearer {district.operator.token}"}
    url = f"{district.operator.url}/api/v1/sessions/{session}/materials"
    return httpx.get(url, headers=headers, timeout=20).json()[0]["held"]


def test_a_room_that_starts_without_its_hub_has_the_files_of_its_lesson_on_the_screen(tmp_path: Path):
    with a_district(tmp_path / "out") as district:
        session = district.new_session(600, in_s=25)
        headers = {"Authorization": f"Bearer {district.operator.token}"}
        url = f"{district.operator.url}/api/v1/sessions/{session}/materials/{PAPER}"
        assert httpx.put(url, content=BYTES, headers=headers, timeout=20).status_code == 201
        district.wait(lambda: held(district, session) == ["lead", "receiving-1"], 40, "both rooms hold the file")
        district.kill("hub")
        district.kill("receiving-1")
        district.start_room("receiving-1")
        state = district.plan.out / "receiving-1" / "state"
        shown: list[dict[str, Any]] = []

        def there() -> bool:
            with suppress(OSError):  # the socket of the one that was killed is still there
                shown.append(asyncio.run(screen(state, lambda one: bool(one["materials"]))))
            return bool(shown)

        district.wait(there, 40, "the screen is told of the file")
    (paper,) = shown[0]["materials"]
    assert (shown[0]["session"], paper["name"]) == (session, PAPER)
    assert Path(paper["path"]).is_relative_to(state)
    assert hashlib.sha256(Path(paper["path"]).read_bytes()).digest() == hashlib.sha256(BYTES).digest()
