"""One move of the search: makes room for somebody, places who had to go elsewhere; and the loop around it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hub.schedule.compiled import Compiled, Ints
from hub.schedule.solve.engine import Walk, below, going, is_best, keep, takes
from hub.schedule.solve.jit import jitted
from hub.schedule.solve.state import (
    CANDIDATE,
    COUNT,
    FIRST,
    GAIN,
    LEFT,
    LESSON,
    OPTION,
    REQUEST,
    RESOURCE,
    SPOT,
    Answer,
    Facts,
    fits,
    serve,
    undo,
    unserve,
    worth,
)

MOST_OUT = 48
"""Requests that one move may take out."""
TRIED = 40
"""Candidates of a request that are looked at, from a random one on."""
MORE = 6
"""Candidates of the lesson's slot that are looked at besides, from a random one on."""
HELD_IS_BETTER = 60
"""Points by which a lesson that is held is better than one that would be opened."""
NOISE = 30
"""Points by which two candidates' order is left to chance."""
NEVER = 2**30


class Moving(NamedTuple):
    """What a move keeps in mind."""

    out: Ints
    """Requests that were taken out, or are to be placed besides."""
    rank: Ints
    """In which order they are placed: the largest first."""
    length: NDArray[np.int64]
    """(1,) how many."""


def new_moving(compiled: Compiled) -> Moving:
    """Room for what a move keeps in mind."""
    most = MOST_OUT + 2 * int(compiled.lesson_fan.max(initial=1)) + MORE
    return Moving(np.zeros(most, np.int32), np.zeros(most, np.int32), np.zeros(1, np.int64))


@jitted
def run(facts: Facts, answer: Answer, moving: Moving, walk: Walk) -> None:
    """The loop: move, and take it or undo it."""
    while going(walk):
        answer.journal.length[0] = 0
        moving.length[0] = 0
        gain = _move(facts, answer, moving, walk.random)
        if answer.journal.length[0] == 0:
            continue
        if not takes(walk, gain):
            undo(facts, answer)
        elif is_best(walk):
            keep(answer.kept, answer.at)


@jitted
def _move(facts: Facts, answer: Answer, moving: Moving, random: NDArray[np.uint64]) -> int:
    request = _wanted(facts, answer, random)
    first = facts.at[facts.request_start + request]
    count = facts.at[facts.request_start + request + 1] - first
    if count == 0:
        return 0
    candidate = first + below(random, count)
    if count > 1:
        other = first + below(random, count)
        if _obstacles(facts, answer, other) < _obstacles(facts, answer, candidate):
            candidate = other
    if answer.at[facts.lessons + request] == candidate:
        return 0
    gain = _make_room(facts, answer, moving, random, request, candidate)
    if not fits(facts, answer, request, candidate):
        undo(facts, answer)
        return 0
    gain += serve(facts, answer, request, candidate)
    _besides(facts, answer, moving, random, facts.at[facts.candidate + CANDIDATE * candidate + OPTION])
    return gain + _place_all(facts, answer, moving, random)


@jitted
def _obstacles(facts: Facts, answer: Answer, candidate: int) -> int:
    """How many, about, would have to be taken out for a candidate."""
    row = facts.candidate + CANDIDATE * candidate
    lesson = facts.at[row + LESSON]
    option = facts.at[row + OPTION]
    count = _lacking(facts, answer, facts.at[row + SPOT])
    if lesson >= 0:
        held = answer.at[lesson]
        if held != option:
            count += 3 * _lacking(facts, answer, option)
            if held >= 0:
                count += answer.at[answer.seat_count + lesson]
    return count


@jitted
def _lacking(facts: Facts, answer: Answer, spot: int) -> int:
    count = 0
    begin = facts.at[facts.use_start + spot]
    end = facts.at[facts.use_start + spot + 1]
    for use in range(facts.use + 2 * begin, facts.use + 2 * end, 2):
        if answer.at[answer.resource + RESOURCE * facts.at[use] + LEFT] < facts.at[use + 1]:
            count += 1
    return count


@jitted
def _wanted(facts: Facts, answer: Answer, random: NDArray[np.uint64]) -> int:
    """Whom to serve: mostly somebody who is not, and before all somebody pinned."""
    if facts.pins and below(random, 4) == 0:
        request: int = facts.at[facts.pinned + below(random, facts.pins)]
        if answer.at[facts.lessons + request] < 0:
            return request
    if answer.at[answer.size] and below(random, 5) != 0:
        return int(answer.at[answer.unserved + below(random, answer.at[answer.size])])
    return int(below(random, facts.requests))


@jitted
def _make_room(
    facts: Facts, answer: Answer, moving: Moving, random: NDArray[np.uint64], request: int, candidate: int
) -> int:
    """Take out whoever is in the way; what that gains, mostly < 0."""
    gain = 0
    if answer.at[facts.lessons + request] >= 0:
        gain += unserve(facts, answer, request)
    row = facts.candidate + CANDIDATE * candidate
    lesson = facts.at[row + LESSON]
    option = facts.at[row + OPTION]
    if lesson >= 0 and answer.at[lesson] >= 0:
        if answer.at[lesson] != option:
            gain += _empty(facts, answer, moving, lesson)
        else:
            gain += _seat(facts, answer, moving, random, lesson, facts.at[facts.mask + request])
    gain += _free(facts, answer, moving, random, facts.at[row + SPOT])
    if lesson >= 0 and answer.at[lesson] < 0:
        gain += _free(facts, answer, moving, random, option)
    return gain


@jitted
def _out(facts: Facts, answer: Answer, moving: Moving, request: int) -> int:
    moving.out[moving.length[0]] = request
    moving.length[0] += 1
    return unserve(facts, answer, request)


@jitted
def _empty(facts: Facts, answer: Answer, moving: Moving, lesson: int) -> int:
    """Take everybody out of a lesson, which closes it."""
    gain = 0
    seats = answer.seats + facts.at[facts.seat_start + lesson]
    while answer.at[answer.seat_count + lesson]:
        gain += _out(facts, answer, moving, answer.at[seats + answer.at[answer.seat_count + lesson] - 1])
    return gain


@jitted
def _seat(facts: Facts, answer: Answer, moving: Moving, random: NDArray[np.uint64], lesson: int, mask: int) -> int:
    """Take the cheaper of two out of a lesson in which no seat is left, in each kind of week."""
    gain = 0
    seats = answer.seats + facts.at[facts.seat_start + lesson]
    for parity in range(2):
        bit = 1 << parity
        while mask & bit and answer.at[answer.fan + 2 * lesson + parity] >= facts.at[facts.fan + lesson]:
            count = answer.at[answer.seat_count + lesson]
            chosen = -1
            least = 0
            start = below(random, count)
            seen = 0
            for step in range(count):
                one = answer.at[seats + (start + step) % count]
                if facts.at[facts.mask + one] & bit:
                    taken = answer.at[facts.lessons + one]
                    cost = facts.at[facts.candidate + CANDIDATE * taken + GAIN]
                    if chosen < 0 or cost < least:
                        chosen = one
                        least = cost
                    seen += 1
                    if seen == 2:
                        break
            gain += _out(facts, answer, moving, chosen)
    return gain


@jitted
def _free(facts: Facts, answer: Answer, moving: Moving, random: NDArray[np.uint64], spot: int) -> int:
    """Take out users of what a spot uses, at random, until enough is free, or too many had to go."""
    gain = 0
    begin = facts.at[facts.use_start + spot]
    end = facts.at[facts.use_start + spot + 1]
    for use in range(facts.use + 2 * begin, facts.use + 2 * end, 2):
        resource = answer.resource + RESOURCE * facts.at[use]
        while answer.at[resource + LEFT] < facts.at[use + 1]:
            count = answer.at[resource + COUNT]
            if count == 0 or moving.length[0] >= MOST_OUT:
                break
            item = answer.at[answer.users + answer.at[resource + FIRST] + below(random, count)]
            if item < facts.lessons:
                gain += _empty(facts, answer, moving, item)
            else:
                gain += _out(facts, answer, moving, item - facts.lessons)
    return gain


@jitted
def _besides(facts: Facts, answer: Answer, moving: Moving, random: NDArray[np.uint64], option: int) -> None:
    """Have some be placed that the lesson could serve in its slot, and nobody does."""
    if option < 0:
        return
    first = facts.at[facts.row_start + option]
    count = facts.at[facts.row_start + option + 1] - first
    start = below(random, count)
    for step in range(min(MORE, count)):
        candidate = facts.at[facts.row + first + (start + step) % count]
        request = facts.at[facts.candidate + CANDIDATE * candidate + REQUEST]
        if answer.at[facts.lessons + request] < 0:
            moving.out[moving.length[0]] = request
            moving.length[0] += 1


@jitted
def _place_all(facts: Facts, answer: Answer, moving: Moving, random: NDArray[np.uint64]) -> int:
    """Serve those who are out, those first who are worth most."""
    count = moving.length[0]
    for row in range(count):
        request = moving.out[row]
        first = facts.candidate + CANDIDATE * facts.at[facts.request_start + request]
        moving.rank[row] = facts.at[first + GAIN] + worth(facts, answer, request) + below(random, NOISE)
    gain = 0
    for done in range(count):
        best = done
        for row in range(done + 1, count):
            if moving.rank[row] > moving.rank[best]:
                best = row
        request = moving.out[best]
        moving.out[best] = moving.out[done]
        moving.rank[best] = moving.rank[done]
        if answer.at[facts.lessons + request] < 0:
            gain += _place(facts, answer, random, request)
    return gain


@jitted
def _place(facts: Facts, answer: Answer, random: NDArray[np.uint64], request: int) -> int:
    """Serve somebody by the best candidate that fits, of those that are looked at."""
    first = facts.at[facts.request_start + request]
    count = facts.at[facts.request_start + request + 1] - first
    start = below(random, count)
    chosen = -1
    most = -NEVER
    for step in range(min(TRIED, count)):
        candidate = first + (start + step) % count
        row = facts.candidate + CANDIDATE * candidate
        value = facts.at[row + GAIN] + below(random, NOISE)
        lesson = facts.at[row + LESSON]
        if lesson >= 0 and answer.at[lesson] >= 0:
            if answer.at[lesson] != facts.at[row + OPTION]:
                continue
            value += HELD_IS_BETTER
        if value > most and fits(facts, answer, request, candidate):
            chosen = candidate
            most = value
    if chosen < 0:
        return 0
    return serve(facts, answer, request, chosen)
