"""How a lesson goes, told while it runs: two rooms, a hub, real WebRTC between; only the voices are made up."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.observe.timeline import read_timeline
from agent.platform import open_local
from demo.processes import Children
from tests.e2e.district import District, a_district
from tests.e2e.observed_room import PART_S, VOICES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PROGRAM = "tests.e2e.observed_room"


def figures(district: District, session: str) -> dict[str, Any]:
    insight = district.view(session)["insight"]
    found: dict[str, Any] = insight["figures"] if insight else {}
    return found


def known(district: District, session: str, *names: str) -> Callable[[], bool]:
    def there() -> bool:
        told = figures(district, session)
        return bool(told) and all(told[name]["value"] is not None for name in names)

    return there


def mark(district: District, *words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "tongtang", "agent", "mark", *words]
    command += ["--config", str(district.plan.out / "lead" / "agent.toml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


async def screen(state: Path, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first state of the teacher's screen that is wanted."""
    reader, writer = await open_local(state / "overlay.sock")
    writer.write((state / "overlay.token").read_bytes())
    try:
        while line := await reader.readline():
            told: dict[str, Any] = json.loads(line)
            if wanted(told):
                return told
    finally:
        writer.close()
    raise AssertionError("the agent hung up")


async def test_what_two_rooms_say_together_reaches_hub_and_screen_until_the_connection_is_cut(tmp_path):
    with a_district(tmp_path / "out", start=False) as district:
        district.children = Children(district.plan.out / "logs", PROGRAM)
        district.start_hub()
        district.start_rooms()
        state = district.plan.rooms[0].folder / "state"
        code, said = mark(district)
        assert (code, "no lesson runs" in said) == (2, True), said

        session = district.new_session(120)
        both = known(district, session, "talk_share", "far_share", "longest_wait")
        district.wait(both, 60, "both rooms' figures are known")
        district.wait_t(session, 20)
        district.wait(both, 20, "and stay so")
        told = figures(district, session)
        assert told["talk_share"]["value"] == pytest.approx(0.75, abs=0.06), "0.8 after her fourth time"
        assert told["far_share"]["value"] == pytest.approx(0.5, abs=0.15)
        assert told["longest_wait"]["value"] == pytest.approx(1.0, abs=0.1)
        assert told["far_share"]["coverage"] > 0.9

        code, said = mark(district, "勾股定理")
        assert (code, "已标记" in said) == (0, True), said
        shown = await screen(state, lambda one: one["marks"] == 1 and one["insight"] is not None)
        assert "对方班级学生发言占比" in shown["insight"]["far_share"]["words_zh"]

        district.kill("receiving-1")
        district.wait(lambda: not known(district, session, "far_share")(), 60, "the far share is unknown")
        district.wait(lambda: bool(figures(district, session)), 20, "the lead room goes on telling")
        cut = figures(district, session)
        assert (cut["far_share"]["value"], cut["far_share"]["reason"]) == (None, "coverage")
        assert cut["talk_share"]["value"] == pytest.approx(6 / 7, abs=0.05), "of what is heard in the lead room"
        dark = await screen(state, lambda one: one["insight"]["far_share"]["value"] is None)
        assert "暂不清楚" in dark["insight"]["far_share"]["words_zh"]

        district.operator.end(session)
        district.wait(lambda: district.room(session, "lead")["state"] == "uploaded", 60, "the lead room is done")
        lines = read_timeline(district.archived(session, "lead") / "timeline.jsonl").observations
        assert [one.value for one in lines if one.kind == "mark"] == [{"title": "勾股定理"}]
        heard = [(round(one.t / PART_S), one.value["voice"]) for one in lines if one.kind == "voice"]
        assert len(heard) > 40
        assert all(voice == VOICES["lead"][part % len(VOICES["lead"])] for part, voice in heard)
        spoken = Counter(voice for _, voice in heard)
        result = district.room(session, "lead")["result"]
        of_its_own = spoken["teacher"] / (spoken["teacher"] + spoken["student"])  # six sevenths, were it to end in time
        assert result["timeline"]["talk_share"] == pytest.approx(of_its_own, abs=0.002)
