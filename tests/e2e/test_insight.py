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
from tests.e2e.district import UP_S, District, a_district
from tests.e2e.observed_room import PART_S, VOICES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PROGRAM = "tests.e2e.observed_room"


def insight(district: District, session: str) -> dict[str, Any]:
    found: dict[str, Any] = district.view(session)["insight"] or {"end_t": 0.0, "figures": {}}
    return found


def known(district: District, session: str, *names: str, after_s: float = 0.0) -> Callable[[], bool]:
    """Whether all these figures are known, of a lesson at least so long."""

    def there() -> bool:
        told = insight(district, session)
        values = [told["figures"].get(name, {}).get("value") for name in names]
        return told["end_t"] >= after_s and None not in values

    return there


def spoken_s(room: str, voice: str, end_s: float) -> float:
    """How long a room's script has a voice speak until then."""
    begins = [part * PART_S for part in range(int(end_s / PART_S) + 1) if VOICES[room][part % 12] == voice]
    return sum(min(PART_S, end_s - begin) for begin in begins)


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
    with a_district(tmp_path / "out", program=PROGRAM) as district:
        state = district.plan.rooms[0].folder / "state"
        code, said = mark(district)
        assert (code, "no lesson runs" in said) == (2, True), said

        session = district.new_session(120)
        both = known(district, session, "talk_share", "far_share", "longest_wait", after_s=9)
        district.wait(both, UP_S, "both rooms' figures are known")
        told = insight(district, session)
        shares, end_s = told["figures"], told["end_t"]
        teacher = spoken_s("lead", "teacher", end_s)
        near, far = spoken_s("lead", "student", end_s), spoken_s("receiving-1", "student", end_s)
        assert shares["talk_share"]["value"] == pytest.approx(teacher / (teacher + near + far), abs=0.03), end_s
        assert shares["far_share"]["value"] == pytest.approx(far / (near + far), abs=0.1), end_s
        assert shares["longest_wait"]["value"] == pytest.approx(1.0, abs=0.1)
        assert shares["far_share"]["coverage"] > 0.9

        code, said = mark(district, "勾股定理")
        assert (code, "已标记" in said) == (0, True), said
        shown = await screen(state, lambda one: one["marks"] == 1 and one["insight"] is not None)
        assert "对方班级学生发言占比" in shown["insight"]["far_share"]["words_zh"]

        district.kill("receiving-1")

        def dark() -> bool:
            return insight(district, session)["figures"].get("far_share", {}).get("reason") == "coverage"

        district.wait(dark, UP_S, "the far share is unknown")
        told = insight(district, session)
        shares, end_s = told["figures"], told["end_t"]
        assert shares["far_share"]["value"] is None
        teacher, near = spoken_s("lead", "teacher", end_s), spoken_s("lead", "student", end_s)
        of_the_lead_room = teacher / (teacher + near)
        assert shares["talk_share"]["value"] == pytest.approx(of_the_lead_room, abs=0.03), end_s
        shown = await screen(state, lambda one: one["insight"]["far_share"]["value"] is None)
        assert "暂不清楚" in shown["insight"]["far_share"]["words_zh"]

        district.operator.end(session)
        district.wait(lambda: district.room(session, "lead")["state"] == "uploaded", UP_S, "the lead room is done")
        lines = read_timeline(district.archived(session, "lead") / "timeline.jsonl").observations
        assert [one.value for one in lines if one.kind == "mark"] == [{"title": "勾股定理"}]
        heard = [(round(one.t / PART_S), one.value["voice"]) for one in lines if one.kind == "voice"]
        assert len(heard) > 20
        assert all(voice == VOICES["lead"][part % len(VOICES["lead"])] for part, voice in heard)
        spoken = Counter(voice for _, voice in heard)
        result = district.room(session, "lead")["result"]
        of_its_own = spoken["teacher"] / (spoken["teacher"] + spoken["student"])  # six sevenths, were it to end in time
        assert result["timeline"]["talk_share"] == pytest.approx(of_its_own, abs=0.002)
