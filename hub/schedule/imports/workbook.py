"""Workbooks (.xlsx) as schools send them: merged cells, formulas, dates; and as nobody should send them."""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple

from openpyxl import load_workbook
from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.utils.exceptions import InvalidFileException

from hub.schedule.imports.archive import BROKEN_ARCHIVE, parts_of
from hub.schedule.imports.cells import Cell, empty
from hub.schedule.imports.mistakes import FileWrong, file_wrong
from hub.schedule.imports.sheets import MOST_COLUMNS, MOST_FILE_BYTES, MOST_ROWS, Sheet, trimmed

MOST_PARTS = 2_000
MOST_MERGED = 20_000
MOST_UNVALUED = 1_000
CHUNK_BYTES = 1 << 20
LONGEST_CELL_BYTES = 1 << 16
"""Of a cell's own text in the file: formulas and merges are looked for across chunks of this overlap."""

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""What a workbook with a password begins with, and one of before 2007."""

BROKEN = (
    *BROKEN_ARCHIVE,
    InvalidFileException,
    TypeError,
    AttributeError,
    SyntaxError,  # an XML ParseError is one
    ArithmeticError,
)
"""What openpyxl and zipfile raise over bytes that are no workbook any more."""

_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+\d+:[A-Z]+\d+)"')
_UNVALUED = re.compile(
    rb'<(?:\w+:)?c\s(?:[^>]*?\s)?r="([A-Z]{1,3}\d{1,7})"[^>]*>\s*'
    rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)


class _Marks(NamedTuple):
    """What the reader of cells does not tell of a sheet."""

    merged: dict[tuple[int, int], tuple[int, int]]
    """By row and column of a cell that is covered: those of the one whose value counts for it."""
    unvalued: frozenset[tuple[int, int]]
    """Cells with a formula that nobody has computed."""


def read_workbook(data: bytes, file: str, most_rows: int = MOST_ROWS) -> list[Sheet]:
    """The sheets of a workbook, hidden ones not.

    Raises:
        FileWrong: it has a password, is of before 2007, is broken, too large, or has too many rows.
    """
    _refuse(data, file, most_rows)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            try:
                return [
                    _sheet(sheet, archive, file, most_rows)
                    for sheet in book.worksheets
                    if sheet.sheet_state == "visible"
                ]
            finally:
                book.close()
    except FileWrong:
        raise
    except BROKEN as error:
        raise file_wrong(file, "file.broken_workbook", why=_in_short(error)) from error


def _refuse(data: bytes, file: str, most_rows: int) -> None:
    """Refuse what would cost too much to look into, or cannot be."""
    if not data:
        raise file_wrong(file, "file.empty")
    if len(data) > MOST_FILE_BYTES:
        raise file_wrong(file, "file.too_large", mib=MOST_FILE_BYTES >> 20)
    if data.startswith(OLE):
        raise file_wrong(file, "file.encrypted")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _refuse_parts(archive, file, most_rows)
    except BROKEN as error:
        if isinstance(error, FileWrong):
            raise
        raise file_wrong(file, "file.no_workbook") from error


def _refuse_parts(archive: zipfile.ZipFile, file: str, most_rows: int) -> None:
    parts = parts_of(archive, file, MOST_PARTS, most_rows)
    names = {one.filename for one in parts}
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise file_wrong(file, "file.no_workbook")
    for one in parts:
        if one.filename.endswith((".xml", ".rels")):
            with archive.open(one) as part:
                if b"<!DOCTYPE" in part.read(CHUNK_BYTES):  # no workbook has one; entities could be endless
                    raise file_wrong(file, "file.no_workbook")


def _sheet(sheet: Any, archive: zipfile.ZipFile, file: str, most_rows: int) -> Sheet:
    path = sheet._worksheet_path.lstrip("/")  # noqa: SLF001  read-only sheets tell neither merges nor formulas
    marks = _marks(archive, path, file)
    sheet.reset_dimensions()  # what a file says of its own size is often wrong
    above: dict[tuple[int, int], Cell] = {}
    rows: list[tuple[int, list[Cell]]] = []
    unvalued_rows = {row for row, _ in marks.unvalued}
    wanted = set(marks.merged.values())
    for number, found in enumerate(sheet.iter_rows(max_row=most_rows + 1, max_col=MOST_COLUMNS, values_only=True), 1):
        cells: list[Cell] = list(found)
        if number > most_rows and not all(empty(cell) for cell in cells):
            raise file_wrong(file, "file.too_many_rows", most=most_rows)
        if marks.merged and not all(empty(cell) for cell in cells):
            _fill(cells, number, marks, wanted, above)
        kept = list(trimmed(cells))
        if kept or number in unvalued_rows:
            rows.append((number, kept))
    return Sheet(file, sheet.title, rows, marks.unvalued)


def _fill(
    cells: list[Cell], number: int, marks: _Marks, wanted: set[tuple[int, int]], above: dict[tuple[int, int], Cell]
) -> None:
    """Give cells that are covered by a merged one its value."""
    for column in range(1, MOST_COLUMNS + 1):
        key = (number, column)
        if key in wanted:
            above[key] = cells[column - 1] if column <= len(cells) else None
        elif (first := marks.merged.get(key)) is not None:
            cells += [None] * (column - len(cells))
            cells[column - 1] = above.get(first)


def _marks(archive: zipfile.ZipFile, path: str, file: str) -> _Marks:
    merged: dict[tuple[int, int], tuple[int, int]] = {}
    unvalued: set[tuple[int, int]] = set()
    for chunk in _chunks(archive, path):
        for found in _MERGED.finditer(chunk):
            (top, left), (bottom, right) = (coordinate_to_tuple(one) for one in found[1].decode().split(":"))
            if (bottom - top + 1) * (min(right, MOST_COLUMNS) - left + 1) + len(merged) > MOST_MERGED:
                raise file_wrong(file, "file.merged", most=MOST_MERGED)
            for row in range(top, bottom + 1):
                for column in range(left, min(right, MOST_COLUMNS) + 1):
                    if (row, column) != (top, left):
                        merged[row, column] = (top, left)
        for found in _UNVALUED.finditer(chunk):
            if len(unvalued) < MOST_UNVALUED:
                unvalued.add(coordinate_to_tuple(found[1].decode()))
    return _Marks(merged, frozenset(unvalued))


def _chunks(archive: zipfile.ZipFile, path: str) -> Iterator[bytes]:
    """The text of a part, in pieces that overlap, so that nothing lies across a border unseen."""
    before = b""
    with archive.open(path) as part:
        while piece := part.read(CHUNK_BYTES):
            yield before + piece
            before = (before + piece)[-LONGEST_CELL_BYTES:]


def _in_short(error: Exception) -> str:
    told = str(error).splitlines()
    return told[0][:200] if told else type(error).__name__
