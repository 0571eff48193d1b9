"""Places whoever was hit and found no room, by moving a few others who were not.

What may move is a neighbourhood: whoever holds what those who were hit lack. A small program decides, in which
everybody who is served stays served and at most so many sessions move: a lesson that is held at another time is one,
with all who follow it there; a class that goes to another lesson by itself is one as well. It begins from an answer
that holds and returns that where it finds nothing better, so nothing can be lost on the way.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hub.schedule.chosen import Chosen
from hub.schedule.compiled import Compiled
from hub.schedule.repair.filling import AtLeast, May, closed, in_scope
from hub.schedule.repair.residual import Residual
from hub.schedule.solve.program import Scope

NEIGHBOURS = 80
"""Requests that may move, at most."""
TOGETHER = 3
"""Classes that were not hit and may move with their lesson, at most: more would be a change for half a dozen rooms, and
the program over them takes twice as long."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Who may move."""

    requests: tuple[int, ...]
    """Requests that were not hit."""
    lessons: tuple[int, ...]
    """Lessons that are held, and may be at another time; whoever follows them is among `requests`, or was hit."""


def neighbours(
    compiled: Compiled, start: Chosen, hit: Collection[int], fixed: Collection[int], most_moved: int, may: May
) -> Neighbours:
    """Whoever holds what those lack who were hit and find no room.

    Args:
        compiled: the problem; whoever was hit has all their ways in it.
        start: an answer that holds.
        hit: requests that were hit, whether `start` serves them or not.
        fixed: requests that must not move.
        most_moved: sessions that may move, at most.
        may: what may be done at all.
    """
    unserved = [one for one in hit if start.candidate[one] < 0]
    if not unserved or not most_moved:
        return Neighbours((), ())
    return _Finder(compiled, Residual(compiled, start), hit, fixed, may).of(unserved)


def moved_few(
    compiled: Compiled, start: Chosen, hit: Collection[int], near: Neighbours, most_moved: int, may: May
) -> Chosen:
    """Serve more of those who were hit, moving at most so many sessions of those who were not.

    Args:
        compiled: the problem; whoever may move has all their ways in it.
        start: an answer that holds; whoever it serves stays served.
        hit: requests that were hit, whether `start` serves them or not; they may be anywhere, and count for nothing.
        near: who may move.
        most_moved: how many sessions of theirs, at most.
        may: what may be done at all.

    Returns:
        An answer that serves more, or `start`.
    """
    requests = np.zeros(len(compiled.request_mask), np.bool_)
    requests[[*near.requests, *hit]] = True
    options = closed(compiled, start) & may.options
    for lesson in near.lessons:
        options[compiled.lesson_start[lesson] : compiled.lesson_start[lesson + 1]] = True
    served = np.flatnonzero(requests & (start.candidate >= 0))
    others = served[~np.isin(served, list(hit))]
    stay = start.candidate[others].astype(np.int64)
    extra = [_few(compiled, start, others, most_moved)] if len(others) else []
    for request in served:
        rows = np.arange(compiled.request_start[request], compiled.request_start[request + 1], dtype=np.int64)
        extra.append(AtLeast(rows, 1))
    ways, times = may.candidates.copy(), may.options.copy()
    ways[start.candidate[start.candidate >= 0]] = True
    times[start.option[start.option >= 0]] = True
    allowed = replace(may, options=times, candidates=ways)
    found = in_scope(compiled, Scope(options, requests, start), allowed, extra, np.union1d(stay, may.same))
    if found is None or int((found.candidate >= 0).sum()) <= int((start.candidate >= 0).sum()):
        return start
    return found


def _few(compiled: Compiled, start: Chosen, others: NDArray[np.int64], most_moved: int) -> AtLeast:
    """At most so many sessions move: whoever neither stays nor goes along with their lesson, and each such lesson."""
    lesson_of = np.repeat(np.arange(len(compiled.lesson_fan)), np.diff(compiled.lesson_start))
    rows = np.flatnonzero(np.isin(compiled.candidate_request, others))
    was = compiled.candidate_option[start.candidate[compiled.candidate_request[rows]]]
    now = compiled.candidate_option[rows]
    along = (was >= 0) & (now >= 0) & (now != was) & (lesson_of[now] == lesson_of[was])
    against = np.unique(now[along])
    stay = start.candidate[others].astype(np.int64)
    return AtLeast(np.concatenate((stay, rows[along])), len(others) - most_moved, against)


class _Finder:
    """Who would have to move so that somebody could be served."""

    def __init__(
        self,
        compiled: Compiled,
        left: Residual,
        hit: Collection[int],
        fixed: Collection[int],
        may: May,
    ) -> None:
        self._compiled = compiled
        self._left = left
        self._hit = frozenset(hit)
        self._fixed = frozenset(fixed)
        self._may = may
        self._holders = left.holders()
        self._request: list[int] = compiled.candidate_request.tolist()

    def of(self, unserved: Collection[int]) -> Neighbours:
        """Those who could make room for somebody; where that takes fewest, first."""
        wanted: list[tuple[int, int, set[int], set[int]]] = []
        for request in unserved:
            start, end = self._compiled.request_start[request : request + 2]
            for candidate in range(int(start), int(end)):
                if self._may.candidates[candidate]:
                    way = self._way(candidate)
                    if way is not None:
                        wanted.append((len(way[0]), candidate, *way))
        requests: set[int] = set()
        lessons: set[int] = set()
        for _, _, movers, closing in sorted(wanted, key=lambda one: one[:2]):
            if len(requests) + len(movers) > NEIGHBOURS:
                continue
            requests |= movers
            lessons |= closing
        for request in sorted(requests - self._hit):
            lesson = self._left.lesson_of(self._left.candidate[request])
            if lesson >= 0 and lesson not in lessons and self._lesson_moves(lesson):  # they may move together
                lessons.add(lesson)
                requests |= set(self._followers(lesson))
        return Neighbours(tuple(sorted(requests - self._hit)), tuple(sorted(lessons)))

    def _way(self, candidate: int) -> tuple[set[int], set[int]] | None:
        """Who could make room for a candidate: requests, and lessons; None where somebody cannot."""
        left = self._left
        movers: set[int] = set()
        lessons: set[int] = set()
        lesson = left.lesson_of(candidate)
        if left.elsewhere(candidate):
            if not self._lesson_moves(lesson):
                return None
            lessons.add(lesson)
            movers |= set(self._followers(lesson))
        elif left.full(candidate):
            free = {one for one in self._followers(lesson) if self._moves(one)}
            if not free:
                return None
            movers |= free
        for resource in left.lacking(candidate):
            found = False
            for kind, number in self._holders.get(resource, ()):
                if kind == "request" and self._moves(number):
                    movers.add(number)
                    found = True
                elif kind == "lesson" and self._lesson_moves(number):
                    lessons.add(number)
                    movers |= set(self._followers(number))
                    found = True
            if not found:
                return None
        return movers, lessons

    def _moves(self, request: int) -> bool:
        return request in self._hit or request not in self._fixed

    def _lesson_moves(self, lesson: int) -> bool:
        """Whether a lesson may be held at another time: few enough follow it, and none of them is fixed."""
        others = [one for one in self._followers(lesson) if one not in self._hit]
        return len(others) <= TOGETHER and all(self._moves(one) for one in others)

    def _followers(self, lesson: int) -> list[int]:
        return [self._request[one] for one in self._left.listeners[lesson]]
