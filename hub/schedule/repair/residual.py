"""What an answer leaves free, kept up to date as sessions are taken out and put in."""

from collections.abc import Iterator

import numpy as np

from hub.schedule.chosen import Chosen
from hub.schedule.compiled import Compiled, Ints


class Residual:
    """An answer as it changes, with what it uses of everything.

    Args:
        compiled: the problem.
        chosen: where it begins; more may be used than there is.
    """

    def __init__(self, compiled: Compiled, chosen: Chosen) -> None:
        self._compiled = compiled
        self._capacity: list[int] = compiled.capacity.tolist()
        self._place: list[int] = compiled.candidate_place.tolist()
        self._option_of: list[int] = compiled.candidate_option.tolist()
        self._request: list[int] = compiled.candidate_request.tolist()
        self._mask: list[int] = compiled.request_mask.tolist()
        self._fan: list[int] = compiled.lesson_fan.tolist()
        self._place_uses = _Uses(compiled.place_use_start, compiled.place_use, compiled.place_units)
        self._option_uses = _Uses(compiled.option_use_start, compiled.option_use, compiled.option_units)
        self.used = [0] * len(self._capacity)
        self.listeners: list[list[int]] = [[] for _ in self._fan]
        """(lesson,) the candidates that it serves."""
        self.option = [-1] * len(self._fan)
        self.candidate = [-1] * len(self._mask)
        for option in chosen.option.tolist():
            if option >= 0:
                self._hold(option)
        for candidate in chosen.candidate.tolist():
            if candidate >= 0:
                self.take(candidate)

    @property
    def chosen(self) -> Chosen:
        """The answer as it is now."""
        return Chosen(np.array(self.option, np.int32), np.array(self.candidate, np.int32))

    def lesson_of(self, candidate: int) -> int:
        """The lesson of a candidate; -1 for an open class."""
        option = self._option_of[candidate]
        return -1 if option < 0 else self._compiled.options[option].lesson

    def take(self, candidate: int) -> None:
        """Serve a request; its lesson is held if it was not."""
        option = self._option_of[candidate]
        if option >= 0:
            lesson = self._compiled.options[option].lesson
            if self.option[lesson] < 0:
                self._hold(option)
            self.listeners[lesson].append(candidate)
        self.candidate[self._request[candidate]] = candidate
        self._add(self._place_uses[self._place[candidate]], 1)

    def drop(self, candidate: int) -> None:
        """Serve a request no more; a lesson that nobody follows any more is not held."""
        self.candidate[self._request[candidate]] = -1
        self._add(self._place_uses[self._place[candidate]], -1)
        lesson = self.lesson_of(candidate)
        if lesson >= 0:
            self.listeners[lesson].remove(candidate)
            if not self.listeners[lesson]:
                self.close(lesson)

    def close(self, lesson: int) -> None:
        """Hold a lesson no more; whoever follows it is let go."""
        for candidate in tuple(self.listeners[lesson]):
            self.listeners[lesson].remove(candidate)
            self.candidate[self._request[candidate]] = -1
            self._add(self._place_uses[self._place[candidate]], -1)
        if self.option[lesson] >= 0:
            self._add(self._option_uses[self.option[lesson]], -1)
            self.option[lesson] = -1

    def fits(self, candidate: int) -> bool:
        """Whether a request that is not served could be served so, with nobody else moved."""
        return not self.elsewhere(candidate) and not self.full(candidate) and not self.lacking(candidate)

    def elsewhere(self, candidate: int) -> bool:
        """Whether the lesson is held, but at another time."""
        lesson = self.lesson_of(candidate)
        return lesson >= 0 and self.option[lesson] not in {-1, self._option_of[candidate]}

    def full(self, candidate: int) -> bool:
        """Whether the lesson serves as many as it may."""
        lesson = self.lesson_of(candidate)
        if lesson < 0:
            return False
        mask = self._mask[self._request[candidate]]
        masks = [self._mask[self._request[one]] & mask for one in self.listeners[lesson]]
        return any(
            sum(one >> parity & 1 for one in masks) >= self._fan[lesson] for parity in (0, 1) if mask >> parity & 1
        )

    def lacking(self, candidate: int) -> list[int]:
        """The resources of which there is not enough; those of the lesson, too, where it is not held."""
        uses = dict(self._place_uses[self._place[candidate]])
        option = self._option_of[candidate]
        if option >= 0 and self.option[self._compiled.options[option].lesson] < 0:
            for resource, units in self._option_uses[option]:
                uses[resource] = uses.get(resource, 0) + units
        return [one for one, units in uses.items() if self.used[one] + units > self._capacity[one]]

    def overloaded(self) -> list[int]:
        """The resources of which more is used than there is."""
        return [one for one, used in enumerate(self.used) if used > self._capacity[one]]

    def holders(self) -> dict[int, list[tuple[str, int]]]:
        """Who uses each resource: (`lesson`, its number) or (`request`, its number)."""
        found: dict[int, list[tuple[str, int]]] = {}
        for kind, number, uses in self._all_uses():
            for resource, _ in uses:
                found.setdefault(resource, []).append((kind, number))
        return found

    def _all_uses(self) -> Iterator[tuple[str, int, list[tuple[int, int]]]]:
        for lesson, option in enumerate(self.option):
            if option >= 0:
                yield "lesson", lesson, self._option_uses[option]
        for request, candidate in enumerate(self.candidate):
            if candidate >= 0:
                yield "request", request, self._place_uses[self._place[candidate]]

    def _hold(self, option: int) -> None:
        self.option[self._compiled.options[option].lesson] = option
        self._add(self._option_uses[option], 1)

    def _add(self, uses: list[tuple[int, int]], sign: int) -> None:
        for resource, units in uses:
            self.used[resource] += sign * units


class _Uses:
    """Ragged rows of (resource, units)."""

    def __init__(self, start: Ints, resource: Ints, units: Ints) -> None:
        self._start: list[int] = start.tolist()
        self._pairs = list(zip(resource.tolist(), units.tolist(), strict=True))

    def __getitem__(self, row: int) -> list[tuple[int, int]]:
        return self._pairs[self._start[row] : self._start[row + 1]]
