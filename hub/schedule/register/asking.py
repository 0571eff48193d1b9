"""Completes what lessons and requests leave open: unit, edition, grade, times, assistants."""

from collections.abc import Iterable, Mapping

from hub.schedule.register.kinds import ClassFact, Kind, LessonFact, RequestFact, TeacherFact
from hub.schedule.register.misfits import beyond_bells, gone
from hub.schedule.register.progress import Progress
from hub.schedule.register.register import Register
from hub.schedule.register.timetables import Timetables
from hub.schedule.register.words import Words, words
from hub.schedule.slots import Slot
from hub.schedule.wants import Lesson, Request


class Asking:
    """Turns facts of lessons and requests into what a solver is told; what cannot be is told in `misfits`.

    Args:
        teachers: those who are there, by id.
        classes: those that are there, by id.
        timetables: of every class.
        progress: of the week.
        periods: periods of a day, by school.
    """

    def __init__(
        self,
        teachers: Mapping[str, TeacherFact],
        classes: Mapping[str, ClassFact],
        timetables: Timetables,
        progress: Progress,
        periods: Mapping[str, int],
    ) -> None:
        self._teachers = teachers
        self._classes = classes
        self._timetables = timetables
        self._progress = progress
        self._periods = periods
        self.misfits: list[Words] = []

    def lessons(self, register: Register) -> tuple[Lesson, ...]:
        """Lessons whose teacher is there."""
        return tuple(made for one in register.all(LessonFact).values() if (made := self._lesson(one)) is not None)

    def requests(self, register: Register) -> tuple[Request, ...]:
        """Requests whose class, or observers, are there."""
        return tuple(made for one in register.all(RequestFact).values() if (made := self._request(one)) is not None)

    def home_of(self, request: Request) -> str:
        """The school that asks."""
        if request.school_class is not None:
            return self._classes[request.school_class].school
        return self._teachers[request.observers[0]].school

    def _lesson(self, fact: LessonFact) -> Lesson | None:
        teacher = self._teachers.get(fact.teacher)
        if teacher is None:
            self.misfits.append(gone(Kind.LESSON, fact.id, Kind.TEACHER, fact.teacher))
            return None
        taught = self._progress.of_lesson(fact.id)
        times = fact.times
        if times is None:
            times = self._timetables.times_of_teacher(teacher.id, fact.subject, fact.grade, fact.weeks)
        if times is None:
            times = self._timetables.any_time(teacher.school)
        return Lesson(
            id=fact.id,
            teacher=teacher.id,
            title=fact.title,
            mode=fact.mode,
            subject=fact.subject,
            grade=fact.grade,
            edition=taught.edition if fact.edition is None else fact.edition,
            unit=taught.unit if fact.unit is None else fact.unit,
            weeks=fact.weeks,
            fan_out=fact.fan_out,
            times=self._inside(Kind.LESSON, fact.id, times, teacher.school),
            needs=fact.needs,
        )

    def _request(self, fact: RequestFact) -> Request | None:
        observers = tuple(self._known(fact.id, fact.observers))
        school_class = self._classes.get(fact.school_class) if fact.school_class is not None else None
        if fact.school_class is not None and school_class is None:
            self.misfits.append(gone(Kind.REQUEST, fact.id, Kind.CLASS, fact.school_class))
            return None
        if school_class is None and not observers:
            self.misfits.append(gone(Kind.REQUEST, fact.id, Kind.TEACHER, ", ".join(fact.observers)))
            return None
        home = school_class.school if school_class is not None else self._teachers[observers[0]].school
        grade = fact.grade or (school_class.grade if school_class is not None else None)
        if grade is None:
            self.misfits.append(words("fit.no_grade", id=fact.id))
            return None
        if school_class is not None:
            taught = self._progress.of_class(school_class.id, home, grade, fact.subject)
        else:
            taught = self._progress.of_grade(home, grade, fact.subject)
        times = fact.times
        if times is None and school_class is not None:
            times = self._timetables.times_of_class(school_class.id, fact.subject, fact.weeks)
        if times is None:
            times = self._timetables.any_time(home)
        return Request(
            id=fact.id,
            mode=fact.mode,
            school_class=fact.school_class,
            observers=tuple(self._of_school(fact.id, observers, home)),
            subject=fact.subject,
            grade=grade,
            edition=taught.edition if fact.edition is None else fact.edition,
            unit=taught.unit if fact.unit is None else fact.unit,
            weeks=fact.weeks,
            times=self._inside(Kind.REQUEST, fact.id, times, home),
            assistants=self._assistants(fact, home),
            needs=fact.needs,
            weight=fact.weight,
        )

    def _assistants(self, fact: RequestFact, home: str) -> tuple[str, ...]:
        if fact.assistants is not None:
            return tuple(self._of_school(fact.id, self._known(fact.id, fact.assistants), home))
        if fact.school_class is None:
            return ()
        theirs = [
            one
            for one in self._timetables.teachers_of(fact.school_class, fact.subject)
            if one in self._teachers and self._teachers[one].school == home
        ]
        if theirs:
            return tuple(theirs)
        return tuple(
            one.id
            for one in self._teachers.values()
            if one.school == home and one.assists and (not one.subjects or fact.subject in one.subjects)
        )

    def _known(self, request: str, teachers: Iterable[str]) -> Iterable[str]:
        for one in teachers:
            if one in self._teachers:
                yield one
            else:
                self.misfits.append(words("fit.without", id=request, teacher=one))

    def _of_school(self, request: str, teachers: Iterable[str], home: str) -> Iterable[str]:
        for one in teachers:
            if self._teachers[one].school == home:
                yield one
            else:
                other = self._teachers[one].school
                self.misfits.append(words("fit.other_school", id=request, teacher=one, other=other, school=home))

    def _inside(self, kind: Kind, fact: str, times: tuple[Slot, ...], school: str) -> tuple[Slot, ...]:
        """The slots that the school's bells have."""
        inside = tuple(time for time in times if time[1] <= self._periods[school])
        if len(inside) < len(times):
            first = next(time for time in times if time not in inside)
            self.misfits.append(beyond_bells(kind, fact, first, school, self._periods[school]))
        if not inside:
            self.misfits.append(words("fit.no_time", kind=words(f"kind.{kind}"), id=fact))
        return inside
