"""A table before anybody knows what it means: rows of cells, each with its number."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.schedule.imports.cells import Cell, empty

MOST_ROWS = 200_000
"""Rows of one sheet: more is a file that was not meant."""
MOST_COLUMNS = 64
MOST_FILE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of a file."""

    file: str
    name: str
    """The worksheet's; empty for a file that is one table."""
    rows: Sequence[tuple[int, Sequence[Cell]]]
    """Number, from 1, and cells; rows without anything in them are left out."""
    unvalued: frozenset[tuple[int, int]] = frozenset()
    """Row and column, from 1, of formulas that nobody has computed; their cells are empty."""


def trimmed(cells: Sequence[Cell]) -> Sequence[Cell]:
    """A row without the blanks at its end."""
    end = len(cells)
    while end and empty(cells[end - 1]):
        end -= 1
    return cells[:end]
