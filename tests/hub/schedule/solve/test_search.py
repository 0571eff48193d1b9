"""Greedy and the local search: what they answer holds, is worth what they say, and comes near the best."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.schedule.chosen import Chosen, points
from hub.schedule.compiling import compile_district
from hub.schedule.generate import generate, planted
from hub.schedule.solve.engine import BEST, SLICE, anneal, started
from hub.schedule.solve.greedy import greedy, nothing
from hub.schedule.solve.loading import PINNED, chosen_of_items, empty_answer, facts_of, load
from hub.schedule.solve.milp import holds
from hub.schedule.solve.moves import new_moving, run
from hub.schedule.solve.search import improve, with_wishes
from hub.schedule.synthetic.extras import Extras
from hub.schedule.wants import Wish
from tests.hub.schedule.solve.tiny import best, problem

WORK = 40_000
QUICK = settings(max_examples=40, deadline=None)
randoms = st.randoms(use_true_random=False)


@pytest.fixture(scope="module")
def plain():
    return compile_district(generate(12, 60, 240, seed=2))


@pytest.fixture(scope="module", params=[1, 2])
def rich(request):
    return compile_district(generate(12, 60, 240, seed=request.param, extras=Extras.every(0.15)))


def test_greedy_answers_hold_and_the_search_makes_them_better(plain):
    first = greedy(plain)
    assert holds(plain, first)
    assert (first.candidate >= 0).sum() > 150
    better = improve(plain, first, seed=1, work=WORK)
    assert holds(plain, better)
    assert points(plain, better) > points(plain, first) + 10_000


def test_the_search_serves_more_than_the_hidden_plan_was_made_to_serve(plain):
    district, hidden = planted(12, 60, 240, seed=2)
    assert district == plain.district
    found = improve(plain, greedy(plain), seed=1, work=5 * WORK)
    assert (found.candidate >= 0).sum() >= len(hidden.served)


def test_the_same_seed_and_work_give_the_same_answer_and_another_seed_another(plain):
    first = greedy(plain)
    one, two, other = (improve(plain, first, seed=seed, work=WORK) for seed in (1, 1, 2))
    assert one.candidate.tobytes() == two.candidate.tobytes()
    assert one.option.tobytes() == two.option.tobytes()
    assert one.candidate.tobytes() != other.candidate.tobytes()


def test_a_stopped_search_answers_what_it_has(plain):
    looks = iter([False, True])
    found = improve(plain, greedy(plain), seed=1, work=100 * SLICE, stop=lambda: next(looks))
    assert holds(plain, found)
    assert points(plain, found) > points(plain, greedy(plain))
    assert improve(plain, found, seed=1, work=1000, stop=lambda: True).candidate.tobytes() == found.candidate.tobytes()


def test_with_pins_open_classes_observers_assistants_and_wishes_it_holds_and_serves_the_pinned(rich):
    assert rich.request_must.any()
    assert (rich.candidate_option < 0).any()
    assert len(rich.places) > len({(place.request, place.time) for place in rich.places})
    found = improve(rich, greedy(rich), seed=1, work=2 * WORK)
    assert holds(rich, found)
    assert found.candidate[rich.request_must].min() >= 0
    assert points(rich, found) > points(rich, greedy(rich))


def test_the_points_that_it_counts_on_the_way_are_those_of_the_answer(rich):
    facts = facts_of(rich)
    answer = empty_answer(rich, facts)
    walk = started(1, load(rich, facts, answer, greedy(rich)))
    moving = new_moving(rich)
    anneal(walk, lambda: run(facts, answer, moving, walk), work=WORK, hot=300, cold=300)
    for items, counted in ((answer.at, walk.points[0]), (answer.kept.best, walk.points[BEST])):
        chosen = chosen_of_items(facts, items)
        pinned = PINNED * int((chosen.candidate[rich.request_must] >= 0).sum())
        assert counted == points(rich, chosen) + pinned


def test_what_does_not_fit_of_a_start_is_left_out(plain):
    first = greedy(plain)
    crowded = Chosen(first.option.copy(), first.candidate.copy())
    many = np.flatnonzero(crowded.candidate < 0)
    for request in many:
        rows = range(plain.request_start[request], plain.request_start[request + 1])
        held = [row for row in rows if plain.candidate_option[row] in first.option]
        crowded.candidate[request] = held[0] if held else -1
    assert not holds(plain, crowded)
    assert holds(plain, greedy(plain, crowded))
    assert holds(plain, improve(plain, crowded, seed=1, work=1000))


def test_what_was_found_is_not_given_up_where_filling_it_up_is_worth_less():
    district = generate(6, 24, 60, seed=1)
    shunned = (Wish(points=-1000, request=one.id) for one in district.requests[:20] for _ in range(4))
    wished = Wish(points=50, lesson=district.lessons[0].id)
    compiled = compile_district(district.model_copy(update={"wishes": (*shunned, wished)}))
    crowd = greedy(compiled)
    found = Chosen(crowd.option, np.where(np.arange(len(crowd.candidate)) < 20, -1, crowd.candidate))
    assert points(compiled, found) > points(compiled, greedy(compiled, found))
    assert with_wishes(compiled, found, nothing(compiled)) is found
    assert with_wishes(compiled, nothing(compiled), found) is found


@QUICK
@given(randoms, st.booleans())
def test_in_a_tiny_district_the_search_finds_the_best_there_is(random, pinned):
    compiled = problem(random, pinned=pinned)
    most = best(compiled)
    found = improve(compiled, greedy(compiled), seed=1, work=3_000)
    if most is not None:
        assert holds(compiled, found)
        assert points(compiled, found) == most
