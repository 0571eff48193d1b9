"""A school's rooms as somebody typed them into a spreadsheet: CSV with the columns school, room, name."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from hub.errors import HubRefused
from hub.fleet.claims import NewClaim

HEADINGS = {"school": "school", "room": "room", "name": "name", "学校": "school", "教室": "room", "名称": "name"}
NEEDED = ("school", "room")
LARGEST_BYTES = 4 << 20
MOST_ROOMS = 5000
TOLD = 20
"""Faults that are told; a file with more is wrong as a whole."""


def read_roster(data: bytes, faults: Callable[[Sequence[NewClaim]], Iterable[tuple[int, str]]]) -> list[NewClaim]:
    """The rooms that a CSV file lists.

    UTF-8, or GB 18030 as spreadsheets in China write it; commas or semicolons; headings in English or Chinese.

    Args:
        data: the file.
        faults: what is wrong with rooms, by place (`hub.fleet.claims.Claims.faults`).

    Raises:
        HubRefused: something is wrong; a line for each row that is.
    """
    if len(data) > LARGEST_BYTES:
        raise HubRefused(f"the file has {len(data)} bytes, which is no list of rooms")
    text = _text(data)
    lines = text.splitlines()
    separator = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    rows = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        places = _places(next(rows, []))
        numbered = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise HubRefused(f"line {rows.line_num} is not CSV: {error}") from error
    if not numbered:
        raise HubRefused("the file lists no rooms; below the headings school, room, name each row is one")
    if len(numbered) > MOST_ROOMS:
        raise HubRefused(f"the file lists {len(numbered)} rooms; split it, {MOST_ROOMS} are the most at once")
    rooms = [NewClaim(**{name: _cell(row, at) for name, at in places.items()}) for _, row in numbered]
    wrong = [f"line {numbered[at][0]}: {words}" for at, words in faults(rooms)]
    if wrong:
        more = [f"and {len(wrong) - TOLD} more"] if len(wrong) > TOLD else []
        raise HubRefused("\n".join(["no code was made; mend the file:", *wrong[:TOLD], *more]))
    return rooms


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise HubRefused("the file is neither UTF-8 nor GB 18030 text; save it as CSV UTF-8")


def _places(headings: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for at, heading in enumerate(headings):
        name = HEADINGS.get(heading.strip().lower())
        if name is not None:
            places.setdefault(name, at)
    missing = [name for name in NEEDED if name not in places]
    if missing:
        raise HubRefused(
            f"line 1: the heading {' and '.join(missing)} is missing; the file begins with: school,room,name"
        )
    return places


def _cell(row: Sequence[str], at: int) -> str:
    return row[at].strip() if at < len(row) else ""
