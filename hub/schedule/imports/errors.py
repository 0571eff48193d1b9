"""Why an import is not made.

ScheduleRefused
└── ImportRefused       mistakes stand in the way, or facts changed meanwhile
"""

from hub.schedule.errors import ScheduleRefused


class ImportRefused(ScheduleRefused):
    """An import is not made; nothing is changed."""
