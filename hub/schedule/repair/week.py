"""A district and its plan as they are in one kind of week."""

from typing import TypeVar

from hub.schedule.district import District
from hub.schedule.plan import Held, Plan, Served
from hub.schedule.repair.disruption import WeekKind
from hub.schedule.slots import parities
from hub.schedule.wants import Lesson, Request

_Wanted = TypeVar("_Wanted", Lesson, Request)
_Planned = TypeVar("_Planned", Held, Served)


def in_week(district: District, week: WeekKind) -> District:
    """The district in odd (A) or in even weeks (B): what is not held then is left out, the rest is held in that week.

    A request of every week may then be served by a lesson of that kind of week alone: one week is asked for, no more.
    """
    lessons = tuple(_of_week(lesson, week) for lesson in district.lessons if _meets(lesson, week))
    requests = tuple(_of_week(request, week) for request in district.requests if _meets(request, week))
    gone = {one.id for one in district.lessons} - {one.id for one in lessons}
    unasked = {one.id for one in district.requests} - {one.id for one in requests}
    return district.model_copy(
        update={
            "lessons": lessons,
            "requests": requests,
            "pins": tuple(one for one in district.pins if one.request not in unasked and one.lesson not in gone),
            "bans": tuple(one for one in district.bans if one.request not in unasked and one.lesson not in gone),
            "wishes": tuple(one for one in district.wishes if one.request not in unasked and one.lesson not in gone),
        }
    )


def plan_in_week(plan: Plan, district: District, week: WeekKind) -> Plan:
    """What a plan holds in odd (A) or in even weeks (B).

    Args:
        plan: the plan of every week.
        district: the whole district, not that of one week.
        week: which weeks.
    """
    lessons = {one.id for one in district.lessons if _meets(one, week)}
    requests = {one.id for one in district.requests if _meets(one, week)}
    return plan.model_copy(
        update={
            "held": tuple(_room_of_week(one, week) for one in plan.held if one.lesson in lessons),
            "served": tuple(_room_of_week(one, week) for one in plan.served if one.request in requests),
            "bound": None,
            "proof": "",
        }
    )


def _meets(one: Lesson | Request, week: WeekKind) -> bool:
    return bool(set(parities(one.weeks)) & set(parities(week)))


def _of_week(one: _Wanted, week: WeekKind) -> _Wanted:
    return one if one.weeks == week else one.model_copy(update={"weeks": week})


def _room_of_week(one: _Planned, week: WeekKind) -> _Planned:
    if one.room_even is None:
        return one
    return one.model_copy(update={"room": one.room_even if week == "B" else one.room, "room_even": None})
