"""Districts so small that every answer can be tried, and the best of them found without a solver."""

from collections import Counter
from itertools import product
from random import Random

import numpy as np

from hub.schedule.chosen import Chosen, points
from hub.schedule.compiling import compile_district
from hub.schedule.district import District, Goals
from hub.schedule.facts import Room, School, SchoolClass, Teacher
from hub.schedule.slots import Bell
from hub.schedule.wants import Lesson, Pin, Request, Wish

BELLS = (Bell(begins="08:00", ends="08:40"), Bell(begins="08:50", ends="09:30"))
SLOTS = ((1, 1), (1, 2), (2, 1))
MATHS = {"subject": "数学", "grade": 3}


def district(random: Random, times: int = 2, pinned: bool = False) -> District:
    """Two lead teachers, three classes of one school with two rooms, four requests."""
    schools = (
        School(id="lead", name="一小", bells=BELLS, uplink=random.choice((2, 4, 9))),
        School(id="home", name="二小", bells=BELLS, uplink=random.choice((1, 2, 9)), under_resourced=True),
    )
    rooms = (
        Room(id="studio", school="lead", equipment=frozenset({"lead"})),
        Room(id="near", school="home"),
        Room(id="far", school="home", equipment=frozenset({"receiving", "organ"})),
    )
    weeks = ("AB", "AB", "A", "B")
    lessons = tuple(
        Lesson(
            id=f"l{number}",
            teacher=random.choice(("t0", "t1")),
            weeks=random.choice(weeks),
            fan_out=random.choice((1, 2, 3)),
            unit=random.choice((1, 2)),
            times=tuple(random.sample(SLOTS, random.randint(1, times))),
            **MATHS,
        )
        for number in range(random.randint(1, 3))
    )
    requests = tuple(
        Request(
            id=f"q{number}",
            mode=random.choice(("delivery", "delivery", "delivery", "open")),
            school_class=random.choice(("k0", "k0", "k1", "k2")),
            weeks=random.choice(weeks),
            times=tuple(random.sample(SLOTS, random.randint(1, 3))),
            assistants=tuple(random.sample(("a0", "a1"), random.randint(0, 2))),
            needs=frozenset(random.choice(((), (), ("organ",)))),
            weight=random.choice((1, 3)),
            **MATHS,
        )
        for number in range(random.randint(1, 4))
    )
    return District(
        schools=schools,
        rooms=rooms,
        teachers=(
            Teacher(id="t0", school="lead", most_a_day=1),
            Teacher(id="t1", school="lead"),
            Teacher(id="a0", school="home"),
            Teacher(id="a1", school="home"),
        ),
        classes=tuple(SchoolClass(id=f"k{number}", school="home") for number in range(3)),
        lessons=lessons,
        requests=requests,
        pins=(Pin(request="q0"),) if pinned else (),
        wishes=tuple(
            Wish(points=random.choice((-300, 20)), request=one.id, time=random.choice(SLOTS)) for one in requests[:2]
        ),
        goals=Goals(second_unmet=random.choice((0, 400))),
    )


def problem(random: Random, times: int = 2, pinned: bool = False):
    """Its packing problem."""
    return compile_district(district(random, times, pinned))


def nothing(compiled) -> Chosen:
    """The answer that holds and serves nobody."""
    return Chosen(np.full(len(compiled.lesson_fan), -1, np.int32), np.full(len(compiled.request_mask), -1, np.int32))


def best(compiled, options=None) -> int | None:
    """The most that any answer is worth, by trying them all; None where none holds.

    Args:
        compiled: the problem.
        options: the options that lessons may take; any without it.
    """
    lessons = [
        [-1, *(row for row in range(*compiled.lesson_start[lesson : lesson + 2]) if options is None or row in options)]
        for lesson in range(len(compiled.lesson_fan))
    ]
    found = [
        _best_with(compiled, taken)
        for taken in product(*lessons)
        if not over(compiled, Counter(_uses(compiled, "option", [row for row in taken if row >= 0])))
    ]
    return max((one for one in found if one is not None), default=None)


def over(compiled, used: Counter) -> bool:
    """Whether anything is used beyond what there is."""
    return any(units > compiled.capacity[resource] for resource, units in used.items())


def _uses(compiled, kind, rows):
    start, use, units = (getattr(compiled, f"{kind}_{what}") for what in ("use_start", "use", "units"))
    used = Counter()
    for row in rows:
        for entry in range(start[row], start[row + 1]):
            used[int(use[entry])] += int(units[entry])
    return used


def _best_with(compiled, taken) -> int | None:
    """The most that serving can bring while lessons stand as they are."""
    of = {row: lesson for lesson, row in enumerate(taken) if row >= 0}
    most = None

    def serve(request, candidates, used, fans):
        nonlocal most
        if over(compiled, used) or any(count > compiled.lesson_fan[lesson] for (lesson, _), count in fans.items()):
            return
        if request == len(compiled.request_mask):
            answer = Chosen(np.array(taken, np.int32), np.array(candidates, np.int32))
            most = max(points(compiled, answer), -(10**9) if most is None else most)
            return
        if not compiled.request_must[request]:
            serve(request + 1, [*candidates, -1], used, fans)
        for row in range(*compiled.request_start[request : request + 2]):
            option = int(compiled.candidate_option[row])
            if option < 0 or option in of:
                place = _uses(compiled, "place", [compiled.candidate_place[row]])
                parities = [parity for parity in (0, 1) if compiled.request_mask[request] >> parity & 1]
                more = Counter((of[option], parity) for parity in parities) if option >= 0 else Counter()
                serve(request + 1, [*candidates, row], used + place, fans + more)

    serve(0, [], _uses(compiled, "option", of), Counter())
    return most
