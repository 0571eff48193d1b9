"""Course timetabling as a model of the planner's engine: the arrays, and how they change when a lecture does.

Every lecture stands in a slot of its own, a room at a time, so no room is ever taken twice and none is missing. What
else must hold is counted (`hard`), and the moves never let the count rise. A slot is `time * rooms + room`; a time is
`day * periods + period`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.timetabling_format import Instance, Lecture
from hub.schedule.solve.engine import Journal, Kept, keeping, new_journal, note, touch
from hub.schedule.solve.jit import jitted

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

SHORT_DAY, LONE_LECTURE, OTHER_ROOM = 5, 2, 1
HARD = 1_000
"""Points that a hard violation counts for, while a start still has some."""
LIFTED, PUT, ROOMED = 0, 1, 2
PAD = 2
"""Empty cells before and after each day, so that looking at neighbours needs no bounds."""


class Week(NamedTuple):
    """An instance and a timetable of it. Courses, rooms, curricula and lectures are numbers."""

    rooms: int
    periods: int
    """Periods a day."""
    course: Ints
    """(lecture,) what it belongs to; the lectures of a course follow each other."""
    first: Ints
    """(course + 1,) where its lectures begin."""
    min_days: Ints
    """(course,)"""
    over: Ints
    """(course, room) students without a seat."""
    open: Flags
    """(course, time) whether it may be taught then."""
    clash: Flags
    """(course, course) never at once; every course with itself."""
    near_start: Ints
    """(course + 1,) where its part of `near` begins."""
    near: Ints
    """Those it clashes with, itself included."""
    shares_start: Ints
    """(course + 1,) where its part of `shares` begins."""
    shares: Ints
    """The curricula that it is in."""
    slot: Ints
    """(lecture,) where it stands."""
    at: Ints
    """(slot,) the lecture that stands there, or -1."""
    on_day: Ints
    """(course, day) lectures."""
    days: Ints
    """(course,) days with a lecture."""
    in_room: Ints
    """(course, room) lectures."""
    held: Ints
    """(curriculum, cell) lectures; the cells are the times, with `PAD` around each day."""
    barred: Ints
    """(course, time) lectures that it clashes with."""
    hard: NDArray[np.int64]
    """(1,) lectures at a time that is closed to them, and pairs that clash."""
    chain: Ints
    """(lecture,) room to work in."""
    linked: Flags
    """(lecture,) whether it is in the chain; all false between two moves."""
    journal: Journal
    kept: Kept


@jitted
def enter(week: Week, lecture: int, time: int) -> int:
    """Count a lecture at a time; returns the points gained."""
    course = week.course[lecture]
    day = time // week.periods
    gain = 0
    if week.on_day[course, day] == 0:
        if week.days[course] < week.min_days[course]:
            gain += SHORT_DAY
        week.days[course] += 1
    week.on_day[course, day] += 1
    cell = time + PAD + 2 * PAD * day
    for row in range(week.shares_start[course], week.shares_start[course + 1]):
        one = week.shares[row]
        before, after = week.held[one, cell - 1], week.held[one, cell + 1]
        if before == 0 and after == 0:
            gain -= LONE_LECTURE
        elif week.held[one, cell] == 0:
            if week.held[one, cell - 2] == 0:
                gain += LONE_LECTURE * before
            if week.held[one, cell + 2] == 0:
                gain += LONE_LECTURE * after
        week.held[one, cell] += 1
    week.hard[0] += week.barred[course, time]
    if not week.open[course, time]:
        week.hard[0] += 1
    for row in range(week.near_start[course], week.near_start[course + 1]):
        week.barred[week.near[row], time] += 1
    return gain


@jitted
def leave(week: Week, lecture: int, time: int) -> int:
    """Take back what `enter` has counted; returns the points gained."""
    course = week.course[lecture]
    day = time // week.periods
    gain = 0
    week.on_day[course, day] -= 1
    if week.on_day[course, day] == 0:
        week.days[course] -= 1
        if week.days[course] < week.min_days[course]:
            gain -= SHORT_DAY
    cell = time + PAD + 2 * PAD * day
    for row in range(week.shares_start[course], week.shares_start[course + 1]):
        one = week.shares[row]
        week.held[one, cell] -= 1
        before, after = week.held[one, cell - 1], week.held[one, cell + 1]
        if before == 0 and after == 0:
            gain += LONE_LECTURE
        elif week.held[one, cell] == 0:
            if week.held[one, cell - 2] == 0:
                gain -= LONE_LECTURE * before
            if week.held[one, cell + 2] == 0:
                gain -= LONE_LECTURE * after
    for row in range(week.near_start[course], week.near_start[course + 1]):
        week.barred[week.near[row], time] -= 1
    week.hard[0] -= week.barred[course, time]
    if not week.open[course, time]:
        week.hard[0] -= 1
    return gain


@jitted
def occupy(week: Week, lecture: int, slot: int) -> int:
    """Count a lecture in a room; returns the points gained. Who stands there must go elsewhere within the move."""
    course, room = week.course[lecture], slot % week.rooms
    gain = -week.over[course, room]
    if week.in_room[course, room] == 0:
        gain -= OTHER_ROOM
    week.in_room[course, room] += 1
    week.at[slot] = lecture
    week.slot[lecture] = slot
    touch(week.kept, lecture)
    return gain


@jitted
def vacate(week: Week, lecture: int) -> int:
    """Take back what `occupy` has counted; returns the points gained."""
    slot = week.slot[lecture]
    course, room = week.course[lecture], slot % week.rooms
    gain = week.over[course, room]
    week.in_room[course, room] -= 1
    if week.in_room[course, room] == 0:
        gain += OTHER_ROOM
    if week.at[slot] == lecture:
        week.at[slot] = -1
    return gain


@jitted
def lift(week: Week, lecture: int) -> int:
    """Take a lecture out of the week; returns the points gained."""
    slot = week.slot[lecture]
    note(week.journal, LIFTED, lecture, slot)
    return leave(week, lecture, slot // week.rooms) + vacate(week, lecture)


@jitted
def put(week: Week, lecture: int, slot: int) -> int:
    """Put a lifted lecture into a free slot; returns the points gained."""
    note(week.journal, PUT, lecture, slot)
    return enter(week, lecture, slot // week.rooms) + occupy(week, lecture, slot)


@jitted
def reroom(week: Week, lecture: int, slot: int) -> int:
    """Put a lecture into another room at its time; who stands there must go elsewhere within the move."""
    note(week.journal, ROOMED, lecture, week.slot[lecture])
    return vacate(week, lecture) + occupy(week, lecture, slot)


@jitted
def undo(week: Week) -> None:
    """Take back everything that the journal has."""
    rows = week.journal.rows
    for row in range(week.journal.length[0] - 1, -1, -1):
        done, lecture, slot = rows[row, 0], rows[row, 1], rows[row, 2]
        if done != LIFTED:
            if done == PUT:
                leave(week, lecture, slot // week.rooms)
            vacate(week, lecture)
        if done != PUT:
            if done == LIFTED:
                enter(week, lecture, slot // week.rooms)
            occupy(week, lecture, slot)
    week.journal.length[0] = 0


def empty(instance: Instance) -> Week:
    """A week in which nothing stands anywhere: every slot is -1."""
    courses, rooms, times = len(instance.courses), len(instance.rooms), instance.days * instance.periods
    number = {one.id: row for row, one in enumerate(instance.courses)}
    lectures = np.array([one.lectures for one in instance.courses], np.int32)
    members = [[number[one] for one in curriculum.courses] for curriculum in instance.curricula]
    clash = np.equal.outer(*[np.array([one.teacher for one in instance.courses], object)] * 2).astype(np.bool_)
    for together in members:
        clash[np.ix_(together, together)] = True
    np.fill_diagonal(clash, val=True)
    is_open = np.ones((courses, times), np.bool_)
    for ban in instance.bans:
        is_open[number[ban.course], ban.day * instance.periods + ban.period] = False
    students = np.array([one.students for one in instance.courses], np.int32)
    seats = np.array([one.capacity for one in instance.rooms], np.int32)
    shares = [[row for row, together in enumerate(members) if course in together] for course in range(courses)]
    near_start, near = _ragged([list(np.flatnonzero(row)) for row in clash])
    shares_start, shares_of = _ragged(shares)
    slot = np.full(int(lectures.sum()), -1, np.int32)
    return Week(
        rooms=rooms,
        periods=instance.periods,
        course=np.repeat(np.arange(courses, dtype=np.int32), lectures),
        first=np.concatenate(([0], np.cumsum(lectures))).astype(np.int32),
        min_days=np.array([one.min_days for one in instance.courses], np.int32),
        over=np.maximum(0, students[:, None] - seats[None, :]).astype(np.int32),
        open=is_open,
        clash=clash,
        near_start=near_start,
        near=near,
        shares_start=shares_start,
        shares=shares_of,
        slot=slot,
        at=np.full(times * rooms, -1, np.int32),
        on_day=np.zeros((courses, instance.days), np.int32),
        days=np.zeros(courses, np.int32),
        in_room=np.zeros((courses, rooms), np.int32),
        held=np.zeros((max(1, len(members)), instance.days * (instance.periods + 2 * PAD)), np.int32),
        barred=np.zeros((courses, times), np.int32),
        hard=np.zeros(1, np.int64),
        chain=np.zeros(len(slot), np.int32),
        linked=np.zeros(len(slot), np.bool_),
        journal=new_journal(2 * len(slot) + 8),
        kept=keeping(slot),
    )


def points(week: Week) -> int:
    """What a timetable is worth, from the arrays as they stand: the penalty, negative."""
    held = week.held[:, 1:-1] * ((week.held[:, :-2] == 0) & (week.held[:, 2:] == 0))
    lost = int(week.over[week.course, week.slot % week.rooms].sum())
    lost += SHORT_DAY * int(np.maximum(0, week.min_days - (week.on_day > 0).sum(axis=1)).sum())
    lost += LONE_LECTURE * int(held.sum())
    lost += OTHER_ROOM * int((week.in_room > 0).sum() - (np.diff(week.first) > 0).sum())
    return -lost - HARD * int(week.hard[0])


def timetable(instance: Instance, slots: Ints) -> tuple[Lecture, ...]:
    """The lectures of a timetable by name, from the slot of each."""
    rooms, names = len(instance.rooms), [one.id for one in instance.courses for _ in range(one.lectures)]
    return tuple(
        Lecture(name, instance.rooms[slot % rooms].id, *divmod(slot // rooms, instance.periods))
        for name, slot in zip(names, slots.tolist(), strict=True)
    )


def _ragged(rows: list[list[int]]) -> tuple[Ints, Ints]:
    starts = np.concatenate(([0], np.cumsum([len(row) for row in rows]))).astype(np.int32)
    return starts, np.array([one for row in rows for one in row], np.int32)
