"""A first timetable: the lecture with the fewest places left goes first.

Source of the order: D. Brélaz, New Methods to Color the Vertices of a Graph, CACM 22 (1979).
"""

import numpy as np
from numpy.typing import NDArray

from benchmarks.timetabling_format import Instance
from benchmarks.timetabling_model import HARD, Week, empty, put
from hub.schedule.solve.engine import keeping


class TooManyLectures(Exception):
    """There are more lectures than rooms and times to hold them in."""


def first_week(instance: Instance) -> Week:
    """A week in which every lecture stands somewhere, with few violations, mostly none.

    Raises:
        TooManyLectures: the instance has more lectures than slots.
    """
    week = empty(instance)
    if len(week.slot) > len(week.at):
        raise TooManyLectures(f"{instance.name}: {len(week.slot)} lectures do not fit into {len(week.at)} slots")
    times = week.open.shape[1]
    left = np.diff(week.first)
    while left.any():
        full = (week.at.reshape(times, week.rooms) >= 0).all(axis=1)
        places = (week.open & (week.barred == 0) & ~full[None, :]).sum(axis=1) - left
        places[left == 0] = 2**30
        course = int(np.lexsort((-np.diff(week.near_start), places))[0])
        lecture = int(week.first[course + 1] - left[course])
        put(week, lecture, _best(week, lecture, full))
        left[course] -= 1
    week.journal.length[0] = 0
    return week._replace(kept=keeping(week.slot))


def _best(week: Week, lecture: int, full: NDArray[np.bool_]) -> int:
    """The slot that breaks least, then takes few places from others and costs little."""
    course = week.course[lecture]
    near = week.near[week.near_start[course] : week.near_start[course + 1]]
    best = (2**62, -1, -1)
    for time in np.flatnonzero(~full).tolist():
        broken = int(week.barred[course, time]) + int(not week.open[course, time])
        takes = int((week.open[near, time] & (week.barred[near, time] == 0)).sum())
        free = time * week.rooms + np.flatnonzero(week.at[time * week.rooms : (time + 1) * week.rooms] < 0)
        cost = week.over[course, free % week.rooms] * 4 + (week.in_room[course, free % week.rooms] == 0)
        slot = int(free[np.argmin(cost)])
        rank = (HARD * broken + int(cost.min()) + takes, time, slot)
        best = min(best, rank)
    return best[2]
