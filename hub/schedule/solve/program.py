"""The packing problem, or a part of it, as an integer program: `most gain x` where `rows x <= most`, `0 <= x <= upper`.

Columns are the options that are open to choice, then the candidates, then how far each group of requests falls short,
in stretches of the same price. Beside the rows that must hold there are some that follow from them and bring the
linear relaxation nearer to the truth: a request is served by an option only as far as the option is taken, and so is
whatever uses one resource (an assistant, a class, a school's rooms), up to its capacity times the option.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hub.schedule.chosen import Chosen
from hub.schedule.compiled import Compiled
from hub.schedule.solve.rows import Flags, Rows, Wide, gathered, owners


@dataclass(frozen=True, slots=True)
class Scope:
    """What a program may decide; all else stays as it was chosen."""

    options: Flags
    """(option,) open to choice. Those of one lesson are open only where the lesson's present option is, too."""
    requests: Flags
    """(request,) open to choice. Whoever is served by an open option has to be."""
    chosen: Chosen
    """What stays, and what was taken so far of what is open."""


def whole(compiled: Compiled) -> Scope:
    """Everything is open to choice."""
    none = Chosen(np.full(len(compiled.lesson_fan), -1, np.int32), np.full(len(compiled.request_mask), -1, np.int32))
    return Scope(np.ones(len(compiled.options), np.bool_), np.ones(len(compiled.request_mask), np.bool_), none)


@dataclass(frozen=True, slots=True)
class Program:
    """An integer program in whole numbers."""

    scope: Scope
    gain: Wide
    """(column,) points."""
    upper: Wide
    """(column,) 1 for options and candidates."""
    rows: sparse.csr_array
    """(row, column) whole numbers."""
    most: Wide
    """(row,) what each row may reach."""
    choices: Flags
    """(row,) whether it says that a lesson is held once, or a request served once, at most; no column is in two."""
    constant: int
    """Points of what stays, and of groups that miss nothing."""
    options: Wide
    """(column,) the option of each of the first columns."""
    candidates: Wide
    """(column,) the candidate of each column after those."""

    def chosen(self, values: NDArray[np.float64]) -> Chosen:
        """The answer that a solution stands for."""
        scope = self.scope
        option, candidate = scope.chosen.option.copy(), scope.chosen.candidate.copy()
        option[self.lessons_open] = -1
        candidate[scope.requests] = -1
        count = len(self.options)
        taken = self.options[values[:count] > 0.5]
        option[self.lesson_of_option[taken]] = taken
        served = self.candidates[values[count : count + len(self.candidates)] > 0.5]
        candidate[self.request_of_candidate[served]] = served
        return Chosen(option, candidate)

    lesson_of_option: Wide
    """(option,) of the whole problem."""
    request_of_candidate: Wide
    """(candidate,) of the whole problem."""
    lessons_open: Flags
    """(lesson,) whether any of its options is open."""


def program(compiled: Compiled, scope: Scope | None = None) -> Program:
    """The program of a scope; of the whole problem without one."""
    return _Builder(compiled, scope or whole(compiled)).program()


class _Builder:
    def __init__(self, compiled: Compiled, scope: Scope) -> None:
        self._compiled = compiled
        self._scope = scope
        self._lesson_of_option = owners(compiled.lesson_start)
        self._request_of_candidate = owners(compiled.request_start)
        self._lessons_open = np.zeros(len(compiled.lesson_fan), np.bool_)
        self._lessons_open[self._lesson_of_option[scope.options]] = True
        chosen = scope.chosen
        self._held = np.zeros(len(compiled.options), np.bool_)
        self._held[chosen.option[(chosen.option >= 0) & ~self._lessons_open]] = True
        self._stays = chosen.candidate[(chosen.candidate >= 0) & ~scope.requests].astype(np.int64)
        self._left = self._capacity_left()
        self._columns()

    def _capacity_left(self) -> Wide:
        compiled, left = self._compiled, self._compiled.capacity.astype(np.int64)
        _, use = gathered(compiled.option_use_start, np.flatnonzero(self._held))
        np.subtract.at(left, compiled.option_use[use], compiled.option_units[use])
        _, use = gathered(compiled.place_use_start, compiled.candidate_place[self._stays].astype(np.int64))
        np.subtract.at(left, compiled.place_use[use], compiled.place_units[use])
        return left

    def _columns(self) -> None:
        """Options and candidates that are open and for which there is enough of everything."""
        compiled = self._compiled
        options = np.flatnonzero(self._scope.options)
        owner, use = gathered(compiled.option_use_start, options)
        fits = np.ones(len(options), np.bool_)
        fits[owner[compiled.option_units[use] > self._left[compiled.option_use[use]]]] = False
        self._options = options[fits]
        column_of = np.full(len(compiled.options) + 1, -1, np.int64)
        column_of[self._options] = np.arange(len(self._options))
        given = self._held.copy()
        may = np.zeros(len(compiled.options) + 1, np.bool_)  # the last stands for -1: an open class
        may[self._options] = True
        may[:-1] |= given
        may[-1] = True
        open_ = self._scope.requests[self._request_of_candidate] & may[compiled.candidate_option]
        candidates = np.flatnonzero(open_)
        owner, use = gathered(compiled.place_use_start, compiled.candidate_place[candidates].astype(np.int64))
        fits = np.ones(len(candidates), np.bool_)
        fits[owner[compiled.place_units[use] > self._left[compiled.place_use[use]]]] = False
        self._candidates = candidates[fits]
        self._request = self._request_of_candidate[self._candidates]
        self._option = compiled.candidate_option[self._candidates].astype(np.int64)
        self._option_column = column_of[self._option]
        """-1 for held ones and open classes."""
        self._first = len(self._options)
        self._column = np.arange(len(self._candidates), dtype=np.int64) + self._first

    def program(self) -> Program:
        compiled, scope, chosen = self._compiled, self._scope, self._scope.chosen
        rows = Rows()
        self._add_lessons(rows)
        self._add_requests(rows)
        self._add_links(rows)
        self._add_fans(rows)
        self._add_resources(rows)
        self._add_shares(rows)
        prices, widths, base = self._add_groups(rows)
        matrix, most, choices = rows.matrix(self._first + len(self._candidates) + len(prices))
        taken = np.concatenate((self._options, self._candidates))
        constant = base - compiled.kept + int(compiled.candidate_gain[self._stays].sum())
        constant += int(compiled.option_gain[chosen.option[(chosen.option >= 0) & ~self._lessons_open]].sum())
        return Program(
            scope=scope,
            gain=np.concatenate(
                (compiled.option_gain[self._options], compiled.candidate_gain[self._candidates], -prices)
            ).astype(np.int64),
            upper=np.concatenate((np.ones(len(taken), np.int64), widths)),
            rows=matrix,
            most=most,
            choices=choices,
            constant=constant,
            options=self._options,
            candidates=self._candidates,
            lesson_of_option=self._lesson_of_option,
            request_of_candidate=self._request_of_candidate,
            lessons_open=self._lessons_open,
        )

    def _add_lessons(self, rows: Rows) -> None:
        lesson = self._lesson_of_option[self._options]
        keys, counts = np.unique(lesson, return_counts=True)
        keys = keys[counts > 1]
        columns = np.arange(self._first, dtype=np.int64)
        rows.add(lesson, columns, np.ones_like(columns), keys, np.ones_like(keys), choice=True)

    def _add_requests(self, rows: Rows) -> None:
        keys = np.unique(self._request)
        ones = np.ones_like(self._column)
        rows.add(self._request, self._column, ones, keys, np.ones_like(keys), choice=True)
        must = np.flatnonzero(self._compiled.request_must & self._scope.requests)
        rows.add(self._request, self._column, -ones, must, -np.ones_like(must))

    def _add_links(self, rows: Rows) -> None:
        """A request is served by an option only as far as it is taken."""
        linked = self._option_column >= 0
        key = self._request[linked] * self._first + self._option_column[linked]
        keys = np.unique(key)
        self._add_below(rows, key, np.ones_like(key), linked, keys, keys % max(1, self._first), np.ones_like(keys))

    def _add_fans(self, rows: Rows) -> None:
        compiled, fan = self._compiled, self._compiled.lesson_fan.astype(np.int64)
        options = len(compiled.options)
        mask = compiled.request_mask[self._request]
        asking = max(1, len(compiled.request_mask))
        stays = np.zeros((2, options + 1), np.int64)
        for parity in (0, 1):
            meets = (compiled.request_mask[self._request_of_candidate[self._stays]] >> parity & 1) == 1
            np.add.at(stays[parity], compiled.candidate_option[self._stays][meets], 1)
        for parity in (0, 1):
            here = (self._option >= 0) & ((mask >> parity & 1) == 1)
            key = self._option[here]
            asked = np.bincount(np.unique(key * asking + self._request[here]) // asking, minlength=options)
            left = fan[self._lesson_of_option] - stays[parity][:-1]
            keys = np.flatnonzero(asked > left)
            column = np.full(options, -1, np.int64)
            column[self._options] = np.arange(self._first)
            free = column[keys] >= 0
            ones = np.ones_like(key)
            rows.add(key, self._column[here], ones, keys[~free], left[keys[~free]])
            self._add_below(rows, key, ones, here, keys[free], column[keys[free]], left[keys[free]])

    def _add_resources(self, rows: Rows) -> None:
        """What is there suffices; only where it might not."""
        compiled = self._compiled
        owner, use = gathered(compiled.option_use_start, self._options)
        key = [compiled.option_use[use].astype(np.int64)]
        who = [self._lesson_of_option[self._options][owner]]
        units = [compiled.option_units[use].astype(np.int64)]
        column = [owner]
        owner, use = gathered(compiled.place_use_start, compiled.candidate_place[self._candidates].astype(np.int64))
        key.append(compiled.place_use[use].astype(np.int64))
        who.append(self._request[owner] + len(compiled.lesson_fan))
        units.append(compiled.place_units[use].astype(np.int64))
        column.append(self._column[owner])
        keys = _scarce(np.concatenate(key), np.concatenate(who), np.concatenate(units), self._left)
        rows.add(np.concatenate(key), np.concatenate(column), np.concatenate(units), keys, self._left[keys])

    def _add_shares(self, rows: Rows) -> None:
        """Of one resource, an option's candidates use no more than there is, as far as the option is taken."""
        compiled = self._compiled
        linked = np.flatnonzero(self._option_column >= 0)
        owner, use = gathered(
            compiled.place_use_start, compiled.candidate_place[self._candidates[linked]].astype(np.int64)
        )
        count = len(compiled.capacity)
        resource = compiled.place_use[use].astype(np.int64)
        units = compiled.place_units[use].astype(np.int64)
        key = self._option_column[linked][owner] * count + resource
        pairs, at = np.unique(key, return_inverse=True)
        keys = pairs[_scarce(at, self._request[linked][owner], units, self._left[pairs % count])]
        most = self._left[keys % count]
        bound = compiled.lesson_fan[self._lesson_of_option[self._options[keys // count]]] > most
        keys, most = keys[bound], most[bound]
        rows.add(
            np.concatenate((key, keys)),
            np.concatenate((self._column[linked][owner], keys // count)),
            np.concatenate((units, -most)),
            keys,
            np.zeros_like(keys),
        )

    def _add_groups(self, rows: Rows) -> tuple[Wide, Wide, int]:
        """Prices and widths of the stretches by which groups fall short, and what groups cost that miss nothing."""
        compiled = self._compiled
        sizes = np.diff(compiled.group_start)
        base = -int(compiled.group_cost[compiled.group_cost_start[:-1]].sum())
        of_group = owners(compiled.group_start)
        served = np.zeros(len(compiled.request_mask), np.bool_)
        served[self._request_of_candidate[self._stays]] = True
        missing = np.bincount(of_group, weights=~served[compiled.group_member], minlength=len(sizes)).astype(np.int64)
        steps, of_step = _steps(compiled)
        price, at, width = _runs(steps, of_step)
        first = self._first + len(self._candidates)
        order = np.argsort(compiled.group_member, kind="stable")
        starts = np.searchsorted(compiled.group_member[order], np.arange(len(compiled.request_mask) + 1))
        owner, member = gathered(starts, self._request)
        key = np.concatenate((of_group[order[member]], at))
        column = np.concatenate((self._column[owner], first + np.arange(len(at))))
        rows.add(key, column, -np.ones_like(key), np.arange(len(sizes)), -missing)
        return price, width, base

    def _add_below(self, rows: Rows, key: Wide, units: Wide, of: Flags, keys: Wide, option: Wide, times: Wide) -> None:
        """Rows `units of candidates - times * option <= 0`."""
        rows.add(
            np.concatenate((key, keys)),
            np.concatenate((self._column[of], option)),
            np.concatenate((units, -times)),
            keys,
            np.zeros_like(keys),
        )


def _scarce(key: Wide, who: Wide, units: Wide, left: Wide) -> Wide:
    """Keys of which there might not be enough: each of `who` takes what it asks for once."""
    people = int(who.max(initial=0)) + 1
    pairs, at = np.unique(key * people + who, return_inverse=True)
    most = np.zeros(len(pairs), np.int64)
    np.maximum.at(most, at, units)
    asked = np.bincount(pairs // people, weights=most, minlength=len(left))
    return np.flatnonzero(asked > left)


def _steps(compiled: Compiled) -> tuple[Wide, Wide]:
    """What each further unmet request costs, and the group of each."""
    costs = compiled.group_cost.astype(np.int64)
    rise = costs[1:] - costs[:-1]
    inside = np.ones(len(compiled.group_cost), np.bool_)
    inside[compiled.group_cost_start[1:] - 1] = False
    return rise[inside[:-1]], owners(compiled.group_cost_start)[inside]


def _runs(steps: Wide, of_step: Wide) -> tuple[Wide, Wide, Wide]:
    """Steps of the same price in a row, joined: price, group, how many."""
    if not len(steps):
        return steps, of_step, steps
    new = np.flatnonzero(np.concatenate(([True], (np.diff(steps) != 0) | (np.diff(of_step) != 0))))
    return steps[new], of_step[new], np.diff(np.append(new, len(steps)))
