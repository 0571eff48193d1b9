"""The empty workbook that schools fill in: a sheet a table, each with one example row, and a sheet that explains.

Each table is there as a CSV file of its own, too.
"""

import csv
import io
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from hub.schedule.imports.columns import Column
from hub.schedule.imports.reading import GUIDE
from hub.schedule.imports.tables import TABLES, Table
from hub.schedule.register.words import LANGUAGES, catalogue

EXAMPLE = {"zh": "例：", "en": "Example: "}
"""What the first cell of an example row begins with: such rows are passed over."""
TEXT_FORMAT = "@"
"""Cells are text, so that no spreadsheet makes a date of `1-3` or takes the zeros from a number."""
ROWS_PREPARED = 200
_BOLD = Font(bold=True)
_GREY = Font(italic=True, color="808080")
_HEAD = PatternFill("solid", start_color="E8EEF7")


def template(language: str) -> bytes:
    """The workbook, as the bytes of an .xlsx.

    Args:
        language: of its headers: `zh`, or `en`; the explanations are in both.
    """
    book = Workbook()
    guide = book.active
    assert isinstance(guide, Worksheet)  # noqa: S101  a new workbook has one
    guide.title = GUIDE
    _explain(guide)
    for table in TABLES:
        _sheet(book.create_sheet(title_of(table, language)), table, language)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csv_template(table: Table, language: str) -> bytes:
    """One table, with the example row; marked as UTF-8, so that Excel reads it as such."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_heads(table, language))
    writer.writerow(_examples(table, language))
    return out.getvalue().encode("utf-8-sig")


def save_template(path: Path, language: str) -> None:
    """Write the workbook to a file."""
    path.write_bytes(template(language))


def title_of(table: Table, language: str) -> str:
    """A table's sheet name."""
    return table.zh if language == "zh" else table.en


def explained(table: Table, column: Column, language: str) -> str:
    """What stands in a column."""
    words = catalogue(language)
    return words.get(f"explain.{table.key}.{column.field}") or words[f"explain.{column.field}"]


def _heads(table: Table, language: str) -> list[str]:
    return [f"{one.zh if language == 'zh' else one.en}{'*' if one.needed else ''}" for one in table.columns]


def _examples(table: Table, language: str) -> list[str]:
    first, *others = (str(one.example) for one in table.columns)
    return [f"{EXAMPLE[language]}{first}", *others]


def _sheet(sheet: Worksheet, table: Table, language: str) -> None:
    rows = zip(_heads(table, language), _examples(table, language), strict=True)
    for number, (name, example) in enumerate(rows, start=1):
        head = sheet.cell(1, number, name)
        head.font, head.fill = _BOLD, _HEAD
        sheet.cell(2, number, example or None).font = _GREY
        letter = head.column_letter
        sheet.column_dimensions[letter].width = max(12, 2 * len(name) + 4)
        for row in range(2, ROWS_PREPARED + 2):
            sheet.cell(row, number).number_format = TEXT_FORMAT
    sheet.freeze_panes = "A2"


def _explain(sheet: Worksheet) -> None:
    for language in LANGUAGES:
        for line in catalogue(language)["explain"].split("\n"):
            sheet.append([line])
    sheet.append([])
    sheet.append(["工作表 Sheet", "列 Column", "", "必填 Needed", "说明", "Meaning"])
    for cell in sheet[sheet.max_row]:
        cell.font, cell.fill = _BOLD, _HEAD
    for table in TABLES:
        for column in table.columns:
            needed = "是 yes" if column.needed else ""
            zh, en = (explained(table, column, language) for language in ("zh", "en"))
            sheet.append([f"{table.zh} / {table.en}", column.zh, column.en, needed, zh, en])
    for letter, width in zip("ABCDEF", (26, 14, 18, 12, 60, 70), strict=True):
        sheet.column_dimensions[letter].width = width
    for row in sheet.iter_rows(min_row=1, max_row=sheet.max_row, min_col=5, max_col=6):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
