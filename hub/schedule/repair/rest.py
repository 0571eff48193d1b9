"""What is left of a disruption where a part of its time is over."""

from collections.abc import Callable
from typing import TypeVar

from hub.schedule.errors import DisruptionWrong
from hub.schedule.facts import School
from hub.schedule.repair.disruption import Disruption, RoomDown, SchoolClosed, TeacherSick, UplinkHalved
from hub.schedule.repair.names import Names
from hub.schedule.slots import Slot

Over = Callable[[Slot, str], bool]
"""Whether what begins in a slot, at a time of day, is over or running."""
_Lasting = TypeVar("_Lasting", TeacherSick, RoomDown, SchoolClosed, UplinkHalved)


def rest_of(happened: Disruption, over: Over, names: Names) -> Disruption:
    """What happened, of the periods that are to come: nobody is told that a lesson that was held is called off.

    Raises:
        hub.schedule.errors.DisruptionWrong: nothing of it is to come.
    """
    match happened:
        case TeacherSick():
            return _to_come(happened, names.schools[names.teachers[happened.teacher].school], over)
        case RoomDown():
            return _to_come(happened, names.schools[names.rooms[happened.room].school], over)
        case SchoolClosed():
            return _to_come(happened, names.schools[happened.school], over)
        case UplinkHalved():
            return _to_come(happened, names.schools[happened.school], over)
    return happened


def _to_come(happened: _Lasting, school: School, over: Over) -> _Lasting:
    windows = []
    for window in happened.windows:
        periods = range(window.first, min(window.last, len(school.bells)) + 1)
        ahead = [one for one in periods if not over((window.day, one), school.bells[one - 1].begins)]
        if ahead or not periods:
            windows.append(window.model_copy(update={"first": ahead[0]}) if ahead else window)
    if not windows:
        raise DisruptionWrong("all of it is over; what was held stays as it was")
    return happened.model_copy(update={"windows": tuple(windows)})
