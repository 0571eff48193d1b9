"""Files of whatever format become one proposal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePath

from hub.schedule.imports.building import Building
from hub.schedule.imports.cses import read_cses
from hub.schedule.imports.csv_file import read_csv
from hub.schedule.imports.header import Header, header_of, likeliest, table_named
from hub.schedule.imports.ical import read_ical
from hub.schedule.imports.mistakes import CellWrong, FileWrong, Where, file_wrong
from hub.schedule.imports.oneroster import read_oneroster
from hub.schedule.imports.proposal import Proposal
from hub.schedule.imports.rows import read_rows
from hub.schedule.imports.sheets import MOST_ROWS, Sheet
from hub.schedule.imports.tables import TABLES
from hub.schedule.imports.workbook import OLE, read_workbook
from hub.schedule.register.kinds import Kind
from hub.schedule.register.register import FactRow
from hub.schedule.register.words import words

FORMATS = ("oneroster", "cses", "ical", "days-off")
"""What `--as` takes beside the tables' own names."""
GUIDE = "说明 Guide"
"""The template's sheet that explains, and is passed over."""
TABLE_ORDER = {table.key: number for number, table in enumerate(TABLES)}
ZIP = b"PK\x03\x04"
SUFFIXES: Mapping[str, str] = {
    ".xlsx": "workbook",
    ".xlsm": "workbook",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".yaml": "cses",
    ".yml": "cses",
    ".cses": "cses",
    ".ics": "ical",
    ".ical": "ical",
}


@dataclass(frozen=True, slots=True)
class Brought:
    """One file, or one folder."""

    name: str
    data: bytes
    parts: Mapping[str, bytes] = field(default_factory=dict)
    """Of a folder: its files by name."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller said about the files."""

    kind: str = ""
    """A table's key or one of `FORMATS`; empty: found out."""
    school: str = ""
    """Id, or name, of the school that rows belong to which name none."""
    replace: bool = False
    """Whether facts that the files do not have are removed."""
    timezone: str = "Asia/Shanghai"
    """In which calendars' moments are read."""
    most_rows: int = MOST_ROWS
    """Of one sheet; it also bounds what an archive may have unpacked (`archive.parts_of`)."""


def propose(files: Sequence[Brought], known: Iterable[FactRow], wanted: Wanted) -> Proposal:
    """What files would change.

    Args:
        files: of any format, in any order.
        known: every fact as it is kept.
        wanted: what the caller said.

    Returns:
        The proposal; whatever is wrong with files, sheets, rows and cells is told in it.
    """
    building = Building(known)
    school = ""
    if wanted.school:
        try:
            school = building.names.find(Kind.SCHOOL, wanted.school)
        except CellWrong as error:
            building.mistake(Where("--school"), error.what)
    by_format: dict[str, list[Brought]] = {}
    for file in files:
        with _telling(building):
            by_format.setdefault(format_of(file, wanted.kind), []).append(file)
    for file in by_format.get("oneroster", ()):
        with _telling(building):
            read_oneroster(file.data, file.parts, file.name, building, wanted.most_rows)
    _tables((*by_format.get("workbook", ()), *by_format.get("csv", ())), building, wanted, school)
    for file in by_format.get("cses", ()):
        with _telling(building):
            read_cses(file.data, file.name, building, school)
            building.formats.append("cses")
    for file in by_format.get("ical", ()):
        with _telling(building):
            read_ical(file.data, file.name, building, school, wanted.timezone, days_off=wanted.kind == "days-off")
            building.formats.append("ical")
    if not files:
        building.mistakes.append(file_wrong("-", "file.none").mistake)
    return building.proposal(", ".join(file.name for file in files), replace=wanted.replace)


def format_of(file: Brought, kind: str) -> str:
    """How a file is read: `oneroster`, `workbook`, `csv`, `cses` or `ical`.

    Raises:
        FileWrong: it is of no kind that can be read.
    """
    if kind in FORMATS:
        return "ical" if kind == "days-off" else kind
    if file.parts:
        return "oneroster"
    if file.data.startswith(OLE):
        return "workbook"  # which tells why it cannot be read
    suffix = PurePath(file.name).suffix.casefold()
    if file.data.startswith(ZIP):
        return "oneroster" if suffix == ".zip" else "workbook"
    if suffix == ".zip":
        raise file_wrong(file.name, "file.no_zip")
    if file.data.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"BEGIN:VCALENDAR"):
        return "ical"
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    raise file_wrong(file.name, "file.type", known=" ".join((*SUFFIXES, ".zip")))


@contextmanager
def _telling(building: Building) -> Iterator[None]:
    """A file that cannot be read is told; the others are read."""
    try:
        yield
    except FileWrong as error:
        building.mistakes.append(error.mistake)


def _tables(files: Iterable[Brought], building: Building, wanted: Wanted, school: str) -> None:
    found: list[tuple[Sheet, Header]] = []
    for file in files:
        sheets: list[Sheet] = []
        with _telling(building):
            sheets = _sheets(file, wanted.most_rows)
        if not sheets:
            continue
        building.formats.append("table")
        known = [(sheet, table_named(sheet, wanted.kind) or likeliest(sheet, school)) for sheet in sheets]
        for sheet, table in known:
            if table is None:
                told = building.note if any(one is not None for _, one in known) else building.mistake
                names = "、".join(f"{one.zh} ({one.key})" for one in TABLES)
                told(Where(sheet.file, sheet.name), words("sheet.unknown", known=names))
                continue
            header, mistakes, notes = header_of(sheet, table, school)
            building.mistakes += mistakes
            building.notes += notes
            if header is not None:
                found.append((sheet, header))
    for sheet, header in sorted(found, key=lambda one: TABLE_ORDER[one[1].table.key]):
        read_rows(sheet, header, building, school)


def _sheets(file: Brought, most_rows: int) -> list[Sheet]:
    """The sheets of a file in which anything stands."""
    if format_of(file, "") == "csv":
        return [read_csv(file.data, file.name, most_rows)]
    sheets = [sheet for sheet in read_workbook(file.data, file.name, most_rows) if sheet.rows and sheet.name != GUIDE]
    if not sheets:
        raise file_wrong(file.name, "file.empty")
    return sheets
