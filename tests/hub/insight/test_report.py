import json

import pytest

from contract.clock import ClockRecord, Segment
from contract.observation import Observation
from contract.package import Manifest, Part
from contract.session import Mode, Policy, Role, RoomOrder, SessionOrder
from hub.insight.packages import RoomPackage, observations_of
from hub.insight.report import lesson_report, voices_of
from tests.hub.insight.lessons import Lesson, lesson, troubled
from tests.measures.rooms import spans

ORDER = SessionOrder(
    session="s-maths-1",
    rev=1,
    epoch=1_790_000_000.0,
    seconds=600.0,
    title="分数",
    policy=Policy(observe=True),
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


def packages_of(made: Lesson) -> list[RoomPackage]:
    return [RoomPackage(manifest, lines) for manifest, lines in made.packages]


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


@pytest.mark.parametrize("mode, rooms", [(Mode.OPEN, 1), (Mode.MASTER, 2)])
def test_a_lesson_that_no_class_follows_is_whole_with_its_lead_room_and_asks_nothing_of_others(mode: Mode, rooms: int):
    told = lesson_report(ORDER.model_copy(update={"mode": mode, "rooms": ORDER.rooms[:rooms]}), [LEAD])
    assert told["standing"] == "whole"
    assert [one["room"] for one in told["rooms"]] == ["shiqiao-1"]
    talk, answers = told["measures"]["talk"], told["measures"]["answers"]
    assert talk["share"]["lead_teacher"]["value"] == 0.8
    assert talk["share"]["lead_pupils"]["value"] == pytest.approx(0.2)
    assert told["rooms"][0]["answers"]["value"] == 30.0
    for figure in (talk["far_of_pupils"], talk["far_rooms"], talk["share"]["far_pupils"], answers["far_share"]):
        assert (figure["value"], figure["reason"]) == (None, "no-room")


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


def test_people_and_slides_of_each_room_come_along():
    lines = [Observation(kind="people", t=float(t), mono_ns=0, value={"count": 31}) for t in range(600)]
    lines += [
        Observation(kind="slide", t=t, mono_ns=0, value={"index": i, "title": f"第{i}页"})
        for i, t in ((1, 3.0), (2, 9.5))
    ]
    room = lesson_report(ORDER, [package("shiqiao-1", lines)])["rooms"][0]
    people = room["people"]
    assert (people["median"], people["low"], people["high"], people["coverage"]) == (31, 31, 31, 1.0)
    assert room["slides"][0] == {"t": 3.0, "seconds": 6.5, "index": 1, "title": "第1页"}
    assert room["slides"][1]["seconds"] == 590.5


def test_the_report_of_a_real_looking_lesson_is_whole_and_json():
    made = lesson(4)
    told = lesson_report(made.order, packages_of(made), now=made.order.ends + 1)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["standing"] == "whole"
    lead, far = told["rooms"][:2]
    assert lead["answers"]["value"] > far["answers"]["value"] > 0
    assert sum(room["answers"]["value"] for room in told["rooms"]) == sum(
        one["kind"] == "single" for one in told["measures"]["answers"]["answers"]
    )
    assert 30 <= lead["people"]["median"] <= 40 > far["people"]["median"]
    assert (lead["seats"]["rows"], lead["seats"]["columns"]) == (5, 8)
    assert all(row[3] < 0.2 for row in lead["seats"]["shares"])
    assert lead["board"]["patrols"] > 0
    rt, between = told["measures"]["st"]["rt"]["value"], told["st_interval"]["rt"]
    assert between["low"] < rt < between["high"]


def test_a_room_that_was_away_or_not_listened_to_is_unknown_with_the_reason():
    made = troubled(4)
    lead, away, stepped, deaf = lesson_report(made.order, packages_of(made))["rooms"]
    assert away["gaps"][0]["seconds"] == pytest.approx(192.0)
    assert away["people"]["median"] is not None  # 92 % of it was seen
    assert away["people"]["coverage"] == pytest.approx(0.92, abs=0.01)
    assert stepped["clock"]["steps"] == [-4.0]
    assert (deaf["answers"]["value"], deaf["answers"]["reason"]) == (None, "coverage")
    assert (deaf["board"]["share"], deaf["board"]["reason"]) == (None, "not-observed")
    for known in (lead, stepped):  # they were listened to; what is missing is another room
        assert (known["answers"]["value"], known["answers"]["reason"]) == (None, "cross-talk")
    assert stepped["pupils"]["number"]["reason"] == "cross-talk"


def test_a_room_that_looked_less_often_for_a_while_and_said_so_is_not_called_unseen():
    def looks(start: int, end: int, step: int) -> list[Observation]:
        return [Observation(kind="people", t=float(t), mono_ns=0, value={"count": 20}) for t in range(start, end, step)]

    lines = looks(0, 300, 1) + looks(300, 600, 5)
    silent = lesson_report(ORDER, [package("shiqiao-1", lines)])["rooms"][0]["people"]
    assert (silent["median"], silent["reason"]) == (None, "coverage")
    said = [
        Observation(kind="cadence", t=t, mono_ns=0, value={"people_s": every})
        for t, every in ((0.0, 1.0), (300.0, 5.0))
    ]
    told = lesson_report(ORDER, [package("shiqiao-1", lines + said)])["rooms"][0]
    assert (told["people"]["median"], told["people"]["coverage"]) == (20, 1.0)
    assert told["people"]["interval_s"] == pytest.approx(600 / 360, abs=0.001)
    assert [one["every_s"] for one in told["cadence"]] == [{"people_s": 1.0}, {"people_s": 5.0}]


def test_a_slide_stands_where_the_chapters_and_the_player_have_it_though_the_rooms_clock_was_set():
    part = Part(track="camera", file="camera.mp4", index=0, boot="b1", start_mono_ns=0, start_t=0.0, seconds=600.0)
    manifest = LEAD.manifest.model_copy(update={"parts": (part,)})
    slide = Observation(kind="slide", t=296.0, mono_ns=300_000_000_000, boot="b1", value={"index": 1, "title": "分数"})
    told = lesson_report(ORDER, [RoomPackage(manifest, [slide]), FAR])
    assert told["rooms"][0]["slides"][0]["t"] == 300.0


@pytest.mark.parametrize(
    ("changes", "now", "standing"),
    [
        ({"policy": Policy()}, None, "not-observed"),
        ({"cancelled": True}, None, "called-off"),
        ({"seconds": 0.0}, None, "empty"),
        ({}, ORDER.ends - 1, "not-ended"),
    ],
)
def test_a_lesson_of_which_nothing_is_told_says_why_and_tells_nothing(changes: dict, now: float | None, standing: str):
    told = lesson_report(ORDER.model_copy(update=changes), [LEAD, FAR], now=now)
    assert told["standing"] == standing
    assert [one["observations"] for one in told["rooms"]] == [0, 0]
    assert told["measures"]["talk"]["silence"]["value"] is None
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_without_any_package_there_is_nothing_and_with_one_of_two_a_part():
    assert lesson_report(ORDER, [])["standing"] == "nothing"
    assert lesson_report(ORDER, [LEAD])["standing"] == "part"


def test_a_room_that_was_told_not_to_observe_says_nothing_whatever_its_package_holds():
    manifest = LEAD.manifest.model_copy(update={"policy": Policy()})
    told = lesson_report(ORDER, [RoomPackage(manifest, LEAD.lines), FAR])
    assert told["rooms"][0]["observations"] == 0
    assert told["measures"]["talk"]["share"]["lead_teacher"]["reason"] == "no-lead"


ABSURD = (None, True, "5", -1, 1e308, [], {}, [[]], [[0.5], [0.5, 0.5]], [["x"]], {"a": 1}, "\x00" * 9, 10**30)


@pytest.mark.parametrize("absurd", ABSURD)
def test_a_value_that_is_no_value_of_its_kind_is_unknown_and_breaks_nothing(absurd: object):
    kinds = {
        "voice": ("voice",),
        "people": ("count",),
        "seats": ("share", "pictures", "unknown"),
        "board": ("position", "people"),
        "slide": ("index", "title", "title_confidence"),
        "mark": ("title",),
        "cadence": ("people_s", "board_s", "speech_s"),
        "level": ("dbfs", "clipped"),
    }
    lines = [
        Observation(kind=kind, t=float(t), mono_ns=0, seconds=3.0, value=dict.fromkeys(keys, absurd))
        for t in range(-10, 700, 5)
        for kind, keys in kinds.items()
    ]
    told = lesson_report(ORDER, [package("shiqiao-1", lines), FAR])
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["rooms"][0]["people"]["median"] is None
    assert told["rooms"][0]["seats"]["shares"] is None


def test_a_hundred_thousand_voices_that_contradict_each_other_are_reported():
    words = ("teacher", "student", "several", "silence")
    lines = [
        Observation(kind="voice", t=at * 0.006, mono_ns=0, seconds=1.0, value={"voice": words[at % 4]})
        for at in range(100_000)
    ]
    told = lesson_report(ORDER, [package("shiqiao-1", lines), FAR])
    assert told["measures"]["talk"]["share"]["lead_teacher"]["value"] is None


def test_lines_that_are_no_observations_and_words_that_are_no_voices_are_left_out():
    good = Observation(kind="voice", t=1.0, mono_ns=0, seconds=2.0, value={"voice": "teacher"})
    odd = good.model_copy(update={"value": {"voice": "whale"}})
    lines = [one.model_dump_json().encode() + b"\n" for one in (good, odd)]
    found, wrong = observations_of([*lines, b'{"v":1,"kind":"voi'])
    assert (len(found), wrong) == (2, 1)
    assert len(voices_of(found)) == 1
