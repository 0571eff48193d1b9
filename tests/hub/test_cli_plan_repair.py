"""The commands that explain and repair a plan, as somebody at a terminal uses them."""

import json

import pytest
from typer.testing import CliRunner

from hub.cli_plan import app
from hub.schedule.district import District
from hub.schedule.generate import planted
from hub.schedule.plan import Plan
from hub.schedule.wants import Pin

run = CliRunner()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan")
    district, plan = planted(schools=10, rooms=40, requests=120, seed=2)
    district.save(folder / "district.json")
    plan.save(folder / "plan.json")
    return district, plan, [str(folder / "district.json"), str(folder / "plan.json")], folder


def test_each_request_that_is_not_served_is_explained(files):
    district, plan, names, _ = files
    answer = run.invoke(app, ["explain", *names, "--json"])
    assert answer.exit_code == 0
    told = json.loads(answer.stdout)["explanations"]
    assert {one["request"] for one in told} == {one.id for one in district.requests} - {
        one.request for one in plan.served
    }
    one = next(each for each in told if each["fix"])
    words = run.invoke(app, ["explain", *names, "--request", one["request"], "--language", "zh"]).stdout
    assert one["fix"]["words"]["zh"] in words
    assert one["reasons"][0]["words"]["zh"] in words


def test_what_is_not_there_is_told(files):
    _, plan, names, folder = files
    answer = run.invoke(app, ["explain", *names, "--request", "q9"])
    assert answer.exit_code == 2
    assert "there is no request q9" in answer.stderr
    broken = folder / "broken.json"
    plan.model_copy(update={"held": plan.held[1:]}).save(broken)
    answer = run.invoke(app, ["explain", names[0], str(broken)])
    assert answer.exit_code == 2
    assert "breaks rules" in answer.stderr


def test_pins_that_contradict_each_other_are_told(files):
    district, plan, names, folder = files
    assert "all 0 pins can hold" in run.invoke(app, ["explain", names[0]]).stdout
    lesson = next(one.lesson for one in plan.served if sum(each.lesson == one.lesson for each in plan.served) > 1)
    first, second = [one for one in plan.served if one.lesson == lesson][:2]
    request = next(one for one in district.requests if one.id == second.request)
    other = next(time for time in request.times if time[0] != second.time[0])
    pins = (
        Pin(request=first.request, lesson=lesson, time=first.time),
        Pin(request=second.request, lesson=lesson, time=other),
        Pin(request=plan.served[-1].request),
    )
    file = folder / "pinned.json"
    district.model_copy(update={"pins": pins}).save(file)
    answer = run.invoke(app, ["explain", str(file), "--json"])
    assert answer.exit_code == 1
    told = json.loads(answer.stdout)["conflict"]
    assert set(told["pins"]) <= {first.request, second.request}
    assert told["words"]["zh"] in run.invoke(app, ["explain", str(file), "--language", "zh"]).stdout


def test_a_way_out_is_written_with_the_district_that_it_answers(files):
    district, plan, names, folder = files
    lesson = next(one for one in district.lessons if one.id == plan.held[0].lesson)
    out, facts = folder / "repaired.json", folder / "facts.json"
    happened = ["teacher-sick", lesson.teacher, "--day", str(plan.held[0].time[0]), "--week", lesson.weeks[0]]
    answer = run.invoke(app, ["replan", *names, *happened, "--out", str(out), "--district-out", str(facts), "--json"])
    assert answer.exit_code == 0
    ways = json.loads(answer.stdout)["alternatives"]
    assert ways[0]["facts"][0]["kind"] == "teacher-sick"
    assert Plan.load(out) == Plan.model_validate(ways[0]["plan"])
    checked = run.invoke(app, ["check", str(facts), str(out)])
    assert checked.exit_code == 0, checked.stdout
    assert District.load(facts).teachers != district.teachers


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "Missing argument"),
        (["flood", "s01"], "'school-closed'"),
        (["school-closed"], "Missing argument"),
        (["school-closed", "s01"], "say when"),
        (["school-closed", "s01", "--day", "1", "--minutes", "5"], "school-closed takes no --minutes"),
        (["class-swap", "s01-c1-1"], "class-swap needs --slot"),
        (["class-swap", "s01-c1-1", "--slot", "1.1", "--day", "1"], "class-swap takes no --day"),
        (["school-closed", "nowhere", "--day", "1"], "there is no school nowhere"),
        (["school-closed", "s01", "--day", "1", "--periods", "two"], "say 3, or 2-4"),
        (["class-swap", "s01-c1-1", "--slot", "Wed"], "DAY.PERIOD"),
        (["substitute", "t-s01-1"], "either a lesson or an assistant"),
        (["school-closed", "s01", "--day", "1", "--fixed", "l9"], "no such lesson or request"),
        (["school-closed", "s01", "--day", "1", "--now", "noon"], "DAY.HH:MM"),
    ],
)
def test_what_cannot_be_understood_is_told_in_words(files, options, words):
    answer = run.invoke(app, ["replan", *files[2], *options])
    assert answer.exit_code == 2
    assert words in answer.stderr


def test_every_kind_of_disruption_can_be_told(files):
    district, plan, names, _ = files
    served, held = plan.served[0], next(one for one in plan.held if one.lesson == plan.served[0].lesson)
    request = next(one for one in district.requests if one.id == served.request)
    room = next(one for one in district.rooms if one.id == served.room)
    mates = [one.id for one in district.teachers if one.school == room.school and one.id != served.assistant]
    day = ["--day", str(served.time[0])]
    slot = ["--slot", f"{served.time[0]}.{served.time[1]}"]
    for kind, options in {
        "room-down": [room.id, *day, "--periods", "1-8"],
        "class-swap": [request.school_class, *slot, "--with", f"{served.time[0] % 5 + 1}.1"],
        "substitute": [mates[0], "--request", request.id],
        "uplink-halved": [room.school, *day],
        "school-closed": [room.school, *day, "--fixed", plan.served[1].request, "--now", "1.08:00"],
        "lesson-extended": [held.lesson, "--minutes", "15"],
    }.items():
        answer = run.invoke(app, ["replan", *names, kind, *options, "--json"])
        assert answer.exit_code == 0, answer.stderr
        assert json.loads(answer.stdout)["alternatives"][0]["facts"][0]["kind"] == kind
    answer = run.invoke(app, ["replan", *names, "school-closed", room.school, *day, "--language", "zh"])
    assert answer.stdout.startswith("1. ")
    assert "取消" in answer.stdout
