import pytest

from agent.observe.titles import TEXT_LIMIT, Line, guessed_title, page_text


def line(
    text: str, top: float, height: float, left: float = 0.05, width: float = 0.4, confidence: float = 0.95
) -> Line:
    return Line(text, left, top, width, height, confidence)


BODY = [line("自西向东，一周约 24 小时", 0.3, 0.05), line("昼夜交替由此产生", 0.45, 0.05)]


def title_of(*lines: Line) -> str | None:
    found = guessed_title(lines)
    return found.text if found is not None else None


def test_the_title_is_the_largest_line_high_up():
    assert title_of(*BODY, line("地球的自转", 0.08, 0.09)) == "地球的自转"


@pytest.mark.parametrize(
    "large",
    [
        line("a² + b² = c²", 0.4, 0.14),
        line("9 + 16 = 25", 0.4, 0.14),
        line("12 / 24", 0.93, 0.09, left=0.9),
        line("石桥小学", 0.93, 0.09),
        line("2026年秋季学期", 0.02, 0.09, left=0.7),
        line("https://example.org", 0.02, 0.09, left=0.6),
        line("A", 0.3, 0.15),
        line("全国的地名", 0.03, 0.15, confidence=0.3),
    ],
    ids=lambda one: one.text,
)
def test_what_is_large_and_no_title_is_not_taken(large: Line):
    assert title_of(line("地球的自转", 0.08, 0.08), *BODY, large) == "地球的自转"


def test_a_cover_has_its_title_in_the_middle():
    assert title_of(line("人教版 八年级 下册", 0.05, 0.07), line("勾股定理", 0.25, 0.2)) == "勾股定理"


def test_a_title_that_was_cut_at_a_wide_space_is_whole():
    assert (
        title_of(line("静夜思", 0.1, 0.1, width=0.2), line("李白", 0.1, 0.1, left=0.28, width=0.1), *BODY)
        == "静夜思李白"
    )
    assert title_of(line("Past", 0.1, 0.1, width=0.2), line("Tense", 0.1, 0.1, left=0.27), *BODY) == "Past Tense"


def test_a_title_of_two_lines_is_whole():
    first, second = line("为什么不同地方的", 0.1, 0.1, width=0.7), line("时间不同？", 0.22, 0.1)
    assert title_of(first, second, *BODY) == "为什么不同地方的时间不同？"


def test_of_two_lines_as_good_as_each_other_neither_is_told_for_sure():
    clear, doubtful = (
        guessed_title([line("地球的自转", 0.1, 0.1)]),
        guessed_title([line("地球的自转", 0.1, 0.1, width=0.2), line("地球的公转", 0.1, 0.1, left=0.6, width=0.2)]),
    )
    assert clear is not None
    assert doubtful is not None
    assert clear.confidence == 0.95
    assert doubtful.confidence == pytest.approx(0.475)


def test_a_page_without_words_has_no_title_and_no_text():
    assert guessed_title([]) is None
    assert guessed_title([line("12", 0.1, 0.2), line("= 5", 0.4, 0.2)]) is None
    assert page_text([]) == ""


def test_the_text_is_in_the_order_of_reading_and_bounded():
    assert page_text([BODY[1], line("地球的自转", 0.08, 0.09), BODY[0]]).split("\n")[0] == "地球的自转"
    assert len(page_text([line("长" * 600, 0.1 * row, 0.05) for row in range(5)])) == TEXT_LIMIT
