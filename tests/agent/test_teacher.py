"""What the teacher's screen is told, read from the real socket."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from agent.overlay.insight import InsightFigure, InsightState
from agent.overlay.marks import MarkAnswer
from agent.platform import open_local
from agent.stream.ladder import Told
from agent.stream.ladders import Stand
from agent.stream.rung import Rung, Why, words_for
from agent.teacher import Teacher, overlay_state
from contract.session import Mode, Policy, Role, RoomOrder, SessionOrder
from contract.state import SessionState
from contract.timetable import TimetableSlot

LEAD = RoomOrder(room="lead", device="d-lead", role=Role.LEAD, name="城关中学")
FAR = RoomOrder(room="far", device="d-far", role=Role.RECEIVING, name="东村小学")
FARTHER = RoomOrder(room="farther", device="d-farther", role=Role.RECEIVING, name="西村小学")
ORDER = SessionOrder(session="s-test", rev=1, epoch=0.0, seconds=60, rooms=(LEAD, FAR, FARTHER), title="勾股定理")


@dataclass
class Recorder:
    recording: bool = True


@dataclass
class Held:
    """A lesson as the screen sees it."""

    order: SessionOrder = ORDER
    room: RoomOrder = LEAD
    state: SessionState = SessionState.LIVE
    recorder: Recorder | None = field(default_factory=Recorder)
    connected: dict[str, str] = field(default_factory=lambda: {"lead": "connected"})
    joined: bool = True
    insight: InsightState | None = None
    marks: int = 0
    titles: list[str] = field(default_factory=list)

    def mark(self, title: str) -> MarkAnswer:
        self.titles.append(title)
        self.marks += 1
        return MarkAnswer.TAKEN


def stand(role: Role, rung: Rung, why: Why = Why.FINE) -> Stand:
    return Stand(rung, 0.0, why, True, False, 0, Told(rung, hears=True), words_for(role, rung, why))


def test_while_all_is_well_the_screen_says_that_the_lesson_is_on():
    state = overlay_state(Held(), {"lead": stand(Role.RECEIVING, Rung.BOTH)}, connected=True, since=1.0)
    assert (state.words_zh, state.words_en) == ("正在上课", "The lesson is on")
    assert (state.rung, state.rung_zh, state.rung_en) == ("both", "双向互动", "both ways")


def test_the_screen_says_which_lesson_of_the_week_it_is_as_this_school_counts():
    state = overlay_state(Held(), {}, connected=True, since=1.0)
    assert (state.when_zh, state.when_en) == ("", ""), "no plan made it"
    planned = ORDER.model_copy(update={"timetable": TimetableSlot(week=12, day=3, period=3)})
    state = overlay_state(Held(planned), {}, connected=True, since=1.0)
    assert (state.when_zh, state.when_en) == ("第 12 周 周三 第 3 节", "Week 12, Wednesday, period 3")
    own_bells = FAR.model_copy(update={"period": 4})
    assert overlay_state(Held(planned, own_bells), {}, connected=True, since=1.0).when_zh.endswith("第 4 节")


@pytest.mark.parametrize(
    ("rung", "zh", "en"),
    [
        (Rung.ONE_WAY, "主讲暂时看不到本班", "cannot see this class"),
        (Rung.SOUND, "请带领学生看课件听讲", "lead the class through the slides"),
        (Rung.ALONE, "请现场老师用本课材料继续上课", "go on teaching here with the lesson's materials"),
    ],
)
def test_on_each_lower_rung_the_local_teacher_reads_what_to_do(rung: Rung, zh: str, en: str):
    state = overlay_state(Held(), {"lead": stand(Role.RECEIVING, rung, Why.SILENT)}, connected=True, since=1.0)
    assert zh in state.words_zh
    assert en in state.words_en
    assert (state.peers[0].rung, state.peers[0].name) == (rung, "城关中学")
    assert state.peers[0].words_zh == state.words_zh
    assert state.recording


def test_the_lead_teacher_reads_which_room_is_cut_off_and_is_not_told_to_teach_alone():
    held = Held(connected={"far": "connected", "farther": "lost"})
    stands = {"far": stand(Role.LEAD, Rung.BOTH), "farther": stand(Role.LEAD, Rung.ALONE, Why.SILENT)}
    state = overlay_state(held, stands, connected=True, since=1.0)
    assert state.rung == "both"
    assert "已断开：西村小学" in state.words_zh
    assert "cut off: 西村小学" in state.words_en
    assert [one.rung for one in state.peers] == ["both", "alone"]


def test_before_and_after_the_lesson_no_rung_takes_the_place_of_its_state():
    stands = {"lead": stand(Role.RECEIVING, Rung.ALONE, Why.JOINING)}
    for state in set(SessionState) - {SessionState.LIVE}:
        assert "材料" not in overlay_state(Held(state=state), stands, connected=True, since=1.0).words_zh


def test_without_a_ladder_a_room_that_is_not_joined_teaches_locally():
    state = overlay_state(Held(joined=False), {}, connected=False, since=1.0)
    assert state.words_zh == "对方教室未连接，请本地教学；中心未连接"
    assert state.rung == ""


@pytest.mark.parametrize(
    "policy, recorder, en",
    [
        (Policy(record=True), Recorder(), "Open class: this room is recorded; no other room takes part"),
        (Policy(record=True), None, "Open class: the recording has not begun yet; please go on teaching"),
        (Policy(), Recorder(recording=False), "Open class: the lesson is on; it is not to be recorded"),
    ],
)
def test_a_lead_room_that_is_alone_reads_whether_it_is_recorded_and_of_no_other_room(policy, recorder, en):
    alone = ORDER.model_copy(update={"mode": Mode.OPEN, "rooms": (LEAD,), "policy": policy})
    lesson = Held(order=alone, recorder=recorder, connected={}, joined=False)
    assert overlay_state(lesson, {}, connected=True, since=1.0).words_en == en


@pytest.mark.parametrize(
    "rung, en",
    [
        (Rung.BOTH, "Watching; this room's camera and microphone are off"),
        (Rung.ONE_WAY, "Watching; this room's camera and microphone are off"),
        (Rung.SOUND, "Very poor network: only the lead room's sound and slides come"),
        (Rung.ALONE, "Nothing comes from the lead room; it is shown by itself as soon as it does"),
    ],
)
def test_who_watches_a_master_class_is_not_asked_to_teach(rung: Rung, en: str):
    watching = Held(order=ORDER.model_copy(update={"mode": Mode.MASTER}), room=FAR)
    state = overlay_state(watching, {"lead": stand(Role.RECEIVING, rung)}, connected=True, since=1.0)
    assert state.words_en == en


async def test_the_screen_hears_of_a_new_rung_and_since_when(tmp_path):
    now = 100.0
    stands = {"lead": stand(Role.RECEIVING, Rung.BOTH)}
    teacher = Teacher(tmp_path / "overlay.sock", tmp_path / "overlay.token", lambda: now)
    teacher.hub(connected=True)
    teacher.show(Held(), lambda: stands)
    running = asyncio.create_task(teacher.run())
    try:
        while not (tmp_path / "overlay.sock").exists():  # noqa: ASYNC110 - another program would wait the same way
            await asyncio.sleep(0.01)
        reader, writer = await open_local(tmp_path / "overlay.sock")
        writer.write((tmp_path / "overlay.token").read_text().encode())
        assert (await _line(reader, lambda one: one["session"] == "s-test"))["rung_since"] == 100.0
        now = 160.0
        stands["lead"] = stand(Role.RECEIVING, Rung.SOUND, Why.LOSSY)
        told = await _line(reader, lambda one: one["rung"] == "sound")
        assert told["rung_since"] == 160.0
        assert told["words_zh"].startswith("网络很差")
        writer.close()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _line(reader: asyncio.StreamReader, wanted: Callable[[dict], bool]) -> dict:
    async with asyncio.timeout(5):
        while True:
            told = json.loads(await reader.readline())
            if wanted(told):
                return told


async def test_which_room_this_is_is_shown_large_for_a_while_on_every_screen(tmp_path):
    now = 10.0
    teacher = Teacher(tmp_path / "o.sock", tmp_path / "o.token", mono_s=lambda: now)
    assert teacher.identify("石桥教学点 三年级", 20) == 0, "nobody would see it"
    now = 100.0
    task = asyncio.create_task(teacher.run())
    try:
        while not (tmp_path / "o.sock").exists():
            await asyncio.sleep(0.01)
            assert not task.done()
        reader, writer = await open_local(tmp_path / "o.sock")
        writer.write((tmp_path / "o.token").read_bytes())
        await reader.readline()
        assert teacher.identify("石桥教学点 三年级", 20) == 1
        shown = json.loads(await reader.readline())
        assert (shown["notice_zh"], shown["notice_en"]) == (
            "本机：石桥教学点 三年级",
            "This machine: 石桥教学点 三年级",
        )
        now = 121.0
        gone = json.loads(await reader.readline())
        assert (gone["notice_zh"], gone["notice_en"]) == ("", "")
        writer.close()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _told(reader: asyncio.StreamReader) -> dict:
    return await _line(reader, lambda one: "answer" in one)


async def test_a_mark_of_the_screen_is_set_once_however_fast_it_is_clicked_and_the_state_confirms_it(tmp_path):
    now = 100.0
    teacher = Teacher(tmp_path / "o.sock", tmp_path / "o.token", mono_s=lambda: now)
    task = asyncio.create_task(teacher.run())
    try:
        while not (tmp_path / "o.sock").exists():
            await asyncio.sleep(0.01)
            assert not task.done()
        reader, writer = await open_local(tmp_path / "o.sock")
        writer.write((tmp_path / "o.token").read_bytes())
        writer.write('{"mark": "勾股定理的证明"}\n'.encode())
        assert (await _told(reader))["answer"] == "no-lesson"
        held = Held()
        teacher.show(held)
        writer.write('{"mark": "勾股定理的证明"}\n{"mark": ""}\n'.encode())
        assert (await _told(reader))["words_zh"] == "已标记"
        assert (await _told(reader))["answer"] == "too-soon"
        assert held.titles == ["勾股定理的证明"]
        now = 102.0
        writer.write(b'{"mark": ""}\n')
        await _line(reader, lambda one: one.get("marks") == 2)
        assert held.titles == ["勾股定理的证明", ""]
        writer.close()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_how_the_lesson_goes_is_on_the_screen_while_it_is_said():
    figure = InsightFigure(value=0.12, coverage=0.9, words_zh="对方班级学生发言占比 12 %")
    insight = InsightState(t=60, start_t=0, end_t=40, talk_share=figure, far_share=figure, longest_wait=figure)
    assert overlay_state(Held(insight=insight), {}, connected=True, since=1.0).insight == insight
    assert overlay_state(Held(), {}, connected=True, since=1.0).insight is None
    assert overlay_state(None, {}, connected=True, since=1.0).insight is None
