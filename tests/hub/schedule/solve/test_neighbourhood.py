"""Part of an answer is solved anew; the rest stays, and nothing is used twice."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.schedule.chosen import points
from hub.schedule.compiling import compile_district
from hub.schedule.generate import generate
from hub.schedule.solve.milp import holds, within
from hub.schedule.solve.neighbourhood import Neighbourhoods, around, improved, neighbourhood
from hub.schedule.solve.program import whole
from tests.hub.schedule.solve.tiny import best, nothing, problem


@pytest.fixture(scope="module")
def town():
    return compile_district(generate(schools=8, rooms=30, requests=80, seed=3))


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_one_lesson_after_another_never_makes_the_answer_worse_and_always_holds(random):
    compiled = problem(random, times=3)
    chosen = nothing(compiled)
    for lesson in range(len(compiled.lesson_fan)):
        before = chosen
        chosen = neighbourhood(compiled, before, [lesson])
        others = np.arange(len(chosen.option)) != lesson
        assert (chosen.option[others] == before.option[others]).all()
        own = range(*compiled.lesson_start[lesson : lesson + 2])
        meets = {int(one) for one in compiled.candidate_request[np.isin(compiled.candidate_option, own)]}
        away = [request for request in range(len(chosen.candidate)) if request not in meets]
        assert (chosen.candidate[away] == before.candidate[away]).all()
        assert holds(compiled, chosen)
        assert points(compiled, chosen) >= points(compiled, before)
    assert points(compiled, chosen) <= best(compiled)


def test_all_lessons_at_once_are_the_whole_problem_but_for_open_classes():
    problems = (problem(Random(seed), times=3) for seed in range(100))
    compiled = next(one for one in problems if len(one.options) > 5 and (one.candidate_option >= 0).all())
    chosen = neighbourhood(compiled, nothing(compiled), range(len(compiled.lesson_fan)))
    assert points(compiled, chosen) == best(compiled)


def test_only_requests_that_could_meet_the_lessons_are_touched(town):
    start = improved(town, nothing(town), seed=1, rounds=2)
    lessons = Neighbourhoods(town, 100).pick(start, np.random.default_rng(2))
    scope = around(town, start, lessons)
    after = neighbourhood(town, start, lessons)
    assert (after.candidate[~scope.requests] == start.candidate[~scope.requests]).all()
    assert holds(town, after)


def test_the_same_seed_and_rounds_give_the_same_answer_and_more_rounds_a_better_one(town):
    few, again, more = (improved(town, nothing(town), seed=1, rounds=rounds, columns=200) for rounds in (6, 6, 50))
    assert (few.candidate == again.candidate).all()
    assert (few.option == again.option).all()
    assert holds(town, more)
    assert points(town, more) > points(town, few) > points(town, nothing(town))
    best_known = points(town, within(town, whole(town), seconds=20).chosen)
    assert points(town, more) >= 0.98 * best_known


def test_it_stops_when_it_is_told_to(town):
    assert (improved(town, nothing(town), seed=1, rounds=5, stop=lambda: True).candidate == -1).all()
