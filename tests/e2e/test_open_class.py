"""An open class: one room, recorded by a real agent for a real hub, whatever breaks on the way."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.district import a_district
from tests.e2e.test_insight import screen

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def test_a_lone_room_records_an_open_class_without_its_hub_and_after_a_kill_and_uploads_it(tmp_path: Path) -> None:
    with a_district(tmp_path / "out", rooms=1) as district:
        session = district.new_session(10, in_s=5, mode="open")
        district.wait(lambda: district.room(session, "lead")["held"], 20, "the room holds its order")
        epoch = district.view(session)["epoch"]
        district.kill("hub")  # it is away when the lesson begins

        def recorded(told: dict[str, Any]) -> bool:
            return bool(told["recording"]) and told["state"] == "live"

        shown = asyncio.run(screen(district.plan.out / "lead" / "state", recorded))
        assert shown["words_en"].startswith("Open class: this room is recorded; no other room takes part; the hub")
        assert (shown["peers"], shown["rung"]) == ([], "")
        district.wait_until(epoch + 3)
        district.kill("lead")
        district.start_room("lead")
        district.start_hub()
        view = district.wait_state(session, "uploaded", 60)

        assert (view["mode"], view["words"]) == ("open", "")
        (room,) = view["rooms"]
        assert room["receipt"]
        assert room["result"]["received"] == []
        manifest = district.manifest(session, "lead")
        first, second = sorted(
            (one for one in manifest["parts"] if one["track"] == "camera"), key=lambda one: one["index"]
        )
        assert (first["closed"], second["closed"]) == ("crash", "end")
        assert first["start_t"] < 0.5
        assert first["start_t"] + first["seconds"] > 2.3, "half a second is lost at the most"
        assert second["start_t"] + second["seconds"] > 9.5
