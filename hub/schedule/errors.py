"""What can be wrong with a plan or with what it is made from.

ScheduleRefused
├── BoundWrong      a proof of a bound
├── DistrictWrong   the district's file
├── DisruptionWrong what is said to have happened
└── PlanWrong       a plan's file
"""

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
