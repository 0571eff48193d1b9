"""An answer that the search changes step by step: what is used, by whom, and what every change gains.

Arrays of two kinds: `Facts` stand, `Answer` changes. An *item* is a lesson (its number) or a request (its number
after those of the lessons); `Answer.now` says what each has taken. An answer holds at every moment: nothing is put
in that does not fit. A lesson is held exactly as long as it serves somebody.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hub.schedule.chosen import Chosen
from hub.schedule.compiled import Compiled, Ints
from hub.schedule.solve.engine import Journal, Kept, keeping, new_journal, note, touch
from hub.schedule.solve.jit import jitted

PINNED = 1_000_000
"""Points for a pinned request beyond its own: no other goal outweighs it."""
MOST_CHANGES = 4096
"""Changes in one move, at most."""


class Facts(NamedTuple):
    """The packing problem, with what the search looks up beside it."""

    capacity: Ints
    lesson_fan: Ints
    option_lesson: Ints
    option_gain: Ints
    option_use_start: Ints
    option_use: Ints
    option_units: Ints
    option_row_start: Ints
    """(option + 1,) into `option_row`."""
    option_row: Ints
    """(row,) candidates that an option could serve."""
    place_use_start: Ints
    place_use: Ints
    place_units: Ints
    request_mask: Ints
    request_start: Ints
    candidate_request: Ints
    candidate_place: Ints
    candidate_option: Ints
    candidate_lesson: Ints
    candidate_gain: Ints
    """(candidate,) with `PINNED` in it where the request is pinned."""
    request_group_start: Ints
    request_group: Ints
    group_cost_start: Ints
    group_cost: Ints
    seat_start: Ints
    """(lesson + 1,) into `Answer.seats`."""
    user_start: Ints
    """(resource + 1,) into `Answer.users`."""
    pinned: Ints
    """Requests that must be served."""


class Answer(NamedTuple):
    """What has been chosen so far."""

    now: Ints
    """(item,) option of a lesson, candidate of a request; -1 for none."""
    used: Ints
    """(resource,) units."""
    users: Ints
    """Items that use a resource; a resource's lie from `Facts.user_start` on."""
    user_count: Ints
    fan: NDArray[np.int32]
    """(lesson, 2) served in odd and even weeks."""
    seats: Ints
    """Requests that a lesson serves; a lesson's lie from `Facts.seat_start` on."""
    seat_count: Ints
    unserved: Ints
    """The requests that nobody serves, in no order; as many as `size[0]` says."""
    where: Ints
    """(request,) its row in `unserved`, or in `seats`."""
    unmet: Ints
    """(group,)"""
    size: NDArray[np.int64]
    """(1,) unserved requests."""
    journal: Journal
    kept: Kept


def facts_of(compiled: Compiled) -> Facts:
    """The problem as the search sees it."""
    option_lesson = np.repeat(np.arange(len(compiled.lesson_fan), dtype=np.int32), np.diff(compiled.lesson_start))
    candidate_request = compiled.candidate_request
    options = compiled.candidate_option
    lessons = np.where(options >= 0, option_lesson[options] if len(option_lesson) else -1, -1).astype(np.int32)
    candidates = np.flatnonzero(options >= 0).astype(np.int32)
    row_start, order = _by_key(options[candidates], len(compiled.options))
    group_sizes = np.diff(compiled.group_start)
    group_start, group_order = _by_key(compiled.group_member, len(compiled.request_mask))
    member_group = np.repeat(np.arange(len(group_sizes), dtype=np.int32), group_sizes)
    seats = np.minimum(2 * compiled.lesson_fan, np.bincount(lessons[candidates], minlength=len(compiled.lesson_fan)))
    may_use = np.bincount(np.concatenate([compiled.option_use, compiled.place_use]), minlength=len(compiled.capacity))
    pinned = compiled.request_must[candidate_request]
    return Facts(
        capacity=compiled.capacity,
        lesson_fan=compiled.lesson_fan,
        option_lesson=option_lesson,
        option_gain=compiled.option_gain,
        option_use_start=compiled.option_use_start,
        option_use=compiled.option_use,
        option_units=compiled.option_units,
        option_row_start=row_start,
        option_row=candidates[order],
        place_use_start=compiled.place_use_start,
        place_use=compiled.place_use,
        place_units=compiled.place_units,
        request_mask=compiled.request_mask,
        request_start=compiled.request_start,
        candidate_request=candidate_request,
        candidate_place=compiled.candidate_place,
        candidate_option=options,
        candidate_lesson=lessons,
        candidate_gain=(compiled.candidate_gain + PINNED * pinned).astype(np.int32),
        request_group_start=group_start,
        request_group=member_group[group_order],
        group_cost_start=compiled.group_cost_start,
        group_cost=compiled.group_cost,
        seat_start=_starts(seats),
        user_start=_starts(np.minimum(np.maximum(compiled.capacity, 0), may_use)),
        pinned=np.flatnonzero(compiled.request_must).astype(np.int32),
    )


def empty_answer(facts: Facts) -> Answer:
    """Nobody is served."""
    lessons, requests = len(facts.lesson_fan), len(facts.request_mask)
    resources = len(facts.capacity)
    groups = len(facts.group_cost_start) - 1
    now = np.full(lessons + requests, -1, np.int32)
    return Answer(
        now=now,
        used=np.zeros(resources, np.int32),
        users=np.zeros(facts.user_start[-1], np.int32),
        user_count=np.zeros(resources, np.int32),
        fan=np.zeros((lessons, 2), np.int32),
        seats=np.zeros(facts.seat_start[-1], np.int32),
        seat_count=np.zeros(lessons, np.int32),
        unserved=np.arange(requests, dtype=np.int32),
        where=np.arange(requests, dtype=np.int32),
        unmet=np.bincount(facts.request_group, minlength=groups).astype(np.int32),
        size=np.array([requests], np.int64),
        journal=new_journal(MOST_CHANGES),
        kept=keeping(now),
    )


def load(facts: Facts, answer: Answer, chosen: Chosen) -> int:
    """Put in what fits of somebody's choice, in order, into an answer in which nobody is served; its points."""
    points = _load(facts, answer, chosen.option, chosen.candidate) - _nobody(facts)
    answer.kept.best[:] = answer.now
    answer.kept.touched[:] = False
    answer.kept.length[0] = 0
    return points


def chosen_of_items(facts: Facts, items: Ints) -> Chosen:
    """The choice that `Answer.now`, or the best of it, stands for."""
    lessons = len(facts.lesson_fan)
    return Chosen(items[:lessons].copy(), items[lessons:].copy())


@jitted
def _load(facts: Facts, answer: Answer, option: Ints, candidate: Ints) -> int:
    points = 0
    for request in range(len(candidate)):
        taken = candidate[request]
        if taken < 0:
            continue
        wanted = facts.candidate_option[taken]
        if wanted >= 0 and option[facts.candidate_lesson[taken]] != wanted:
            continue
        if fits(facts, answer, request, taken):
            answer.journal.length[0] = 0
            points += serve(facts, answer, request, taken)
    return points


@jitted
def fits(facts: Facts, answer: Answer, request: int, candidate: int) -> bool:
    """Whether an unserved request could take a candidate; its lesson is opened where it is not held."""
    option = facts.candidate_option[candidate]
    if option >= 0:
        lesson = facts.candidate_lesson[candidate]
        held = answer.now[lesson]
        if held >= 0:
            if held != option or not has_seat(facts, answer, lesson, facts.request_mask[request]):
                return False
        elif not option_fits(facts, answer, option):
            return False
    return place_fits(facts, answer, facts.candidate_place[candidate])


@jitted
def has_seat(facts: Facts, answer: Answer, lesson: int, mask: int) -> bool:
    """Whether a lesson may serve one more, in the weeks of `mask`."""
    fan = facts.lesson_fan[lesson]
    if mask & 1 and answer.fan[lesson, 0] >= fan:
        return False
    return not (mask & 2 and answer.fan[lesson, 1] >= fan)


@jitted
def option_fits(facts: Facts, answer: Answer, option: int) -> bool:
    """Whether there is enough left of all that a lesson would use."""
    for use in range(facts.option_use_start[option], facts.option_use_start[option + 1]):
        resource = facts.option_use[use]
        if answer.used[resource] + facts.option_units[use] > facts.capacity[resource]:
            return False
    return True


@jitted
def place_fits(facts: Facts, answer: Answer, place: int) -> bool:
    """Whether there is enough left of all that a request would use."""
    for use in range(facts.place_use_start[place], facts.place_use_start[place + 1]):
        resource = facts.place_use[use]
        if answer.used[resource] + facts.place_units[use] > facts.capacity[resource]:
            return False
    return True


@jitted
def worth(facts: Facts, answer: Answer, request: int) -> int:
    """Points of fairness that serving an unserved request brings."""
    points = 0
    for row in range(facts.request_group_start[request], facts.request_group_start[request + 1]):
        group = facts.request_group[row]
        at = facts.group_cost_start[group] + answer.unmet[group]
        points += facts.group_cost[at] - facts.group_cost[at - 1]
    return points


@jitted
def serve(facts: Facts, answer: Answer, request: int, candidate: int) -> int:
    """Serve an unserved request by a candidate that fits; the points that it brings."""
    gain: int = facts.candidate_gain[candidate] + worth(facts, answer, request)
    option = facts.candidate_option[candidate]
    if option >= 0:
        lesson = facts.candidate_lesson[candidate]
        if answer.now[lesson] < 0:
            note(answer.journal, 0, lesson, -1)
            _hold(facts, answer, lesson, option)
            gain += facts.option_gain[option]
    note(answer.journal, 0, len(facts.lesson_fan) + request, -1)
    _put(facts, answer, request, candidate)
    return gain


@jitted
def unserve(facts: Facts, answer: Answer, request: int) -> int:
    """Serve a request no more, and close its lesson where it was the last; the points that it brings, mostly < 0."""
    item = len(facts.lesson_fan) + request
    candidate = answer.now[item]
    note(answer.journal, 0, item, candidate)
    _take(facts, answer, request)
    gain: int = -facts.candidate_gain[candidate] - worth(facts, answer, request)
    lesson = facts.candidate_lesson[candidate]
    if lesson >= 0 and answer.seat_count[lesson] == 0:
        option = answer.now[lesson]
        note(answer.journal, 0, lesson, option)
        _drop(facts, answer, lesson)
        gain -= facts.option_gain[option]
    return gain


@jitted
def undo(facts: Facts, answer: Answer) -> None:
    """Go back to where the journal begins."""
    lessons = len(facts.lesson_fan)
    for row in range(answer.journal.length[0] - 1, -1, -1):
        item = answer.journal.rows[row, 1]
        was = answer.journal.rows[row, 2]
        if item < lessons:
            if was < 0:
                _drop(facts, answer, item)
            else:
                _hold(facts, answer, item, was)
        elif was < 0:
            _take(facts, answer, item - lessons)
        else:
            _put(facts, answer, item - lessons, was)
    answer.journal.length[0] = 0


@jitted
def _hold(facts: Facts, answer: Answer, lesson: int, option: int) -> None:
    touch(answer.kept, lesson)
    answer.now[lesson] = option
    for use in range(facts.option_use_start[option], facts.option_use_start[option + 1]):
        _use(facts, answer, facts.option_use[use], facts.option_units[use], lesson)


@jitted
def _drop(facts: Facts, answer: Answer, lesson: int) -> None:
    touch(answer.kept, lesson)
    option = answer.now[lesson]
    answer.now[lesson] = -1
    for use in range(facts.option_use_start[option], facts.option_use_start[option + 1]):
        _free(facts, answer, facts.option_use[use], facts.option_units[use], lesson)


@jitted
def _put(facts: Facts, answer: Answer, request: int, candidate: int) -> None:
    item = len(facts.lesson_fan) + request
    touch(answer.kept, item)
    answer.now[item] = candidate
    place = facts.candidate_place[candidate]
    for use in range(facts.place_use_start[place], facts.place_use_start[place + 1]):
        _use(facts, answer, facts.place_use[use], facts.place_units[use], item)
    answer.size[0] -= 1
    last = answer.unserved[answer.size[0]]
    row = answer.where[request]
    answer.unserved[row] = last
    answer.where[last] = row
    lesson = facts.candidate_lesson[candidate]
    if lesson >= 0:
        seat = facts.seat_start[lesson] + answer.seat_count[lesson]
        answer.seats[seat] = request
        answer.where[request] = seat
        answer.seat_count[lesson] += 1
        _count(facts, answer, lesson, request, 1)
    for group in range(facts.request_group_start[request], facts.request_group_start[request + 1]):
        answer.unmet[facts.request_group[group]] -= 1


@jitted
def _take(facts: Facts, answer: Answer, request: int) -> None:
    item = len(facts.lesson_fan) + request
    touch(answer.kept, item)
    candidate = answer.now[item]
    answer.now[item] = -1
    place = facts.candidate_place[candidate]
    for use in range(facts.place_use_start[place], facts.place_use_start[place + 1]):
        _free(facts, answer, facts.place_use[use], facts.place_units[use], item)
    lesson = facts.candidate_lesson[candidate]
    if lesson >= 0:
        answer.seat_count[lesson] -= 1
        last = answer.seats[facts.seat_start[lesson] + answer.seat_count[lesson]]
        seat = answer.where[request]
        answer.seats[seat] = last
        answer.where[last] = seat
        _count(facts, answer, lesson, request, -1)
    answer.unserved[answer.size[0]] = request
    answer.where[request] = answer.size[0]
    answer.size[0] += 1
    for group in range(facts.request_group_start[request], facts.request_group_start[request + 1]):
        answer.unmet[facts.request_group[group]] += 1


@jitted
def _count(facts: Facts, answer: Answer, lesson: int, request: int, change: int) -> None:
    mask = facts.request_mask[request]
    if mask & 1:
        answer.fan[lesson, 0] += change
    if mask & 2:
        answer.fan[lesson, 1] += change


@jitted
def _use(facts: Facts, answer: Answer, resource: int, units: int, item: int) -> None:
    answer.used[resource] += units
    answer.users[facts.user_start[resource] + answer.user_count[resource]] = item
    answer.user_count[resource] += 1


@jitted
def _free(facts: Facts, answer: Answer, resource: int, units: int, item: int) -> None:
    answer.used[resource] -= units
    answer.user_count[resource] -= 1
    first = facts.user_start[resource]
    last = first + answer.user_count[resource]
    for row in range(first, last):
        if answer.users[row] == item:
            answer.users[row] = answer.users[last]
            return


def _nobody(facts: Facts) -> int:
    """Points taken off for fairness where nobody is served."""
    unmet = np.bincount(facts.request_group, minlength=len(facts.group_cost_start) - 1)
    return int(facts.group_cost[facts.group_cost_start[:-1] + unmet].astype(np.int64).sum())


def _by_key(keys: Ints, count: int) -> tuple[Ints, NDArray[np.intp]]:
    """Where the rows of each key begin, and the rows ordered by key."""
    return _starts(np.bincount(keys, minlength=count)), np.argsort(keys, kind="stable")


def _starts(sizes: NDArray[np.int64]) -> Ints:
    return np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
