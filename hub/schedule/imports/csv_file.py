"""Tables as text with separators: UTF-8 with or without a mark, GB18030, and what Excel calls Unicode text."""

import csv
import io

from hub.schedule.imports.cells import empty
from hub.schedule.imports.mistakes import file_wrong
from hub.schedule.imports.sheets import MOST_COLUMNS, MOST_FILE_BYTES, MOST_ROWS, Sheet, trimmed

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SEPARATORS = ",\t;，"


def read_csv(data: bytes, file: str, most_rows: int = MOST_ROWS) -> Sheet:
    """The table of a file.

    Raises:
        FileWrong: it is empty, too large, no text, or its quotes do not close.
    """
    if len(data) > MOST_FILE_BYTES:
        raise file_wrong(file, "file.too_large", mib=MOST_FILE_BYTES >> 20)
    text = decoded(data, file)
    if empty(text):
        raise file_wrong(file, "file.empty")
    head = text[: text.find("\n") + 1] or text
    separator = max(_SEPARATORS, key=head.count)
    rows = []
    number = 0
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), 1):
            if number > most_rows:
                raise file_wrong(file, "file.too_many_rows", most=most_rows)
            kept = trimmed(cells)
            if len(kept) > MOST_COLUMNS:
                raise file_wrong(file, "file.too_many_columns", row=number, most=MOST_COLUMNS)
            if kept:
                rows.append((number, kept))
    except csv.Error as error:
        raise file_wrong(file, "file.csv", row=number + 1, why=str(error)) from error
    return Sheet(file, "", rows)


def decoded(data: bytes, file: str) -> str:
    """The text of a file in whichever encoding schools use.

    Raises:
        FileWrong: it is in none of them.
    """
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    if marked is None and b"\0" in data[:4096]:
        raise file_wrong(file, "file.no_text")
    for encoding in (marked,) if marked else ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise file_wrong(file, "file.encoding")
