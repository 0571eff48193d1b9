"""What is scarce gets a price, until everybody who decides alone, at these prices, asks for about what there is.

The prices are the multipliers of the program's rows in its linear relaxation. At any prices that are not negative,
the sum of what every request and lesson could gain alone, plus what all that is scarce is worth, is at
least any plan's points: prices are a proof, wherever they come from. They are sought by a primal-dual gradient method,
which needs two products with the matrix a step and so does a district of any size in little memory.

Sources: A. Geoffrion, Lagrangean Relaxation for Integer Programming (1974); A. Chambolle and T. Pock, A First-Order
Primal-Dual Algorithm (2011), with the step lengths of T. Pock and A. Chambolle (2011).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hub.schedule.solve.program import Program
from hub.schedule.solve.rows import Wide

Reals = NDArray[np.float64]

DEAREST = 2**31
"""No price is larger, in parts of a point: more than any gain."""
FURTHER = 1.7
"""How far each step goes, of where it points: half as many steps do as at 1 (Condat 2013)."""
LOOK = 50
"""Steps between two looks at the bound."""
PATIENCE = 10
"""Looks without a gain worth having after which no more is expected."""
WORTH_HAVING = 1e-5
"""Of the bound."""


def sought(wanted: Program, *, steps: int, stop: Callable[[], bool] = lambda: False) -> Reals:
    """Prices whose bound is as low as some work brings it.

    Args:
        wanted: the program.
        steps: of the gradient method, at most; fewer where no more is gained.
        stop: asked every `LOOK` steps; the prices so far are returned.

    Returns:
        (row,) prices, not negative.
    """
    problem = _Relaxation(wanted)
    columns, rows = np.zeros(len(wanted.gain)), np.zeros(len(wanted.most))
    best, lowest, waited = problem.settled(rows), np.inf, 0
    for step in range(1, steps + 1):
        ahead = np.clip(columns + problem.column_step * (problem.gain - problem.turned @ rows), 0, problem.upper)
        dearer = np.maximum(0, rows + problem.row_step * (problem.rows @ (2 * ahead - columns) - problem.most))
        columns = columns + FURTHER * (ahead - columns)
        rows = rows + FURTHER * (dearer - rows)
        if step % LOOK and step < steps:
            continue
        prices = problem.settled(np.maximum(rows, 0))
        value = problem.value(prices)
        waited = 0 if value < lowest - WORTH_HAVING * abs(value) else waited + 1
        if value < lowest:
            best, lowest = prices, value
        if waited >= PATIENCE or stop():
            break
    return best


def value_at(wanted: Program, prices: Wide, scale: int) -> int:
    """What no plan can exceed, by these prices; in whole numbers, so exact.

    Args:
        wanted: the program.
        prices: (row,) not negative, in `scale`ths of a point.
        scale: parts of a point.

    Raises:
        ValueError: they are no prices for this program: too few or many, negative, or beyond all measure.
    """
    if prices.shape != wanted.most.shape or prices.dtype != np.int64:
        raise ValueError(f"there are {prices.shape} prices of {prices.dtype} for {len(wanted.most)} rows")
    if len(prices) and (prices.min() < 0 or prices.max() > DEAREST):
        raise ValueError("a price is negative, or larger than any gain")
    if _reach(wanted, prices, scale) >= 2.0**62:
        raise ValueError("the sums would not fit into 64 bits")
    left = scale * wanted.gain - wanted.rows.T @ prices
    total = int(wanted.most @ prices) + int(wanted.upper @ np.maximum(left, 0))
    return wanted.constant + total // scale


def _reach(wanted: Program, prices: Wide, scale: int) -> float:
    """How large the sums of `value_at` may become, signs aside; about."""
    real = prices.astype(float)
    columns = scale * np.abs(wanted.gain).astype(float) + abs(wanted.rows).T @ real
    return float(np.abs(wanted.most) @ real + wanted.upper @ columns)


class _Relaxation:
    """The program in floating point, with what its steps need."""

    def __init__(self, wanted: Program) -> None:
        self.rows = sparse.csr_array(wanted.rows.astype(float))
        self.turned = sparse.csr_array(self.rows.T)
        self.gain, self.most = wanted.gain.astype(float), wanted.most.astype(float)
        self.upper = wanted.upper.astype(float)
        self._constant = wanted.constant
        weight = max(1.0, float(np.abs(self.gain).max(initial=1.0)))  # prices are of the size of gains
        size = abs(self.rows)
        self.column_step = 1 / (weight * np.maximum(1.0, np.asarray(size.sum(axis=0))))
        self.row_step = weight / np.maximum(1.0, np.asarray(size.sum(axis=1)))
        self._choices = np.flatnonzero(wanted.choices)
        self._chosen = sparse.csr_array(self.rows[self._choices])

    def value(self, prices: Reals) -> float:
        """What no solution can exceed, by these prices."""
        left = self.gain - self.turned @ prices
        return self._constant + float(self.most @ prices + self.upper @ np.maximum(left, 0))

    def settled(self, prices: Reals) -> Reals:
        """The best prices of choices at these of all else: each costs the most that can be gained by it."""
        if not len(self._choices):
            return prices
        found = prices.copy()
        found[self._choices] = 0
        left = self.gain - self.turned @ found
        found[self._choices] = np.maximum(0, np.maximum.reduceat(left[self._chosen.indices], self._chosen.indptr[:-1]))
        return found
