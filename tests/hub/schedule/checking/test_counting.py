"""The checker counts what a plan is worth as the solvers' arrays do, whatever the plan."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.schedule.check import check
from hub.schedule.chosen import Chosen, chosen_of, points
from hub.schedule.compiling import compile_district
from hub.schedule.generate import Extras, generate, planted
from hub.schedule.plan import Held, Plan, Served


def any_choice(compiled, random: Random, share: float) -> Chosen:
    """Lessons and requests at random, without a look at what there is room for."""
    option = np.full(len(compiled.lesson_fan), -1, np.int32)
    for lesson in range(len(option)):
        rows = range(compiled.lesson_start[lesson], compiled.lesson_start[lesson + 1])
        if rows and random.random() < share:
            option[lesson] = random.choice(rows)
    taken = {-1, *option.tolist()}
    candidate = np.full(len(compiled.request_mask), -1, np.int32)
    for request in range(len(candidate)):
        rows = range(compiled.request_start[request], compiled.request_start[request + 1])
        possible = [row for row in rows if compiled.candidate_option[row] in taken]
        if possible and random.random() < share:
            candidate[request] = random.choice(possible)
    return Chosen(option, candidate)


def as_plan(compiled, chosen: Chosen) -> Plan:
    """The choice as a plan; everybody is put into the same room, for which nobody gets points."""
    held, served = [], []
    for option in chosen.option[chosen.option >= 0]:
        lesson, time = compiled.options[option]
        held.append(Held(lesson=compiled.district.lessons[lesson].id, time=time, room="r"))
    for request, candidate in enumerate(chosen.candidate):
        if candidate >= 0:
            place, option = compiled.places[compiled.candidate_place[candidate]], compiled.candidate_option[candidate]
            lesson = compiled.district.lessons[compiled.options[option].lesson].id if option >= 0 else None
            name = compiled.district.requests[request].id
            served.append(Served(request=name, lesson=lesson, time=place.time, room="r", assistant=place.assistant))
    return Plan(held=tuple(held), served=tuple(served))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    extras=st.sampled_from([0.0, 0.3, 0.6]),
    share=st.floats(0, 1),
    goals=st.fixed_dictionaries(
        {name: st.integers(0, 60) for name in ("served", "second_unmet", "school_unmet", "community", "unit", "kept")}
    ),
)
def test_every_plan_is_worth_the_same_to_checker_and_solver(seed, extras, share, goals):
    district = generate(5, 20, 30, seed, Extras.every(extras))
    district = district.model_copy(update={"goals": district.goals.model_copy(update=goals)})
    random = Random(seed)
    fresh = compile_district(district)
    before = as_plan(fresh, any_choice(fresh, random, 0.7))
    for known in (None, before):
        compiled = compile_district(district, known)
        chosen = any_choice(compiled, random, share)
        assert check(district, as_plan(compiled, chosen), known).score.total == points(compiled, chosen)
    assert check(district, before, before).score.kept == 0


def test_each_goal_is_counted_by_itself():
    district, plan = planted(10, 45, 160, 5, Extras.every(0.2))
    score = check(district, plan).score
    assert score == plan.score
    weights = {request.id: request.weight for request in district.requests}
    assert score.served == 1000 * sum(weights[one.request] for one in plan.served)
    assert score.opened == -8 * len(plan.held)
    assert score.community % 30 == 0
    assert score.units % 15 == 0
    assert min(score.fairness, score.units, score.minutes) < 0 < score.community
    empty = check(district, Plan(), before=plan).score
    assert empty.kept == -40 * len(plan.served)
    assert (empty.served, empty.opened, empty.community) == (0, 0, 0)


def test_whoever_a_plan_before_names_twice_counts_once_the_last_time():
    district, plan = planted(5, 20, 30, 1)
    moved = plan.served[0].model_copy(update={"time": (7, 1)})
    before = plan.model_copy(update={"served": (moved, *plan.served, plan.served[0])})
    compiled = compile_district(district, before)
    chosen = chosen_of(compiled, plan)
    assert check(district, plan, before).score.total == points(compiled, chosen) == plan.score.total


def test_a_request_whose_lesson_moved_is_not_as_before_although_its_own_slot_is():
    district, plan = planted(10, 45, 160, 5)
    held = plan.held[0]
    followers = sum(one.lesson == held.lesson for one in plan.served)
    moved = plan.model_copy(update={"held": (held.model_copy(update={"time": (7, 1)}), *plan.held[1:])})
    assert check(district, moved, before=plan).score.kept == -40 * followers
