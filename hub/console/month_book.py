"""A month report as a workbook (XLSX) and on paper (PDF)."""

import datetime as dt
import io
import re
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from hub.console.month import Cell, Number, Paper, Sheet

FORMATS = {"share": "0%", "s": "0.0", "count": "0.##"}
TITLE_MOST = 31
"""Signs that a workbook allows in a sheet's name."""
WIDEST = 60
FONT = "STSong-Light"
"""Every PDF reader knows it for Chinese, and takes a font of its own for it: nothing has to be shipped."""
INK = colors.HexColor("#1f2a37")
LINE = colors.HexColor("#c3ccd6")
SHADE = colors.HexColor("#eef2f6")


def workbook(paper: Paper) -> bytes:
    """The report as XLSX: a sheet of sentences, then one for each table; numbers stay numbers."""
    book = Workbook()
    first = book.active
    if first is None:
        raise AssertionError("a new workbook has a sheet")
    _front(first, paper)
    for sheet in paper.sheets:
        _table(book.create_sheet(_name(sheet.title)), sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _front(page: Worksheet, paper: Paper) -> None:
    page.title = _name(paper.title)
    page.column_dimensions["A"].width = 100
    page.append([_safe(paper.title)])
    page.append([_safe(paper.sub)])
    for words in (*paper.sentences, paper.foot):
        page.append([_safe(words)])
    page["A1"].font = Font(bold=True, size=16)
    for row in page.iter_rows(min_row=3):
        row[0].alignment = Alignment(wrap_text=True, vertical="top")


def _table(page: Worksheet, sheet: Sheet) -> None:
    page.append([_safe(one) for one in sheet.header])
    for one in page[1]:
        one.font = Font(bold=True)
        one.fill = PatternFill("solid", start_color="EEF2F6")
        one.alignment = Alignment(wrap_text=True, vertical="top")
    for row in sheet.rows:
        page.append([_value(one) for one in row])
        for cell, told in zip(page[page.max_row], row, strict=True):
            if isinstance(told, Number):
                cell.number_format = FORMATS[told.unit]
            elif isinstance(told, dt.date):
                cell.number_format = "yyyy-mm-dd"
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    if sheet.note:
        page.append([])
        page.append([_safe(sheet.note)])
    for column in range(len(sheet.header)):
        longest = max(_width(str(row[column])) for row in (sheet.header, *sheet.rows))
        page.column_dimensions[get_column_letter(column + 1)].width = min(WIDEST, longest + 2)
    page.freeze_panes = "A2"


def _value(cell: Cell) -> str | float | dt.date:
    if isinstance(cell, Number):
        return cell.value
    return cell if isinstance(cell, dt.date) else _safe(cell)


def _safe(words: str) -> str:
    """Words that no spreadsheet takes for a formula, and without signs that a workbook cannot hold."""
    words = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", " ", words)
    return f"'{words}" if words.startswith(("=", "+", "-", "@")) else words


def _width(words: str) -> int:
    """Columns that a text takes: Chinese signs take two."""
    return sum(2 if ord(one) > 0x2E7F else 1 for one in words)


def _name(title: str) -> str:
    return re.sub(r"[\[\]:*?/\\]", " ", title)[:TITLE_MOST].strip() or "1"


def pdf(paper: Paper) -> bytes:
    """The report on A4, across: sentences, then the tables."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = io.BytesIO()
    page = SimpleDocTemplate(
        out,
        pagesize=landscape(A4),
        leftMargin=15 * mm,
        rightMargin=15 * mm,
        topMargin=14 * mm,
        bottomMargin=16 * mm,
        title=paper.title,
        author="Tongtang",
    )
    parts: list[Any] = [_words(paper.title, 17), _words(paper.sub, 9, grey=True), Spacer(1, 4 * mm)]
    parts += [_words(one, 11.5) for one in paper.sentences]
    for sheet in paper.sheets:
        parts += [Spacer(1, 6 * mm), _words(sheet.title, 13), Spacer(1, 1.5 * mm), _grid(sheet, page.width)]
        if sheet.note:
            parts.append(_words(sheet.note, 8, grey=True))
    parts += [Spacer(1, 5 * mm), _words(paper.foot, 8, grey=True)]
    page.build(parts, onFirstPage=_foot, onLaterPages=_foot)
    return out.getvalue()


def _words(words: str, size: float, *, grey: bool = False) -> Paragraph:
    style = ParagraphStyle(
        "words",
        fontName=FONT,
        fontSize=size,
        leading=size * 1.5,
        wordWrap="CJK",
        textColor=colors.HexColor("#5b6672") if grey else INK,
    )
    return Paragraph(_marked(words), style)


def _marked(words: str) -> str:
    """Words in which nothing is taken for a tag."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _grid(sheet: Sheet, width: float) -> Table:
    weights = [_weight(column, sheet) for column in range(len(sheet.header))]
    columns = [width * one / sum(weights) for one in weights]
    cells = [[_words(str(one), 8.5) for one in row] for row in (sheet.header, *sheet.rows)]
    table = Table(cells, columns, repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), SHADE),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ]
        )
    )
    return table


def _weight(column: int, sheet: Sheet) -> float:
    cells: Sequence[Cell] = [row[column] for row in sheet.rows]
    longest = max([_width(sheet.header[column]) * 0.7, *(min(34, _width(str(one))) for one in cells)])
    return max(6.0, longest)


def _foot(canvas: Any, page: Any) -> None:
    canvas.setFont(FONT, 8)
    canvas.drawRightString(page.pagesize[0] - 15 * mm, 9 * mm, str(canvas.getPageNumber()))
