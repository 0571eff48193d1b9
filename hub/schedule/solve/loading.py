"""Between the packing problem and what the search works on."""

import numpy as np
from numpy.typing import NDArray

from hub.schedule.chosen import Chosen
from hub.schedule.compiled import Compiled, Ints
from hub.schedule.solve.engine import keeping, new_journal
from hub.schedule.solve.jit import jitted
from hub.schedule.solve.state import CANDIDATE, LESSON, OPTION, Answer, Facts, fits, serve

PINNED = 2**28
"""Points for a pinned request beyond its own: two thousand requests of the largest weight outweigh it, at the usual
points for each; one move takes out some hundreds at most."""
MOST_CHANGES = 4096
"""Changes in one move, at most."""


def facts_of(compiled: Compiled) -> Facts:
    """The problem as the search sees it."""
    lessons, requests = len(compiled.lesson_fan), len(compiled.request_mask)
    options = compiled.candidate_option
    request = compiled.candidate_request
    lesson = candidate_lesson(compiled)
    led = np.flatnonzero(options >= 0)
    by_option = np.argsort(options[led], kind="stable")
    member = np.argsort(compiled.group_member, kind="stable")
    group = np.repeat(np.arange(len(compiled.group_start) - 1), np.diff(compiled.group_start))
    seats = np.minimum(2 * compiled.lesson_fan, np.bincount(lesson[led], minlength=lessons))
    gain = compiled.candidate_gain + PINNED * compiled.request_must[request]
    spot = compiled.candidate_place + len(compiled.options)
    places = compiled.place_use_start[1:] + compiled.option_use_start[-1]
    uses = np.concatenate([compiled.option_use, compiled.place_use])
    units = np.concatenate([compiled.option_units, compiled.place_units])
    pinned = np.flatnonzero(compiled.request_must)
    parts: dict[str, NDArray[np.generic]] = {
        "pinned": pinned,
        "fan": compiled.lesson_fan,
        "seat_start": _starts(seats),
        "option_gain": compiled.option_gain,
        "row_start": _starts(np.bincount(options[led], minlength=len(compiled.options))),
        "row": led[by_option],
        "use_start": np.concatenate([compiled.option_use_start, places]),
        "use": np.column_stack([uses, units]),
        "mask": compiled.request_mask,
        "request_start": compiled.request_start,
        "candidate": np.column_stack([request, spot, options, lesson, gain]),
        "group_start": _starts(np.bincount(compiled.group_member, minlength=requests)),
        "group": group[member],
        "cost_start": compiled.group_cost_start,
        "cost": compiled.group_cost,
    }
    at, begins = _laid(parts)
    return Facts(at=at, lessons=lessons, requests=requests, pins=len(pinned), **begins)


def empty_answer(compiled: Compiled, facts: Facts) -> Answer:
    """Nobody is served."""
    lessons, requests = facts.lessons, facts.requests
    may_use = np.bincount(np.concatenate([compiled.option_use, compiled.place_use]), minlength=len(compiled.capacity))
    first = _starts(np.minimum(np.maximum(compiled.capacity, 0), may_use))
    now = np.full(lessons + requests, -1)
    parts: dict[str, NDArray[np.generic]] = {
        "now": now,
        "resource": np.column_stack([compiled.capacity, np.zeros_like(compiled.capacity), first[:-1]]),
        "users": np.zeros(first[-1]),
        "fan": np.zeros((lessons, 2)),
        "seat_count": np.zeros(lessons),
        "seats": np.zeros(facts.at[facts.seat_start + lessons]),
        "unserved": np.arange(requests),
        "size": np.array([requests]),
        "where": np.arange(requests),
        "unmet": np.diff(compiled.group_start),
    }
    at, begins = _laid(parts)
    del begins["now"]
    return Answer(at=at, **begins, journal=new_journal(MOST_CHANGES), kept=keeping(now.astype(np.int32)))


def load(compiled: Compiled, facts: Facts, answer: Answer, chosen: Chosen) -> int:
    """Put in what fits of somebody's choice, in order, into an answer in which nobody is served; its points."""
    unmet = np.diff(compiled.group_start)
    nobody = int(compiled.group_cost[compiled.group_cost_start[:-1] + unmet].astype(np.int64).sum())
    points = int(_load(facts, answer, chosen.option, chosen.candidate)) - nobody - compiled.kept
    answer.kept.best[:] = answer.at[: len(answer.kept.best)]
    answer.kept.touched[:] = False
    answer.kept.length[0] = 0
    return points


def chosen_of_items(facts: Facts, items: Ints) -> Chosen:
    """The choice that items of an answer, or of the best one, stand for."""
    return Chosen(items[: facts.lessons].copy(), items[facts.lessons : facts.lessons + facts.requests].copy())


def candidate_lesson(compiled: Compiled) -> Ints:
    """(candidate,) the lesson of each; -1 for an open class."""
    lesson = np.repeat(np.arange(len(compiled.lesson_fan), dtype=np.int32), np.diff(compiled.lesson_start))
    return np.append(lesson, np.int32(-1))[compiled.candidate_option]


@jitted
def _load(facts: Facts, answer: Answer, option: Ints, candidate: Ints) -> int:
    points = 0
    for request in range(len(candidate)):
        taken = candidate[request]
        if taken < 0:
            continue
        row = facts.candidate + CANDIDATE * taken
        wanted = facts.at[row + OPTION]
        if wanted >= 0 and option[facts.at[row + LESSON]] != wanted:
            continue
        if fits(facts, answer, request, taken):
            answer.journal.length[0] = 0
            points += serve(facts, answer, request, taken)
    return points


def _laid(parts: dict[str, NDArray[np.generic]]) -> tuple[Ints, dict[str, int]]:
    """Parts one after another, and where each begins."""
    begins = np.cumsum([0, *(part.size for part in parts.values())])
    at = np.concatenate([part.ravel() for part in parts.values()]).astype(np.int32)
    return at, {name: int(begin) for name, begin in zip(parts, begins, strict=False)}


def _starts(sizes: NDArray[np.generic]) -> Ints:
    return np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
