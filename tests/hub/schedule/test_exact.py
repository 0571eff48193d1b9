"""What solvers may choose is exactly what the checker lets pass: nothing that is wrong, and all that is right."""

from collections import Counter
from itertools import product
from random import Random

import numpy as np
from hypothesis import event, given, settings

from hub.schedule.check import check
from hub.schedule.chosen import Chosen, plan_of
from hub.schedule.compiled import Compiled
from hub.schedule.compiling import compile_district
from hub.schedule.plan import Held, Plan, Score, Served
from tests.hub.schedule.districts import districts

PINNED = "is pinned, but is not served"


class Packing:
    """Puts options and candidates in as long as they fit."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.used: Counter[int] = Counter()
        self.fan: Counter[tuple[int, int]] = Counter()
        self.option = np.full(len(compiled.lesson_fan), -1, np.int32)
        self.candidate = np.full(len(compiled.request_mask), -1, np.int32)

    def try_option(self, row: int) -> bool:
        """Take an option, where all that it uses is there."""
        c = self.compiled
        uses = slice(c.option_use_start[row], c.option_use_start[row + 1])
        return self._take(c.option_use[uses], c.option_units[uses])

    def try_place(self, row: int) -> bool:
        """Take a place, where all that it uses is there."""
        c = self.compiled
        uses = slice(c.place_use_start[row], c.place_use_start[row + 1])
        return self._take(c.place_use[uses], c.place_units[uses])

    def _take(self, resources, units) -> bool:
        wanted = Counter()
        for resource, some in zip(resources.tolist(), units.tolist(), strict=True):
            wanted[resource] += some
        if any(self.used[one] + some > self.compiled.capacity[one] for one, some in wanted.items()):
            return False
        self.used += wanted
        return True

    def pack(self, random: Random) -> Chosen:
        c = self.compiled
        for lesson in random.sample(range(len(self.option)), len(self.option)):
            rows = range(c.lesson_start[lesson], c.lesson_start[lesson + 1])
            self.option[lesson] = next((row for row in random.sample(rows, len(rows)) if self.try_option(row)), -1)
        for request in random.sample(range(len(self.candidate)), len(self.candidate)):
            rows = range(c.request_start[request], c.request_start[request + 1])
            self.candidate[request] = next(
                (row for row in random.sample(rows, len(rows)) if self._try_candidate(request, row)), -1
            )
        return Chosen(self.option, self.candidate)

    def _try_candidate(self, request: int, row: int) -> bool:
        c = self.compiled
        option = int(c.candidate_option[row])
        if option >= 0:
            lesson = c.options[option].lesson
            sides = [side for side in (1, 2) if c.request_mask[request] & side]
            if self.option[lesson] != option or any(self.fan[lesson, one] >= c.lesson_fan[lesson] for one in sides):
                return False
        if not self.try_place(int(c.candidate_place[row])):
            return False
        if option >= 0:
            self.fan.update((lesson, one) for one in sides)
        return True


@settings(max_examples=150, deadline=None, derandomize=True)
@given(district=districts)
def test_whatever_fits_the_arrays_holds_for_the_checker(district):
    compiled = compile_district(district)
    chosen = Packing(compiled).pack(Random(1))
    plan = plan_of(compiled, chosen, Score())
    event(f"{min(3, len(plan.served))} served")
    pinned = sum(
        compiled.request_must[number] and chosen.candidate[number] < 0 for number in range(len(chosen.candidate))
    )
    found = check(district, plan).violations
    assert len(found) == pinned, found
    assert all(PINNED in one for one in found)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(district=districts)
def test_whatever_the_checker_lets_pass_is_in_the_arrays_and_nothing_else(district):
    compiled = compile_district(district)
    assert allowed_by_arrays(compiled) == allowed_by_checker(district)


def allowed_by_arrays(compiled: Compiled) -> set:
    """All ways to serve one request, with nobody else there."""
    ways = set()
    owner = compiled.candidate_request
    for row, option in enumerate(compiled.candidate_option.tolist()):
        place = compiled.places[compiled.candidate_place[row]]
        packing = Packing(compiled)
        if option >= 0 and not packing.try_option(option):
            continue
        if packing.try_place(int(compiled.candidate_place[row])):
            lesson = compiled.options[option] if option >= 0 else None
            name = compiled.district.lessons[lesson.lesson].id if lesson else None
            asked = compiled.district.requests[owner[row]].id
            ways.add((asked, name, lesson.time if lesson else None, place.time, place.assistant))
    return ways


def allowed_by_checker(district) -> set:
    """The same by trying everything: any lesson, at any of both times, with anybody, in any rooms."""
    at = {one.id: one.school for one in (*district.teachers, *district.classes)}
    rooms = {school.id: [room.id for room in district.rooms if room.school == school.id] for school in district.schools}
    pinned = {pin.request for pin in district.pins}
    ways = set()
    for request in district.requests:
        home = at[request.school_class or request.observers[0]]
        others = len(pinned - {request.id})
        pin = next((pin.time for pin in district.pins if pin.request == request.id and pin.time), None)
        leads = [(lesson, time) for lesson in district.lessons for time in lesson.times]
        for (lesson, lead_time), time in product([*leads, (None, None)], {*request.times, *([pin] if pin else [])}):
            for who in (None, *(one.id for one in district.teachers if one.school == home)):
                pairs = product(rooms[home], repeat=2)
                lead_pairs = [*product(rooms[at[lesson.teacher]], repeat=2)] if lesson else [(None, None)]
                if _passes(district, request, lesson, lead_time, time, who, pairs, lead_pairs, others):
                    ways.add((request.id, lesson.id if lesson else None, lead_time, time, who))
    return ways


def _passes(district, request, lesson, lead_time, time, who, pairs, lead_pairs, others) -> bool:
    for (room, even), (lead, lead_even) in product(pairs, lead_pairs):
        held = ()
        if lesson:
            lead_even = lead_even if lesson.weeks == "AB" else None
            held = (Held(lesson=lesson.id, time=lead_time, room=lead, room_even=lead_even),)
        even = even if request.weeks == "AB" else None
        served = Served(
            request=request.id,
            lesson=lesson.id if lesson else None,
            time=time,
            room=room,
            room_even=even,
            assistant=who,
        )
        found = check(district, Plan(held=held, served=(served,))).violations
        if len(found) == others and all(PINNED in one for one in found):
            return True
        if not all("room" in one or PINNED in one for one in found):
            return False  # no other room would help
    return False
