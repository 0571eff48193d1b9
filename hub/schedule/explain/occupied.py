"""Who is where by a plan, and what is left in each slot, counted from facts and plan alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.schedule.district import District
from hub.schedule.facts import School, Teacher, uplink_at
from hub.schedule.plan import Plan
from hub.schedule.repair.names import Names
from hub.schedule.repair.substitutes import Busy
from hub.schedule.rooms import Rooms, by_school, given_out, lead_rooms, listening_rooms
from hub.schedule.slots import Slot, parities
from hub.schedule.wants import Lesson, Request
from hub.schedule.words import Words

Place = tuple[str, int, Slot]
"""School, odd (0) or even (1) weeks, slot."""


@dataclass(frozen=True, slots=True)
class Session:
    """One lesson that is held, or one request that is served."""

    who: str
    rooms: Rooms
    """Those in which it could be, faults aside."""
    room: str
    units: int
    """Of the school's line."""
    words: Words


class Occupied:
    """A plan, looked up by place."""

    def __init__(self, district: District, plan: Plan) -> None:
        self.district = district
        self.plan = plan
        self.names = Names(district)
        self.busy = Busy(district, plan)
        self.held = {one.lesson: one for one in plan.held}
        self.served = {one.request: one for one in plan.served}
        self.followers: dict[str, list[Request]] = {}
        self.class_at: dict[tuple[str, int, Slot], str] = {}
        """(class, odd or even, slot): the request that is served then."""
        self.rooms_of_school = by_school(district)
        self.schools = {school.id: school for school in district.schools}
        self._pinned_to = {pin.request: pin.room for pin in district.pins if pin.room is not None}
        self._sessions: dict[Place, list[Session]] = {}
        self._fits: dict[tuple[Place, Rooms], bool] = {}
        self._teachers: dict[str, list[Teacher]] = {}
        self._subjects: dict[str, set[str]] = {}
        for teacher in district.teachers:
            self._teachers.setdefault(teacher.school, []).append(teacher)
        for lesson in district.lessons:
            self._subjects.setdefault(lesson.teacher, set()).add(lesson.subject)
        for request in district.requests:
            for one in request.assistants:
                self._subjects.setdefault(one, set()).add(request.subject)
        for held in plan.held:
            self._add_lesson(self.names.lessons[held.lesson])
        for served in plan.served:
            self._add_request(self.names.requests[served.request])

    def _add_lesson(self, lesson: Lesson) -> None:
        held, school = self.held[lesson.id], self.names.lead_school(lesson).id
        for parity in parities(lesson.weeks):
            room = held.room_even if parity and held.room_even else held.room
            units = self.district.rules.lead_uplink
            session = Session(lesson.id, self.lead_rooms(lesson), room, units, self.names.lesson(lesson.id))
            self._sessions.setdefault((school, parity, held.time), []).append(session)

    def _add_request(self, request: Request) -> None:
        served, school = self.served[request.id], self.names.home(request).id
        if served.lesson is not None:
            self.followers.setdefault(served.lesson, []).append(request)
        for parity in parities(request.weeks):
            room = served.room_even if parity and served.room_even else served.room
            units = self.units(request)
            session = Session(request.id, self.rooms_for(request), room, units, self.names.request(request.id))
            self._sessions.setdefault((school, parity, served.time), []).append(session)
            if request.school_class is not None:
                self.class_at[request.school_class, parity, served.time] = request.id

    def teachers_of(self, school: str) -> Sequence[Teacher]:
        """Of one school, in the file's order."""
        return self._teachers.get(school, ())

    def subjects_of(self, teacher: str) -> frozenset[str]:
        """In which somebody leads or assists."""
        return frozenset(self._subjects.get(teacher, ()))

    def lead_rooms(self, lesson: Lesson) -> Rooms:
        """Rooms in which a lesson can be held, faults aside."""
        return lead_rooms(lesson, self.rooms_of_school[self.names.lead_school(lesson).id])

    def rooms_for(self, request: Request) -> Rooms:
        """Rooms in which a request can be served, faults aside."""
        size = self.names.classes[request.school_class].size if request.school_class is not None else None
        rooms = listening_rooms(request, size, self.rooms_of_school[self.names.home(request).id])
        pinned = self._pinned_to.get(request.id)
        return rooms & {pinned} if pinned is not None else rooms

    def units(self, request: Request) -> int:
        """Units of its school's line that a request takes."""
        return 0 if request.mode == "master" else self.district.rules.listen_uplink

    def sessions(self, place: Place) -> list[Session]:
        """Whoever is in a school then."""
        return self._sessions.get(place, [])

    def line_left(self, school: School, parity: int, time: Slot) -> int:
        """Units of a school's line that nobody uses."""
        used = sum(one.units for one in self.sessions((school.id, parity, time)))
        return uplink_at(school, parity, time) - used

    def has_room(self, place: Place, rooms: Rooms) -> bool:
        """Whether one more finds a room then, if need be with others in other rooms."""
        key = (place, rooms)
        known = self._fits.get(key)
        if known is None:
            up = self.up(place)
            wants = [(one.who, one.rooms & up) for one in self.sessions(place)]
            likes = {one.who: one.room for one in self.sessions(place)}
            known = self._fits[key] = given_out([*wants, ("", rooms & up)], likes) is not None
        return known

    def up(self, place: Place) -> Rooms:
        """Rooms of a school that work then."""
        school, parity, time = place
        return frozenset(
            room.id
            for room in self.rooms_of_school[school]
            if not any(window.covers(parity, *time) for window in room.down)
        )

    def free_rooms(self, places: Iterable[Place]) -> Rooms:
        """Rooms of one school in which nobody is in any of the slots."""
        free: Rooms | None = None
        for place in places:
            here = self.up(place) - {one.room for one in self.sessions(place)}
            free = here if free is None else free & here
        return free or frozenset()
