"""What may become of a plan."""

import pytest

from hub.schedule.desk.errors import PlanMoveRefused
from hub.schedule.desk.states import MOVES, PlanState, moved


def test_a_plan_goes_from_a_draft_to_lessons():
    way = [PlanState.DRAFT, PlanState.PROPOSED, PlanState.APPROVED, PlanState.PUBLISHED, PlanState.SUPERSEDED]
    state = way[0]
    for to in way[1:]:
        state = moved(state, to)
    assert MOVES[state] == frozenset()


@pytest.mark.parametrize("to", [PlanState.APPROVED, PlanState.PUBLISHED, PlanState.SUPERSEDED])
def test_a_draft_that_nobody_approved_does_not_count(to):
    with pytest.raises(PlanMoveRefused, match=r"draft cannot become .*; from here it can become proposed or withdrawn"):
        moved(PlanState.DRAFT, to)


def test_a_plan_that_counts_is_not_worked_on_any_more():
    with pytest.raises(PlanMoveRefused, match="published cannot become draft"):
        moved(PlanState.PUBLISHED, PlanState.DRAFT)
