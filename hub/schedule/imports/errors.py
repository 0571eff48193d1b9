"""Why an import is not made.

ScheduleRefused
└── ImportRefused       mistakes stand in the way
    └── FactsMoved      facts have changed since the dry run
"""

from hub.schedule.errors import ScheduleRefused


class ImportRefused(ScheduleRefused):
    """An import is not made; nothing is changed."""


class FactsMoved(ImportRefused):
    """Facts have changed since the dry run: look at another."""
