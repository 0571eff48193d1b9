"""Why a repair of a plan that counts is not made or taken.

RepairRefused        it cannot be made or taken, or not any more
└── RepairUnknown    there is no such repair
"""

from hub.schedule.errors import ScheduleRefused


class RepairRefused(ScheduleRefused):
    """It cannot be made or taken, or not any more; the message says why and what to do."""


class RepairUnknown(RepairRefused):
    """There is no such repair."""
