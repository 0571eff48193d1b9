"""What HiGHS answers is what trying everything answers, and it proves it."""

import threading
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.schedule.chosen import Chosen, points
from hub.schedule.compiling import compile_district
from hub.schedule.generate import generate
from hub.schedule.solve import milp
from hub.schedule.solve.greedy import greedy
from hub.schedule.solve.milp import Solved, fixed_times, holds, polish, solved, within
from hub.schedule.solve.program import program, whole
from tests.hub.schedule.solve.tiny import best, nothing, problem

QUICK = settings(max_examples=40, deadline=None)
randoms = st.randoms(use_true_random=False)


@QUICK
@given(randoms, st.booleans())
def test_the_best_answer_to_a_tiny_district_is_found_and_proven(random, pinned):
    compiled = problem(random, pinned=pinned)
    most = best(compiled)
    found = within(compiled, whole(compiled))
    assert found.proven == (most is not None)
    assert holds(compiled, found.chosen) == (most is not None)
    if most is not None:
        assert points(compiled, found.chosen) == most


@QUICK
@given(randoms)
def test_where_the_timetable_sets_the_times_polishing_nothing_finds_the_best_plan(random):
    compiled = problem(random, times=1)
    assert fixed_times(compiled)
    polished = polish(compiled, nothing(compiled))
    assert polished.proven
    assert points(compiled, polished.chosen) == best(compiled)


@QUICK
@given(randoms)
def test_polishing_keeps_the_times_and_is_the_best_at_them(random):
    compiled = problem(random, times=3)
    start = within(compiled, whole(compiled)).chosen
    start = Chosen(np.where(np.arange(len(start.option)) == 0, -1, start.option), np.full_like(start.candidate, -1))
    polished = polish(compiled, start)
    held = set(start.option[start.option >= 0].tolist())
    most = best(compiled, held)
    if not fixed_times(compiled):
        assert polished.proven
        assert set(polished.chosen.option.tolist()) <= held | {-1}
        assert points(compiled, polished.chosen) == most
    assert points(compiled, polish(compiled, start, openings=True).chosen) >= most


@QUICK
@given(randoms)
def test_an_answer_that_uses_too_much_does_not_hold(random):
    compiled = problem(random, times=1)
    everything = Chosen(
        np.where(np.diff(compiled.lesson_start) > 0, compiled.lesson_start[:-1], -1).astype(np.int32),
        np.where(np.diff(compiled.request_start) > 0, compiled.request_start[:-1], -1).astype(np.int32),
    )
    if points(compiled, everything) > best(compiled):
        assert not holds(compiled, everything)


def test_without_time_the_answer_stays_as_it_was():
    compiled = problem(Random(4), times=3)
    start = within(compiled, whole(compiled)).chosen
    polished = polish(compiled, start, seconds=0.0)
    assert points(compiled, polished.chosen) == points(compiled, start)
    assert solved(program(compiled), nodes=1).bound >= points(compiled, start)


@pytest.mark.parametrize(("answer", "what"), [(0.0, "worse"), (1.0, "more than there is")])
def test_an_answer_that_is_worse_or_does_not_hold_is_not_taken(monkeypatch, answer, what):
    compiled = compile_district(generate(6, 24, 60, seed=1))
    start = greedy(compiled)
    wanted = program(compiled, whole(compiled))
    other = wanted.chosen(np.full(len(wanted.gain), answer))
    assert (points(compiled, other) < points(compiled, start)) == holds(compiled, other) == (what == "worse")
    monkeypatch.setattr(milp, "solved", lambda asked, **_: Solved(np.full(len(asked.gain), answer), np.inf))
    kept = polish(compiled, start)
    assert not kept.proven
    assert kept.chosen.candidate.tolist() == start.candidate.tolist()
    assert kept.chosen.option.tolist() == start.option.tolist()


def test_who_no_longer_waits_has_the_answer_that_there_was_long_before_highs_is_through():
    compiled = compile_district(generate(37, 189, 800, seed=1))
    start = greedy(compiled)
    asked = iter([False, False])
    found = within(compiled, whole(compiled), seconds=1.5, stop=lambda: next(asked, True))
    assert any(one.name == "plan.highs" for one in threading.enumerate()), "HiGHS was through before anybody asked"
    assert not found.proven
    assert (found.chosen.candidate == -1).all()
    same = within(compiled, whole(compiled), stop=lambda: True)
    assert points(compiled, same.chosen) == points(compiled, found.chosen) < points(compiled, start)
    for one in threading.enumerate():
        if one.name == "plan.highs":
            one.join()


def test_waiting_in_a_thread_changes_nothing_and_what_goes_wrong_there_is_raised():
    compiled = problem(Random(4), times=3)
    plain, watched = (within(compiled, whole(compiled), stop=stop) for stop in (None, lambda: False))
    assert plain.proven and watched.proven
    assert plain.chosen.candidate.tolist() == watched.chosen.candidate.tolist()
    with pytest.raises(ZeroDivisionError):
        milp._unless(lambda: False, lambda: 1 / 0)
