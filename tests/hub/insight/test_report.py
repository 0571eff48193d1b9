import json

from contract.clock import ClockRecord, Segment
from contract.observation import Observation
from contract.package import Manifest
from contract.session import Policy, Role, RoomOrder, SessionOrder
from hub.insight.packages import RoomPackage, observations_of
from hub.insight.report import lesson_report, voices_of
from tests.measures.rooms import spans

ORDER = SessionOrder(
    session="s-maths-1",
    rev=1,
    epoch=1_790_000_000.0,
    seconds=600.0,
    title="分数",
    rooms=(
        RoomOrder(room="shiqiao-1", device="shiqiao-1", role=Role.LEAD, name="石桥 1", school="石桥小学"),
        RoomOrder(room="xinhe-2", device="xinhe-2", role=Role.RECEIVING),
    ),
)


def heard(script: str) -> list[Observation]:
    return [
        Observation(
            kind="voice",
            t=one.start_s,
            mono_ns=0,
            seconds=one.seconds,
            confidence=0.9,
            value={"voice": one.voice.value},
        )
        for one in spans(script)
    ]


def package(room: str, lines: list[Observation], error_s: float = 0.001) -> RoomPackage:
    role = next(one.role for one in ORDER.rooms if one.room == room)
    clock = ClockRecord(boot="b", segments=(Segment(mono_ns=0, there_ns=0, error_ns=round(error_s * 1e9)),))
    manifest = Manifest(
        session=ORDER.session,
        room=room,
        role=role,
        device=room,
        epoch=ORDER.epoch,
        seconds=ORDER.seconds,
        policy=Policy(observe=True),
        clock=clock,
    )
    return RoomPackage(manifest, lines)


LEAD = package("shiqiao-1", heard(" ".join(["T12 -2 S3 -3"] * 30)))
FAR = package("xinhe-2", heard("-600"))


def test_both_rooms_side_by_side_with_the_measures_of_the_lesson():
    told = lesson_report(ORDER, [FAR, LEAD])
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["measures"]["talk"]["share"]["lead_teacher"]["value"] == 0.8
    assert told["measures"]["talk"]["share"]["lead_teacher"]["confidence"] == 0.9
    assert told["measures"]["answers"]["far_share"]["value"] == 0.0
    assert [one["room"] for one in told["rooms"]] == ["shiqiao-1", "xinhe-2"]
    assert told["clock_error_s"] == 0.002


def test_a_room_whose_package_is_not_here_is_unknown_and_not_silent():
    told = lesson_report(ORDER, [LEAD])
    assert [one["package"] for one in told["rooms"]] == [True, False]
    assert told["measures"]["talk"]["far_of_pupils"]["reason"] == "coverage"
    assert told["measures"]["talk"]["share"]["lead_pupils"]["reason"] == "cross-talk"
    assert told["rooms"][1]["people"]["median"] is None


def test_a_room_that_never_heard_the_hubs_clock_is_not_put_on_one_timeline_with_the_other():
    told = lesson_report(ORDER, [LEAD, package("xinhe-2", list(FAR.lines), error_s=2.0)])
    assert told["measures"]["talk"]["far_of_pupils"]["reason"] == "clock"


def test_a_timeline_from_before_voices_were_told_apart_says_that_nothing_is_known():
    turns = [Observation(kind="speech", t=5.0, mono_ns=0, seconds=20.0, confidence=0.9)]
    told = lesson_report(ORDER, [package("shiqiao-1", turns), package("xinhe-2", turns)])
    assert told["measures"]["talk"]["share"]["lead_teacher"]["reason"] == "no-lead"
    assert told["rooms"][0]["observations"] == 1


def test_people_slides_and_chapters_of_each_room_come_along():
    lines = [Observation(kind="people", t=float(t), mono_ns=0, value={"count": 31}) for t in range(600)]
    lines += [
        Observation(kind="slide", t=t, mono_ns=0, value={"index": i, "title": f"第{i}页"})
        for i, t in ((1, 3.0), (2, 9.5))
    ]
    lines += [Observation(kind="chapter", t=3.0, mono_ns=0, value={"title": "分数", "source": "slide"})]
    room = lesson_report(ORDER, [package("shiqiao-1", lines)])["rooms"][0]
    assert room["people"] == {"median": 31.0, "coverage": 1.0, "interval_s": 1.0}
    assert room["slides"][0] == {"t": 3.0, "seconds": 6.5, "index": 1, "title": "第1页"}
    assert room["slides"][1]["seconds"] == 590.5
    assert room["chapters"] == [{"t": 3.0, "title": "分数", "source": "slide", "confidence": None}]


def test_lines_that_are_no_observations_and_words_that_are_no_voices_are_left_out():
    good = Observation(kind="voice", t=1.0, mono_ns=0, seconds=2.0, value={"voice": "teacher"})
    odd = good.model_copy(update={"value": {"voice": "whale"}})
    lines = [one.model_dump_json().encode() + b"\n" for one in (good, odd)]
    found, wrong = observations_of([*lines, b'{"v":1,"kind":"voi'])
    assert (len(found), wrong) == (2, 1)
    assert len(voices_of(found)) == 1
