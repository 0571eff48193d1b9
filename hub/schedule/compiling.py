"""Turns a district into its packing problem."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from hub.schedule.compiled import Compiled, Ints, Option, Place, Resource
from hub.schedule.district import District
from hub.schedule.facts import School, SchoolClass, Teacher, uplink_at
from hub.schedule.plan import Plan
from hub.schedule.rooms import Rooms, by_school, groups, lead_rooms, listening_rooms
from hub.schedule.slots import Bell, Slot, Weeks, covered, meeting_periods, parities
from hub.schedule.wants import Ban, Lesson, Pin, Request, Wish

SCHOOL_SHARE = 5
"""An under-resourced school's unmet requests cost from beyond one in so many on."""

PLENTY = 2**30
"""Units beyond which there is always enough."""


@dataclass(slots=True)
class _Uses:
    """Rows of uses, row by row."""

    resource: list[int] = field(default_factory=list)
    units: list[int] = field(default_factory=list)
    start: list[int] = field(default_factory=lambda: [0])

    def close(self) -> None:
        self.start.append(len(self.resource))


class Compiler:
    """Turns a district into its packing problem.

    Args:
        district: what is planned.
        before: the plan so far; what is served otherwise than in it costs `goals.kept`.
    """

    def __init__(self, district: District, before: Plan | None = None) -> None:
        self._district = district
        self._schools: dict[str, School] = {school.id: school for school in district.schools}
        self._teachers: dict[str, Teacher] = {teacher.id: teacher for teacher in district.teachers}
        self._classes: dict[str, SchoolClass] = {one.id: one for one in district.classes}
        self._rooms = by_school(district)
        self._pins: dict[str, Pin] = {pin.request: pin for pin in district.pins}
        self._wishes: dict[str, list[Wish]] = defaultdict(list)
        for wish in district.wishes:
            self._wishes[wish.request or f"lesson {wish.lesson}"].append(wish)
        self._bans: dict[str, list[Ban]] = defaultdict(list)
        for ban in district.bans:
            self._bans[ban.request or ban.school_class or f"school {ban.school}"].append(ban)
        self._before = {one.request: (one.lesson, one.time) for one in before.served} if before else {}
        self._held_before = {one.lesson: one.time for one in before.held} if before else {}
        self._times = [sorted(set(lesson.times)) for lesson in district.lessons]
        self._resources: dict[Resource, int] = {}
        self._capacity: list[int] = []
        # Comparing bell tables costs more than all else: each is known by a number.
        kinds: dict[tuple[Bell, ...], int] = {}
        self._bell_kind = {school.id: kinds.setdefault(school.bells, len(kinds)) for school in district.schools}
        self._meetings: dict[tuple[int, int], dict[int, list[tuple[int, int]]]] = {}
        self._lead_rooms = {
            lesson.id: lead_rooms(lesson, self._rooms[self._lead_school(lesson).id]) for lesson in district.lessons
        }
        self._listening_rooms = {request.id: self._rooms_for(request) for request in district.requests}
        self._groups = self._room_groups()

    def compile(self) -> Compiled:
        """The packing problem.

        Raises:
            hub.schedule.errors.DistrictWrong: rooms are asked for in more ways than can be planned.
        """
        district = self._district
        options, option_gain, option_uses, lesson_start = self._options()
        by_time = {(option.lesson, option.time): row for row, option in enumerate(options)}
        offers = self._offers()
        places: list[Place] = []
        place_uses = _Uses()
        request_start = [0]
        columns: list[list[int]] = [[], [], [], []]
        for number, request in enumerate(district.requests):
            found = self._candidates(request, offers)
            slots: dict[Slot, list[int]] = {}
            for lesson, lead_time, time, minutes, gain in found:
                if time not in slots:
                    slots[time] = self._add_places(number, request, time, places, place_uses)
                option = -1 if lesson < 0 else by_time.get((lesson, lead_time), -2)
                if option == -2:  # the lesson cannot be held then
                    continue
                for place in slots[time]:
                    for column, value in zip(columns, (place, option, gain, minutes), strict=True):
                        column.append(value)
            request_start.append(len(columns[0]))
        group_rows, cost_rows = self._fairness()
        return Compiled(
            district=district,
            resources=tuple(self._resources),
            capacity=_ints(self._capacity),
            lesson_mask=_ints(_mask(lesson.weeks) for lesson in district.lessons),
            lesson_fan=_ints(lesson.fan_out for lesson in district.lessons),
            lesson_start=_ints(lesson_start),
            options=options,
            option_gain=_ints(option_gain),
            option_use_start=_ints(option_uses.start),
            option_use=_ints(option_uses.resource),
            option_units=_ints(option_uses.units),
            places=places,
            place_use_start=_ints(place_uses.start),
            place_use=_ints(place_uses.resource),
            place_units=_ints(place_uses.units),
            request_mask=_ints(_mask(request.weeks) for request in district.requests),
            request_must=np.array([request.id in self._pins for request in district.requests], np.bool_),
            request_start=_ints(request_start),
            candidate_place=_ints(columns[0]),
            candidate_option=_ints(columns[1]),
            candidate_gain=_ints(columns[2]),
            candidate_minutes=_ints(columns[3]),
            group_start=_starts(group_rows),
            group_member=_ints(member for row in group_rows for member in row),
            group_cost_start=_starts(cost_rows),
            group_cost=_ints(cost for row in cost_rows for cost in row),
            lesson_school=[self._lead_school(lesson).id for lesson in district.lessons],
            lesson_rooms=[self._lead_rooms[lesson.id] for lesson in district.lessons],
            request_school=[self._home(request).id for request in district.requests],
            request_rooms=[self._listening_rooms[request.id] for request in district.requests],
            kept=district.goals.kept * sum(request.id in self._before for request in district.requests),
        )

    # Lessons.

    def _lead_school(self, lesson: Lesson) -> School:
        return self._schools[self._teachers[lesson.teacher].school]

    def _options(self) -> tuple[list[Option], list[int], _Uses, list[int]]:
        options: list[Option] = []
        gains: list[int] = []
        uses = _Uses()
        start = [0]
        for number, lesson in enumerate(self._district.lessons):
            for time in self._times[number]:
                if self._add_lead_uses(lesson, time, uses):
                    options.append(Option(number, time))
                    gains.append(self._option_gain(lesson, time))
            start.append(len(options))
        return options, gains, uses, start

    def _add_lead_uses(self, lesson: Lesson, time: Slot, uses: _Uses) -> bool:
        teacher = self._teachers[lesson.teacher]
        school = self._schools[teacher.school]
        rooms = self._lead_rooms[lesson.id]
        away = (*teacher.away, *school.closed)
        if not rooms or covered(away, lesson.weeks, time):
            return False
        for parity in parities(lesson.weeks):
            day, period = time
            self._use(uses, Resource("teacher", teacher.id, parity, day, period), 1, 1)
            self._use(uses, Resource("teacher-day", teacher.id, parity, day, 0), 1, teacher.most_a_day)
            self._use_rooms(uses, school.id, rooms, parity, time)
            self._use_line(uses, school, parity, time, self._district.rules.lead_uplink)
        uses.close()
        return True

    def _option_gain(self, lesson: Lesson, time: Slot) -> int:
        wished = sum(wish.points for wish in self._wishes.get(f"lesson {lesson.id}", ()) if wish.time in {None, time})
        return wished - self._district.goals.opened

    # Requests.

    def _home(self, request: Request) -> School:
        if request.school_class is not None:
            return self._schools[self._classes[request.school_class].school]
        return self._schools[self._teachers[request.observers[0]].school]

    def _rooms_for(self, request: Request) -> Rooms:
        size = self._classes[request.school_class].size if request.school_class is not None else None
        rooms = listening_rooms(request, size, self._rooms[self._home(request).id])
        pin = self._pins.get(request.id)
        return rooms & {pin.room} if pin is not None and pin.room is not None else rooms

    def _offers(self) -> dict[tuple[str, str, int, str], list[int]]:
        offers: dict[tuple[str, str, int, str], list[int]] = defaultdict(list)
        for number, lesson in enumerate(self._district.lessons):
            offers[lesson.mode, lesson.subject, lesson.grade, lesson.edition].append(number)
        return offers

    def _candidates(
        self, request: Request, offers: dict[tuple[str, str, int, str], list[int]]
    ) -> Iterator[tuple[int, Slot, Slot, int, int]]:
        """Lesson (-1 for none), its slot, the request's slot, minutes in common, gain."""
        home = self._home(request)
        allowed = self._allowed(request, home)
        pin = self._pins.get(request.id)
        if request.mode == "open":
            if pin is not None and pin.lesson is not None:
                return  # there is no lesson by which an open class could be served
            for time in sorted(allowed):
                begins, ends = home.bells[time[1] - 1].minutes
                yield -1, time, time, ends - begins, self._gain(request, None, home, time, time, ends - begins)
            return
        bans = self._bans_about(request, home)
        for number in offers.get((request.mode, request.subject, request.grade, request.edition), ()):
            lesson = self._district.lessons[number]
            lead = self._lead_school(lesson)
            if pin is not None and pin.lesson not in {None, lesson.id}:
                continue
            if lead.id == home.id or not self._compatible(request, lesson, home, lead, bans):
                continue
            meeting = self._meeting(lead, home)
            for lead_time in self._times[number]:
                for period, minutes in meeting.get(lead_time[1], ()):
                    time = (lead_time[0], period)
                    if time in allowed:
                        gain = self._gain(request, lesson, lead, time, lead_time, minutes)
                        yield number, lead_time, time, minutes, gain

    def _allowed(self, request: Request, home: School) -> frozenset[Slot]:
        if not self._listening_rooms[request.id]:
            return frozenset()
        away = [*home.closed]
        if request.school_class is not None:
            away += self._classes[request.school_class].away
        for observer in request.observers:
            away += self._teachers[observer].away
        pin = self._pins.get(request.id)
        pinned = pin.time if pin is not None else None
        return frozenset(
            time for time in (request.times if pinned is None else (pinned,)) if not covered(away, request.weeks, time)
        )

    def _bans_about(self, request: Request, home: School) -> list[Ban]:
        """Those that may speak of a request."""
        about = (request.id, request.school_class or "", f"school {home.id}")
        return [ban for one in dict.fromkeys(about) for ban in self._bans.get(one, ())]

    def _compatible(self, request: Request, lesson: Lesson, home: School, lead: School, bans: Sequence[Ban]) -> bool:
        if abs(lesson.unit - request.unit) > self._district.rules.unit_gap:
            return False
        if any(_banned(ban, request, lesson, home, lead) for ban in bans):
            return False
        return lesson.weeks in {"AB", request.weeks}

    def _meeting(self, lead: School, home: School) -> dict[int, list[tuple[int, int]]]:
        """By the lead school's period: periods of the other that overlap for long enough, and by how many minutes."""
        key = (self._bell_kind[lead.id], self._bell_kind[home.id])
        found = self._meetings.get(key)
        if found is None:
            least = self._district.rules.min_overlap_minutes
            found = self._meetings[key] = meeting_periods(lead.bells, home.bells, least)
        return found

    def _gain(
        self, request: Request, lesson: Lesson | None, lead: School, time: Slot, lead_time: Slot, minutes: int
    ) -> int:
        goals = self._district.goals
        gain = goals.served * request.weight - goals.minute * max(0, goals.full_minutes - minutes)
        if lesson is not None:
            home = self._home(request)
            gain += goals.community if lead.community and lead.community == home.community else 0
            gain -= goals.unit * abs(lesson.unit - request.unit)
        gain += sum(wish.points for wish in self._wishes.get(request.id, ()) if wish.comes_true(lesson, lead.id, time))
        if self._kept_as_before(request, lesson, time, lead_time):
            gain += goals.kept
        return gain

    def _kept_as_before(self, request: Request, lesson: Lesson | None, time: Slot, lead_time: Slot) -> bool:
        if lesson is None:
            return self._before.get(request.id) == (None, time)
        return self._before.get(request.id) == (lesson.id, time) and self._held_before.get(lesson.id) == lead_time

    def _add_places(self, number: int, request: Request, time: Slot, places: list[Place], uses: _Uses) -> list[int]:
        home = self._home(request)
        who: list[str | None] = [
            one for one in request.assistants if not covered(self._teachers[one].away, request.weeks, time)
        ]
        added = []
        for assistant in who or ([] if request.assistants else [None]):
            for parity in parities(request.weeks):
                day, period = time
                if request.school_class is not None:
                    self._use(uses, Resource("class", request.school_class, parity, day, period), 1, 1)
                for teacher in dict.fromkeys((*request.observers, *([assistant] if assistant else []))):
                    self._use(uses, Resource("teacher", teacher, parity, day, period), 1, 1)
                self._use_rooms(uses, home.id, self._listening_rooms[request.id], parity, time)
                if request.mode != "master":
                    self._use_line(uses, home, parity, time, self._district.rules.listen_uplink)
            uses.close()
            added.append(len(places))
            places.append(Place(number, time, assistant))
        return added

    # Resources.

    def _use(self, uses: _Uses, resource: Resource, units: int, capacity: int) -> None:
        row = self._resources.get(resource)
        if row is None:
            row = self._resources[resource] = len(self._capacity)
            self._capacity.append(min(capacity, PLENTY))
        uses.resource.append(row)
        uses.units.append(units)

    def _use_rooms(self, uses: _Uses, school: str, rooms: Rooms, parity: int, time: Slot) -> None:
        for group in self._groups[school]:
            if rooms <= group:
                resource = Resource("rooms", school, parity, *time, rooms=group)
                known = resource in self._resources
                self._use(uses, resource, 1, 0 if known else self._up(school, group, parity, time))

    def _up(self, school: str, group: Rooms, parity: int, time: Slot) -> int:
        """How many rooms of a group can be used in a slot."""
        return sum(
            room.id in group and not any(window.covers(parity, *time) for window in room.down)
            for room in self._rooms[school]
        )

    def _use_line(self, uses: _Uses, school: School, parity: int, time: Slot, units: int) -> None:
        if units:
            self._use(uses, Resource("uplink", school.id, parity, *time), units, uplink_at(school, parity, time))

    def _room_groups(self) -> dict[str, list[Rooms]]:
        kinds: dict[str, set[Rooms]] = {school: set() for school in self._rooms}
        for lesson in self._district.lessons:
            kinds[self._lead_school(lesson).id].add(self._lead_rooms[lesson.id])
        for request in self._district.requests:
            kinds[self._home(request).id].add(self._listening_rooms[request.id])
        return {school: groups(found) for school, found in kinds.items()}

    # Fairness.

    def _fairness(self) -> tuple[list[list[int]], list[list[int]]]:
        goals = self._district.goals
        by_class: dict[str, list[int]] = defaultdict(list)
        by_home: dict[str, list[int]] = defaultdict(list)
        for number, request in enumerate(self._district.requests):
            if request.school_class is not None:
                by_class[request.school_class].append(number)
            home = self._home(request)
            if home.under_resourced:
                by_home[home.id].append(number)
        members: list[list[int]] = []
        costs: list[list[int]] = []
        for found, cost, free_of in (
            (by_class, goals.second_unmet, lambda _count: 1),
            (by_home, goals.school_unmet, lambda count: count // SCHOOL_SHARE),
        ):
            for row in found.values():
                free = free_of(len(row))
                if cost and len(row) > free:
                    members.append(row)
                    costs.append([cost * max(0, unmet - free) for unmet in range(len(row) + 1)])
        return members, costs


def compile_district(district: District, before: Plan | None = None) -> Compiled:
    """The packing problem of a district.

    Args:
        district: what is planned.
        before: the plan so far; what is served otherwise than in it costs `goals.kept`.

    Raises:
        hub.schedule.errors.DistrictWrong: rooms are asked for in more ways than can be planned.
    """
    return Compiler(district, before).compile()


def _banned(ban: Ban, request: Request, lesson: Lesson, home: School, lead: School) -> bool:
    return (
        ban.request in {None, request.id}
        and ban.school_class in {None, request.school_class}
        and ban.school in {None, home.id}
        and ban.lesson in {None, lesson.id}
        and ban.teacher in {None, lesson.teacher}
        and ban.lead_school in {None, lead.id}
    )


def _mask(weeks: Weeks) -> int:
    return sum(1 << parity for parity in parities(weeks))


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int32)


def _starts(rows: Sequence[Sequence[int]]) -> Ints:
    return np.concatenate(([0], np.cumsum([len(row) for row in rows], dtype=np.int64))).astype(np.int32)
