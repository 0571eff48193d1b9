"""Penalties worked out by hand on a week of two days and four periods."""

import pytest

from benchmarks.timetabling_format import Ban, Course, Curriculum, Instance, Lecture, Room
from benchmarks.timetabling_made import planted
from benchmarks.timetabling_penalty import Penalty, penalty

WEEK = Instance(
    name="by hand",
    days=2,
    periods=4,
    courses=(Course("a", "t1", 3, 2, 30), Course("b", "t1", 1, 1, 10), Course("c", "t2", 2, 1, 10)),
    rooms=(Room("big", 30), Room("small", 8)),
    curricula=(Curriculum("q", ("a", "c")),),
    bans=(Ban("b", 1, 3),),
)
GOOD = ("a big 0 0", "a big 0 1", "a big 1 0", "b big 0 3", "c big 0 2", "c big 1 1")


def counted(*lines: str) -> Penalty:
    lectures = []
    for line in lines:
        course, room, day, period = line.split()
        lectures.append(Lecture(course, room, int(day), int(period)))
    return penalty(WEEK, lectures)


def changed(was: str, now: str) -> Penalty:
    assert was in GOOD
    return counted(*(now if line == was else line for line in GOOD))


def test_a_week_without_fault_costs_nothing():
    assert counted(*GOOD) == Penalty(0, 0, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    "was, now, part, count",
    [
        ("b big 0 3", "b big 1 3", "availability", 1),
        ("b big 0 3", "b big 0 0", "occupation", 1),
        ("b big 0 3", "b small 0 0", "conflicts", 1),  # the teacher
        ("c big 0 2", "c small 0 1", "conflicts", 1),  # the curriculum
        ("b big 0 3", "b small 0 3", "capacity", 2),  # 10 students on 8 seats
        ("a big 0 0", "a small 0 0", "capacity", 22),
        ("a big 0 0", "a small 0 0", "stability", 1),
        ("a big 1 0", "a big 0 3", "min_days", 5),
        ("c big 1 1", "c big 1 2", "compactness", 4),  # two lectures alone, 2 each
        ("a big 0 1", "a big 0 0", "lectures", 1),  # twice at the same time
    ],
)
def test_each_fault_costs_what_the_rules_say(was, now, part, count):
    assert getattr(changed(was, now), part) == count


def test_a_lecture_too_few_and_one_too_many_are_counted():
    assert counted(*GOOD[1:]).lectures == 1
    assert counted(*GOOD, "b big 1 2").lectures == 1
    assert counted().lectures == 6


def test_three_in_one_room_are_two_too_many_and_each_pair_that_clashes_counts():
    three = counted("a big 0 0", "b big 0 0", "c big 0 0")
    assert (three.occupation, three.conflicts) == (2, 2)


def test_neighbours_are_those_of_the_same_day():
    apart = counted("a big 0 0", "a big 0 1", "a big 0 3", "b big 0 2", "c big 1 0", "c big 1 1")
    assert apart.compactness == 2  # the last period of a day does not touch the first of the next


def test_sums_tell_what_breaks_and_what_only_costs():
    one = Penalty(1, 2, 3, 4, 5, 6, 7, 8)
    assert (one.hard, one.points) == (10, 26)


@pytest.mark.parametrize("seed", range(5))
def test_planted_timetables_break_nothing(seed):
    week, timetable = planted(courses=40, rooms=7, seed=seed)
    counted = penalty(week, timetable)
    assert (counted.hard, counted.capacity, counted.min_days, counted.stability) == (0, 0, 0, 0)
    assert len(week.courses) > 20 and len(week.curricula) > 10 and week.bans
