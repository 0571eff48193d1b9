"""The problem after a disruption, and who may do what in it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hub.schedule.chosen import Chosen
from hub.schedule.compiled import Compiled
from hub.schedule.compiling import compile_district
from hub.schedule.district import District
from hub.schedule.plan import Held, Served
from hub.schedule.repair.changes import Before
from hub.schedule.repair.filling import May
from hub.schedule.repair.hit import who_is_hit
from hub.schedule.repair.near import near
from hub.schedule.slots import Slot, Weeks, covered
from hub.schedule.wants import Pin

ALL_DAY = "24:00"


def week_until(day: int, clock: str) -> Mapping[int, str]:
    """What of a week is over at a moment of it, as `Fixed.until` has it.

    >>> week_until(2, "10:30")
    {1: '24:00', 2: '10:30'}
    """
    return {**dict.fromkeys(range(1, day), ALL_DAY), day: clock}


@dataclass(frozen=True, slots=True)
class Fixed:
    """What a repair must not touch. If a disruption takes it away, it is lost: it does not go elsewhere."""

    requests: frozenset[str] = frozenset()
    lessons: frozenset[str] = frozenset()
    """With whoever follows them; nobody joins them."""
    until: Mapping[int, str] = field(default_factory=dict)
    """By day: whatever begins before this time of day is over or running: it is fixed, and nothing is put there."""
    days: frozenset[int] = frozenset()
    """Days that are over as a whole, or on which nothing is held that week: as what is over."""

    onwards: bool = False
    """The plan holds in later weeks, too: in those, what has begun this week may go elsewhere; not to what is over."""

    def over(self, time: Slot, begins: str) -> bool:
        """Whether a slot that begins then, by the clock on the wall, is over, running or not held."""
        return begins < self.until.get(time[0], "") or time[0] in self.days


class World:
    """The problem after the disruption, and who may do what in it."""

    def __init__(
        self,
        before: Before,
        facts: District,
        fixed: Fixed,
        seconds: float,
        free: Collection[int] = (),
    ) -> None:
        """Of the requests, only those in `free` may go elsewhere."""
        self.facts = facts
        self._before = before
        self._plan = before.plan
        self._fixed = fixed
        self._seconds = seconds
        going = {facts.requests[one].id for one in free}
        looked_at = near(facts, before.plan, going)
        pinned = compile_district(looked_at, before.plan)
        # What is pinned stays, unless it was hit: then its pin may have to be given up.
        self.compiled: Compiled = replace(pinned, request_must=np.zeros_like(pinned.request_must))
        self.numbers = {request.id: number for number, request in enumerate(facts.requests)}
        self.fixed_lessons = fixed.lessons | _begun(before, fixed)
        self.fixed_requests = self._fixed_requests(fixed, facts.pins)
        self.hit = who_is_hit(self.compiled, before.plan, self.fixed_requests)
        pins = {self.numbers[pin.request] for pin in facts.pins}
        self.running = self._fixed_requests(fixed, ())
        """Those of `fixed_requests` that are more than pinned."""
        self.free = tuple(
            one for one in self.hit.requests if one in pins - self.running or one not in self.fixed_requests
        )
        """Requests that were hit and may go elsewhere; a pinned one within its pin."""
        self.may = self._may(fixed, seconds)

    def with_free(self, free: Collection[int]) -> "World":
        """The same, where others may move."""
        return World(self._before, self.facts, self._fixed, self._seconds, free)

    def moved(self, chosen: Chosen, hit: Collection[int]) -> list[int]:
        """Requests that were not hit and are served otherwise than before."""
        before = self.hit.left.candidate
        return [
            number
            for number, candidate in enumerate(chosen.candidate.tolist())
            if number not in hit and candidate != before[number]
        ]

    def sessions(self, moved: Collection[int], chosen: Chosen) -> int:
        """Sessions that moved: a lesson at another time is one, with all who follow it there; else each request is."""
        before = self.hit.left.candidate
        options = self.compiled.candidate_option
        found = set()
        for number in moved:
            was, now = int(options[before[number]]), int(options[chosen.candidate[number]])
            led = [self.compiled.options[one].lesson for one in (was, now) if one >= 0]
            along = was != now and len(led) > 1 and led[0] == led[1]
            found.add(("lesson", led[0]) if along else ("request", number))
        return len(found)

    def own_lessons(self) -> May:
        """Whoever was hit may only follow the same lesson as before."""
        lessons = {one.request: one.lesson for one in self._plan.served}
        names = [lesson.id for lesson in self.facts.lessons]
        owner = np.repeat(np.arange(len(names)), np.diff(self.compiled.lesson_start))
        own = np.array([lessons.get(request.id) for request in self.facts.requests], object)[
            self.compiled.candidate_request
        ]
        led = np.array([*names, None], object)[np.append(owner, len(names))[self.compiled.candidate_option]]
        return replace(self.may, candidates=self.may.candidates & (own == led))

    def roomed(self, chosen: Chosen, keeping: Collection[int]) -> Compiled:
        """The problem in which requests, and the lessons that are fixed if there are any such, keep their rooms."""
        windows = {room.id: room.down for room in self.facts.rooms if room.down}

        def kept(rooms: frozenset[str], one: Held | Served, weeks: Weeks) -> frozenset[str]:
            before = {one.room, one.room_even or one.room}
            down = any(covered(windows.get(room, ()), weeks, one.time) for room in before)
            return rooms if down else rooms & before

        rooms, lead_rooms = list(self.compiled.request_rooms), list(self.compiled.lesson_rooms)
        for served in self._plan.served:
            number = self.numbers.get(served.request)
            if number is not None and number in keeping and chosen.candidate[number] == self.hit.left.candidate[number]:
                rooms[number] = kept(rooms[number], served, self.facts.requests[number].weeks)
        numbers = {lesson.id: number for number, lesson in enumerate(self.facts.lessons)}
        for held in self._plan.held:
            if keeping and held.lesson in self.fixed_lessons and chosen.option[numbers[held.lesson]] >= 0:
                number = numbers[held.lesson]
                lead_rooms[number] = kept(lead_rooms[number], held, self.facts.lessons[number].weeks)
        return replace(self.compiled, request_rooms=rooms, lesson_rooms=lead_rooms)

    def _fixed_requests(self, fixed: Fixed, pins: Collection[Pin]) -> frozenset[int]:
        follow = {one.request for one in self._plan.served if one.lesson in self.fixed_lessons}
        begun = _begun_rooms(self._before, fixed)
        names = {*fixed.requests, *follow, *begun, *(pin.request for pin in pins)}
        return frozenset(self.numbers[one] for one in names if one in self.numbers)

    def _may(self, fixed: Fixed, seconds: float) -> May:
        names = [lesson.id for lesson in self.facts.lessons]
        options = np.array([names[option.lesson] not in self.fixed_lessons for option in self.compiled.options], bool)
        if fixed.until or fixed.days:
            bells = {school.id: school.bells for school in self.facts.schools}
            schools = self.compiled.lesson_school
            options &= np.array(
                [
                    not fixed.over(option.time, bells[schools[option.lesson]][option.time[1] - 1].begins)
                    for option in self.compiled.options
                ],
                bool,
            )
            homes = self.compiled.request_school
            places = np.array(
                [
                    not fixed.over(place.time, bells[homes[place.request]][place.time[1] - 1].begins)
                    for place in self.compiled.places
                ],
                bool,
            )
            ahead = places[self.compiled.candidate_place] if len(places) else np.zeros(0, bool)
        else:
            ahead = np.ones(len(self.compiled.candidate_place), bool)
        allowed = ahead & np.append(options, True)[self.compiled.candidate_option]
        return May(options, allowed, self._as_before(), seconds)

    def _as_before(self) -> NDArray[np.int64]:
        """The candidates of the same lesson at the same time as before, whoever assists."""
        compiled = self.compiled
        held = {one.lesson: one.time for one in self._plan.held}
        same = []
        for one in self._plan.served:
            number = self.numbers.get(one.request)
            if number is None:
                continue
            for row in range(int(compiled.request_start[number]), int(compiled.request_start[number + 1])):
                option = int(compiled.candidate_option[row])
                lesson = self.facts.lessons[compiled.options[option].lesson].id if option >= 0 else None
                then = option < 0 or compiled.options[option].time == held.get(lesson or "")
                if lesson == one.lesson and then and compiled.places[compiled.candidate_place[row]].time == one.time:
                    same.append(row)
        return np.array(same, np.int64)


def _begun(before: Before, fixed: Fixed) -> frozenset[str]:
    """The lessons about which nothing can be done any more."""
    if fixed.onwards:
        return frozenset()
    names = before.names
    return frozenset(
        held.lesson
        for held in before.plan.held
        if fixed.over(held.time, names.lead_school(names.lessons[held.lesson]).bells[held.time[1] - 1].begins)
    )


def _begun_rooms(before: Before, fixed: Fixed) -> frozenset[str]:
    """The requests about which nothing can be done any more."""
    if fixed.onwards:
        return frozenset()
    names = before.names
    return frozenset(
        one.request
        for one in before.plan.served
        if fixed.over(one.time, names.home(names.requests[one.request]).bells[one.time[1] - 1].begins)
    )
