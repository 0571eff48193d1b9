"""A month report counts what was planned, says who took part, and calls unknown what is unknown."""

import base64
import datetime as dt
import io
import re
import zlib

import pytest
from openpyxl import load_workbook

from hub.console.month import paper_of
from hub.console.month_book import pdf, workbook
from hub.console.texts import load_texts
from hub.insight.month.fates import Fate, Planned
from hub.insight.month.lesson import LessonFigures, RoomFigures
from hub.insight.month.report import Scope, month_report
from hub.insight.month.spread import spread
from tests.hub.insight.month.planned import NOW, day, held, occurrence, opened, session

TEXTS = load_texts()
ALL = frozenset({"one", "two", "three"})


def figures(one: Planned, answers: float | None, **more) -> LessonFigures:
    rooms = tuple(RoomFigures(room=part.room, answers=answers, wait_s=2.0) for part in one.occurrence.receiving)
    told = {"teachers_share": 0.7, "far_share": 0.2, "type": "mixed"} | more
    return LessonFigures(session=one.session.session, rooms=rooms, **told)


@pytest.fixture(scope="module")
def month():
    planned = [
        held(2),
        held(3),
        held(4),
        held(5, receiving=("two", "three"), missing=("three",)),
        held(6, missing=("one",)),
        Planned(occurrence(day(9)), True, "教师请假", None),
        Planned(occurrence(day(30, 19)), False, "", None),
    ]
    known = {one.session.session: figures(one, answers) for one, answers in zip(planned, (0, 4, 6, None), strict=False)}
    before = [held(2), held(3, missing=("two",))]
    return month_report("2026-11", Scope.DISTRICT, "", "", ALL, planned, known, now=NOW, before=before)


def test_every_lesson_is_counted_once(month):
    counts = month.counts
    assert (counts.planned, counts.held, counts.partly, counts.missed) == (6, 3, 1, 1)
    assert (counts.called_off, counts.to_come, counts.over) == (1, 1, 5)
    assert counts.held_share == pytest.approx(0.8)
    assert month.before.held_share == 0.5
    assert [one.fate for one in month.lost] == [Fate.PARTLY, Fate.MISSED, Fate.CALLED_OFF]


def test_each_school_and_class_is_judged_by_its_own_part(month):
    schools = {one.school: one for one in month.schools}
    assert (schools["one"].leading.held, schools["one"].leading.partly, schools["one"].leading.missed) == (3, 1, 1)
    assert (schools["two"].receiving.held, schools["two"].receiving.missed) == (4, 1)
    assert (schools["three"].receiving.held, schools["three"].receiving.missed) == (0, 1)
    classes = {one.school: one for one in month.classes}
    two = classes["two"]
    assert (two.answers.known, two.answers.of, two.answers.median, two.silent) == (3, 4, 4.0, 1)
    assert classes["three"].answers.known == 0
    assert classes["three"].answers.median is None


@pytest.fixture(scope="module")
def with_open():
    """One delivery class and three open ones, of which one became no session."""
    rooms = [opened(day(date)) for date in (3, 4, 5)]
    planned = [
        held(2),
        *(Planned(one, False, "", session(one)) for one in rooms[:2]),
        Planned(rooms[2], False, "", None),
    ]
    known = {one.session.session: figures(one, 4) for one in planned if one.session}
    return month_report("2026-11", Scope.DISTRICT, "", "", ALL, planned, known, now=NOW)


def test_open_classes_are_counted_as_held_and_not_asked_how_a_far_class_took_part(with_open):
    assert (with_open.counts.held, with_open.counts.booked, with_open.open_held) == (3, 1, 2)
    assert (with_open.measures["far_share"].of, with_open.measures["teachers_share"].of) == (1, 3)
    (two,) = with_open.classes
    assert (two.counts.held, two.answers.of, two.wait.of) == (1, 1, 1)
    school = next(one for one in with_open.schools if one.school == "two")
    assert (school.receiving.held, school.open_class.held, school.open_class.booked) == (1, 2, 1)


@pytest.mark.parametrize("language, words", [("zh", "2 节是开放课"), ("en", "2 of the lessons held were open classes")])
def test_it_is_said_how_many_open_classes_were_held(with_open, language, words):
    paper = paper_of(with_open, TEXTS[language], "2026-12-01 08:00")
    assert words in " ".join(paper.sentences)
    assert [row[1] for row in paper.sheets[0].rows if row[0] == "石桥小学"] == [
        TEXTS[language](f"month.{role}") for role in ("receiving", "open")
    ]


@pytest.mark.parametrize("language, words", [("zh", "听课班级学生"), ("en", "receiving classes")])
def test_a_month_of_nothing_but_open_classes_says_nothing_of_far_classes(language, words):
    one = opened(day(3))
    planned = [Planned(one, False, "", session(one))]
    known = {planned[0].session.session: figures(planned[0], None, far_share=None)}
    report = month_report("2026-11", Scope.DISTRICT, "", "", ALL, planned, known, now=NOW)
    said = " ".join(paper_of(report, TEXTS[language], "2026-12-01 08:00").sentences)
    assert words not in said


def test_what_few_lessons_tell_has_no_median():
    assert spread([0.2, None, 0.4], "share").median is None
    assert spread([0.2, None, 0.4, 0.3], "share").median == pytest.approx(0.3)
    four = spread([1, 2, 3, 4], "count")
    assert (four.low, four.median, four.high) == (1.75, 2.5, 3.25)


def test_a_school_with_one_lesson_is_told_nothing_of_how_it_went():
    only = held(2)
    known = {only.session.session: figures(only, 0)}
    report = month_report("2026-11", Scope.SCHOOL, "two", "石桥小学", {"two"}, [only], known, now=NOW)
    assert report.counts.held == 1
    assert {(one.known, one.median, one.least, one.most) for one in report.measures.values()} <= {
        (1, None, None, None),
        (0, None, None, None),
    }
    (pupils,) = report.classes
    assert (pupils.answers.known, pupils.answers.least, pupils.silent) == (1, None, None)
    assert report.types == {}
    paper = paper_of(report, TEXTS["zh"], "")
    assert "三年级2班" not in " ".join(paper.sentences)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_it_reads_as_sentences_with_the_figures_in_them(month, language):
    paper = paper_of(month, TEXTS[language], "2026-12-01 08:00")
    said = " ".join(paper.sentences)
    for part in {"zh": ("6 节", "80%", "石桥小学 三年级2班", "请关注"), "en": ("6 lessons", "80%", "look into it")}[
        language
    ]:
        assert part in said
    lost = paper.sheets[-1]
    assert len(lost.rows) == 3
    assert "教师请假" in str(lost.rows[2])
    unknown = {"zh": "暂不清楚", "en": "unknown"}[language]
    assert unknown in str(paper.sheets[2].rows[0]) + str(paper.sheets[1].rows)


def test_a_month_without_lessons_says_so():
    empty = month_report("2026-02", Scope.SCHOOL, "one", "第一小学", {"one"}, [], {}, now=NOW)
    paper = paper_of(empty, TEXTS["zh"], "")
    assert paper.sentences == ("本月没有安排双师课。",)
    assert paper.sheets == ()
    assert workbook(paper)
    assert pdf(paper).startswith(b"%PDF")


def test_the_workbook_holds_numbers_that_can_be_added_and_no_formulas(month):
    bad = month.model_copy(update={"name": '=HYPERLINK("x")'})
    book = load_workbook(io.BytesIO(workbook(paper_of(bad, TEXTS["zh"], ""))))
    assert book.sheetnames[1:] == [
        "各校情况",
        "听课班级参与情况",
        "课堂互动指标的分布",
        "没有上成、取消和有教室未到的课",
    ]
    rows = list(book["各校情况"].iter_rows(values_only=True))
    assert rows[0][:3] == ("学校", "角色", "计划")
    assert rows[1][:4] == ("第一小学", "主讲", 6, 3)
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    assert book.worksheets[0]["A1"].value.startswith("'=")
    lost = book["没有上成、取消和有教室未到的课"]
    assert [cell.value.date() for cell in lost["A"][1:]] == [dt.date(2026, 11, date) for date in (5, 6, 9)]
    assert {cell.number_format for cell in lost["A"][1:]} == {"yyyy-mm-dd"}


def test_the_pdf_has_its_words_in_it(month):
    data = pdf(paper_of(month, TEXTS["zh"], ""))
    assert data.startswith(b"%PDF")
    assert b"STSong-Light" in data
    assert data.count(b"/Type /Page\n") >= 1
    words = text_of(data)
    for part in ("石桥小学", "三年级2班", "教师请假", "2026-11-09"):
        assert part in words


def text_of(data):
    """What can be selected in a PDF whose font is encoded as UniGB-UCS2: UTF-16."""
    assert b"UniGB-UCS2-H" in data
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL):
        drawn = zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>")))
        for shown in re.findall(rb"\(((?:\\.|[^\\)])*)\) Tj", drawn, re.DOTALL):
            plain = re.sub(rb"\\([0-7]{3}|.)", _unescaped, shown, flags=re.DOTALL)
            found.append(plain.decode("utf-16-be"))
    return "".join(found)


def _unescaped(found):
    one = found[1]
    return bytes([int(one, 8)]) if len(one) == 3 else {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(one, one)
