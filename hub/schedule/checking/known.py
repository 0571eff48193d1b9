"""A district by its ids, and everything in it by the names that people use."""

from collections.abc import Iterable
from typing import Protocol

from hub.schedule.district import District
from hub.schedule.facts import School
from hub.schedule.slots import Slot, Weeks, Window, parities
from hub.schedule.wants import Lesson, Request

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEK_WORDS = {(0,): "odd weeks", (1,): "even weeks", (0, 1): "every week"}


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


class Known:
    """Everything in a district by its id.

    Args:
        district: what was planned.
    """

    def __init__(self, district: District) -> None:
        self.district = district
        self.schools = {one.id: one for one in district.schools}
        self.rooms = {one.id: one for one in district.rooms}
        self.teachers = {one.id: one for one in district.teachers}
        self.classes = {one.id: one for one in district.classes}
        self.lessons = {one.id: one for one in district.lessons}
        self.requests = {one.id: one for one in district.requests}
        self.pins = {one.request: one for one in district.pins}

    def lead_school(self, lesson: Lesson) -> School:
        """The school that a lesson comes from."""
        return self.schools[self.teachers[lesson.teacher].school]

    def home(self, request: Request) -> School:
        """The school that asks."""
        if request.school_class is not None:
            return self.schools[self.classes[request.school_class].school]
        return self.schools[self.teachers[request.observers[0]].school]

    def lesson_words(self, lesson: Lesson) -> str:
        """A lesson with its teacher and school."""
        teacher = self.teachers[lesson.teacher]
        return f"lesson {lesson.id} by {named(teacher)} of {named(self.lead_school(lesson))}"

    def request_words(self, request: Request) -> str:
        """A request with whoever asks."""
        if request.school_class is not None:
            who = named(self.classes[request.school_class])
        else:
            who = " and ".join(named(self.teachers[one]) for one in request.observers)
        return f"request {request.id} of {who} at {named(self.home(request))}"


def named(part: _Named) -> str:
    """A name with its id; the id alone where there is no name."""
    return f"{part.name} ({part.id})" if part.name else part.id


def when(time: Slot, in_weeks: Iterable[int] = (0, 1)) -> str:
    """A slot in words.

    >>> when((3, 2)), when((1, 4), [1])
    ('on Wednesday, period 2', 'on Monday, period 4, even weeks')
    """
    day, period = time
    weeks = WEEK_WORDS[tuple(sorted(in_weeks))]
    return f"on {WEEKDAYS[day - 1]}, period {period}" + ("" if weeks == "every week" else f", {weeks}")


def inside(windows: Iterable[Window], weeks: Weeks, time: Slot) -> tuple[int, ...]:
    """Kinds of week, 0 odd and 1 even, in which a slot lies inside one of the windows; empty where it lies outside."""
    day, period = time
    return tuple(
        parity
        for parity in parities(weeks)
        if any(one.day == day and one.first <= period <= one.last and parity in parities(one.weeks) for one in windows)
    )
