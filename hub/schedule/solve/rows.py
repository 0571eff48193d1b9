"""Ragged rows, and rows of a sparse matrix as they are collected; all at once, never number by number."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Wide = NDArray[np.int64]
Flags = NDArray[np.bool_]


def gathered(starts: NDArray[np.integer], rows: NDArray[np.integer]) -> tuple[Wide, Wide]:
    """Entries of ragged rows: for each, which of `rows` it belongs to, and where it stands."""
    begin = starts[rows].astype(np.int64)
    counts = starts[rows + 1].astype(np.int64) - begin
    owner = np.repeat(np.arange(len(rows), dtype=np.int64), counts)
    ends = np.cumsum(counts)
    return owner, np.arange(len(owner), dtype=np.int64) + (begin - ends + counts)[owner]


def owners(starts: NDArray[np.integer]) -> Wide:
    """The row of each entry of ragged rows."""
    counts = np.diff(starts)
    return np.repeat(np.arange(len(counts), dtype=np.int64), counts)


class Rows:
    """Rows as they are collected."""

    def __init__(self) -> None:
        self._row: list[Wide] = []
        self._column: list[Wide] = []
        self._value: list[Wide] = []
        self._most: list[Wide] = []
        self._choice: list[Flags] = []
        self._count = 0

    def add(self, key: Wide, column: Wide, value: Wide, keys: Wide, most: Wide, *, choice: bool = False) -> None:
        """Add one row for each of `keys` (ascending), of the entries that name it; other entries are left out.

        Args:
            key: (entry,) which row it belongs to.
            column: (entry,).
            value: (entry,).
            keys: (row,).
            most: (row,).
            choice: the rows say that at most one of some columns is taken, and no column is in two such rows.
        """
        if not len(keys):
            return
        at = np.searchsorted(keys, key)
        named = keys[np.minimum(at, len(keys) - 1)] == key
        self._row.append(at[named] + self._count)
        self._column.append(column[named])
        self._value.append(value[named])
        self._most.append(most)
        self._choice.append(np.full(len(keys), choice, np.bool_))
        self._count += len(keys)

    def matrix(self, columns: int) -> tuple[sparse.csr_array, Wide, Flags]:
        """All rows, the same row once."""
        parts = [
            np.concatenate(one) if one else np.zeros(0, np.int64) for one in (self._value, self._row, self._column)
        ]
        rows = sparse.csr_array((parts[0], (parts[1], parts[2])), shape=(self._count, columns), dtype=np.int64)
        most = np.concatenate(self._most) if self._most else np.zeros(0, np.int64)
        mark = np.random.default_rng(1).integers(-(2**62), 2**62, columns, dtype=np.int64)
        marks = np.stack([rows @ mark, most], axis=1)  # wraps round, which is as good
        first = np.sort(np.unique(marks, axis=0, return_index=True)[1])
        return rows[first], most[first], np.concatenate(self._choice or [np.zeros(0, np.bool_)])[first]
