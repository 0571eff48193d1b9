"""The benchmark of the week's plan: every planner answers the same district, and none beats what was proven."""

import pytest

from benchmarks.planning import District, bounded, gap, plan_cell, run

SMALL = District(requests=60, seed=1, fixed=True)


@pytest.fixture(scope="module")
def proven():
    return bounded(SMALL)


def test_cp_sat_and_ours_prove_the_same_best_plan_and_the_bound_allows_it(proven):
    ours, cpsat = run("ours", SMALL, 60), run("cpsat", SMALL, 60)
    assert ours["proven"]
    assert cpsat["proven"]
    assert ours["points"] == cpsat["points"] <= proven["points"]
    assert ours["violations"] == cpsat["violations"] == 0
    assert cpsat["claimed"] == cpsat["points"]


def test_greedy_is_a_plan_below_the_bound_and_its_cell_says_how_far(proven):
    told = run("greedy", SMALL)
    assert told["violations"] == 0
    assert 0 <= gap(told, proven["points"]) < 1
    assert plan_cell(told, proven["points"]).startswith(f"{gap(told, proven['points']):.2%} ({told['served']};")
    assert plan_cell({"points": None}, 1) == "no plan"
    assert plan_cell(told | {"violations": 2}, 1) == "breaks 2 rules"
