"""Weeks of course timetabling that are made up, each with a timetable that holds; the same seed makes the same week."""

import random
from typing import NamedTuple

from benchmarks.timetabling_format import Ban, Course, Curriculum, Instance, Lecture, Room

LECTURES = (1, 2, 3, 3, 3, 4, 5)
CAPACITIES = (30, 40, 50, 60, 80, 100, 200, 300)
MOST_TOGETHER = 5
"""Courses of one curriculum."""


class Planted(NamedTuple):
    """A week, and a timetable that breaks nothing and seats everybody, each course in one room."""

    instance: Instance
    timetable: tuple[Lecture, ...]


def planted(courses: int = 30, rooms: int = 6, days: int = 5, periods: int = 5, seed: int = 1) -> Planted:
    """Make a week; the sizes of the competition are 30 to 131 courses in 5 to 20 rooms.

    Args:
        courses: at most so many; fewer where the rooms are full.
        rooms: how many.
        days: of the week.
        periods: a day.
        seed: any whole number.
    """
    dice = random.Random(seed)
    seats = {f"r{row:02}": dice.choice(CAPACITIES) for row in range(rooms)}
    free = {room: [(day, period) for day in range(days) for period in range(periods)] for room in seats}
    made: dict[str, Course] = {}
    times: dict[str, list[tuple[int, int]]] = {}
    lectures: list[Lecture] = []
    teaching: dict[str, set[tuple[int, int]]] = {f"t{row:03}": set() for row in range(max(1, courses * 4 // 5))}
    for row in range(courses):
        teacher, room = dice.choice(list(teaching)), dice.choice(list(seats))
        open_ = [one for one in free[room] if one not in teaching[teacher]]
        count = dice.choice(LECTURES)
        if len(open_) < count:
            continue
        name = f"c{row:04}"
        times[name] = sorted(dice.sample(open_, count))
        teaching[teacher].update(times[name])
        free[room] = [one for one in free[room] if one not in times[name]]
        on = len({day for day, _ in times[name]})
        made[name] = Course(name, teacher, count, dice.randint(1, on), dice.randint(1, seats[room]))
        lectures += [Lecture(name, room, day, period) for day, period in times[name]]
    instance = Instance(
        name=f"made-{courses}-{rooms}-{seed}",
        days=days,
        periods=periods,
        courses=tuple(made.values()),
        rooms=tuple(Room(name, capacity) for name, capacity in seats.items()),
        curricula=_curricula(times, dice),
        bans=tuple(
            Ban(name, day, period)
            for name in made
            for day in range(days)
            for period in range(periods)
            if (day, period) not in times[name] and dice.random() < 0.2
        ),
    )
    return Planted(instance, tuple(lectures))


def _curricula(times: dict[str, list[tuple[int, int]]], dice: random.Random) -> tuple[Curriculum, ...]:
    """Groups of courses that are never at once in the planted timetable."""
    made = []
    names = list(times)
    for row in range(len(names) * 4 // 5):
        together: list[str] = []
        taken: set[tuple[int, int]] = set()
        for name in dice.sample(names, min(len(names), 3 * MOST_TOGETHER)):
            if len(together) < MOST_TOGETHER and taken.isdisjoint(times[name]):
                together.append(name)
                taken.update(times[name])
        made.append(Curriculum(f"q{row:03}", tuple(together)))
    return tuple(made)
