import pytest

from hub.console.report_figures import Cell, percent, unsure_type, value_words, whys
from hub.console.texts import load_texts

EN = load_texts()["en"]


def between(rt: tuple[float, float], ch: tuple[float, float]) -> dict:
    return {"st_interval": {name: {"low": low, "high": high} for name, (low, high) in (("rt", rt), ("ch", ch))}}


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.5, "share", "50.0\u00a0%"),
        (12.34, "s", "12.3\u00a0s"),
        (75.0, "s", "01:15"),
        (31.0, "count", "31"),
        (2.46, "per-minute", "2.5 a minute"),
        ("lecture", "type", "lecture"),
    ],
)
def test_a_value_is_told_with_its_unit(value: float | str, unit: str, words: str):
    assert value_words(value, unit, EN) == words


def test_what_is_not_quite_all_is_not_called_all_and_what_is_hardly_any_is_not_called_none():
    assert [percent(one) for one in (0.0, 0.0004, 0.5, 0.9999, 1.0)] == ["0", "1", "50", "99", "100"]


def test_a_reason_that_stands_in_many_cells_is_explained_once():
    cells = [Cell("1"), Cell("unknown", "", "cross-talk"), Cell("unknown", "", "cross-talk")]
    ((short, long),) = whys(cells, EN)
    assert (short, "loudspeaker" in long) == ("another room not heard", True)


def test_a_type_is_sure_where_its_error_lies_within_it():
    assert not unsure_type(between((0.45, 0.6), (0.1, 0.2)))
    assert unsure_type(between((0.45, 0.75), (0.1, 0.2)))
    assert unsure_type(between((0.45, 0.6), (0.3, 0.45)))
