"""What a timetable costs, counted from the published rules of the competition alone (ITC-2007, track 3).

It shares no code with the search: whatever the benchmark prints was counted here.

Source: Di Gaspero, McCollum, Schaerf: The Second International Timetabling Competition (ITC-2007): Curriculum-based
Course Timetabling (Track 3), technical report, 2007: four hard constraints, four soft ones and their weights.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from benchmarks.timetabling_format import Instance, Lecture

SHORT_DAY, LONE_LECTURE, OTHER_ROOM = 5, 2, 1
"""Points for a day too few, for a lecture with no neighbour, for every room of a course beyond its first."""


@dataclass(frozen=True, slots=True)
class Penalty:
    """Hard violations, of which a timetable has none, and points, of which fewer are better."""

    lectures: int
    """Hard: lectures that are missing, too many, or at the same time as another of their course."""
    conflicts: int
    """Hard: pairs of courses with the teacher or a curriculum in common at one time."""
    availability: int
    """Hard: lectures at a time that is barred to their course."""
    occupation: int
    """Hard: lectures beyond the first in a room at one time."""
    capacity: int
    """Points: a student without a seat, in every lecture, 1."""
    min_days: int
    """Points: a day fewer than the course wants, 5."""
    compactness: int
    """Points: a lecture that no other of its curriculum goes just before or after on the day, 2."""
    stability: int
    """Points: a room of a course beyond its first, 1."""

    @property
    def hard(self) -> int:
        return self.lectures + self.conflicts + self.availability + self.occupation

    @property
    def points(self) -> int:
        return self.capacity + self.min_days + self.compactness + self.stability


def penalty(instance: Instance, timetable: Sequence[Lecture]) -> Penalty:
    """Count everything.

    Args:
        instance: the week to be planned.
        timetable: its lectures in any order; every course and room is one of the instance's.
    """
    of_course: dict[str, list[Lecture]] = defaultdict(list)
    for lecture in timetable:
        of_course[lecture.course].append(lecture)
    barred = set(instance.bans)
    return Penalty(
        lectures=_lectures(instance, of_course),
        conflicts=_conflicts(instance, timetable),
        availability=sum((one.course, one.day, one.period) in barred for one in timetable),
        occupation=sum(here - 1 for here in Counter((one.room, one.day, one.period) for one in timetable).values()),
        capacity=_capacity(instance, timetable),
        min_days=SHORT_DAY
        * sum(max(0, one.min_days - len({at.day for at in of_course[one.id]})) for one in instance.courses),
        compactness=LONE_LECTURE * _lone(instance, timetable),
        stability=OTHER_ROOM
        * sum(len({at.room for at in of_course[one.id]}) - 1 for one in instance.courses if of_course[one.id]),
    )


def _lectures(instance: Instance, of_course: dict[str, list[Lecture]]) -> int:
    wrong = 0
    for course in instance.courses:
        times = {(one.day, one.period) for one in of_course[course.id]}
        doubled = len(of_course[course.id]) - len(times)
        wrong += abs(course.lectures - len(of_course[course.id])) + doubled
    return wrong


def _conflicts(instance: Instance, timetable: Sequence[Lecture]) -> int:
    teacher = {one.id: one.teacher for one in instance.courses}
    together = {frozenset(pair) for one in instance.curricula for pair in combinations(one.courses, 2)}
    at: dict[tuple[int, int], set[str]] = defaultdict(set)
    for one in timetable:
        at[one.day, one.period].add(one.course)
    return sum(
        teacher[one] == teacher[other] or frozenset((one, other)) in together
        for here in at.values()
        for one, other in combinations(sorted(here), 2)
    )


def _capacity(instance: Instance, timetable: Sequence[Lecture]) -> int:
    students = {one.id: one.students for one in instance.courses}
    seats = {one.id: one.capacity for one in instance.rooms}
    return sum(max(0, students[one.course] - seats[one.room]) for one in timetable)


def _lone(instance: Instance, timetable: Sequence[Lecture]) -> int:
    lone = 0
    for curriculum in instance.curricula:
        held = Counter((one.day, one.period) for one in timetable if one.course in curriculum.courses)
        for (day, period), here in held.items():
            if (day, period - 1) not in held and (day, period + 1) not in held:
                lone += here
    return lone
