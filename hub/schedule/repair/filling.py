"""Places whoever was hit where there is room, with nobody else moved."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hub.schedule.chosen import Chosen, points
from hub.schedule.compiled import Compiled
from hub.schedule.repair.residual import Residual
from hub.schedule.solve.milp import holds, solved
from hub.schedule.solve.program import Program, Scope, program

NODES = 200
"""Nodes of the search tree, for each program: enough to prove nearly all of them, and a bound on the others."""

STAYING = 200
"""Points for whoever need not move: nobody is moved for a wish, only to serve somebody."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class May:
    """What may be done at all, beyond the district's facts."""

    options: Flags
    """(option,) a lesson may be put there."""
    candidates: Flags
    """(candidate,) a request may be put there."""
    same: NDArray[np.int64]
    """The candidates of the same lesson at the same time as before, whoever assists."""
    seconds: float
    """When a program is given up, by the clock; what should decide is its nodes."""


def filled(compiled: Compiled, left: Residual, hit: Collection[int], may: May) -> Chosen:
    """Serve as many of those who were hit as what is left allows; the best way, if HiGHS finds it."""
    start = left.chosen
    by_hand = _in_turn(compiled, start, hit, may)
    if not hit:
        return by_hand
    requests = np.zeros(len(compiled.request_mask), np.bool_)
    requests[list(hit)] = True
    best = in_scope(compiled, Scope(closed(compiled, start) & may.options, requests, start), may, (), may.same)
    if best is None:
        return by_hand
    return max(
        by_hand, best, key=lambda one: points(compiled, one) + STAYING * int(np.isin(one.candidate, may.same).sum())
    )


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A row of one's own."""

    candidates: NDArray[np.int64]
    least: int
    """So many of them have to be taken at least, and one more ..."""
    against: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """... for each of these options that is taken."""


def in_scope(
    compiled: Compiled, scope: Scope, may: May, extra: Sequence[AtLeast], stay: NDArray[np.int64] | None = None
) -> Chosen | None:
    """The best answer of a scope, with rows of its own; None where there is none.

    Args:
        compiled: the problem.
        scope: what is open to choice.
        may: what may be done.
        extra: what has to be taken.
        stay: candidates that are given up only where it serves somebody.
    """
    wanted = limited(program(compiled, scope), may, extra)
    if wanted is None:
        return None
    if stay is not None:
        gain = wanted.gain.copy()
        gain[len(wanted.options) + np.flatnonzero(np.isin(wanted.candidates, stay))] += STAYING
        wanted = replace(wanted, gain=gain)
    answer = solved(wanted, seconds=may.seconds, nodes=NODES)
    if answer.values is None:
        return None
    found = wanted.chosen(answer.values)
    followed = compiled.candidate_option[found.candidate[found.candidate >= 0]]
    opened = (scope.chosen.option < 0) & (found.option >= 0) & ~np.isin(found.option, followed)
    found.option[opened] = -1  # a wish can be worth more than opening costs, but nobody would follow
    return found if holds(compiled, found) else None


def limited(wanted: Program, may: May, extra: Sequence[AtLeast]) -> Program | None:
    """A program with what may not be taken out, and rows added; None where a row asks for more than there is."""
    first = len(wanted.options)
    upper = wanted.upper.copy()
    upper[:first][~may.options[wanted.options]] = 0
    upper[first : first + len(wanted.candidates)][~may.candidates[wanted.candidates]] = 0
    rows, most = [wanted.rows], [wanted.most]
    for row in extra:
        columns = first + np.flatnonzero(np.isin(wanted.candidates, row.candidates))
        against = np.flatnonzero(np.isin(wanted.options, row.against))
        if len(columns) < row.least:
            return None
        numbers = np.repeat(np.array([-1, 1], np.int64), (len(columns), len(against)))
        entries = (numbers, (np.zeros(len(numbers), np.int64), np.concatenate((columns, against))))
        rows.append(sparse.csr_array(entries, shape=(1, len(wanted.gain)), dtype=np.int64))
        most.append(np.array([-row.least], np.int64))
    return replace(wanted, upper=upper, rows=sparse.vstack(rows, format="csr"), most=np.concatenate(most))


def closed(compiled: Compiled, chosen: Chosen) -> Flags:
    """(option,) those of lessons that are not held."""
    return np.repeat(chosen.option < 0, np.diff(compiled.lesson_start))


def _in_turn(compiled: Compiled, start: Chosen, hit: Collection[int], may: May) -> Chosen:
    """One after the other: the weightiest first, of those whoever has the fewest ways."""
    left = Residual(compiled, start)
    same = set(may.same.tolist())
    ways = np.diff(compiled.request_start)
    for request in sorted(hit, key=lambda one: (-compiled.district.requests[one].weight, int(ways[one]), one)):
        rows = range(int(compiled.request_start[request]), int(compiled.request_start[request + 1]))
        best = None
        for row in rows:
            option = int(compiled.candidate_option[row])
            opens = option >= 0 and left.option[compiled.options[option].lesson] < 0
            if not may.candidates[row] or (opens and not may.options[option]):
                continue
            gain = int(compiled.candidate_gain[row]) + (int(compiled.option_gain[option]) if opens else 0)
            gain += STAYING if row in same else 0
            if (best is None or gain > best[0]) and left.fits(row):
                best = gain, row
        if best is not None:
            left.take(best[1])
    return left.chosen
