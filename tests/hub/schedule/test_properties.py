"""Whatever the district: a plan breaks no rule, keeps every pin that can be kept, and is the same for the same seed."""

from collections import Counter

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st

from hub.schedule.check import check
from hub.schedule.compiling import compile_district
from hub.schedule.errors import PinsUnmet
from hub.schedule.generate import Extras, planted
from hub.schedule.solve.solver import solve
from tests.hub.schedule.districts import districts

WORK = 3000


@settings(max_examples=40, deadline=None, derandomize=True)
@given(district=districts, seed=st.integers(0, 3))
def test_no_plan_breaks_a_rule_whatever_the_facts(district, seed):
    try:
        plan = solve(district, seed=seed, work=WORK)
    except PinsUnmet:
        event("pins unmet")
        assert not _pins_can_be_kept(compile_district(district))
        return
    event(f"{min(3, len(plan.served))} served")
    checked = check(district, plan)
    assert checked.violations == ()
    assert checked.score == plan.score
    assert plan.bound is None or plan.bound >= plan.score.total
    assert solve(district, seed=seed, work=WORK) == plan


@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1000), share=st.sampled_from([0.0, 0.15, 0.4]))
def test_a_district_in_which_a_plan_is_hidden_is_never_refused_and_its_bound_is_above_that_plan(seed, share):
    district, hidden = planted(6, 24, 60, seed, Extras.every(share))
    plan = solve(district, seed=1, work=WORK, before=hidden)
    checked = check(district, plan, hidden)
    assert checked.violations == ()
    assert checked.score == plan.score
    assert plan.score.total >= check(district, hidden, hidden).score.total
    assert plan.bound is None or plan.bound >= plan.score.total
    assert solve(district, seed=1, work=WORK, before=hidden) == plan


def _pins_can_be_kept(compiled) -> bool:
    """By trying every way to serve all that is pinned."""
    pinned = np.flatnonzero(compiled.request_must).tolist()

    def keep(rest: list[int], held: dict[int, int], used: Counter, fan: Counter) -> bool:
        if not rest:
            return True
        request, *later = rest
        sides = [side for side in (1, 2) if compiled.request_mask[request] & side]
        for row in range(compiled.request_start[request], compiled.request_start[request + 1]):
            option, place = int(compiled.candidate_option[row]), int(compiled.candidate_place[row])
            lesson = compiled.options[option].lesson if option >= 0 else -1
            if held.get(lesson, option) != option:
                continue
            after, seats = Counter(used), Counter(fan)
            _add(after, compiled.place_use, compiled.place_units, compiled.place_use_start, place)
            if option >= 0:
                seats.update((lesson, side) for side in sides)
                if lesson not in held:
                    _add(after, compiled.option_use, compiled.option_units, compiled.option_use_start, option)
            if any(after[one] > compiled.capacity[one] for one in after):
                continue
            if any(seats[lesson, side] > compiled.lesson_fan[lesson] for side in sides if option >= 0):
                continue
            if keep(later, held | ({lesson: option} if option >= 0 else {}), after, seats):
                return True
        return False

    return keep(pinned, {}, Counter(), Counter())


def _add(used: Counter, resources, units, start, row: int) -> None:
    for use in range(start[row], start[row + 1]):
        used[int(resources[use])] += int(units[use])
