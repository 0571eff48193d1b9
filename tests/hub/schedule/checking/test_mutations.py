"""The checker notices each single thing that is wrong with a plan, and says so in words; solvers cannot choose it."""

import re
from itertools import islice

import pytest

from hub.schedule.check import check
from hub.schedule.chosen import chosen_of, plan_of
from hub.schedule.compiling import compile_district
from hub.schedule.generate import Extras, planted
from hub.schedule.plan import Score
from hub.schedule.solve.milp import holds
from tests.hub.schedule.checking.mutations import MUTATIONS, noticed

MOST = 5
"""Wrong plans of each kind, spread over all the places where it can be done."""
ENGLISH = re.compile(r"\b(is|the|of|and|which|lesson|request|room|none|week|weeks|period|zh=)\b")
BESIDE = ("room", "another district")
"""What is wrong with these has no place in the arrays: rooms are given out anew, and they are of one district."""


@pytest.fixture(scope="module")
def scene():
    return planted(8, 36, 110, 5, Extras.every(0.2))


def test_a_plan_that_holds_is_left_alone(scene):
    assert check(*scene).violations == ()


@pytest.mark.parametrize("name", MUTATIONS)
def test_each_wrong_plan_is_noticed(scene, name):
    words, made = MUTATIONS[name]
    wrong = list(islice(made(*scene), 80))
    assert wrong, "the district gives no occasion for it"
    for district, plan in wrong[:: max(1, len(wrong) // MOST)]:
        checked = check(district, plan)
        assert noticed(words, checked.violations), checked.violations
        assert all(re.search("[一-龥]", one.zh) and not ENGLISH.search(one.zh) for one in checked.broken), (
            checked.broken
        )


@pytest.mark.parametrize("name", MUTATIONS)
def test_of_each_kind_there_is_a_plan_in_which_nothing_else_is_wrong(scene, name):
    words, made = MUTATIONS[name]
    found = (check(district, plan).violations for district, plan in made(*scene))
    assert any(all(noticed(words, (one,)) for one in violations) for violations in found if violations)


@pytest.mark.parametrize("name", MUTATIONS)
def test_no_solver_can_choose_a_wrong_plan(scene, name):
    wrong = list(islice(MUTATIONS[name][1](*scene), 80))
    for district, plan in wrong[:: max(1, len(wrong) // MOST)]:
        compiled = compile_district(district)
        chosen = chosen_of(compiled, plan)
        is_all_there = [(chosen.option >= 0).sum(), (chosen.candidate >= 0).sum()] == [len(plan.held), len(plan.served)]
        if is_all_there and holds(compiled, chosen):
            found = check(district, plan).violations
            assert all(any(words in one for words in BESIDE) for one in found), found
            assert check(district, plan_of(compiled, chosen, Score())).violations == ()
