"""Lessons that nobody offers yet, and that would serve a request: the last thing to propose."""

from collections.abc import Iterator

from hub.schedule.explain.change import FactChange
from hub.schedule.explain.home import AtHome
from hub.schedule.explain.lead import holding
from hub.schedule.explain.obstacle import NO_CHANGE, Obstacle, Way
from hub.schedule.explain.occupied import Occupied
from hub.schedule.explain.ways import Ways
from hub.schedule.wants import Lesson, Request
from hub.schedule.words import Words

MOST_TEACHERS = 12
"""Teachers who are proposed for one request."""


def offered(occupied: Occupied, ways: Ways, request: Request) -> Iterator[Way]:
    """Ways by a lesson that a lead teacher of the subject would offer in addition.

    Only where nothing is in the way at the teacher's school. Teachers of the nearest grades come first.
    """
    if request.mode == "open":
        return
    at_home, home = AtHome(occupied, request), occupied.names.home(request)
    for teacher in _teachers(occupied, request)[:MOST_TEACHERS]:
        lead = occupied.schools[occupied.names.teachers[teacher].school]
        for lead_period, met in ways.meeting(lead, home).items():
            for period, minutes in met:
                if minutes < occupied.district.rules.min_overlap_minutes:
                    continue
                for day in sorted({day for day, _ in request.times}):
                    found, assistant = at_home.at((day, period))
                    if sum(one.cost for one in found) >= NO_CHANGE:
                        continue
                    lesson = _lesson(request, teacher, (day, lead_period))
                    if not holding(occupied, lesson, (day, lead_period)):
                        new = _offer(lesson)
                        yield Way(lesson.id, (day, lead_period), (day, period), assistant, (new, *found))


def _teachers(occupied: Occupied, request: Request) -> list[str]:
    home = occupied.names.home(request).id
    nearest: dict[str, int] = {}
    for lesson in occupied.district.lessons:
        if lesson.subject == request.subject and occupied.names.lead_school(lesson).id != home:
            apart = abs(lesson.grade - request.grade)
            nearest[lesson.teacher] = min(apart, nearest.get(lesson.teacher, apart))
    return sorted(nearest, key=lambda one: (nearest[one], one))


def _lesson(request: Request, teacher: str, time: tuple[int, int]) -> Lesson:
    return Lesson(
        id=f"new-{request.id}"[:63],
        teacher=teacher,
        subject=request.subject,
        grade=request.grade,
        edition=request.edition,
        unit=request.unit,
        mode="master" if request.mode == "master" else "delivery",
        weeks=request.weeks,
        fan_out=1,
        times=(time,),
    )


def _offer(lesson: Lesson) -> Obstacle:
    words = Words(zh="没有开这样的课", en="no such lesson is offered")
    return Obstacle("topic", words, (FactChange(kind="add-lesson", offered=lesson),))
