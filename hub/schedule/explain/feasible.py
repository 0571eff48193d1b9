"""Whether pins can hold when only some of what is in their way counts."""

from collections.abc import Collection
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from hub.schedule.compiled import Compiled
from hub.schedule.errors import ScheduleRefused


class Ground(NamedTuple):
    """One thing that can be let go."""

    kind: str
    """`pin`, `once`, `fan`, or as `Resource.kind`."""
    number: int
    """Of the request, the lesson or the resource."""


class Row(NamedTuple):
    """What counts as long as its ground does: units of columns add up to `most` at most."""

    ground: Ground
    columns: list[int]
    units: list[int]
    most: int


class Feasible:
    """Whether there is a plan when only some of the named things count."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._options = len(compiled.options)
        self._columns = self._options + len(compiled.candidate_place)
        self._linked: list[tuple[int, int]] = [
            (self._options + candidate, int(option))
            for candidate, option in enumerate(compiled.candidate_option)
            if option >= 0
        ]
        self._rows = [*self._pins(), *self._once(), *self._fans(), *self._resources()]

    @property
    def grounds(self) -> list[Ground]:
        """All that can be let go, pins last: what is let go first is more likely to be missing in the end."""
        found = dict.fromkeys(row.ground for row in self._rows)
        return sorted(found, key=lambda one: (one.kind == "pin", one))

    def __call__(self, grounds: Collection[Ground]) -> bool:
        """Whether all that is named can hold, and nothing else counts.

        Raises:
            ScheduleRefused: HiGHS gave up.
        """
        from scipy import sparse  # noqa: PLC0415  slow to import
        from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415

        counted = set(grounds)
        rows = [row for row in self._rows if row.ground in counted]
        entries: list[tuple[int, int, int]] = []
        most = []
        for number, row in enumerate(rows):
            entries += [(number, column, units) for column, units in zip(row.columns, row.units, strict=True)]
            most.append(row.most)
        for number, (candidate, option) in enumerate(self._linked, start=len(rows)):
            entries += [(number, candidate, 1), (number, option, -1)]
            most.append(0)
        at, column, units = zip(*entries, strict=True) if entries else ((), (), ())
        matrix = sparse.csr_array((units, (at, column)), shape=(len(most), self._columns))
        found = milp(
            np.zeros(self._columns),
            constraints=LinearConstraint(matrix, -np.inf, most),
            bounds=Bounds(0, 1),
            integrality=np.ones(self._columns),
        )
        if found.status not in {0, 2}:
            raise ScheduleRefused(f"whether pins contradict each other could not be decided: {found.message}")
        return bool(found.status == 0)

    def _pins(self) -> list[Row]:
        starts = self._compiled.request_start
        return [
            Row(Ground("pin", number), columns := self._candidates(int(begin), int(end)), [-1] * len(columns), -1)
            for number, (begin, end) in enumerate(pairwise(starts))
        ]

    def _candidates(self, begin: int, end: int) -> list[int]:
        return list(range(self._options + begin, self._options + end))

    def _once(self) -> list[Row]:
        starts = self._compiled.lesson_start
        return [
            Row(Ground("once", number), list(range(int(begin), int(end))), [1] * int(end - begin), 1)
            for number, (begin, end) in enumerate(pairwise(starts))
            if end - begin > 1
        ]

    def _fans(self) -> list[Row]:
        compiled = self._compiled
        asked: dict[tuple[int, int], list[int]] = {}
        requests = compiled.candidate_request
        for column, option in self._linked:
            mask = int(compiled.request_mask[requests[column - self._options]])
            for parity in (0, 1):
                if mask >> parity & 1:
                    asked.setdefault((compiled.options[option].lesson, parity), []).append(column)
        return [
            Row(Ground("fan", lesson), columns, [1] * len(columns), int(compiled.lesson_fan[lesson]))
            for (lesson, _), columns in asked.items()
        ]

    def _resources(self) -> list[Row]:
        compiled = self._compiled
        used: dict[int, list[tuple[int, int]]] = {}
        for option in range(self._options):
            start, end = compiled.option_use_start[option : option + 2]
            for use in range(int(start), int(end)):
                used.setdefault(int(compiled.option_use[use]), []).append((option, int(compiled.option_units[use])))
        for candidate, place in enumerate(compiled.candidate_place):
            start, end = compiled.place_use_start[place : place + 2]
            for use in range(int(start), int(end)):
                column = self._options + candidate
                used.setdefault(int(compiled.place_use[use]), []).append((column, int(compiled.place_units[use])))
        return [
            Row(
                Ground(compiled.resources[one].kind, one),
                [column for column, _ in by],
                [units for _, units in by],
                most,
            )
            for one, by in sorted(used.items())
            if sum(units for _, units in by) > (most := int(compiled.capacity[one]))
        ]
