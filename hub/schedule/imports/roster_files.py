"""The files of a roster in OneRoster 1.2 CSV: an archive or a folder of tables, each line with its place.

Source: 1EdTech OneRoster 1.2 CSV Binding.
"""

import datetime as dt
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PureWindowsPath

from hub.schedule.imports.archive import BROKEN_ARCHIVE, parts_of
from hub.schedule.imports.building import Building
from hub.schedule.imports.cells import Cell, date, empty, plain, text
from hub.schedule.imports.csv_file import read_csv
from hub.schedule.imports.mistakes import CellWrong, FileWrong, Mistake, Where, file_wrong
from hub.schedule.imports.sheets import MOST_FILE_BYTES, Sheet
from hub.schedule.register.words import words

MOST_PARTS = 200
NEEDED: Mapping[str, Sequence[str]] = {
    "manifest.csv": ("propertyName", "value"),
    "orgs.csv": ("sourcedId", "name", "type"),
    "academicSessions.csv": ("sourcedId", "title", "type", "startDate", "endDate"),
    "courses.csv": ("sourcedId", "title"),
    "classes.csv": ("sourcedId", "title", "schoolSourcedId"),
    "users.csv": ("sourcedId", "givenName", "familyName"),
    "roles.csv": ("userSourcedId", "role", "orgSourcedId"),
    "enrollments.csv": ("classSourcedId", "userSourcedId", "role"),
}
"""The files that are looked at, and the columns without which they say nothing."""


class Line:
    """One row of one file."""

    def __init__(self, file: str, part: str, number: int, cells: Mapping[str, Cell]) -> None:
        """`cells` are by their headers, as `plain` writes them."""
        self._file = file
        self._part = part
        self._number = number
        self._cells = cells

    def where(self, column: str = "") -> Where:
        """The place of a column."""
        return Where(self._file, self._part, self._number, column)

    def get(self, column: str) -> str:
        """The text of a column; empty where there is none."""
        cell = self._cells.get(plain(column))
        if empty(cell):
            return ""
        try:
            return text(cell)
        except CellWrong as error:
            raise LineWrong(self.where(column), error) from error

    def word(self, column: str) -> str:
        """A word of the format, as it is compared; empty where there is none."""
        cell = self._cells.get(plain(column))
        return "" if empty(cell) else plain(str(cell))

    def need(self, column: str) -> str:
        """The text of a column.

        Raises:
            LineWrong: it is empty.
        """
        found = self.get(column)
        if not found:
            raise LineWrong(self.where(column), CellWrong(words("cell.needed")))
        return found

    def date(self, column: str) -> dt.date:
        """The date of a column.

        Raises:
            LineWrong: it is none.
        """
        try:
            return date(self.need(column))
        except CellWrong as error:
            raise LineWrong(self.where(column), error) from error


class LineWrong(CellWrong):
    """A cell is wrong; `where` is its place."""

    def __init__(self, where: Where, error: CellWrong) -> None:
        super().__init__(error.what)
        self.where: Where = error.where if isinstance(error, LineWrong) else where


def roster_lines(
    data: bytes, parts: Mapping[str, bytes], file: str, building: Building, most_rows: int
) -> dict[str, list[Line]]:
    """The lines of every file that is looked at, by its name; what cannot be read is told.

    Args:
        data: a zip archive; looked at where there are no `parts`.
        parts: a folder's files by name.
        file: the archive's or the folder's name.
        building: is told.
        most_rows: bounds what an archive may have unpacked, as in `parts_of`.

    Raises:
        FileWrong: it is no archive, too large, or has no manifest.
    """
    files = dict(parts) or _unpacked(data, file, most_rows)
    if "manifest.csv" not in files:
        raise file_wrong(file, "roster.no_manifest")
    lines = {part: list(_lines(file, part, files, building)) for part in NEEDED if part in files}
    _check_manifest(lines["manifest.csv"], files, building)
    return lines


def _unpacked(data: bytes, file: str, most_rows: int) -> dict[str, bytes]:
    """The files that are looked at, wherever in the archive they lie, by their names alone."""
    if len(data) > MOST_FILE_BYTES:
        raise file_wrong(file, "file.too_large", mib=MOST_FILE_BYTES >> 20)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found: dict[str, bytes] = {}
            for one in parts_of(archive, file, MOST_PARTS, most_rows):
                name = PureWindowsPath(one.filename).name
                if name in NEEDED and name in found:
                    raise file_wrong(file, "roster.twice", part=name)
                if name in NEEDED:
                    found[name] = archive.read(one)
            return found
    except FileWrong:
        raise
    except BROKEN_ARCHIVE as error:
        raise file_wrong(file, "file.no_zip") from error


def _lines(file: str, part: str, files: Mapping[str, bytes], building: Building) -> Iterator[Line]:
    try:
        sheet = read_csv(files[part], f"{file}/{part}")
    except FileWrong as error:
        building.mistakes.append(Mistake(Where(file, part), error.mistake.what))
        return
    columns = _columns(sheet)
    missing = [name for name in NEEDED[part] if plain(name) not in columns]
    for name in missing:
        building.mistake(Where(file, part, 1, name), words("header.missing", expected=name))
    if missing:
        return
    for number, cells in sheet.rows[1:]:
        yield Line(file, part, number, {name: cells[at] for name, at in columns.items() if at < len(cells)})


def _columns(sheet: Sheet) -> dict[str, int]:
    _, header = sheet.rows[0]
    return {plain(str(cell)): position for position, cell in enumerate(header)}


def _check_manifest(lines: Sequence[Line], files: Mapping[str, bytes], building: Building) -> None:
    parts = {plain(part): part for part in NEEDED}
    for line in lines:
        name, value = line.word("propertyName"), line.word("value")
        if name == "oneroster.version" and not value.startswith("1."):
            building.mistake(line.where("value"), words("roster.version", found=value[:20]))
        part = parts.get(f"{name.removeprefix('file.')}.csv")
        if name.startswith("file.") and value in {"bulk", "delta"} and part is not None and part not in files:
            building.mistake(line.where("propertyName"), words("roster.missing", part=part))
