"""What can be wrong with a plan or with what it is made from.

ScheduleRefused
├── BoundWrong      a proof of a bound
├── DistrictWrong   the district's file
├── DisruptionWrong what is said to have happened
├── PinsUnmet       what is pinned cannot all be served
├── PlanBroken      a mistake in the planner
└── PlanWrong       a plan's file
"""

from collections.abc import Sequence

from hub.errors import HubRefused


class ScheduleRefused(HubRefused):
    """Something asked of the planner cannot be done; the message says why and what to do."""


class DistrictWrong(ScheduleRefused):
    """A file of a district cannot be used."""


class PlanWrong(ScheduleRefused):
    """A file of a plan cannot be used, or does not belong to the district."""


class DisruptionWrong(ScheduleRefused):
    """What is said to have happened names what is not there, or what cannot be."""


class BoundWrong(ScheduleRefused):
    """A proof of a bound cannot be used, or proves nothing about the district."""


class PinsUnmet(ScheduleRefused):
    """No plan serves all that is pinned.

    Args:
        requests: the pinned ones that would go unserved.
    """

    def __init__(self, requests: Sequence[str]) -> None:
        self.requests = tuple(requests)
        named = ", ".join(self.requests[:5]) + (" ..." if len(self.requests) > 5 else "")
        super().__init__(
            f"{len(self.requests)} pinned requests cannot be served beside the other pins: {named}; "
            "loosen a pin, or see with `tongtang plan explain` which of them contradict each other"
        )


class PlanBroken(ScheduleRefused):
    """The planner made a plan that breaks a rule; it is not handed out.

    Args:
        violations: what the checker found, a sentence each.
    """

    def __init__(self, violations: Sequence[str]) -> None:
        self.violations = tuple(violations)
        more = f", and {len(self.violations) - 1} more" if len(self.violations) > 1 else ""
        super().__init__(
            f"the planner made a plan that does not hold, which is a mistake in it: {self.violations[0]}{more}; "
            "please report this with the district's file"
        )
