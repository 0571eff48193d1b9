"""Files that nobody should send are refused in words, and what is good beside them is still read."""

import io
import zipfile

import pytest

from hub.schedule.imports.archive import UNPACKED_ROW_BYTES
from hub.schedule.imports.reading import Brought, Wanted, propose
from hub.schedule.imports.sheets import MOST_ROWS
from tests.hub.schedule.imports.test_tables import SCHOOLS, csv, saved, workbook

SHEET = "xl/worksheets/sheet1.xml"


def good():
    return saved(workbook(学校=[["编号", "名称"], ["s1", "一小"]])).data


def altered(change):
    """The workbook with one of its parts made otherwise."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good())) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            data = change(part.filename, old.read(part))
            if data is not None:
                new.writestr(part.filename, data)
    return out.getvalue()


def within(name, before, after):
    return altered(lambda part, data: data.replace(before, after) if part == name else data)


def bomb(most_rows=MOST_ROWS):
    out = io.BytesIO(good())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/media/x.bin", b"x")
        # What the directory says is what is unpacked.
        archive.filelist[-1].file_size = most_rows * UNPACKED_ROW_BYTES + 1
    return out.getvalue()


def archive(*parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as files:
        for name, text in parts:
            files.writestr(name, text)
    return out.getvalue()


MANIFEST = ("manifest.csv", "propertyName,value\noneroster.version,1.2\n")
ORGS = "sourcedId,name,type\nx-1,九小,school\n"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.xlsx", lambda: b"", "empty"),
        ("a.xlsx", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"),
        ("a.xls", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old .xls"),
        ("a.xlsx", lambda: b"\x89PNG\r\n\x1a\n" + bytes(600), "no .xlsx workbook"),
        ("a.xlsx", lambda: good()[:-200], "no .xlsx workbook"),
        ("a.xlsx", lambda: good()[:200] + bytes(300) + good()[500:], "workbook"),
        ("a.xlsx", lambda: altered(lambda part, data: data if part != "xl/workbook.xml" else b"<x"), "workbook"),
        ("a.xlsx", lambda: altered(lambda part, data: data if part != SHEET else None), "empty"),
        ("a.xlsx", lambda: within(SHEET, b"<sheetData>", b"<sheetData><row"), "workbook"),
        ("a.xlsx", lambda: within(SHEET, b"<worksheet", b"<!DOCTYPE x><worksheet"), "no .xlsx workbook"),
        ("a.xlsx", lambda: saved(workbook(学校=[])).data, "empty"),
        ("a.xlsx", bomb, "unpacked"),
        ("a.csv", lambda: b"", "empty"),
        ("a.csv", lambda: b"\xef\xbb\xbf \n\n", "empty"),
        ("a.csv", lambda: bytes(100), "no text"),
        ("a.csv", lambda: b"\xff\xff\xff\xff", "neither UTF-8 nor GB18030"),
        ("a.csv", lambda: '学校,名称\n"s1,101\n'.encode(), "quotes"),
        ("a.csv", lambda: b"a,b\n1,2\n", "which table this is"),
        ("a.csv", lambda: b"x\n" * (MOST_ROWS + 1), f"more than {MOST_ROWS} rows"),
        ("a.csv", lambda: b"," * 100 + b"x\n", "more than 64 columns"),
        ("a.csv", lambda: '学校,名称\n\n\ns1,101\ns1,"102"x\n'.encode(), "near row 5"),
        ("a.yaml", lambda: b'- 1\n- !!int ""\n', "near line 2"),
        ("a.yaml", lambda: b"a: !!bool maybe\n", "bool maybe"),
        ("a.yaml", lambda: b"a: !!timestamp soon\n", "timestamp soon"),
        ("a.yaml", lambda: b"# " + b"x" * (1 << 20), "larger than 1 MiB"),
        ("a.zip", lambda: archive(MANIFEST, ("é.csv", "")).replace("é".encode(), b"\xff\xff"), "no zip"),
        ("a.zip", lambda: archive(MANIFEST, ("a/orgs.csv", ORGS), ("b\\orgs.csv", ORGS)), "orgs.csv is in the archive"),
        ("a.docx", lambda: b"hello", "not known"),
        ("a.pdf", lambda: b"%PDF", "not known"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_the_others_are_read(name, data, words):
    proposal = propose([Brought(name, data()), SCHOOLS], [], Wanted())
    assert words in proposal.mistakes[0].told("en")
    assert proposal.mistakes[0].where.file == name
    assert len(proposal.changes) == 2


def test_a_row_number_that_would_never_be_reached_does_not_keep_anybody_waiting():
    data = within(SHEET, b'r="2"', b'r="999999999"')
    proposal = propose([Brought("a.xlsx", data)], [], Wanted())
    assert proposal.changes == ()


def test_a_cell_far_to_the_right_is_passed_over():
    book = workbook(学校=[["编号", "名称"], ["s1", "一小"]])
    book["学校"]["XFD2"] = "x"
    assert len(propose([saved(book)], [], Wanted()).changes) == 1


def test_a_sheet_that_is_no_table_of_ours_beside_one_that_is_is_only_noted():
    book = workbook(学校=[["编号", "名称"], ["s1", "一小"]], 统计=[["合计", 3]])
    proposal = propose([saved(book)], [], Wanted())
    assert (len(proposal.changes), proposal.mistakes) == (1, ())
    assert [one.where.sheet for one in proposal.notes] == ["统计"]


def test_a_school_that_is_not_known_is_told_before_anything_else():
    proposal = propose([csv("rooms.csv", "名称\n101\n")], [], Wanted(school="九小"))
    assert "there is no school “九小”" in proposal.mistakes[0].told("en")


def test_where_fewer_rows_are_allowed_less_is_unpacked():
    data = bomb(most_rows=1000)
    assert propose([Brought("a.xlsx", data)], [], Wanted()).mistakes == ()
    assert "unpacked" in propose([Brought("a.xlsx", data)], [], Wanted(most_rows=1000)).mistakes[0].told("en")


def test_a_number_without_end_is_no_date():
    book = saved(workbook(学期=[["编号", "第一周周一", "周数"], ["t1", 46000, 18]])).data
    endless = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(endless, "w") as new:
        for part in old.namelist():
            new.writestr(part, old.read(part).replace(b"46000", b"1E400"))
    (mistake,) = propose([Brought("a.xlsx", endless.getvalue())], [], Wanted()).mistakes
    assert (mistake.where.row, mistake.where.column) == (2, "第一周周一")
