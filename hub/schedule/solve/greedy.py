"""A first answer at once, in plain Python: whoever counts most and has fewest ways is served first."""

from itertools import pairwise

import numpy as np

from hub.schedule.chosen import Chosen
from hub.schedule.compiled import Compiled, Ints

HELD_IS_BETTER = 50
"""Points by which a lesson that is held is better than one that would be opened."""
SHARED = 4
"""Points by which a lesson in a slot is better for each request that could meet it there, up to `MOST_SHARED`."""
MOST_SHARED = 40


def greedy(compiled: Compiled, start: Chosen | None = None) -> Chosen:
    """An answer that holds; pinned requests come first, yet some may go unserved where they stand in each other's way.

    Args:
        compiled: the problem.
        start: an answer to fill up; what does not fit of it is left out.
    """
    filling = _Filling(compiled)
    if start is not None:
        filling.load(start)
    most = np.zeros(len(compiled.request_mask), np.int64)
    np.maximum.at(most, compiled.candidate_request, compiled.candidate_gain)
    for request in np.lexsort((np.diff(compiled.request_start), -most, ~compiled.request_must)):
        filling.serve(int(request))
    filling.hold_for_wishes()
    return filling.chosen()


def nothing(compiled: Compiled) -> Chosen:
    """The answer that serves nobody."""
    return Chosen(np.full(len(compiled.lesson_fan), -1, np.int32), np.full(len(compiled.request_mask), -1, np.int32))


class _Filling:
    """An answer to which more is added as long as it fits."""

    def __init__(self, compiled: Compiled) -> None:
        self._left = compiled.capacity.tolist()
        self._option_lesson = np.repeat(np.arange(len(compiled.lesson_fan)), np.diff(compiled.lesson_start)).tolist()
        self._option_gain = compiled.option_gain.tolist()
        self._option_uses = _uses(compiled.option_use_start, compiled.option_use, compiled.option_units)
        self._place_uses = _uses(compiled.place_use_start, compiled.place_use, compiled.place_units)
        self._mask = compiled.request_mask.tolist()
        self._must = compiled.request_must
        self._start = compiled.request_start.tolist()
        self._place = compiled.candidate_place.tolist()
        self._option = compiled.candidate_option.tolist()
        shared = np.bincount(compiled.candidate_option + 1, minlength=len(compiled.options) + 1)
        shared[0] = 0
        self._gain = compiled.candidate_gain.tolist()
        self._opening = (
            compiled.candidate_gain + np.minimum(MOST_SHARED, SHARED * shared)[compiled.candidate_option + 1]
        ).tolist()
        self._seats = [[fan, fan] for fan in compiled.lesson_fan.tolist()]
        self._held = [-1] * len(compiled.lesson_fan)
        self._served = [-1] * len(compiled.request_mask)

    def load(self, start: Chosen) -> None:
        """Take over what fits; whoever is pinned comes first."""
        for request in np.argsort(~self._must, kind="stable").tolist():
            candidate = int(start.candidate[request])
            if candidate < 0:
                continue
            option = self._option[candidate]
            as_chosen = option < 0 or start.option[self._option_lesson[option]] == option
            if as_chosen and self._fits(request, candidate):
                self._take(request, candidate)

    def serve(self, request: int) -> None:
        """Serve a request as well as can be, unless it is, or cannot be."""
        if self._served[request] >= 0:
            return
        best = -1
        most = -(2**31)
        for candidate in range(self._start[request], self._start[request + 1]):
            option = self._option[candidate]
            held = option >= 0 and self._held[self._option_lesson[option]] == option
            value = self._gain[candidate] + HELD_IS_BETTER if held else self._opening[candidate]
            if value > most and self._fits(request, candidate):
                best, most = candidate, value
        if best >= 0:
            self._take(request, best)

    def hold_for_wishes(self) -> None:
        """Hold a lesson that nobody needs where a wish makes it worth more than it costs."""
        for option in sorted(range(len(self._option_gain)), key=lambda one: (-self._option_gain[one], one)):
            if self._option_gain[option] <= 0:
                return
            if self._held[self._option_lesson[option]] < 0 and self._has(self._option_uses[option]):
                self._hold(option)

    def chosen(self) -> Chosen:
        """What has been put in."""
        return Chosen(np.array(self._held, np.int32), np.array(self._served, np.int32))

    def _fits(self, request: int, candidate: int) -> bool:
        option = self._option[candidate]
        if option >= 0:
            lesson = self._option_lesson[option]
            held = self._held[lesson]
            if held < 0:
                if not self._has(self._option_uses[option]):
                    return False
            elif held != option or any(
                self._mask[request] >> parity & 1 and not self._seats[lesson][parity] for parity in (0, 1)
            ):
                return False
        return self._has(self._place_uses[self._place[candidate]])

    def _has(self, uses: list[tuple[int, int]]) -> bool:
        left = self._left
        return all(left[resource] >= units for resource, units in uses)

    def _take(self, request: int, candidate: int) -> None:
        option = self._option[candidate]
        if option >= 0:
            lesson = self._option_lesson[option]
            if self._held[lesson] < 0:
                self._hold(option)
            for parity in (0, 1):
                self._seats[lesson][parity] -= self._mask[request] >> parity & 1
        for resource, units in self._place_uses[self._place[candidate]]:
            self._left[resource] -= units
        self._served[request] = candidate

    def _hold(self, option: int) -> None:
        self._held[self._option_lesson[option]] = option
        for resource, units in self._option_uses[option]:
            self._left[resource] -= units


def _uses(start: Ints, resources: Ints, units: Ints) -> list[list[tuple[int, int]]]:
    """(row,) what it uses, and how much."""
    pairs = list(zip(resources.tolist(), units.tolist(), strict=True))
    begins = start.tolist()
    return [pairs[begin:end] for begin, end in pairwise(begins)]
