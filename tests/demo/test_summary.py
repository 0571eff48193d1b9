"""The judgement of the demonstration: each thing that can be missing is noticed."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from contract.result import Latency, ReceivedFrom, Recording, TimelineSummary
from demo.plan import FULL, SMALL, PlanRefused, make_plan, prepare
from demo.summary import HubSummary, RoomSummary, Summary, TelemetrySummary, count_telemetry, judge


def kept(track: str, **more: object) -> Recording:
    audio = 20.0 if track == "camera" else 0.0
    whole = {"track": track, "file": f"{track}.mp4", "parts": 1, "seconds": 20.0, "video_frames": 500}
    return Recording(**{**whole, "audio_seconds": audio, "sha256": "0" * 64, **more})


def heard(room: str, **more: object) -> ReceivedFrom:
    whole = {"from": room, "video_frames": 498, "audio_seconds": 19.9, "latency_ms": None, "join_ms": 90.0}
    return ReceivedFrom(**{**whole, **more})


def room(
    name: str, role: str, received: tuple[ReceivedFrom, ...], *tracks: Recording, receipt: bool = True
) -> RoomSummary:
    return RoomSummary(
        room=name,
        role=role,
        package="x",
        video_frames_sent=500,
        received=received,
        recording=tracks,
        receipt=receipt,
        cpu_seconds=1.0,
    )


LEAD = room("lead", "lead", (heard("far"),), kept("camera"), kept("slides"))
FAR = room("far", "receiving", (heard("lead"),), kept("camera"))
NOTHING_LOST = TelemetrySummary(produced=9, stored=9, lost=0, duplicated=0)


def lesson(*rooms: RoomSummary, telemetry: TelemetrySummary = NOTHING_LOST) -> Summary:
    return Summary(
        session="s-test",
        seconds=20.0,
        rooms=rooms,
        telemetry=telemetry,
        timeline=TimelineSummary(),
        hub=HubSummary(url="http://127.0.0.1:1"),
    )


def test_a_whole_lesson_is_whole():
    assert judge(lesson(LEAD, FAR)).whole


def test_the_file_has_the_fixed_form_and_nothing_else(tmp_path):
    latency = Latency(p50=31, p95=48, error=0.4)
    far = changed(FAR, received=(heard("lead", latency_ms=latency, joins=2, rung="both"),))
    lesson(LEAD, far).write(tmp_path / "summary.json")
    found = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert list(found) == ["version", "session", "seconds", "rooms", "telemetry", "timeline", "hub"]
    room = found["rooms"][1]
    assert list(room) == [
        "room",
        "role",
        "package",
        "video_frames_sent",
        "received",
        "recording",
        "receipt",
        "cpu_seconds",
    ]
    assert list(room["received"][0]) == ["from", "video_frames", "audio_seconds", "latency_ms", "join_ms"]
    assert list(room["received"][0]["latency_ms"]) == ["p50", "p95", "error"]
    wanted = ["track", "file", "parts", "seconds", "video_frames", "audio_seconds", "sha256"]
    assert list(room["recording"][0]) == wanted
    assert list(found["telemetry"]) == ["produced", "stored", "lost", "duplicated"]
    assert list(found["timeline"]) == ["observations", "speech_seconds", "talk_share", "people", "slides"]
    assert list(found["timeline"]["people"]) == ["median", "known"]
    assert list(found["hub"]) == ["url"]


def changed(one: RoomSummary, **more: object) -> RoomSummary:
    return one.model_copy(update=more)


@pytest.mark.parametrize(
    "rooms, words",
    [
        ((LEAD, changed(FAR, received=())), "far: 0 of 500 pictures came from lead"),
        ((LEAD, changed(FAR, received=(heard("lead", video_frames=300),))), "300 of 500 pictures"),
        ((LEAD, changed(FAR, received=(heard("lead", audio_seconds=3.0),))), "3.0 s of 20.0 s of sound came from lead"),
        ((changed(LEAD, received=()), FAR), "lead: 0 of 500 pictures came from far"),
        ((changed(LEAD, recording=(kept("camera"),)), FAR), "lead: no recording of slides"),
        ((LEAD, changed(FAR, recording=())), "far: no recording of camera"),
        ((LEAD, changed(FAR, recording=(kept("camera", seconds=18.0),))), "18.0 s of 20.0 s long"),
        (
            (LEAD, changed(FAR, recording=(kept("camera", audio_seconds=9.0),))),
            "9.0 s of 20.0 s of sound were recorded",
        ),
        ((LEAD, changed(FAR, recording=(kept("camera", dropped_frames=3),))), "3 frames of camera were not recorded"),
        ((LEAD, changed(FAR, receipt=False)), "far: no receipt"),
        ((changed(LEAD, video_frames_sent=0), FAR), "far: 498 of 0 pictures came from lead"),
    ],
)
def test_whatever_is_missing_is_told(rooms, words):
    found = judge(lesson(*rooms))
    assert not found.whole
    assert any(words in one for one in found.missing), found.missing


def test_lost_and_doubled_rows_are_told():
    found = judge(lesson(LEAD, FAR, telemetry=TelemetrySummary(produced=9, stored=9, lost=1, duplicated=1)))
    assert len(found.missing) == 2


def test_rows_are_counted_by_the_producers_ids():
    told = count_telemetry(["a", "b", "c"], ["a", "b", "b"])
    assert (told.produced, told.stored, told.lost, told.duplicated) == (3, 3, 1, 1)


def test_more_rooms_than_the_machine_carries_get_smaller_pictures_and_a_word_about_it(tmp_path: Path):
    few = make_plan(tmp_path, seconds=5, rooms=3, lead="rehearsal", receiving="rehearsal", cores=2)
    many = make_plan(tmp_path, seconds=5, rooms=8, lead="rehearsal", receiving="rehearsal", cores=2)
    assert (few.video, few.words) == (FULL, ())
    assert many.video == SMALL
    assert "640x360" in many.words[0]
    assert len({one.room for one in many.rooms}) == 8


def test_an_earlier_demonstration_moves_aside_and_other_files_are_left_alone(tmp_path: Path):
    plan = make_plan(tmp_path / "out", seconds=5, rooms=2, lead="rehearsal", receiving="rehearsal")
    prepare(plan, "auto")
    (plan.out / "summary.json").write_text("first")
    prepare(plan, "auto")
    assert (plan.out / "previous" / "summary.json").read_text() == "first"
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("precious")
    with pytest.raises(PlanRefused, match="--out"):
        prepare(replace(plan, out=other), "auto")
    assert (other / "thesis.txt").read_text() == "precious"


def test_a_demonstration_that_runs_in_the_folder_is_left_alone(tmp_path: Path):
    plan = make_plan(tmp_path / "out", seconds=5, rooms=2, lead="rehearsal", receiving="rehearsal")
    prepare(plan, "auto")
    plan.hub_folder.mkdir()
    where = plan.hub_folder / "hub.json"
    where.write_text(json.dumps({"pid": os.getpid()}))
    with pytest.raises(PlanRefused, match="is running"):
        prepare(plan, "auto")
    assert where.exists()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    where.write_text(json.dumps({"pid": gone.pid}))
    prepare(plan, "auto")
    assert (plan.out / "previous" / "hub" / "hub.json").exists()
