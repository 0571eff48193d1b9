"""Repairing and explaining the plan of the first district: a hundred disruptions, and every request that is not served.

python -m benchmarks.planning_repair [--disruptions N] [--plan FILE]
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hub.schedule.check import check
from hub.schedule.district import District
from hub.schedule.explain.explaining import explain, with_fix
from hub.schedule.generate import generate
from hub.schedule.plan import Plan
from hub.schedule.repair.alternative import Alternative
from hub.schedule.repair.disruption import (
    ClassSwap,
    Disruption,
    LessonExtended,
    RoomDown,
    SchoolClosed,
    Substitute,
    TeacherSick,
    UplinkHalved,
)
from hub.schedule.repair.names import Names
from hub.schedule.repair.replan import facts_of, replan
from hub.schedule.slots import Window
from hub.schedule.solve.solver import solve

DISRUPTIONS = 100
SEED = 1
SOLVED_SECONDS = 10.0
MOST_MOVED = 3


class Draws:
    """Draws disruptions of one week that hit somebody who is in the plan."""

    def __init__(self, district: District, plan: Plan, seed: int) -> None:
        self._district = district
        self._plan = plan
        self._names = Names(district)
        self._held = {one.lesson: one for one in plan.held}
        self._random = random.Random(seed)
        self.kinds: dict[str, Callable[[], Disruption]] = {
            "lead teacher sick, a day": self._lead_sick,
            "assistant sick, a day": self._assistant_sick,
            "room down, a day": self._room_down,
            "class swap": self._class_swap,
            "class away": self._class_away,
            "substitute who may be busy": self._substitute,
            "uplink halved, a day": self._uplink_halved,
            "school closed, a day": self._school_closed,
            "lesson extended, 20 min": self._lesson_extended,
        }

    def _draw(self):
        """Odd or even weeks, somebody who is served then, and the lesson."""
        week = self._random.choice("AB")
        served = self._random.choice([one for one in self._plan.served if week in self._request(one).weeks])
        return week, served, self._names.lessons[served.lesson], self._held[served.lesson]

    def _request(self, served):
        return self._names.requests[served.request]

    def _lead_sick(self):
        week, _, lesson, held = self._draw()
        return TeacherSick(week=week, teacher=lesson.teacher, windows=(Window(day=held.time[0]),))

    def _assistant_sick(self):
        week, served, _, _ = self._draw()
        return TeacherSick(week=week, teacher=served.assistant, windows=(Window(day=served.time[0]),))

    def _room_down(self):
        week, served, _, _ = self._draw()
        return RoomDown(week=week, room=served.room, windows=(Window(day=served.time[0]),))

    def _class_swap(self):
        week, served, _, _ = self._draw()
        request = self._request(served)
        periods = len(self._names.home(request).bells)
        slots = [(day, period) for day in range(1, 6) for period in range(1, periods + 1)]
        other = self._random.choice([one for one in slots if one not in request.times])
        return ClassSwap(week=week, school_class=request.school_class, first=served.time, second=other)

    def _class_away(self):
        week, served, _, _ = self._draw()
        return ClassSwap(week=week, school_class=self._request(served).school_class, first=served.time)

    def _substitute(self):
        week, _, lesson, _ = self._draw()
        school = self._names.teachers[lesson.teacher].school
        mates = [one.id for one in self._district.teachers if one.school == school and one.id != lesson.teacher]
        return Substitute(week=week, lesson=lesson.id, teacher=self._random.choice(mates))

    def _uplink_halved(self):
        week, served, _, _ = self._draw()
        home = self._names.home(self._request(served)).id
        return UplinkHalved(week=week, school=home, windows=(Window(day=served.time[0]),))

    def _school_closed(self):
        week, served, _, _ = self._draw()
        home = self._names.home(self._request(served)).id
        return SchoolClosed(week=week, school=home, windows=(Window(day=served.time[0]),))

    def _lesson_extended(self):
        week, _, lesson, _ = self._draw()
        return LessonExtended(week=week, lesson=lesson.id, minutes=20)


@dataclass
class Tally:
    """What the disruptions of one kind came to."""

    seconds: list[float] = field(default_factory=list)
    hit: int = 0
    still: int = 0
    """Placed with nobody else moved, and no substitute."""
    placed: int = 0
    """By the best way out."""
    stepped_in: int = 0
    """Disruptions whose best way out is a substitute."""
    moved: int = 0
    most_moved: int = 0
    ways: int = 0

    def add(self, ways: tuple[Alternative, ...], seconds: float) -> None:
        """One disruption."""
        best = ways[0]
        self.seconds.append(seconds)
        self.hit += len(best.hit)
        self.still += max([len(one.placed) for one in ways if one.kind in {"nobody-moves", "postpone"}], default=0)
        self.placed += len(best.placed)
        self.stepped_in += best.kind == "substitute"
        self.moved += best.sessions_moved
        self.most_moved = max(self.most_moved, *(one.sessions_moved for one in ways))
        self.ways += len(ways)

    def row(self, name: str) -> str:
        """A line of the table."""
        cells = [
            name,
            f"{len(self.seconds)}",
            f"{statistics.median(self.seconds):.2f} s",
            f"{max(self.seconds):.2f} s",
            f"{self.hit}",
            f"{self.still}",
            f"{self.placed}",
            f"{self.stepped_in}",
            f"{self.moved}",
            f"{self.most_moved}",
            f"{self.ways / len(self.seconds):.1f}",
        ]
        return "| " + " | ".join(cells) + " |"


def repairs(district: District, plan: Plan, count: int) -> list[str]:
    """Repair after each of so many disruptions, of all kinds in turn; every plan is checked again."""
    draws = Draws(district, plan, SEED)
    tallies = {kind: Tally() for kind in draws.kinds}
    every = Tally()
    replan(district, plan, next(iter(draws.kinds.values()))())  # loads the solver
    for number in range(count):
        kind = list(draws.kinds)[number % len(draws.kinds)]
        disruption = draws.kinds[kind]()
        begun = time.perf_counter()
        ways = replan(district, plan, disruption, most_moved=MOST_MOVED)
        took = time.perf_counter() - begun
        for way in ways:
            broken = check(facts_of(district, plan, way), way.plan).violations
            if broken or way.sessions_moved > MOST_MOVED:
                raise ValueError(f"{disruption}: {broken or way.moved}")
        tallies[kind].add(ways, took)
        every.add(ways, took)
    head = ("what happened", "times", "median", "longest", "hit", "still", "placed", "by a substitute", "moved")
    lines = [
        f"Repair: {count} disruptions of one week each, drawn so that they touch the plan. *Hit*: requests that cannot",
        "stay as they are. *Still*: those of them that find another place with nobody else moved. *Placed*: by the",
        f"best way out, which may move {MOST_MOVED} sessions that were not hit, or put in a substitute. Every way out",
        "went through the independent checker once more.",
        "",
        "| " + " | ".join([*head, "most moved", "ways"]) + " |",
        "|---" * 11 + "|",
    ]
    return [*lines, *(tally.row(kind) for kind, tally in tallies.items() if tally.seconds), every.row("all")]


def explanations(district: District, plan: Plan) -> list[str]:
    """Explain every request that is not served; every change that is proposed is checked on the whole district."""
    served = {one.request for one in plan.served}
    open_requests = [one.id for one in district.requests if one.id not in served]
    begun = time.perf_counter()
    found = explain(district, plan)
    took = time.perf_counter() - begun
    alone = []
    for request in open_requests:
        begun = time.perf_counter()
        explain(district, plan, [request])
        alone.append(time.perf_counter() - begun)
    fixed = [one for one in found if one.fix is not None]
    for one in fixed:
        facts, after = with_fix(district, plan, one.fix)
        kept = {each.request for each in after.served} == served | {one.request}
        if check(facts, after).violations or not kept:
            raise ValueError(f"{one.request}: {one.fix}")
    sizes = {count: sum(len(one.fix.changes) == count for one in fixed) for count in range(4)}
    more = sum(one.fix.changes[0].kind == "add-lesson" for one in fixed)
    each, one = took / max(1, len(found)) * 1000, statistics.median(alone) * 1000
    return [
        f"Explanations: {len(found)} of {len(district.requests)} requests are not served; {len(fixed)} have a change",
        f"that serves them with everybody else as before ({sizes[1]} one fact, {sizes[2]} two, {sizes[3]} three,",
        f"{sizes[0]} none at all; {more} of them a lesson not offered yet), each checked on the whole district.",
        f"All in {took:.2f} s, {each:.0f} ms each; one alone, with the plan read anew, {one:.0f} ms,",
        f"{max(alone) * 1000:.0f} ms at most.",
    ]


def lines(count: int = DISRUPTIONS, plan: Plan | None = None) -> list[str]:
    """Both, of the district with seed 1, in Markdown."""
    district = generate(seed=SEED)
    plan = plan or solve(district, seed=SEED, seconds=SOLVED_SECONDS)
    return [*repairs(district, plan, count), "", *explanations(district, plan)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--disruptions", type=int, default=DISRUPTIONS)
    parser.add_argument("--plan", type=Path, help="of `plan generate` with seed 1; solved anew without it")
    told = parser.parse_args()
    print("\n".join(lines(told.disruptions, Plan.load(told.plan) if told.plan else None)))


if __name__ == "__main__":
    main()
