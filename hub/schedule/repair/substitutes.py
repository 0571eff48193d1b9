"""Who could step in for a teacher who is sick."""

from collections.abc import Collection, Iterable, Mapping

from hub.schedule.district import District
from hub.schedule.plan import Plan
from hub.schedule.repair.disruption import Substitute, TeacherSick
from hub.schedule.repair.names import Names
from hub.schedule.slots import Slot, Weeks, covered, parities
from hub.schedule.wants import Lesson, Request


class Busy:
    """Who is where, by a plan: teachers in their school's slots."""

    def __init__(self, district: District, plan: Plan) -> None:
        names = Names(district)
        self.at: dict[tuple[str, int, Slot], str] = {}
        """(teacher, odd or even, slot): the lesson that is led, or the request that is assisted or observed."""
        self.led: dict[tuple[str, int, int], int] = {}
        """(teacher, odd or even, day): lessons that are led."""
        for held in plan.held:
            lesson = names.lessons[held.lesson]
            self.lead(lesson, held.time, lesson.teacher)
        for served in plan.served:
            request = names.requests[served.request]
            for teacher in names.people(request, served.assistant):
                self.assist(request, served.time, teacher)

    def lead(self, lesson: Lesson, time: Slot, teacher: str) -> None:
        """Somebody leads a lesson."""
        for parity in parities(lesson.weeks):
            self.at[teacher, parity, time] = lesson.id
            day = (teacher, parity, time[0])
            self.led[day] = self.led.get(day, 0) + 1

    def assist(self, request: Request, time: Slot, teacher: str) -> None:
        """Somebody is in the room of a request."""
        for parity in parities(request.weeks):
            self.at[teacher, parity, time] = request.id

    def free(self, teacher: str, weeks: Weeks, time: Slot) -> bool:
        """Whether somebody is nowhere else then."""
        return not any((teacher, parity, time) in self.at for parity in parities(weeks))

    def leads_on(self, teacher: str, weeks: Weeks, day: int) -> int:
        """Lessons that somebody leads that day, in the busier kind of week."""
        return max(self.led.get((teacher, parity, day), 0) for parity in parities(weeks))


def substitutes(
    district: District, plan: Plan, sick: TeacherSick, hit: Collection[str], fixed: Collection[str]
) -> tuple[Substitute, ...]:
    """Who could step in at once, so that what was hit stays as it was.

    A lesson is taken by a teacher of the same school who leads the same subject, of the nearest grade; an assistant's
    place by one who assists in that subject there, or by anybody else of the school who is free.

    Args:
        district: the facts, with the teacher away.
        plan: the plan before.
        sick: who is away, and when.
        hit: ids of the requests that were hit.
        fixed: ids of lessons that must not be touched.
    """
    finder = _Finder(district, plan)
    found: list[Substitute] = []
    served = {one.request: one for one in plan.served if one.request in hit}
    for held in plan.held:
        lesson = finder.names.lessons[held.lesson]
        away = covered(finder.names.teachers[lesson.teacher].away, lesson.weeks, held.time)
        if lesson.teacher == sick.teacher and away and lesson.id not in fixed:
            teacher = finder.leads(lesson, held.time)
            if teacher is not None:
                found.append(Substitute(week=sick.week, teacher=teacher, lesson=lesson.id))
    for one in served.values():
        if one.assistant == sick.teacher and one.lesson not in fixed:
            teacher = finder.assists(finder.names.requests[one.request], one.time)
            if teacher is not None:
                found.append(Substitute(week=sick.week, teacher=teacher, request=one.request))
    return tuple(found)


class _Finder:
    def __init__(self, district: District, plan: Plan) -> None:
        self.names = Names(district)
        self._busy = Busy(district, plan)
        self._leads: dict[str, list[Lesson]] = {}
        for lesson in district.lessons:
            self._leads.setdefault(lesson.teacher, []).append(lesson)
        self._assists: Mapping[str, set[str]] = _assisted(district.requests)

    def leads(self, lesson: Lesson, time: Slot) -> str | None:
        """Who could lead a lesson; they are busy with it from then on."""
        found = []
        for teacher, lessons in self._leads.items():
            grades = [abs(one.grade - lesson.grade) for one in lessons if one.subject == lesson.subject]
            load = self._busy.leads_on(teacher, lesson.weeks, time[0])
            spare = load < self.names.teachers[teacher].most_a_day
            if grades and spare and self._can(teacher, lesson.teacher, lesson.weeks, time):
                found.append((min(grades), load, teacher))
        if not found:
            return None
        teacher = min(found)[2]
        self._busy.lead(lesson, time, teacher)
        return teacher

    def assists(self, request: Request, time: Slot) -> str | None:
        """Who could stand in a request's room; they are busy with it from then on."""
        instead = request.assistants[0]
        found = [
            (request.subject not in self._assists.get(one, set()), one in self._leads, one)
            for one in self.names.teachers
            if self._can(one, instead, request.weeks, time)
        ]
        if not found:
            return None
        teacher = min(found)[2]
        self._busy.assist(request, time, teacher)
        return teacher

    def _can(self, teacher: str, instead: str, weeks: Weeks, time: Slot) -> bool:
        one, other = self.names.teachers[teacher], self.names.teachers[instead]
        return (
            one.school == other.school
            and one.id != other.id
            and not covered(one.away, weeks, time)
            and self._busy.free(teacher, weeks, time)
        )


def _assisted(requests: Iterable[Request]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for request in requests:
        for teacher in request.assistants:
            found.setdefault(teacher, set()).add(request.subject)
    return found
