"""The part of a district that serving one more request can touch, and a solver for it.

Whoever is in the school that asks, in the school that leads, or follows the same lesson is in it, each where they are;
nobody else can be in the way. So a change that is tried there is tried for the whole district, in milliseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.schedule.check import check
from hub.schedule.chosen import chosen_of, plan_of
from hub.schedule.compiled import Compiled
from hub.schedule.compiling import compile_district
from hub.schedule.district import District
from hub.schedule.errors import PlanWrong
from hub.schedule.explain.change import FactChange
from hub.schedule.explain.occupied import Occupied
from hub.schedule.plan import Plan, Score
from hub.schedule.repair.names import Names
from hub.schedule.repair.residual import Residual
from hub.schedule.wants import Ban, Lesson, Request


@dataclass(frozen=True, slots=True)
class Around:
    """A part of a district, and what is planned in it."""

    district: District
    plan: Plan


def around(occupied: Occupied, request: Request, lesson: Lesson | None) -> Around:
    """What serving a request by a lesson (none for an open class) can touch.

    By that lesson alone: others are here without those of their followers who are elsewhere, so they look emptier than
    they are.
    """
    names = occupied.names
    near = {names.home(request).id, *([names.lead_school(lesson).id] if lesson is not None else [])}
    requests = [
        one
        for one in occupied.district.requests
        if one.id in occupied.served
        and (names.home(one).id in near or (lesson is not None and occupied.served[one.id].lesson == lesson.id))
    ]
    followed = {occupied.served[one.id].lesson for one in requests}
    lessons = [
        one
        for one in occupied.district.lessons
        if one.id in followed or (one.id in occupied.held and names.lead_school(one).id in near)
    ]
    if lesson is not None and lesson.id in names.lessons and lesson.id not in occupied.held:
        lessons.append(lesson)
    others = tuple(Ban(request=request.id, lesson=one.id) for one in lessons if lesson is None or one.id != lesson.id)
    part = _part(occupied, names, [*requests, request], lessons, near)
    return Around(
        part.model_copy(update={"bans": (*part.bans, *others)}),
        Plan(
            held=tuple(occupied.held[one.id] for one in lessons if one.id in occupied.held),
            served=tuple(occupied.served[one.id] for one in requests),
        ),
    )


def _part(
    occupied: Occupied, names: Names, requests: Sequence[Request], lessons: Sequence[Lesson], near: set[str]
) -> District:
    district = occupied.district
    people = {lesson.teacher for lesson in lessons}
    people |= {one for request in requests for one in (*request.assistants, *request.observers)}
    schools = near | {names.home(one).id for one in requests} | {names.lead_school(one).id for one in lessons}
    classes = {request.school_class for request in requests}
    return district.model_copy(
        update={
            "schools": tuple(one for one in district.schools if one.id in schools),
            "rooms": tuple(one for one in district.rooms if one.school in schools),
            "teachers": tuple(one for one in district.teachers if one.id in people or one.school in near),
            "classes": tuple(one for one in district.classes if one.id in classes),
            "lessons": tuple(_lesson_now(occupied, one) for one in lessons),
            "requests": tuple(_request_now(occupied, one) for one in requests),
            "pins": tuple(one for one in district.pins if one.request in {request.id for request in requests}),
            "wishes": (),
        }
    )


def _lesson_now(occupied: Occupied, lesson: Lesson) -> Lesson:
    held = occupied.held.get(lesson.id)
    return lesson if held is None else lesson.model_copy(update={"times": (held.time,)})


def _request_now(occupied: Occupied, request: Request) -> Request:
    served = occupied.served.get(request.id)
    if served is None:
        return request
    assistants = (served.assistant,) if served.assistant is not None else ()
    return request.model_copy(update={"times": (served.time,), "assistants": assistants})


def served_with(part: Around, request: str, changes: Sequence[FactChange]) -> Plan | None:
    """The plan of a part in which a request is served once facts have changed, and everybody else as before.

    Returns:
        None where no such plan exists. The checker has passed it.
    """
    district = part.district
    for change in changes:
        district = change.applied(district)
    compiled = compile_district(district, part.plan)
    left = Residual(compiled, chosen_of(compiled, part.plan))
    number = next(row for row, one in enumerate(district.requests) if one.id == request)
    best = _best(compiled, left, number)
    if best is None:
        return None
    left.take(best)
    try:
        plan = plan_of(compiled, left.chosen, Score(), part.plan)
    except PlanWrong:
        return None
    kept = {one.request for one in part.plan.served} | {request} == {one.request for one in plan.served}
    return plan if kept and check(district, plan).holds else None


def _best(compiled: Compiled, left: Residual, request: int) -> int | None:
    rows = range(int(compiled.request_start[request]), int(compiled.request_start[request + 1]))
    fitting = [row for row in rows if left.fits(row)]
    return max(fitting, key=lambda row: (int(compiled.candidate_gain[row]), -row), default=None)
