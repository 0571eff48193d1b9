"""Parts of an answer that are solved anew, exactly, while the rest stays: some lessons, and whoever could meet them."""

from collections.abc import Iterable

import numpy as np

from hub.schedule.chosen import Chosen
from hub.schedule.compiled import Compiled
from hub.schedule.solve.milp import Stop, within
from hub.schedule.solve.program import Scope
from hub.schedule.solve.rows import Wide, gathered

COLUMNS = 900
"""Candidates open to choice in one neighbourhood: HiGHS answers most of this size in a few tenths of a second."""
NODES = 50
"""Nodes of the search tree that one neighbourhood is worth."""


def neighbourhood(
    compiled: Compiled,
    chosen: Chosen,
    lessons: Iterable[int],
    *,
    seconds: float | None = None,
    nodes: int | None = NODES,
    stop: Stop | None = None,
) -> Chosen:
    """Choose the times of some lessons anew, and whom all requests meet that could meet one of them.

    Args:
        compiled: the problem.
        chosen: an answer that holds.
        lessons: those whose times are free.
        seconds: as for `hub.schedule.solve.milp.solved`.
        nodes: as there.
        stop: as there.

    Returns:
        An answer at least as good; all other lessons and requests are as they were.
    """
    return within(compiled, around(compiled, chosen, lessons), seconds=seconds, nodes=nodes, stop=stop).chosen


def around(compiled: Compiled, chosen: Chosen, lessons: Iterable[int]) -> Scope:
    """The scope of some lessons and all requests that could meet them."""
    options = np.zeros(len(compiled.options) + 1, np.bool_)
    options[gathered(compiled.lesson_start, np.fromiter(lessons, np.int64))[1]] = True
    options[-1] = False  # where open classes point
    requests = np.zeros(len(compiled.request_mask), np.bool_)
    requests[compiled.candidate_request[options[compiled.candidate_option]]] = True
    return Scope(options[:-1], requests, chosen)


class Neighbourhoods:
    """Finds lessons that are worth choosing anew together: what an unserved request could meet, and what is in its way.

    Args:
        compiled: the problem.
        columns: about how many candidates are open to choice in one neighbourhood.
    """

    def __init__(self, compiled: Compiled, columns: int = COLUMNS) -> None:
        self._compiled = compiled
        self._columns = columns
        self._lesson_of = np.append(np.repeat(np.arange(len(compiled.lesson_fan)), np.diff(compiled.lesson_start)), -1)
        lesson = self._lesson_of[compiled.candidate_option]
        request = compiled.candidate_request
        led = lesson >= 0
        width = max(1, len(compiled.request_mask))
        pairs = np.unique(lesson[led].astype(np.int64) * width + request[led])
        self._asking = pairs % width
        self._asking_start = np.searchsorted(pairs // width, np.arange(len(compiled.lesson_fan) + 1))
        self._asks = np.flatnonzero(np.bincount(request[led], minlength=len(compiled.request_mask)))
        self._size = np.bincount(request, minlength=len(compiled.request_mask))

    def pick(self, chosen: Chosen, rng: np.random.Generator) -> Wide:
        """Lessons around a request that goes unserved, or around any where none does; ascending, perhaps none."""
        if not len(self._asks):
            return np.zeros(0, np.int64)
        unmet = self._asks[chosen.candidate[self._asks] < 0]
        first = int(rng.choice(unmet if len(unmet) else self._asks))
        holders = _Holders(self._compiled, chosen)
        lessons: set[int] = set()
        free: set[int] = set()
        size = 0
        waiting = [first]
        tries = 0
        while size < self._columns and tries < self._columns:
            tries += 1
            if not waiting:
                waiting.append(int(rng.choice(sorted(free))) if free else first)
            request = waiting.pop(int(rng.integers(len(waiting))))
            candidate = int(
                rng.integers(self._compiled.request_start[request], self._compiled.request_start[request + 1])
            )
            joining = {int(self._lesson_of[self._compiled.candidate_option[candidate]])}
            for other in holders.in_the_way(candidate):
                waiting.append(other)
                joining.add(int(self._lesson_of[self._compiled.candidate_option[chosen.candidate[other]]]))
            for lesson in sorted(joining - lessons - {-1}):
                lessons.add(lesson)
                asking = self._asking[self._asking_start[lesson] : self._asking_start[lesson + 1]]
                new = set(asking.tolist()) - free
                size += int(self._size[sorted(new)].sum())
                free |= new
        return np.array(sorted(lessons), np.int64)


class _Holders:
    """Which requests use what in an answer."""

    def __init__(self, compiled: Compiled, chosen: Chosen) -> None:
        self._compiled = compiled
        served = np.flatnonzero(chosen.candidate >= 0)
        owner, use = gathered(compiled.place_use_start, compiled.candidate_place[chosen.candidate[served]])
        order = np.argsort(compiled.place_use[use], kind="stable")
        self._resource = compiled.place_use[use][order]
        self._who = served[owner[order]]
        self._left = compiled.capacity.astype(np.int64)
        np.subtract.at(self._left, compiled.place_use[use], compiled.place_units[use])
        _, use = gathered(compiled.option_use_start, chosen.option[chosen.option >= 0])
        np.subtract.at(self._left, compiled.option_use[use], compiled.option_units[use])

    def in_the_way(self, candidate: int) -> list[int]:
        """Requests that hold something of which a candidate would find too little; ascending."""
        compiled = self._compiled
        place = compiled.candidate_place[candidate]
        uses = slice(compiled.place_use_start[place], compiled.place_use_start[place + 1])
        short = compiled.place_use[uses][compiled.place_units[uses] > self._left[compiled.place_use[uses]]]
        found: set[int] = set()
        for resource in short:
            begin, end = np.searchsorted(self._resource, [resource, resource + 1])
            found.update(self._who[begin:end].tolist())
        return sorted(found)


def improved(
    compiled: Compiled,
    chosen: Chosen,
    *,
    seed: int,
    rounds: int,
    columns: int = COLUMNS,
    nodes: int = NODES,
    stop: Stop = lambda: False,
    abandon: Stop | None = None,
) -> Chosen:
    """Solve one neighbourhood after another.

    Args:
        compiled: the problem.
        chosen: an answer that holds.
        seed: which neighbourhoods, and in which order.
        rounds: how many.
        columns: about how many candidates are open to choice in each.
        nodes: of the search tree that each is worth.
        stop: asked before each; the answer so far is returned.
        abandon: asked on the way, too; then nobody waits for the one that is being solved.

    Returns:
        An answer at least as good; the same for the same seed and rounds, on any machine.
    """
    found = Neighbourhoods(compiled, columns)
    rng = np.random.default_rng(seed % 2**64)
    for _ in range(rounds):
        if stop():
            break
        chosen = neighbourhood(compiled, chosen, found.pick(chosen, rng), nodes=nodes, stop=abandon)
    return chosen
