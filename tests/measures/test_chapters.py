import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.chapters import Chapter, ChapterSource, Mark, TitledSlide, chapters, near_equal

S = ChapterSource


def slides(*shown: tuple[float, str | None]) -> list[TitledSlide]:
    return [TitledSlide(t, title, 0.9) for t, title in shown]


def told(found: list[Chapter]) -> list[tuple[float, float, str | None, ChapterSource]]:
    return [(one.start_s, one.end_s, one.title, one.source) for one in found]


def test_each_title_is_a_chapter_and_pages_of_one_title_are_one():
    shown = slides((0, "光合作用"), (120, "光合作用（二）"), (300, "呼吸作用"))
    assert told(chapters(shown, [], 600)) == [(0, 300, "光合作用", S.SLIDE), (300, 600, "呼吸作用", S.SLIDE)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("17.1 勾股定理（一）", "17.1  勾股定理 (二)", True),
        ("Unit 5 My Family", "unit 5  my familv", True),
        ("勾股定理", "勾股定理的证明", False),
        ("17.1 勾股定理", "17.2 勾股定理", False),
        ("光合作用", "呼吸作用", False),
        ("The Water Cycle, part 2", "The Water Cycle", True),
        ("第一节", "第二节", False),
        ("＝", "光合作用", False),
    ],
)
def test_titles_join_when_they_are_nearly_equal(one: str, other: str, same: bool):
    assert near_equal(one, other) is same
    assert near_equal(other, one) is same


def test_a_look_back_at_an_earlier_title_does_not_cut():
    shown = slides((0, "光合作用"), (200, "呼吸作用"), (300, "光合作用"), (330, "呼吸作用"))
    assert told(chapters(shown, [], 600)) == [(0, 200, "光合作用", S.SLIDE), (200, 600, "呼吸作用", S.SLIDE)]


def test_a_title_that_comes_back_for_long_cuts():
    shown = slides((0, "光合作用"), (200, "呼吸作用"), (300, "光合作用"), (420, "呼吸作用"))
    assert [one.start_s for one in chapters(shown, [], 600)] == [0, 200, 300, 420]


def test_pages_that_are_only_passed_do_not_cut():
    shown = slides((0, "光合作用"), (200, "复习"), (203, "单元目录"), (206, "光合作用"), (400, "呼吸作用"))
    assert told(chapters(shown, [], 600)) == [(0, 400, "光合作用", S.SLIDE), (400, 600, "呼吸作用", S.SLIDE)]


def test_a_cover_that_is_passed_belongs_to_what_follows():
    shown = slides((0, "人教版 八年级"), (8, "光合作用"))
    assert told(chapters(shown, [], 600)) == [(0, 600, "光合作用", S.SLIDE)]


def test_slides_without_a_title_and_tasks_go_on_with_what_was_before():
    shown = slides((0, "光合作用"), (100, None), (200, "例 1：叶片的气孔"), (300, "随堂练习"), (400, "呼吸作用"))
    assert [one.start_s for one in chapters(shown, [], 600)] == [0, 400]
    assert [one.start_s for one in chapters(slides((0, "例外原则"), (300, "练习曲")), [], 600)] == [0, 300]


def test_a_mark_cuts_where_no_slide_does_and_says_what_comes():
    found = chapters(slides((0, "光合作用"), (300, "呼吸作用")), [Mark(150, "叶绿体")], 600)
    assert told(found) == [
        (0, 150, "光合作用", S.SLIDE),
        (150, 300, "叶绿体", S.MARK),
        (300, 600, "呼吸作用", S.SLIDE),
    ]
    assert [one.confidence for one in found] == pytest.approx([0.9, 1.0, 0.9])


@pytest.mark.parametrize(("at", "start"), [(295.0, 295.0), (306.0, 300.0)])
def test_a_mark_beside_a_new_slide_is_the_same_step(at: float, start: float):
    found = chapters(slides((0, "光合作用"), (300, "呼吸作用")), [Mark(at, "细胞的呼吸")], 600)
    assert told(found) == [(0, start, "光合作用", S.SLIDE), (start, 600, "细胞的呼吸", S.MARK)]


def test_a_mark_without_a_title_takes_that_of_its_slide():
    found = chapters(slides((0, "光合作用"), (300, "呼吸作用")), [Mark(301)], 600)
    assert told(found)[1] == (300, 600, "呼吸作用", S.MARK)
    assert found[1].confidence == 0.9


def test_a_mark_cuts_however_short_what_it_begins_is():
    found = chapters(slides((0, "光合作用")), [Mark(100, "甲"), Mark(103, "乙")], 600)
    assert [one.start_s for one in found] == [0, 100, 103]


def test_marks_alone_make_chapters_and_what_is_before_them_is_the_plans():
    found = chapters([], [Mark(60, "讨论"), Mark(700, "late")], 600, unit="第三单元")
    assert told(found) == [(0, 60, "第三单元", S.PLAN), (60, 600, "讨论", S.MARK)]


def test_without_slides_and_marks_the_lesson_is_one_chapter_called_after_the_plan_or_unknown():
    assert chapters([], [], 600, unit="第三单元") == [Chapter(0, 600, "第三单元", S.PLAN, None)]
    assert chapters([], [], 600) == [Chapter(0, 600, None, S.UNKNOWN, None)]
    assert told(chapters(slides((10, None)), [], 600, unit="第三单元")) == [(0, 600, "第三单元", S.PLAN)]


def test_a_long_time_before_the_first_title_is_its_own_and_a_moment_is_not():
    shown = slides((200, "光合作用"))
    assert told(chapters(shown, [], 600)) == [(0, 200, None, S.UNKNOWN), (200, 600, "光合作用", S.SLIDE)]
    assert told(chapters(slides((3, "光合作用")), [], 600)) == [(0, 600, "光合作用", S.SLIDE)]


def test_a_chapters_confidence_is_that_of_its_titles_by_time():
    shown = [TitledSlide(0, "光合作用", 0.8), TitledSlide(100, "光合作用", 0.4), TitledSlide(400, "光合作用", None)]
    (one,) = chapters(shown, [], 600)
    assert one.confidence == pytest.approx((0.8 * 100 + 0.4 * 300) / 400)


def test_a_lesson_of_zero_length_has_no_chapters_and_a_negative_one_is_refused():
    assert chapters(slides((0, "光合作用")), [Mark(0, "甲")], 0) == []
    with pytest.raises(ValueError, match="cannot last"):
        chapters([], [], -1)


def test_moments_before_the_lesson_belong_to_its_beginning():
    assert told(chapters(slides((-30, "光合作用"), (700, "呼吸作用")), [Mark(-5, "甲")], 600)) == [
        (0, 600, "光合作用", S.SLIDE)
    ]


TITLES = st.sampled_from([None, "", "光合作用", "光合作用（二）", "呼吸作用", "例 1", "Practice", "The Water Cycle"])
TIMES = st.floats(-20, 640, allow_nan=False)


@given(
    st.lists(st.builds(TitledSlide, TIMES, TITLES, st.one_of(st.none(), st.floats(0, 1))), max_size=12),
    st.lists(st.builds(Mark, TIMES, st.sampled_from(["", "甲", "乙"])), max_size=4),
)
def test_chapters_follow_each_other_from_the_beginning_to_the_end(shown, marks):
    found = chapters(shown, marks, 600.0)
    assert found[0].start_s == 0
    assert found[-1].end_s == pytest.approx(600)
    assert all(one.seconds > 0 for one in found)
    for before, after in itertools.pairwise(found):
        assert after.start_s == pytest.approx(before.end_s)
    assert len([one for one in found if one.source is S.MARK]) <= len(marks)
    assert all(one.confidence is None or 0 <= one.confidence <= 1 for one in found)
