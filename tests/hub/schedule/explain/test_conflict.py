"""Pins that cannot all hold are told, no more of them than contradict each other."""

from itertools import combinations

import pytest

from hub.schedule.district import District
from hub.schedule.explain.conflict import conflict, smallest
from hub.schedule.explain.feasible import Ground
from hub.schedule.facts import Room, School, SchoolClass, Teacher
from hub.schedule.generate import Extras, planted
from hub.schedule.slots import Bell, Window
from hub.schedule.wants import Lesson, Pin, Request

BELLS = tuple(Bell(begins=f"{hour:02}:00", ends=f"{hour:02}:40") for hour in range(8, 11))
ENGLISH = {"subject": "英语", "grade": 3}
FIRST, SECOND = (1, 1), (1, 2)


def town(pins, rooms=3, fan_out=4, **changes):
    """Four classes of one school; one lesson, at either of two times."""
    parts = {
        "schools": (School(id="lead", name="一小", bells=BELLS), School(id="two", name="二小", bells=BELLS)),
        "rooms": (
            Room(id="stage", school="lead", equipment=frozenset({"lead"})),
            *(Room(id=f"room{one}", school="two") for one in range(rooms)),
        ),
        "teachers": (Teacher(id="ann", school="lead", name="安"),),
        "classes": tuple(SchoolClass(id=f"k{one}", school="two", name=f"{one}班") for one in range(4)),
        "lessons": (Lesson(id="l", teacher="ann", fan_out=fan_out, times=(FIRST, SECOND), **ENGLISH),),
        "requests": tuple(
            Request(id=f"q{one}", school_class=f"k{one}", times=(FIRST, SECOND), **ENGLISH) for one in range(4)
        ),
        "pins": tuple(pins),
    }
    return District(**{**parts, **changes})


def test_pins_that_can_hold_have_no_conflict():
    assert conflict(town(())) is None
    assert conflict(town([Pin(request=f"q{one}", time=FIRST) for one in range(3)])) is None


def test_two_pins_to_different_times_of_one_lesson():
    pins = [Pin(request="q0", time=FIRST), Pin(request="q1", time=SECOND), Pin(request="q2")]
    found = conflict(town(pins))
    assert set(found.pins) == {"q0", "q1"}
    assert "一小 安 的三年级英语每周只在一个节次" in found.words.zh
    assert "固定在周一 第 2 节" in found.words.zh


def test_four_pins_and_three_rooms():
    found = conflict(town([Pin(request=f"q{one}", time=FIRST) for one in range(4)]))
    assert set(found.pins) == {"q0", "q1", "q2", "q3"}
    assert "可用教室 3 间" in found.words.zh


def test_more_pins_than_a_lesson_serves():
    found = conflict(town([Pin(request=f"q{one}") for one in range(3)], fan_out=2))
    assert len(found.pins) == 3
    assert "最多带 2 个听课教室" in found.words.zh


def test_a_pin_that_nothing_can_serve_stands_alone():
    away = tuple(SchoolClass(id=f"k{one}", school="two", away=(Window(day=1),) * (one == 0)) for one in range(4))
    found = conflict(town([Pin(request="q0", time=FIRST), Pin(request="q1")], classes=away))
    assert found.pins == ("q0",)
    assert "不在" in found.words.zh


@pytest.mark.parametrize("seed", [1, 2])
def test_the_set_is_contradictory_and_no_part_of_it_is(seed):
    """Pins that a plan keeps can hold; with two pupils' classes pinned to the same seat they cannot."""
    district, plan = planted(schools=8, rooms=30, requests=90, seed=seed, extras=Extras(pins=0.3))
    assert len(district.pins) > 10
    assert conflict(district) is None
    pinned = {pin.request for pin in district.pins}
    held = next(one for one in plan.held if sum(each.lesson == one.lesson for each in plan.served) > 1)
    first, second = [one for one in plan.served if one.lesson == held.lesson][:2]
    request = next(one for one in district.requests if one.id == second.request)
    other = next(time for time in request.times if time[0] != second.time[0])
    more = [Pin(request=first.request, lesson=held.lesson, time=first.time)]
    more.append(Pin(request=second.request, lesson=held.lesson, time=other))
    pins = tuple(pin for pin in district.pins if pin.request not in {first.request, second.request})
    broken = district.model_copy(update={"pins": (*pins, *more)})
    found = conflict(broken)
    assert found is not None
    assert set(found.pins) <= pinned | {first.request, second.request}
    named = {pin.request: pin for pin in broken.pins}

    def contradict(requests):
        return conflict(broken.model_copy(update={"pins": tuple(named[one] for one in requests)})) is not None

    assert contradict(found.pins)
    for fewer in combinations(found.pins, len(found.pins) - 1):
        assert not contradict(fewer)


def test_the_smallest_set_is_found_wherever_it_lies():
    grounds = [Ground("pin", number) for number in range(40)]
    for culprits in ({3}, {0, 39}, {7, 8, 9}, {1, 17, 33, 38}):
        bad = {Ground("pin", one) for one in culprits}
        assert set(smallest(grounds, lambda left, bad=bad: not bad <= set(left))) == bad
