"""A district by its ids, and everything in it by the names that people use."""

from collections.abc import Iterable
from typing import Protocol

from hub.schedule.district import District
from hub.schedule.facts import School
from hub.schedule.slots import Slot, Weeks, Window, parities
from hub.schedule.wants import Lesson, Request
from hub.schedule.words import DAYS_EN, DAYS_ZH, Words

WEEK_WORDS = {
    (0,): Words(zh="单周", en="odd weeks"),
    (1,): Words(zh="双周", en="even weeks"),
    (0, 1): Words(zh="每周", en="every week"),
}


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

    def lesson_words(self, lesson: Lesson) -> Words:
        """A lesson with its teacher and school."""
        teacher, school = named(self.teachers[lesson.teacher]), named(self.lead_school(lesson))
        return Words(zh=f"{school} {teacher} 的主讲课 {lesson.id}", en=f"lesson {lesson.id} by {teacher} of {school}")

    def request_words(self, request: Request) -> Words:
        """A request with whoever asks."""
        if request.school_class is not None:
            who = [named(self.classes[request.school_class])]
        else:
            who = [named(self.teachers[one]) for one in request.observers]
        home = named(self.home(request))
        return Words(
            zh=f"{home} {'、'.join(who)} 的需求 {request.id}",
            en=f"request {request.id} of {' and '.join(who)} at {home}",
        )


def named(part: _Named) -> str:
    """A name with its id; the id alone where there is no name."""
    return f"{part.name} ({part.id})" if part.name else part.id


def when(time: Slot, in_weeks: Iterable[int] = (0, 1)) -> Words:
    """A slot in words.

    >>> when((3, 2)).zh, when((1, 4), [1]).zh
    ('周三 第 2 节', '双周周一 第 4 节')
    >>> when((3, 2)).en, when((1, 4), [1]).en
    ('on Wednesday, period 2', 'on Monday, period 4, even weeks')
    """
    day, period = time
    in_weeks = tuple(sorted(in_weeks))
    weeks = Words(zh="", en="")
    if in_weeks != (0, 1):
        weeks = Words(zh=WEEK_WORDS[in_weeks].zh, en=f", {WEEK_WORDS[in_weeks].en}")
    return Words(
        zh=f"{weeks.zh}{DAYS_ZH[day - 1]} 第 {period} 节", en=f"on {DAYS_EN[day - 1]}, period {period}{weeks.en}"
    )


def inside(windows: Iterable[Window], weeks: Weeks, time: Slot) -> tuple[int, ...]:
    """Kinds of week, 0 odd and 1 even, in which a slot lies inside one of the windows; empty where it lies outside."""
    day, period = time
    return tuple(
        parity
        for parity in parities(weeks)
        if any(one.day == day and one.first <= period <= one.last and parity in parities(one.weeks) for one in windows)
    )
