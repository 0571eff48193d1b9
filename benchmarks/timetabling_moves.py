"""How the search changes a timetable: one move at a time, none of which breaks what holds.

A lecture to another slot, changing places with whoever stands there; a chain of clashing lectures between two times
(a Kempe chain), rooms found anew; a lecture to another room at its time; a course into one room.

Source of the chains: Lü, Hao, Adaptive Tabu Search for course timetabling, EJOR 200 (2010).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.timetabling_model import HARD, OTHER_ROOM, Week, lift, points, put, reroom, undo
from hub.schedule.solve.engine import SPENT, Walk, anneal, below, going, is_best, keep, started, takes, unit
from hub.schedule.solve.jit import jitted

Random = NDArray[np.uint64]

SLOT, CHAIN, ROOM, COURSE = range(4)
SHARES = (0.25, 0.60, 0.10, 0.05)
"""How often each kind of move is tried."""
HOT = 0.7
"""How much loss is taken with probability 1/e at first: in parts of what a move at the start usually changes."""
COLD = 0.2
"""And at last, in points."""
SAMPLES = 2_000
"""Moves that are looked at and undone, to see what they usually change."""
NEVER = -(2**40)
"""What a move gains that must not be made."""


def searched(week: Week, seed: int, *, work: int, stop: Callable[[], bool] = lambda: False) -> int:
    """Improve a timetable; the best is in `week.kept.best`.

    Args:
        week: where every lecture stands in a slot.
        seed: any whole number.
        work: moves to make.
        stop: asked now and then; true ends the search early.

    Returns:
        The moves made.
    """
    if not len(week.slot):
        return 0
    walk = started(seed, points(week))
    until = np.cumsum(SHARES)
    hot = max(COLD, HOT * _usual_change(week, started(seed, 0).random, until))
    anneal(walk, lambda: run(week, walk, until), work=work, hot=hot, cold=COLD, stop=stop)
    return int(walk.work[SPENT])


def _usual_change(week: Week, random: Random, until: NDArray[np.float64]) -> float:
    """The median of the points that a move gains or loses: more where many curricula share their courses."""
    changes = []
    for _ in range(SAMPLES):
        week.journal.length[0] = 0
        gain = move(week, random, until)
        undo(week)
        if gain not in {0, NEVER}:
            changes.append(abs(gain))
    return float(np.median(changes)) if changes else 0.0


@jitted
def run(week: Week, walk: Walk, until: NDArray[np.float64]) -> None:
    """Search while there is work. `until`: (kind,) the shares of the moves, added up."""
    while going(walk):
        week.journal.length[0] = 0
        gain = move(week, walk.random, until)
        if not takes(walk, gain):
            undo(week)
        elif is_best(walk):
            keep(week.kept, week.slot)


@jitted
def move(week: Week, random: Random, until: NDArray[np.float64]) -> int:
    """Make one move; returns the points gained."""
    drawn = unit(random)
    broken = week.hard[0]
    if drawn < until[SLOT]:
        gain = to_slot(week, random)
    elif drawn < until[CHAIN]:
        gain = along_chain(week, random)
    elif drawn < until[ROOM]:
        gain = to_room(week, random)
    else:
        gain = course_to_room(week, random)
    if week.hard[0] > broken:
        return NEVER
    return gain + HARD * (broken - week.hard[0])


@jitted
def to_slot(week: Week, random: Random) -> int:
    """A lecture to any slot; who stands there takes its place."""
    lecture = below(random, len(week.slot))
    slot = below(random, len(week.at))
    was, other = week.slot[lecture], week.at[slot]
    time, to = was // week.rooms, slot // week.rooms
    if time == to:
        return swap_rooms(week, lecture, slot)
    course = week.course[lecture]
    mates = 0
    if other >= 0:
        theirs = week.course[other]
        if theirs == course:
            return 0
        mates = 1 if week.clash[course, theirs] else 0
        if week.hard[0] == 0 and (not week.open[theirs, time] or week.barred[theirs, time] > mates):
            return NEVER
    if week.hard[0] == 0 and (not week.open[course, to] or week.barred[course, to] > mates):
        return NEVER
    gain = lift(week, lecture)
    if other >= 0:
        gain += lift(week, other) + put(week, other, was)
    return gain + put(week, lecture, slot)


@jitted
def to_room(week: Week, random: Random) -> int:
    """A lecture to another room at its time; who stands there takes its room."""
    lecture = below(random, len(week.slot))
    time = week.slot[lecture] // week.rooms
    return swap_rooms(week, lecture, time * week.rooms + below(random, week.rooms))


@jitted
def swap_rooms(week: Week, lecture: int, slot: int) -> int:
    was, other = week.slot[lecture], week.at[slot]
    if was == slot:
        return 0
    gain = reroom(week, lecture, slot)
    if other >= 0:
        gain += reroom(week, other, was)
    return gain


@jitted
def course_to_room(week: Week, random: Random) -> int:
    """All lectures of a course to one room; who stands there takes their rooms."""
    course = below(random, len(week.min_days))
    room = below(random, week.rooms)
    gain = 0
    for lecture in range(week.first[course], week.first[course + 1]):
        time = week.slot[lecture] // week.rooms
        gain += swap_rooms(week, lecture, time * week.rooms + room)
    return gain


@jitted
def along_chain(week: Week, random: Random) -> int:
    """A lecture to another time; those it clashes with there come back, and so on; each finds a room."""
    lecture = below(random, len(week.slot))
    time = week.slot[lecture] // week.rooms
    to = below(random, len(week.at) // week.rooms)
    if to == time:
        return 0
    length = _chain(week, lecture, time, to)
    if length == 0:
        return NEVER
    gain = 0
    for row in range(length):
        gain += lift(week, week.chain[row])
    for row in range(length):
        one = week.chain[row]
        target = to if week.slot[one] // week.rooms == time else time
        slot = _free(week, one, target)
        if slot < 0:
            return NEVER
        gain += put(week, one, slot)
    return gain


@jitted
def _chain(week: Week, lecture: int, time: int, to: int) -> int:
    """Those that have to change between two times along with a lecture; returns how many, 0 where one must not."""
    week.chain[0] = lecture
    week.linked[lecture] = True
    length, row, fits = 1, 0, True
    while fits and row < length:
        one = week.chain[row]
        course = week.course[one]
        there = to if week.slot[one] // week.rooms == time else time
        fits = week.hard[0] > 0 or week.open[course, there]
        linked_already = 0 if row == 0 else 1  # the one that it was found by
        row += 1
        if not fits or week.barred[course, there] <= linked_already:
            continue
        for slot in range(there * week.rooms, (there + 1) * week.rooms):
            other = week.at[slot]
            if other >= 0 and not week.linked[other] and week.clash[course, week.course[other]]:
                week.linked[other] = True
                week.chain[length] = other
                length += 1
    for row in range(length):
        week.linked[week.chain[row]] = False
    return length if fits else 0


@jitted
def _free(week: Week, lecture: int, time: int) -> int:
    """The free slot at a time that costs a lifted lecture least, or -1."""
    course = week.course[lecture]
    found, least = -1, 2**30
    for room in range(week.rooms):
        if week.at[time * week.rooms + room] < 0:
            cost = week.over[course, room] + (OTHER_ROOM if week.in_room[course, room] == 0 else 0)
            if cost < least:
                found, least = time * week.rooms + room, cost
    return found
