import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.timetabling import main
from benchmarks.timetabling_format import Ban, Course, Curriculum, Instance, Room, instance_text, read_solution
from benchmarks.timetabling_made import planted
from benchmarks.timetabling_model import HARD, empty, points, put, timetable, undo
from benchmarks.timetabling_moves import CHAIN, COURSE, NEVER, ROOM, SLOT, move, searched
from benchmarks.timetabling_penalty import penalty
from benchmarks.timetabling_start import TooManyLectures, first_week
from hub.schedule.solve.engine import started

ROOT = Path(__file__).parents[2]
MADE = planted(courses=40, rooms=7, seed=2)
"""As the smaller ones of the competition: 40 courses, 7 rooms, 25 times."""


def worth(instance, slots):
    """What the independent count makes of an answer, as points."""
    counted = penalty(instance, timetable(instance, slots))
    return -counted.points - HARD * counted.hard


def arrays(week):
    """Everything that a move may change, copied."""
    names = ("slot", "at", "on_day", "days", "in_room", "held", "barred", "hard", "linked")
    return {name: getattr(week, name).copy() for name in names}


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


def shares(kind):
    """Only moves of one kind."""
    return np.cumsum(np.eye(4)[kind])


@pytest.fixture
def week():
    return first_week(MADE.instance)


def test_the_first_timetable_breaks_nothing_and_its_points_are_the_penalty(week):
    counted = penalty(MADE.instance, timetable(MADE.instance, week.slot))
    assert counted.hard == week.hard[0] == 0
    assert points(week) == -counted.points


@pytest.mark.parametrize("kind", [SLOT, CHAIN, ROOM, COURSE])
def test_what_a_move_gains_is_what_the_count_says(week, kind):
    random = started(kind, 0).random
    before = worth(MADE.instance, week.slot)
    made = 0
    for _ in range(1_500):
        was = arrays(week)
        week.journal.length[0] = 0
        gain = move(week, random, shares(kind))
        if gain == NEVER or gain < -200:
            undo(week)
            assert same(arrays(week), was)
            continue
        made += not same(arrays(week), was)
        if made % 10 == 1:
            assert worth(MADE.instance, week.slot) == before + gain == points(week)
        before += gain
    assert worth(MADE.instance, week.slot) == before
    assert made > 50
    assert week.hard[0] == 0


def test_every_move_can_be_undone(week):
    random = started(7, 0).random
    was = arrays(week)
    for _ in range(4_000):
        week.journal.length[0] = 0
        move(week, random, np.array([0.4, 0.8, 0.9, 1.0]))
        undo(week)
    assert same(arrays(week), was)


def test_a_timetable_that_breaks_something_is_mended_and_never_breaks_more():
    crowded = planted(courses=60, rooms=5, seed=4).instance
    week = empty(crowded)
    for lecture, slot in enumerate(np.random.default_rng(1).permutation(len(week.at))[: len(week.slot)].tolist()):
        week.journal.length[0] = 0
        put(week, lecture, slot)
    counted = penalty(crowded, timetable(crowded, week.slot))
    assert points(week) + HARD * week.hard[0] == -counted.points
    assert counted.hard > 50
    broken, draws = int(week.hard[0]), started(3, 0).random
    for _ in range(3_000):
        week.journal.length[0] = 0
        before = points(week)
        gain = move(week, draws, np.array([0.4, 0.8, 0.9, 1.0]))
        assert gain == NEVER or week.hard[0] <= broken
        if gain < 0:
            undo(week)
        else:
            assert points(week) == before + gain
        broken = int(week.hard[0])
    assert penalty(crowded, timetable(crowded, week.slot)).hard == broken < 10


def test_the_search_finds_better_than_what_was_planted_and_says_what_it_found():
    week = first_week(MADE.instance)
    assert searched(week, 1, work=100_000) == 100_000
    found = penalty(MADE.instance, timetable(MADE.instance, week.kept.best))
    assert found.hard == 0
    assert found.points < penalty(MADE.instance, MADE.timetable).points
    assert worth(MADE.instance, week.slot) == points(week) <= -found.points


def test_a_search_ends_where_it_is_told_to(week):
    assert searched(week, 1, work=10**9, stop=lambda: True) == 0


def test_the_same_seed_and_work_give_the_same_timetable_and_another_seed_another():
    weeks = [first_week(MADE.instance) for _ in range(3)]
    for one, seed in zip(weeks, (5, 5, 6), strict=True):
        searched(one, seed, work=30_000)
    assert np.array_equal(weeks[0].kept.best, weeks[1].kept.best)
    assert not np.array_equal(weeks[0].kept.best, weeks[2].kept.best)


def test_more_lectures_than_slots_are_refused_in_words():
    full = Instance("full", 1, 2, (Course("a", "t", 2, 1, 1), Course("b", "u", 1, 1, 1)), (Room("r", 9),), (), ())
    with pytest.raises(TooManyLectures, match="full: 3 lectures do not fit into 2 slots"):
        first_week(full)


def test_a_week_without_courses_is_solved(tmp_path, capsys):
    (tmp_path / "none.ctt").write_text(instance_text(Instance("none", 1, 1, (), (), (), ())))
    assert main([str(tmp_path / "none.ctt"), "--work", "10", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)[0]
    assert (told["points"], told["moves"]) == (0, 0)


def test_a_week_that_cannot_hold_is_answered_and_said_not_to_hold(tmp_path, capsys):
    never = Instance(
        "never",
        1,
        3,
        (Course("a", "t", 2, 1, 1), Course("b", "t", 1, 1, 1)),
        (Room("r", 9), Room("s", 9)),
        (Curriculum("q", ("a",)),),
        (Ban("b", 0, 0), Ban("b", 0, 1), Ban("b", 0, 2)),
    )
    (tmp_path / "never.ctt").write_text(instance_text(never))
    assert main([str(tmp_path / "never.ctt"), "--work", "2000", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)[0]
    assert not told["feasible"]
    assert told["penalty"]["availability"] == 1


def test_the_command_prints_what_the_count_makes_of_the_files_that_it_writes(tmp_path):
    for seed in (2, 3):
        (tmp_path / f"week{seed}.ctt").write_text(instance_text(planted(courses=25, rooms=6, seed=seed).instance))
    files = [str(tmp_path / f"week{seed}.ctt") for seed in (2, 3)]
    command = [sys.executable, "benchmarks/timetabling.py", *files, "--work", "20000", "--out", str(tmp_path / "out")]
    printed = subprocess.run([*command, "--json"], cwd=ROOT, check=True, capture_output=True, text=True, timeout=120)
    told = json.loads(printed.stdout)
    assert [one["file"] for one in told] == ["week2.ctt", "week3.ctt"]
    for one, seed in zip(told, (2, 3), strict=True):
        instance = planted(courses=25, rooms=6, seed=seed).instance
        counted = penalty(instance, read_solution(tmp_path / "out" / f"week{seed}.sol", instance))
        assert counted.hard == 0 and one["feasible"]
        assert one["points"] == counted.points < one["start"]
        assert one["penalty"]["compactness"] == counted.compactness
        assert (one["moves"], one["seed"]) == (20_000, 1)


def test_the_table_has_a_line_for_each_file_and_the_time_given_is_spent(tmp_path, capsys):
    file = tmp_path / "week.ctt"
    file.write_text(instance_text(MADE.instance))
    assert main([str(file), "--seconds", "0.5"]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["file", "feasible", "penalty"]
    cells = line.split()
    assert cells[:2] == ["week.ctt", "yes"]
    assert int(cells[2]) == sum(map(int, cells[3:7]))
    assert int(cells[8].replace(",", "")) > 1_000


@pytest.mark.parametrize("seconds", ["0", "-3", "inf", "nan", "long"])
def test_seconds_in_which_nothing_or_for_ever_could_be_searched_are_refused(tmp_path, capsys, seconds):
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "week.ctt"), "--seconds", seconds])
    assert "--seconds" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_said_before_anything_is_solved(tmp_path, capsys):
    file = tmp_path / "week.ctt"
    file.write_text(instance_text(MADE.instance))
    assert main([str(file), "--work", "10", "--out", str(file / "below")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "below cannot be written: Not a directory" in told.err


def test_a_file_that_cannot_be_read_is_said_and_nothing_is_solved(tmp_path, capsys):
    (tmp_path / "bad.ctt").write_text("Name: bad\nCourses: x\n")
    assert main([str(tmp_path / "bad.ctt")]) == 2
    assert "bad.ctt, line 2: Courses must be a whole number" in capsys.readouterr().err
