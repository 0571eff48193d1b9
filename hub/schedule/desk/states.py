"""Where a plan stands: one enum, one table of allowed moves, one function that moves."""

from collections.abc import Mapping
from enum import StrEnum

from hub.schedule.desk.errors import PlanMoveRefused


class PlanState(StrEnum):
    """Where a plan stands on its way from a draft to lessons."""

    DRAFT = "draft"
    """It is worked on: facts may be pinned, banned and weighed, and it may be solved; nobody else has seen it."""
    PROPOSED = "proposed"
    """The schools have it before them; it stays as it is while they say yes or no."""
    APPROVED = "approved"
    """Every school that has a part, and then the district, said yes."""
    PUBLISHED = "published"
    """It counts: its lessons are in the calendars, and become sessions as they come near."""
    SUPERSEDED = "superseded"
    """Another plan counts for all the weeks that were left of it."""
    WITHDRAWN = "withdrawn"
    """It was given up; where it had been published, its lessons to come are called off."""


S = PlanState

MOVES: Mapping[PlanState, frozenset[PlanState]] = {
    S.DRAFT: frozenset({S.PROPOSED, S.WITHDRAWN}),
    S.PROPOSED: frozenset({S.DRAFT, S.APPROVED, S.WITHDRAWN}),
    S.APPROVED: frozenset({S.DRAFT, S.PUBLISHED, S.WITHDRAWN}),
    S.PUBLISHED: frozenset({S.SUPERSEDED, S.WITHDRAWN}),
    S.SUPERSEDED: frozenset(),
    S.WITHDRAWN: frozenset(),
}


def moved(state: PlanState, to: PlanState) -> PlanState:
    """Return `to`, or raise `PlanMoveRefused` naming both states and what is allowed from here."""
    if to in MOVES[state]:
        return to
    allowed = " or ".join(sorted(MOVES[state])) or "nothing any more"
    raise PlanMoveRefused(f"a plan that is {state} cannot become {to}; from here it can become {allowed}")
