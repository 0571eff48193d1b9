"""What a solver has chosen, between its arrays and the plan that people read."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hub.schedule.compiled import Compiled, Ints, Option
from hub.schedule.errors import PlanWrong
from hub.schedule.plan import Held, Plan, Score, Served, fingerprint
from hub.schedule.rooms import Rooms, by_school, given_out
from hub.schedule.slots import Slot, parities


@dataclass(frozen=True, slots=True)
class Chosen:
    """One answer to a packing problem."""

    option: Ints
    """(lesson,) the option that is taken; -1 where the lesson is not held."""
    candidate: Ints
    """(request,) the candidate that is taken; -1 where the request is not served."""


def points(compiled: Compiled, chosen: Chosen) -> int:
    """What an answer is worth, as `Score.total` has it."""
    served = chosen.candidate >= 0
    total = int(compiled.candidate_gain[chosen.candidate[served]].sum()) - compiled.kept
    total += int(compiled.option_gain[chosen.option[chosen.option >= 0]].sum())
    for group in range(len(compiled.group_start) - 1):
        members = compiled.group_member[compiled.group_start[group] : compiled.group_start[group + 1]]
        unmet = int((~served[members]).sum())
        total -= int(compiled.group_cost[compiled.group_cost_start[group] + unmet])
    return total


def plan_of(
    compiled: Compiled,
    chosen: Chosen,
    score: Score,
    before: Plan | None = None,
    bound: float | None = None,
    proof: str = "",
) -> Plan:
    """The plan: rooms are given out, the same as before where possible.

    Args:
        compiled: the problem.
        chosen: an answer that holds.
        score: what it is worth, as the checker counts it.
        before: the plan so far.
        bound: what no plan can exceed, in points.
        proof: where the bound comes from.

    Raises:
        PlanWrong: somebody finds no room; the answer does not hold.
    """
    rooms = _rooms(compiled, chosen, before)
    held, served = [], []
    for lesson, option in enumerate(chosen.option):
        if option >= 0:
            name = compiled.district.lessons[lesson].id
            held.append(Held(lesson=name, time=compiled.options[option].time, **rooms[f"lesson {name}"]))
    for request, candidate in enumerate(chosen.candidate):
        if candidate < 0:
            continue
        place = compiled.places[compiled.candidate_place[candidate]]
        option = compiled.candidate_option[candidate]
        asked = compiled.district.requests[request]
        lesson_id = compiled.district.lessons[compiled.options[option].lesson].id if option >= 0 else None
        served.append(
            Served(
                request=asked.id,
                lesson=lesson_id,
                time=place.time,
                assistant=place.assistant,
                **rooms[f"request {asked.id}"],
            )
        )
    return Plan(
        district=fingerprint(compiled.district),
        held=tuple(held),
        served=tuple(served),
        score=score,
        bound=bound,
        proof=proof,
    )


def chosen_of(compiled: Compiled, plan: Plan) -> Chosen:
    """A plan as a solver's answer, so that it can be gone on from. What the district no longer allows is left out.

    The answer may hold no more: capacities are not looked at.
    """
    lessons = {lesson.id: number for number, lesson in enumerate(compiled.district.lessons)}
    options = {one: row for row, one in enumerate(compiled.options)}
    held = {
        one.lesson: options.get(Option(lessons[one.lesson], one.time)) for one in plan.held if one.lesson in lessons
    }
    option = np.full(len(lessons), -1, np.int32)
    for lesson, row in held.items():
        if row is not None:
            option[lessons[lesson]] = row
    served = {one.request: one for one in plan.served}
    candidate = np.full(len(compiled.district.requests), -1, np.int32)
    for number, request in enumerate(compiled.district.requests):
        one = served.get(request.id)
        wanted = held.get(one.lesson) if one is not None and one.lesson is not None else -1
        if one is None or wanted is None:
            continue
        for row in range(compiled.request_start[number], compiled.request_start[number + 1]):
            place = compiled.places[compiled.candidate_place[row]]
            as_before = place.time == one.time and place.assistant == one.assistant
            if as_before and compiled.candidate_option[row] == wanted:
                candidate[number] = row
    return Chosen(option, candidate)


class _Slot(NamedTuple):
    school: str
    parity: int
    time: Slot


def _wants(compiled: Compiled, chosen: Chosen) -> Mapping[_Slot, list[tuple[str, Rooms]]]:
    """Who needs a room in each slot, and which would do."""
    district = compiled.district
    wants: dict[_Slot, list[tuple[str, Rooms]]] = defaultdict(list)
    for number, option in enumerate(chosen.option):
        if option >= 0:
            lesson = district.lessons[number]
            for parity in parities(lesson.weeks):
                slot = _Slot(compiled.lesson_school[number], parity, compiled.options[option].time)
                wants[slot].append((f"lesson {lesson.id}", compiled.lesson_rooms[number]))
    for number, candidate in enumerate(chosen.candidate):
        if candidate >= 0:
            request = district.requests[number]
            for parity in parities(request.weeks):
                time = compiled.places[compiled.candidate_place[candidate]].time
                slot = _Slot(compiled.request_school[number], parity, time)
                wants[slot].append((f"request {request.id}", compiled.request_rooms[number]))
    return wants


def _rooms(compiled: Compiled, chosen: Chosen, before: Plan | None) -> Mapping[str, dict[str, str | None]]:
    """Rooms of everybody, in odd and even weeks: `room` and, where it is another, `room_even`."""
    rooms = by_school(compiled.district)
    likes = {f"lesson {one.lesson}": one.room for one in before.held} if before else {}
    likes |= {f"request {one.request}": one.room for one in before.served} if before else {}
    given: dict[str, dict[str, str | None]] = {}
    for slot, asked in sorted(_wants(compiled, chosen).items()):
        up = {
            room.id
            for room in rooms[slot.school]
            if not any(window.covers(slot.parity, *slot.time) for window in room.down)
        }
        here = {who: str(given[who]["room"]) for who, _ in asked if who in given}
        out = given_out([(who, found & up) for who, found in asked], {**likes, **here})
        if out is None:
            day, period = slot.time
            raise PlanWrong(f"school {slot.school} has too few rooms on weekday {day}, period {period}")
        for who, room in out.items():
            if who not in given:
                given[who] = {"room": room}
            elif given[who]["room"] != room:
                given[who]["room_even"] = room
    return given
