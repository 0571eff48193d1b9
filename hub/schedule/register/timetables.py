"""What follows from the classes' own timetables: when a class has a subject, with whom, and who is busy then."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from hub.schedule.register.kinds import ClassFact, Kind, TimetableEntry, TimetableFact
from hub.schedule.register.misfits import beyond_bells
from hub.schedule.register.register import Register
from hub.schedule.register.words import Words
from hub.schedule.slots import Slot, Weeks, Window, parities
from hub.schedule.wants import Lesson, Request

WORKDAYS = range(1, 6)


class Timetables:
    """Looks things up in every class's timetable.

    Args:
        register: the facts.
        periods: periods of a day, by school that has bells.
    """

    def __init__(self, register: Register, periods: Mapping[str, int]) -> None:
        self._periods = periods
        self._grades = {one.id: one.grade for one in register.all(ClassFact).values()}
        self._by_class: dict[str, Sequence[TimetableEntry]] = {}
        self._by_teacher: dict[str, list[tuple[str, TimetableEntry]]] = defaultdict(list)
        self.misfits: list[Words] = []
        for table in register.all(TimetableFact).values():
            entries = self._inside(table)
            self._by_class[table.id] = entries
            for entry in entries:
                if entry.teacher is not None:
                    self._by_teacher[entry.teacher].append((table.id, entry))

    def any_time(self, school: str) -> tuple[Slot, ...]:
        """Every period of a school, Monday to Friday."""
        return tuple((day, period) for day in WORKDAYS for period in range(1, self._periods[school] + 1))

    def times_of_class(self, school_class: str, subject: str, weeks: Weeks) -> tuple[Slot, ...] | None:
        """When a class has a subject in all of these weeks; None where nobody said what it has when."""
        entries = self._by_class.get(school_class)
        return _common((entry for entry in entries if entry.subject == subject), weeks) if entries is not None else None

    def times_of_teacher(self, teacher: str, subject: str, grade: int, weeks: Weeks) -> tuple[Slot, ...] | None:
        """When a teacher has a subject with a class of this grade; None where no timetable names the teacher so."""
        found = [
            entry
            for school_class, entry in self._by_teacher.get(teacher, ())
            if entry.subject == subject and self._grades.get(school_class) in {None, grade}
        ]
        return _common(found, weeks) if found else None

    def teachers_of(self, school_class: str, subject: str) -> tuple[str, ...]:
        """Who has a subject with a class."""
        entries = self._by_class.get(school_class, ())
        return tuple(
            dict.fromkeys(one.teacher for one in entries if one.subject == subject and one.teacher is not None)
        )

    def busy(self, lessons: Iterable[Lesson], requests: Iterable[Request]) -> dict[str, list[Window]]:
        """When teachers are with classes of their own and cannot do anything else.

        A lead lesson is held with the teacher's own class, and whoever assists is with theirs: so a slot in
        which the teacher may lead, or assist the very class and subject of it, is left free.
        """
        leads: dict[str, set[Slot]] = defaultdict(set)
        for lesson in lessons:
            leads[lesson.teacher] |= set(lesson.times)
        assists = {
            (teacher, request.school_class, request.subject) for request in requests for teacher in request.assistants
        }
        busy: dict[str, list[Window]] = defaultdict(list)
        for teacher, entries in self._by_teacher.items():
            for school_class, entry in entries:
                slot = (entry.day, entry.period)
                if slot not in leads[teacher] and (teacher, school_class, entry.subject) not in assists:
                    window = Window(day=entry.day, first=entry.period, last=entry.period, weeks=entry.weeks)
                    if window not in busy[teacher]:
                        busy[teacher].append(window)
        return busy

    def _inside(self, table: TimetableFact) -> list[TimetableEntry]:
        """The entries that lie in the school's bells."""
        periods = self._periods.get(table.school, 0)
        beyond = [entry for entry in table.entries if entry.period > periods]
        if beyond and periods:
            first = (beyond[0].day, beyond[0].period)
            self.misfits.append(beyond_bells(Kind.TIMETABLE, table.id, first, table.school, periods))
        return [entry for entry in table.entries if entry.period <= periods]


def _common(entries: Iterable[TimetableEntry], weeks: Weeks) -> tuple[Slot, ...]:
    """The slots of entries that cover all of these weeks."""
    covered: dict[Slot, set[int]] = defaultdict(set)
    for entry in entries:
        covered[entry.day, entry.period] |= set(parities(entry.weeks))
    return tuple(sorted(slot for slot, found in covered.items() if set(parities(weeks)) <= found))
