"""The checker notices each single thing that is wrong with a plan, and says so in words."""

from itertools import islice

import pytest

from hub.schedule.check import check
from hub.schedule.generate import Extras, planted
from tests.hub.schedule.checking.mutations import MUTATIONS, noticed

MOST = 5
"""Wrong plans of each kind, spread over all the places where it can be done."""


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
        found = check(district, plan).violations
        assert noticed(words, found), found


@pytest.mark.parametrize("name", MUTATIONS)
def test_of_each_kind_there_is_a_plan_in_which_nothing_else_is_wrong(scene, name):
    words, made = MUTATIONS[name]
    found = (check(district, plan).violations for district, plan in made(*scene))
    assert any(all(noticed(words, (one,)) for one in violations) for violations in found if violations)
