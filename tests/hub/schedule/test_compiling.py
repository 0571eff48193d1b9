"""A district becomes a packing problem in which exactly what its rules allow can be chosen."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from hub.schedule.check import check
from hub.schedule.chosen import Chosen, chosen_of, plan_of, points
from hub.schedule.compiling import compile_district
from hub.schedule.district import District, Goals
from hub.schedule.facts import Room, School, SchoolClass, Teacher
from hub.schedule.plan import Score
from hub.schedule.slots import Bell, Window
from hub.schedule.solve.milp import holds
from hub.schedule.wants import Ban, Lesson, Pin, Request

ENGLISH = {"subject": "英语", "grade": 3}


def bells(*times):
    return tuple(Bell(begins=begins, ends=ends) for begins, ends in times)


def district(**changes):
    parts = {
        "schools": (
            School(id="one", name="一小", community="c", bells=bells(("08:00", "08:40"), ("08:50", "09:30")), uplink=4),
            School(id="two", name="二小", community="c", bells=bells(("08:05", "08:45"), ("08:55", "09:35")), uplink=2),
        ),
        "rooms": (
            Room(id="lead", school="one", equipment=frozenset({"lead", "receiving"})),
            Room(id="near", school="two"),
            Room(id="far", school="two"),
        ),
        "teachers": (Teacher(id="t", school="one"), Teacher(id="a", school="two")),
        "classes": (SchoolClass(id="k1", school="two"), SchoolClass(id="k2", school="two")),
        "lessons": (Lesson(id="l", teacher="t", fan_out=2, times=((1, 1), (2, 2)), **ENGLISH),),
        "requests": (
            Request(id="q1", school_class="k1", times=((1, 1), (2, 2)), assistants=("a",), **ENGLISH),
            Request(id="q2", school_class="k2", times=((2, 2),), **ENGLISH),
        ),
    }
    return District(**{**parts, **changes})


def test_two_classes_follow_one_lesson_and_each_has_its_room():
    problem = compile_district(district())
    chosen = Chosen(np.array([1], np.int32), np.array([1, 2], np.int32))
    assert points(problem, chosen) == 2 * (1000 + 30 - 5) - 8
    plan = plan_of(problem, chosen, Score())
    assert [(one.lesson, one.time, one.room) for one in plan.held] == [("l", (2, 2), "lead")]
    assert {one.room for one in plan.served} == {"near", "far"}
    assert [one.assistant for one in plan.served] == ["a", None]
    again = chosen_of(problem, plan)
    assert again.option.tolist() == [1]
    assert again.candidate.tolist() == [1, 2]


def test_no_slot_in_which_the_room_is_down_the_teacher_away_or_the_school_closed_is_offered():
    window = Window(day=2)
    rooms = (district().rooms[0], *(Room(id=one, school="two", down=(window,)) for one in ("near", "far")))
    down = compile_district(district(rooms=rooms))
    capacities = {
        (resource.day, int(units))
        for resource, units in zip(down.resources, down.capacity, strict=True)
        if resource.kind == "rooms" and resource.who == "two"
    }
    assert capacities == {(1, 2), (2, 0)}
    away = compile_district(district(teachers=(Teacher(id="t", school="one", away=(window,)), district().teachers[1])))
    assert [option.time for option in away.options] == [(1, 1)]
    closed = district().schools[1].model_copy(update={"closed": (window,)})
    shut = compile_district(district(schools=(district().schools[0], closed)))
    assert np.diff(shut.request_start).tolist() == [1, 0]


def test_a_ban_takes_the_pair_out_and_a_pin_all_other_ways():
    banned = compile_district(district(bans=(Ban(school_class="k1", teacher="t"),)))
    assert np.diff(banned.request_start).tolist() == [0, 1]
    pinned = compile_district(district(pins=(Pin(request="q1", time=(1, 1), room="far"),)))
    assert np.diff(pinned.request_start).tolist() == [1, 1]
    assert pinned.request_must.tolist() == [True, False]
    plan = plan_of(pinned, Chosen(np.array([0], np.int32), np.array([0, -1], np.int32)), Score())
    assert plan.served[0].room == "far"


def test_whoever_watches_takes_nothing_of_the_line():
    schools = (district().schools[0], district().schools[1].model_copy(update={"uplink": 0}))
    lessons = (Lesson(id="l", teacher="t", mode="master", fan_out=2, times=((1, 1),), **ENGLISH),)
    requests = (Request(id="q", mode="master", observers=("a",), times=((1, 1),), **ENGLISH),)
    problem = compile_district(district(schools=schools, lessons=lessons, requests=requests))
    chosen = Chosen(np.array([0], np.int32), np.array([0], np.int32))
    assert holds(problem, chosen)
    assert check(problem.district, plan_of(problem, chosen, Score())).holds


def test_bells_that_meet_for_too_short_a_time_do_not_pair():
    late = district().schools[1].model_copy(update={"bells": bells(("08:20", "09:00"), ("09:10", "09:50"))})
    problem = compile_district(district(schools=(district().schools[0], late)))
    assert len(problem.candidate_gain) == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rooms": (Room(id="lead", school="three"),)}, "room lead names school three, which is not in the file"),
        ({"pins": (Pin(request="q9"),)}, "names request q9"),
        ({"classes": (SchoolClass(id="k1", school="two"),) * 2}, "class k1 is there twice"),
        (
            {"lessons": (Lesson(id="l", teacher="t", fan_out=2, times=((1, 3),), **ENGLISH),)},
            "names period 3 of weekday 1; school one has 2 periods a day",
        ),
        ({"pins": (Pin(request="q1", room="lead"),)}, "cannot be pinned to room lead"),
        (
            {"classes": ({"id": "k1", "school": "two", "away": ({"day": 1, "first": 4, "last": 2},)},)},
            "its last period, 2, lies before its first, 4",
        ),
        ({"goals": {"served": 10**9}}, "less than or equal to 10000"),
        ({"rules": {"lead_uplink": 10**12}}, "less than or equal to 1000"),
    ],
)
def test_a_district_that_contradicts_itself_is_refused_in_words(changes, words):
    with pytest.raises(ValidationError, match=words):
        district(**changes)


def test_the_largest_figures_that_a_file_may_have_are_counted_right():
    most = dict.fromkeys(Goals.model_fields, 10000) | {"full_minutes": 0}
    schools = (one.model_copy(update={"uplink": 10**15}) for one in district().schools)
    teachers = (one.model_copy(update={"most_a_day": 10**15}) for one in district().teachers)
    requests = tuple(one.model_copy(update={"weight": 100}) for one in district().requests)
    large = district(
        schools=tuple(schools),
        teachers=tuple(teachers),
        requests=requests,
        rules={"lead_uplink": 1000, "listen_uplink": 1000},
        goals=most,
    )
    problem = compile_district(large)
    chosen = Chosen(np.array([1], np.int32), np.array([1, 2], np.int32))
    plan = plan_of(problem, chosen, Score())
    checked = check(large, plan)
    assert checked.holds
    assert checked.score.total == points(problem, chosen) == 2 * (100 * 10_000 + 10_000) - 10_000


NUMBERED = """
    from hub.schedule.compiling import compile_district
    from hub.schedule.generate import generate
    from hub.schedule.synthetic.extras import Extras
    problem = compile_district(generate(8, 40, 60, seed=3, extras=Extras.every(0.2)))
    print([resource[:5] for resource in problem.resources], problem.place_use.tolist())
"""


def test_the_problem_is_the_same_in_every_process():
    told = [
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(NUMBERED)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            timeout=100,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    ]
    assert told[0] == told[1] == told[2]
    assert b"class" in told[0]
