"""Finds out which table a sheet is, and which column stands where."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from hub.schedule.imports.cells import Cell, empty, plain, quoted
from hub.schedule.imports.columns import Column, headers
from hub.schedule.imports.mistakes import Mistake, Where
from hub.schedule.imports.sheets import Sheet
from hub.schedule.imports.tables import BY_KEY, TABLES, Table
from hub.schedule.register.words import Words, words

SEARCHED_ROWS = 10
"""Rows in which the header may stand: titles above it are passed over."""


@dataclass(frozen=True, slots=True)
class Header:
    """How a sheet is read."""

    table: Table
    row: int
    """The header's own number."""
    columns: dict[str, int]
    """Position of each field that the sheet has, from 0."""
    titles: dict[str, str]
    """The sheet's own header over each field."""


def table_named(sheet: Sheet, wanted: str) -> Table | None:
    """The table that a sheet is by what people call it: `wanted`, the worksheet's name, or the file's."""
    if wanted:
        return BY_KEY[wanted]
    for name in (sheet.name, PurePath(sheet.file).stem):
        for table in TABLES:
            if plain(name) in {plain(one) for one in (table.key, table.zh, table.en, *table.also)}:
                return table
    return None


def header_of(sheet: Sheet, table: Table, school: str = "") -> tuple[Header | None, list[Mistake], list[Mistake]]:
    """The header, what is wrong with it, and what is worth knowing.

    Args:
        sheet: with a row at least.
        table: what it is.
        school: of rows that name none; with one, no column for it is needed.

    Returns:
        No header where a column that is needed is not there, or one is there twice.
    """
    number, cells = max(sheet.rows[:SEARCHED_ROWS], key=lambda row: (_known(row[1], table), -row[0]))
    columns: dict[str, int] = {}
    titles: dict[str, str] = {}
    mistakes: list[Mistake] = []
    notes: list[Mistake] = []
    for position, cell in enumerate(cells):
        if empty(cell):
            continue
        title = quoted(cell)
        column = _column(cell, table)
        where = Where(sheet.file, sheet.name, number, title)
        if column is None:
            notes.append(Mistake(where, words("header.unknown", found=title)))
        elif column.field in columns:
            mistakes.append(Mistake(where, words("header.twice", found=title)))
        else:
            columns[column.field], titles[column.field] = position, title
    missing = [
        column
        for column in table.columns
        if column.needed and column.field not in columns and not (column.field == "school" and school)
    ]
    mistakes += [Mistake(Where(sheet.file, sheet.name, number, one.zh), _missing(one, table, cells)) for one in missing]
    return (None if mistakes else Header(table, number, columns, titles)), mistakes, notes


def likeliest(sheet: Sheet, school: str = "") -> Table | None:
    """The one table whose header this sheet's is; None where several, or none, would do."""
    fitting = []
    for table in TABLES:
        most = max((_known(cells, table) for _, cells in sheet.rows[:SEARCHED_ROWS]), default=0)
        header, _, _ = header_of(sheet, table, school) if most else (None, [], [])
        if header is not None:
            fitting.append((most, table))
    best = max((most for most, _ in fitting), default=0)
    found = [table for most, table in fitting if most == best]
    return found[0] if len(found) == 1 else None


def _known(cells: Sequence[Cell], table: Table) -> int:
    return len({column.field for cell in cells if (column := _column(cell, table)) is not None})


def _column(cell: Cell, table: Table) -> Column | None:
    if not isinstance(cell, str):
        return None
    written = plain(re.sub(r"[*＊]|[(（].*?[)）]", "", cell))
    for names in (lambda one: headers(one)[:3], headers):  # a column's own name goes before what others call it
        for column in table.columns:
            if written in names(column):
                return column
    return None


def _missing(column: Column, table: Table, cells: Sequence[Cell]) -> Words:
    unknown = [
        quoted(cell) for cell in cells if isinstance(cell, str) and cell.strip() and _column(cell, table) is None
    ]
    close = difflib.get_close_matches(column.zh, unknown, n=1, cutoff=0.4) or difflib.get_close_matches(
        column.en, unknown, n=1, cutoff=0.6
    )
    expected = f"{column.zh} / {column.en}"
    if close:
        return words("header.missing_similar", expected=expected, found=close[0])
    return words("header.missing", expected=expected)
