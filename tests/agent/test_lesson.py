"""One room alone, with its real devices, encoders, recorder and observer; the other room never comes."""

import asyncio
import json
import threading
import time
from dataclasses import replace

import av
import numpy as np
import pytest

from agent import insight, recording
from agent.capture.faceblur import FaceBlur
from agent.capture.masks import RoomMasks
from agent.capture.sources import parse_source
from agent.classroom import PictureLimits
from agent.house import House
from agent.lesson import Lesson
from agent.observe import live
from agent.observe.observer import Observer
from agent.observe.timeline import read_timeline
from agent.overlay.marks import MarkAnswer
from agent.record.package import Standpoint
from agent.record.store import FolderStore, PackageRef
from agent.recording import LessonTime
from agent.stream import rtc
from agent.stream.mediaclock import MediaClock
from agent.teacher import overlay_state
from contract.clock import ClockRecord
from contract.observation import Observation
from contract.package import Manifest
from contract.session import Mode, Policy, Role, RoomOrder, SessionOrder
from contract.signal import Offer, RoomReport
from contract.state import SessionState

KEPT = Policy(record=True, observe=True)
LEAD = RoomOrder(room="lead", device="d-lead", role=Role.LEAD, name="城关中学")
FAR = RoomOrder(room="far", device="d-far", role=Role.RECEIVING)
REF = PackageRef("s-lesson", "lead")


class WallClock:
    """A device whose monotonic clock is known exactly."""

    def __init__(self):
        self._ahead = time.time_ns() - time.monotonic_ns()

    def hub_ns(self, mono_ns):
        return mono_ns + self._ahead

    def error_ns(self, mono_ns):
        return 0


class Told:
    """What the hub hears."""

    def __init__(self):
        self.events = []
        self.samples = []
        self.reports = []
        self.troubled = asyncio.Event()

    def event(self, kind, data=None):
        if kind == "record.trouble":
            self.troubled.set()
        self.events.append((kind, data))
        return True

    def telemetry(self, kind, data=None):
        self.samples.append((kind, data))
        return True

    def send(self, signal, valid_s, key):
        if isinstance(signal, RoomReport):
            self.reports.append(signal)

    @property
    def states(self):
        return list(dict.fromkeys(str(one.state) for one in self.reports))


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def house(tmp_path, told):
    clock = WallClock()
    media_clock = MediaClock(time.time_ns() - time.monotonic_ns())
    rtc.install(media_clock, ())
    no_models = tmp_path / "no-models"
    return House(
        incarnation="first",
        standpoint=Standpoint("boot", clock, lambda: ClockRecord(boot="boot"), {}),
        media_clock=media_clock,
        spec=parse_source("rehearsal"),
        seed=1,
        limits=PictureLimits(320, 180, 10, 300_000),
        name="城关中学",
        store=FolderStore(tmp_path / "packages"),
        min_free_bytes=0,
        send=told.send,
        report=told,
        observer=lambda **more: Observer(no_models, boot="boot", **more),
        playout=None,
        on_change=lambda: None,
    )


def order(starts_in_s, seconds, policy=KEPT, rooms=(LEAD, FAR), mode=Mode.DELIVERY):
    return SessionOrder(
        session=REF.session,
        rev=1,
        epoch=time.time() + starts_in_s,
        seconds=seconds,
        mode=mode,
        rooms=rooms,
        policy=policy,
    )


def manifest(tmp_path):
    return Manifest.model_validate_json((tmp_path / "packages/s-lesson/lead/manifest.json").read_bytes())


async def test_what_stands_when_the_lesson_begins_is_observed_and_nothing_before(house, told, tmp_path):
    lesson = Lesson(order(8.0, 4.0), LEAD, house)
    await lesson.run()
    assert told.states == ["readying", "ready", "live", "ending", "sealed", "uploaded"]
    seen = read_timeline(tmp_path / "packages/s-lesson/lead/timeline.jsonl").observations
    assert all(0 <= one.t < 4 for one in seen)
    assert seen[0].kind == "cadence"
    assert seen[0].value.items() >= {"speech_s": None, "people_s": None, "slides_s": 0.5}.items()
    assert next(one.value["index"] for one in seen if one.kind == "slide") == 1
    assert lesson.result.timeline.slides >= 1
    assert lesson.result.timeline.speech_seconds is None, "without its model nobody listened for speech"
    assert [one.track for one in lesson.result.recording] == ["camera", "slides"]


async def test_a_lead_room_that_is_alone_is_recorded_whole_and_waits_for_nobody(house, told, tmp_path):
    alone = order(1.0, 4.0, Policy(record=True, upload=True), (LEAD,), Mode.OPEN)
    lesson = Lesson(alone, LEAD, house)
    holding = asyncio.create_task(lesson.run())

    def recording():
        return lesson.recorder is not None and lesson.recorder.recording

    await until(lambda: holding.done() or (lesson.state is SessionState.LIVE and recording()))
    shown = overlay_state(lesson, lesson.stands, connected=False, since=0.0)
    assert shown.words_zh == "开放课：本教室正在录课，没有听课教室；中心未连接"
    assert (shown.recording, shown.peers, shown.rung) == (True, (), "")
    lesson.take_signal(
        Offer(device="d-far", session=REF.session, sender="far", to="lead", attempt="x", sdp="", tracks={})
    )
    await holding
    assert told.states == ["readying", "ready", "live", "ending", "sealed"]
    assert lesson.words == []
    assert (lesson.result.received, lesson.result.video_frames_sent > 0) == ((), True)
    assert {one.track for one in manifest(tmp_path).parts} == {"camera", "slides"}
    assert [kind for kind, _ in told.events if kind == "lesson.rung"] == []
    lesson.uploaded()
    assert told.states[-1] == "uploaded"


async def test_where_teachers_watch_a_master_class_no_device_is_opened_and_nothing_is_kept(house, told, tmp_path):
    watched = order(1.0, 2.0, Policy(record=True, observe=True, upload=True), mode=Mode.MASTER)
    watching = replace(house, spec=parse_source("camera:9+mic:default"), observer=None)
    lesson = Lesson(watched, FAR, watching)
    holding = asyncio.create_task(lesson.run())
    await until(lambda: holding.done() or lesson.state is SessionState.LIVE)
    assert lesson.connected.keys() == {"lead"}, "it joins as any other room"
    assert lesson.mark("x") is MarkAnswer.NOT_OBSERVED
    await holding
    assert told.states == ["readying", "ready", "live", "ending", "sealed", "uploaded"]
    assert lesson.words == [], "neither camera nor microphone is missed: nobody looked for them"
    assert lesson.result.video_frames_sent > 0, "a card goes, by which the lead room knows that this one is there"
    assert not (tmp_path / "packages").exists()
    assert overlay_state(lesson, {}, connected=True, since=0.0).words_en == "The lesson that was watched is over"


@pytest.mark.parametrize("mode, rooms", [(Mode.OPEN, (LEAD,)), (Mode.MASTER, (LEAD, FAR))])
async def test_where_no_class_follows_nobody_waits_for_its_voices(monkeypatch, mode, rooms):
    monkeypatch.setattr(insight, "EVERY_S", 0.05)
    monkeypatch.setattr(live, "LATE_S", 0.1)
    ordered = order(-20.0, 60.0, mode=mode, rooms=rooms)
    heard = insight.LessonInsight(ordered, LEAD, LessonTime(ordered, WallClock(), time.monotonic_ns), "boot")
    for second in range(20):
        mono_ns = time.monotonic_ns() - round((20 - second) * 1e9)
        value = {"voice": "student" if second % 10 == 9 else "teacher"}
        heard.observed(
            Observation(kind="voice", t=second, mono_ns=mono_ns, boot="boot", seconds=1.0, value=value, confidence=0.9)
        )
    said = []
    telling = asyncio.create_task(heard.run(lambda _kind, data: said.append(data["figures"]), lambda: None))
    await until(lambda: said and said[-1]["talk_share"]["value"] is not None)
    telling.cancel()
    assert said[-1]["talk_share"]["value"] == pytest.approx(0.9, abs=0.02)
    for figure in ("far_share", "far_rooms"):
        assert (said[-1][figure]["value"], said[-1][figure]["reason"]) == (None, "no-room")


async def test_a_disk_that_takes_nothing_at_the_start_records_from_when_it_does(house, told, tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "AGAIN_S", 0.1)
    (tmp_path / "packages").write_text("in the way")
    lesson = Lesson(order(0.0, 5.0, Policy(record=True)), LEAD, house)
    holding = asyncio.create_task(lesson.run())
    await asyncio.wait_for(told.troubled.wait(), 20)
    await asyncio.sleep(0.5)
    (tmp_path / "packages").unlink()
    await holding
    assert lesson.state is SessionState.UPLOADED
    kept = manifest(tmp_path)
    assert {one.track for one in kept.parts} == {"camera", "slides"}
    assert all(gap.start_t == 0 and 0.4 < gap.end_t < 5 for gap in kept.gaps)
    assert len(kept.gaps) == 2
    troubles = [data["words"] for kind, data in told.events if kind == "record.trouble"]
    assert len(troubles) == 1
    assert "nothing is recorded yet" in troubles[0]
    assert "the lesson goes on" in troubles[0]


async def test_a_disk_that_never_takes_anything_does_not_end_the_lesson_early(house, told, tmp_path):
    (tmp_path / "packages").write_text("in the way")
    lesson = Lesson(order(0.0, 6.0), LEAD, house)
    await lesson.run()
    assert told.states == ["readying", "ready", "live", "ending", "failed"]
    assert lesson.words[-1] == "nothing was recorded"
    assert lesson.result.video_frames_sent > 0


async def test_a_lesson_that_is_called_off_in_time_opens_nothing(house, told, tmp_path):
    lesson = Lesson(order(600.0, 60.0), LEAD, house)
    holding = asyncio.create_task(lesson.run())
    await asyncio.sleep(0.1)
    lesson.take_order(lesson.order.model_copy(update={"rev": 2, "cancelled": True}))
    await asyncio.wait_for(holding, 30)
    assert told.states == ["scheduled", "cancelled"]
    assert not (tmp_path / "packages").exists()


async def test_a_draft_that_a_killed_agent_left_is_sealed_with_what_was_counted(house, told, tmp_path):
    held = order(-60.0, 30.0)
    folder = house.store.draft(held, LEAD, house.standpoint).folder
    sample = {"t": 9, "sent": 90, "frames": {"far": 80}, "sound_s": {"far": 8.5}}
    (folder / "quality.jsonl").write_text(json.dumps(sample) + "\n")
    lesson = Lesson(held, LEAD, house)
    await lesson.run()
    assert told.states == ["readying", "ending", "sealed", "uploaded"]
    assert lesson.result.video_frames_sent == 90
    assert lesson.result.received[0].video_frames == 80
    assert "the agent was away" in lesson.result.words[0]
    assert manifest(tmp_path).sealed


async def test_a_room_whose_agent_was_away_for_the_whole_lesson_says_so(house, told):
    lesson = Lesson(order(-60.0, 30.0), LEAD, house)
    await lesson.run()
    assert told.states == ["readying", "failed"]
    assert "was not there" in told.reports[-1].words


async def test_what_is_masked_is_black_in_the_recording(house, told, tmp_path):
    masks = RoomMasks(camera=(((0.0, 0.0), (0.5, 0.5)),), slides=(((0.25, 0.25), (0.75, 0.75)),))
    lesson = Lesson(order(1.0, 3.0, Policy(record=True)), LEAD, replace(house, masks=masks))
    await lesson.run()
    assert lesson.state is SessionState.UPLOADED
    folder = tmp_path / "packages/s-lesson/lead"
    for track, hidden in (("camera", (slice(0, 85), slice(0, 155))), ("slides", (slice(190, 530), slice(330, 950)))):
        (part,) = [one for one in manifest(tmp_path).parts if one.track == track]
        with av.open(str(folder / part.file)) as kept:
            pictures = [one.to_ndarray(format="gray") for one in kept.decode(video=0)]
        assert pictures
        assert max(int(one[hidden].max()) for one in pictures) < 60, f"{track}: black, but for what the encoder smears"
        assert min(float(one.mean()) for one in pictures) > 60, f"{track}: the rest is shown"


async def test_a_recording_is_blurred_whole_while_faces_cannot_be_found_and_the_room_is_told_why(house, told, tmp_path):
    masks = RoomMasks(faces=FaceBlur(tmp_path / "no models"))
    lesson = Lesson(order(2.0, 3.0, Policy(record=True)), LEAD, replace(house, masks=masks))
    await lesson.run()
    assert lesson.state is SessionState.UPLOADED
    assert any("whole picture is blurred" in words and "models install" in words for words in lesson.words)
    edges = {}
    for track in ("camera", "slides"):
        (part,) = [one for one in manifest(tmp_path).parts if one.track == track]
        with av.open(str(tmp_path / "packages/s-lesson/lead" / part.file)) as kept:
            pictures = [one.to_ndarray(format="gray").astype(int) for one in kept.decode(video=0)]
        assert pictures
        edges[track] = max(int(np.abs(np.diff(one, axis=1)).max()) for one in pictures)
    assert edges["camera"] < 30, "no edge is left"
    assert edges["slides"] > 100, "slides are left as they are"


async def until(ready):
    for _ in range(1000):
        if ready():
            return
        await asyncio.sleep(0.05)
    pytest.fail("it never came")


async def ended(lesson, holding):
    """Have the hub end a lesson that need not go on, and wait for it."""
    seconds = round(time.time() - lesson.order.epoch + 0.5, 3)
    lesson.take_order(lesson.order.model_copy(update={"rev": 2, "seconds": seconds}))
    await holding


LONG_S = 8.0


class Hears:
    """An observer to which somebody speaks all the time; the teacher, and once in ten seconds a pupil."""

    def __init__(self, *, on_observation, on_trouble, session_t, words):
        self._tell = on_observation
        self._t = session_t
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self):
        self._thread.start()

    def stop(self):
        self._stopping.set()
        self._thread.join()

    def feed_frame(self, track, frame):
        pass

    def feed_block(self, block):
        pass

    def feed_played(self, block):
        pass

    def figures(self):
        return {}

    def _run(self):
        told = 0
        while not self._stopping.wait(0.05):
            now_ns = time.monotonic_ns()
            while told * 0.25 + 0.25 <= self._t(now_ns):
                begun_ns = now_ns - round((self._t(now_ns) - told * 0.25) * 1e9)
                value = {"voice": "student" if told % 10 == 9 else "teacher"}
                one = {"t": told * 0.25, "mono_ns": begun_ns, "boot": "boot", "seconds": 0.25, "value": value}
                self._tell(Observation(kind="voice", confidence=0.9, **one))
                told += 1


async def test_while_a_lesson_runs_the_hub_and_the_screen_are_told_how_it_goes(house, told, tmp_path, monkeypatch):
    monkeypatch.setattr(insight, "EVERY_S", 0.5)
    monkeypatch.setattr(live, "LATE_S", 1.0)
    lesson = Lesson(order(2.0, 40.0), LEAD, replace(house, observer=lambda **more: Hears(**more)))
    holding = asyncio.create_task(lesson.run())
    assert lesson.insight is None
    await until(lambda: holding.done() or bool(lesson.insight and lesson.insight.talk_share.value))
    seen = lesson.insight
    assert seen is not None, "the screen was told nothing"
    # Long enough that what a busy machine is late with, at the end, is less than a fifth of it.
    await until(lambda: holding.done() or time.time() - lesson.order.epoch > LONG_S)
    await ended(lesson, holding)
    assert lesson.insight is None, "what is over does not go on"
    assert seen.talk_share.words_zh.startswith("主讲教师发言占比 ")
    assert seen.far_share.value is None
    assert "暂不清楚" in seen.far_share.words_zh
    said = [data for kind, data in told.samples if kind == "lesson.insight"]
    assert {(one["session"], one["room"]) for one in said} == {(REF.session, "lead")}
    last = said[-1]["figures"]
    assert last["talk_share"]["value"] == pytest.approx(0.9, abs=0.1)
    assert (last["far_share"]["value"], last["far_share"]["reason"]) == (None, "coverage")
    assert lesson.result.timeline.talk_share == pytest.approx(0.9, abs=0.1)


async def test_a_lesson_that_is_not_observed_says_nothing_and_takes_no_mark(house, told, monkeypatch):
    monkeypatch.setattr(insight, "EVERY_S", 0.2)
    lesson = Lesson(order(0.0, 40.0, Policy(record=True)), LEAD, replace(house, observer=lambda **more: Hears(**more)))
    holding = asyncio.create_task(lesson.run())
    await until(lambda: lesson.state is SessionState.LIVE)
    assert lesson.mark("x") is MarkAnswer.NOT_OBSERVED
    await ended(lesson, holding)
    assert not [kind for kind, _ in told.samples if kind == "lesson.insight"]
    assert lesson.marks == 0


async def test_a_mark_stands_in_the_timeline_at_the_moment_it_was_set(house, told, tmp_path, monkeypatch):
    monkeypatch.setattr(insight, "MARKS_MAX", 2)
    lesson = Lesson(order(1.0, 40.0), LEAD, replace(house, observer=None))
    holding = asyncio.create_task(lesson.run())
    assert lesson.mark("too early") is MarkAnswer.NO_LESSON
    await until(lambda: lesson.state is SessionState.LIVE and lesson.recorder is not None)
    before = time.time() - lesson.order.epoch
    assert lesson.mark("勾股定理") is MarkAnswer.TAKEN
    assert lesson.mark("") is MarkAnswer.TAKEN
    assert lesson.mark("one too many") is MarkAnswer.FULL
    assert lesson.marks == 2
    await ended(lesson, holding)
    assert lesson.mark("too late") is MarkAnswer.NO_LESSON
    marks = [
        one
        for one in read_timeline(tmp_path / "packages/s-lesson/lead/timeline.jsonl").observations
        if one.kind == "mark"
    ]
    assert [one.value for one in marks] == [{"title": "勾股定理"}, {"title": ""}]
    assert before - 0.01 <= marks[0].t < before + 1


async def test_a_mark_is_refused_while_the_disk_takes_nothing(house, told, tmp_path):
    (tmp_path / "packages").write_text("in the way")
    lesson = Lesson(order(0.0, 40.0), LEAD, house)
    holding = asyncio.create_task(lesson.run())
    await until(lambda: lesson.state is SessionState.LIVE)
    assert lesson.mark("x") is MarkAnswer.NOT_YET
    await ended(lesson, holding)


async def test_an_agent_that_comes_back_knows_who_spoke_and_what_was_marked_before(house, told, monkeypatch):
    monkeypatch.setattr(insight, "EVERY_S", 0.5)
    monkeypatch.setattr(live, "LATE_S", 1.0)
    held = order(-300.0, 400.0)
    folder = house.store.draft(held, LEAD, house.standpoint).folder
    lines = [
        Observation(kind="voice", t=at, mono_ns=0, boot="before", seconds=2.0, value={"voice": "teacher"})
        for at in range(0, 300, 2)
    ]
    lines.append(Observation(kind="mark", t=9.0, mono_ns=0, boot="before", value={"title": ""}))
    (folder / "timeline.jsonl").write_text("".join(f"{one.model_dump_json()}\n" for one in lines))
    lesson = Lesson(held, LEAD, replace(house, observer=None))
    holding = asyncio.create_task(lesson.run())
    await until(lambda: holding.done() or lesson.insight is not None)
    assert lesson.insight.talk_share.value == 1.0
    assert lesson.marks == 1
    await ended(lesson, holding)
