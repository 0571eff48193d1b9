"""A district and its plan, in which things are looked up by their ids."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from hub.schedule.check import check
from hub.schedule.district import District
from hub.schedule.explain.explaining import Explanation, explain
from hub.schedule.facts import Room, School, SchoolClass, Teacher
from hub.schedule.plan import Held, Plan, Served, fingerprint
from hub.schedule.wants import Lesson, Request
from hub.schedule.words import Words


class Book:
    """What a plan answers, and the answer. Nothing in it changes.

    Args:
        district: what was planned.
        plan: the answer; None while there is none.
    """

    def __init__(self, district: District, plan: Plan | None) -> None:
        self.district = district
        self.plan = plan
        self.schools: Mapping[str, School] = {one.id: one for one in district.schools}
        self.rooms: Mapping[str, Room] = {one.id: one for one in district.rooms}
        self.teachers: Mapping[str, Teacher] = {one.id: one for one in district.teachers}
        self.classes: Mapping[str, SchoolClass] = {one.id: one for one in district.classes}
        self.lessons: Mapping[str, Lesson] = {one.id: one for one in district.lessons}
        self.requests: Mapping[str, Request] = {one.id: one for one in district.requests}
        self.held: Mapping[str, Held] = {one.lesson: one for one in plan.held} if plan else {}
        self.served: Mapping[str, Served] = {one.request: one for one in plan.served} if plan else {}
        self._explained: dict[str, Explanation] = {}

    @cached_property
    def mark(self) -> str:
        """The district's fingerprint."""
        return fingerprint(self.district)

    @property
    def fits(self) -> bool:
        """Whether the plan was found to hold for the district as it stands."""
        return self.plan is not None and self.plan.district == self.mark

    @cached_property
    def violations(self) -> Sequence[Words]:
        """What the plan breaks of the district as it stands, a sentence each."""
        if self.plan is None or self.fits:
            return ()
        return check(self.district, self.plan.model_copy(update={"district": ""})).broken

    def explained(self, requests: Iterable[str]) -> dict[str, Explanation]:
        """Why requests are not served, and what would serve them; none for those that are.

        A plan that does not fit explains nothing. Each takes milliseconds, the first time it is asked for.
        """
        if self.plan is None or not self.fits:
            return {}
        wanted = {one for one in requests if one not in self.served}
        missing = wanted - self._explained.keys()
        if missing:
            self._explained.update({one.request: one for one in explain(self.district, self.plan, missing)})
        return {one: self._explained[one] for one in wanted if one in self._explained}

    def explained_already(self, requests: Iterable[str]) -> dict[str, Explanation]:
        """As `explained`, of what was asked for before; takes no time."""
        return {one: self._explained[one] for one in requests if one in self._explained}

    def lead_school(self, lesson: str) -> str:
        """Id of the school that holds a lesson."""
        return self.teachers[self.lessons[lesson].teacher].school

    def home(self, request: str) -> str:
        """Id of the school that asks."""
        asked = self.requests[request]
        if asked.school_class is not None:
            return self.classes[asked.school_class].school
        return self.teachers[asked.observers[0]].school

    @cached_property
    def unserved(self) -> Sequence[Request]:
        """Requests that the plan does not serve, in the district's order."""
        return [one for one in self.district.requests if one.id not in self.served]

    @cached_property
    def followers(self) -> Mapping[str, Sequence[Served]]:
        """By lesson: what it serves."""
        found: dict[str, list[Served]] = defaultdict(list)
        for one in self.served.values():
            if one.lesson is not None:
                found[one.lesson].append(one)
        return found

    @cached_property
    def busiest(self) -> str:
        """Id of the school that has most in the plan; empty where the district has none."""
        count = Counter(self.lead_school(lesson) for lesson in self.held)
        count.update(self.home(request) for request in self.served)
        first = [one.id for one in self.district.schools]
        return max(first, key=lambda school: count[school], default="")

    @cached_property
    def taking_part(self) -> Sequence[str]:
        """Ids of the schools whose rooms or classes have a part in the plan, in the district's order."""
        there = {self.lead_school(lesson) for lesson in self.held} | {self.home(request) for request in self.served}
        return [one.id for one in self.district.schools if one.id in there]

    def school_name(self, school: str) -> str:
        """What people call a school."""
        return self.schools[school].name or school

    def room_name(self, room: str) -> str:
        """What people call a room."""
        return self.rooms[room].name or room

    def teacher_name(self, teacher: str) -> str:
        """What people call a teacher."""
        return self.teachers[teacher].name or teacher

    def class_name(self, school_class: str) -> str:
        """What people call a class."""
        return self.classes[school_class].name or school_class

    def who_asks(self, request: str) -> str:
        """The class of a request; of one for a master class, the teachers who watch."""
        asked = self.requests[request]
        if asked.school_class is not None:
            return self.class_name(asked.school_class)
        return "、".join(self.teacher_name(one) for one in asked.observers)
