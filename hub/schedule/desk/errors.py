"""Why the desk does not do what it is asked.

DeskRefused
├── PlanUnknown        there is no such plan
├── PlanMoveRefused    the plan cannot go from its state to that one, or is not in the state for what is asked
├── PlanMoved          somebody else changed the plan meanwhile
├── EditRefused        an edit names what is not in the draft, or contradicts it
├── SolveRefused       it cannot be solved now
├── NotAgreed          a school, or the district, has not said yes
└── TermUnknown        the term is not known, or has no such weeks
"""

from hub.schedule.errors import ScheduleRefused


class DeskRefused(ScheduleRefused):
    """The desk does not do what it is asked; the message says why and what to do."""


class PlanUnknown(DeskRefused):
    """There is no such plan."""


class PlanMoveRefused(DeskRefused):
    """The plan cannot go from its state to that one, or is not in the state for what is asked."""


class PlanMoved(DeskRefused):
    """Somebody else changed the plan meanwhile."""


class EditRefused(DeskRefused):
    """An edit names what is not in the draft, or contradicts it."""


class SolveRefused(DeskRefused):
    """It cannot be solved now."""


class NotAgreed(DeskRefused):
    """A school, or the district, has not said yes."""


class TermUnknown(DeskRefused):
    """The term is not known, or has no such weeks."""
