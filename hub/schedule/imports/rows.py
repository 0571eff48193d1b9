"""Reads the rows of a sheet: cells become values, values become what the file says of facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.schedule.imports.building import Building
from hub.schedule.imports.cells import Cell, empty, plain
from hub.schedule.imports.columns import Column, Reading
from hub.schedule.imports.grouped import GROUPED
from hub.schedule.imports.header import Header
from hub.schedule.imports.making import MAKERS, RowWrong
from hub.schedule.imports.mistakes import CellWrong, Where
from hub.schedule.imports.sheets import Sheet
from hub.schedule.register.words import words

PASSED_OVER = ("#", "例:", "example:")
"""What the first cell of a row begins with that is no row: the template's examples."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row whose cells could all be read."""

    values: Mapping[str, Any]
    """Fields whose column the sheet has; None where the cell is empty."""
    where: Where
    titles: Mapping[str, str]

    def at(self, field: str) -> Where:
        """The place of one field."""
        return Where(self.where.file, self.where.sheet, self.where.row, self.titles.get(field, ""))


def read_rows(sheet: Sheet, header: Header, building: Building, school: str) -> None:
    """Take every row of a sheet.

    Args:
        sheet: the rows.
        header: which table they are of.
        building: takes what they say, and what is wrong with them.
        school: of rows that name none; empty for none.
    """
    table = header.table
    uncomputed = {row for row, _ in sheet.unvalued}
    rows: list[Row] = []
    broken: list[Mapping[str, Any]] = []
    for number, cells in sheet.rows:
        if number <= header.row or (_passed_over(cells) and number not in uncomputed):
            continue
        building.rows += 1
        row, good = _read(sheet, header, building, number, cells, school)
        if good:
            rows.append(row)
        else:
            broken.append(row.values)
    grouped = GROUPED.get(table.key)
    if grouped is not None:
        grouped(rows, broken, building)
        return
    make = MAKERS[table.key]
    for row in rows:
        try:
            draft = make(row, building)
        except RowWrong as error:
            building.mistake(row.at(error.field), error.what)
            continue
        building.add(draft)
    building.covers(table.kind)


def _read(
    sheet: Sheet, header: Header, building: Building, number: int, cells: Sequence[Cell], school: str
) -> tuple[Row, bool]:
    """A row's values, and whether every cell is good; what is wrong is told."""
    reading = Reading(building.names, school)
    good = True
    for column in header.table.columns:
        position = header.columns.get(column.field)
        if position is None and not (column.field == "school" and school and column.needed):
            continue
        cell = cells[position] if position is not None and position < len(cells) else None
        where = Where(sheet.file, sheet.name, number, header.titles.get(column.field, column.zh))
        try:
            if position is not None and (number, position + 1) in sheet.unvalued:
                building.mistake(where, words("cell.unvalued"))
                good = False
                continue
            reading.values[column.field] = _value(column, cell, reading, school)
        except CellWrong as error:
            building.mistake(where, error.what)
            good = False
    where = Where(sheet.file, sheet.name, number)
    if not good:
        named = [cells[at] for name, at in header.columns.items() if name in {"id", "name"} and at < len(cells)]
        building.names.add_bad(header.table.kind, named)
    return Row(reading.values, where, header.titles), good


def _value(column: Column, cell: Cell, reading: Reading, school: str) -> Any:
    if not empty(cell):
        return column.read(cell, reading)
    if column.field == "school" and school:
        return school
    if column.needed:
        raise CellWrong(words("cell.needed"))
    return None


def _passed_over(cells: Sequence[Cell]) -> bool:
    first = next((cell for cell in cells if not empty(cell)), None)
    return first is None or (isinstance(first, str) and plain(first).startswith(PASSED_OVER))
