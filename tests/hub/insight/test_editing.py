import pytest

from hub.insight.editing import CHAPTERS_MOST, NewChapter, edited, fitted
from hub.insight.errors import ChaptersUnfit, Unfit
from hub.store.chapters import ChapterRow

BEFORE = (ChapterRow(0.0, 100.0, "导入", "slide", 0.8), ChapterRow(100.0, 500.0, "面积法", "mark", 1.0))


def rows(*told: tuple[float, str | None]) -> list[NewChapter]:
    return [NewChapter(start, title) for start, title in told]


def test_each_chapter_lasts_until_the_next_and_what_was_not_touched_keeps_its_source():
    found = edited(rows((0, "导入"), (100.0004, "面积法"), (300, "面积法")), 600.0, BEFORE)
    assert found == (
        ChapterRow(0.0, 100.0, "导入", "slide", 0.8),
        ChapterRow(100.0, 200.0, "面积法", "mark", 1.0),
        ChapterRow(300.0, 300.0, "面积法", "edited", None),
    )
    renamed = edited(rows((0, "引入"), (120, "面积法")), 600.0, BEFORE)
    assert [one.source for one in renamed] == ["edited", "edited"]


def test_spaces_and_lines_in_a_title_become_one_space():
    (one,) = edited(rows((0, " 面积法\n\u3000二 ")), 600.0, ())
    assert one.title == "面积法 二"


@pytest.mark.parametrize(
    ("new", "reason", "row"),
    [
        ([], Unfit.NONE, None),
        (rows(*((float(at), "x") for at in range(CHAPTERS_MOST + 1))), Unfit.MANY, None),
        (rows((1, "甲")), Unfit.FIRST, 1),
        (rows((0, "甲"), (200, "乙"), (100, "丙")), Unfit.ORDER, 3),
        (rows((0, "甲"), (100, "乙"), (100.0001, "丙")), Unfit.ORDER, 3),
        (rows((0, "甲"), (600, "乙")), Unfit.OUTSIDE, 2),
        (rows((-1, "甲")), Unfit.OUTSIDE, 1),
        (rows((0, "甲"), (float("nan"), "乙")), Unfit.OUTSIDE, 2),
        (rows((0, "甲"), (float("inf"), "乙")), Unfit.OUTSIDE, 2),
        (rows((0, "甲"), (100, " \t")), Unfit.TITLE, 2),
        (rows((0, "x" * 201)), Unfit.TITLE, 1),
        (rows((0, "a\u202eb")), Unfit.TITLE, 1),
        (rows((0, "a\x00b")), Unfit.TITLE, 1),
        (rows((0, "a\ud800b")), Unfit.TITLE, 1),
    ],
)
def test_a_list_that_is_none_is_refused_and_the_words_name_the_row(new, reason, row):
    with pytest.raises(ChaptersUnfit) as refused:
        edited(new, 600.0, BEFORE)
    assert (refused.value.reason, refused.value.row) == (reason, row)
    if row is not None:
        assert str(refused.value).startswith(f"row {row}: ")


def test_the_most_that_is_allowed_is_taken():
    full = edited(rows(*((float(at), "x" * 200) for at in range(CHAPTERS_MOST))), 600.0, ())
    assert len(full) == CHAPTERS_MOST
    assert edited(rows((0, None)), 600.0, ())[0].title is None


def test_a_lesson_that_became_shorter_has_chapters_until_its_end():
    assert fitted(BEFORE, 100.0) == BEFORE[:1]
    assert fitted(BEFORE, 150.0) == (BEFORE[0], ChapterRow(100.0, 50.0, "面积法", "mark", 1.0))
