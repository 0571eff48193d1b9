import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.observe import main
from benchmarks.observe_slides import Read, edits, figures, plain
from tests.agent.observe.decks import HELD
from tests.pictures.slides import write_slides

pytest.importorskip("rapidocr", reason="slides are read with rapidocr, which is not installed")


def folder(place: Path, told: object, *, picture: bytes | None = None) -> Path:
    """FOLDER/slides with one empty page and these labels."""
    (place / "slides").mkdir()
    page = cv2.imencode(".png", np.full((90, 160, 3), 255, np.uint8))[1].tobytes()
    (place / "slides" / "a.png").write_bytes(page if picture is None else picture)
    text = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
    (place / "slides" / "titles.json").write_text(text, encoding="utf-8")
    return place


def test_titles_of_rendered_slides_are_found(tmp_path: Path, capsys: pytest.CaptureFixture):
    assert main([str(write_slides(tmp_path, [5], HELD[:3])), "--json"]) == 0
    exact, near, signs = json.loads(capsys.readouterr().out)
    assert (exact["part"], exact["files"]) == ("slides", 3)
    assert exact["value"] == near["value"] == 1
    assert signs["value"] == 0
    assert exact["cpu"] > 0


def test_a_title_that_is_not_on_the_slide_is_not_found_and_one_without_words_has_none(tmp_path: Path, capsys):
    assert main([str(folder(tmp_path, {"a.png": "光合作用"}))]) == 0
    out = capsys.readouterr().out
    assert "titles that are exact: share: 0.000 (one file, no interval; 1 files; worst a.png: 0.000" in out
    assert "share of the signs that are wrong: 1.000" in out
    (tmp_path / "slides" / "titles.json").write_text('{"a.png": null}')
    assert main([str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "titles that are exact: share: 1.000" in out
    assert "signs" not in out, "without a title there are no signs to be wrong"


@pytest.mark.parametrize(
    "told,picture,says",
    [
        ('{"a.png": "x",\n}', None, r"titles\.json, line 2, column 1: not JSON"),
        ([], None, r"titles\.json: must be \{.*with at least one slide"),
        ({}, None, r"with at least one slide"),
        ({"a.png": 3}, None, r"the title of a\.png must be text, or null where it has none: 3"),
        ({"b.png": "x"}, None, r"titles\.json names b\.png, and .* cannot be read .*take it out of the labels"),
        ({"a.png": "x"}, b"", r"a\.png is no picture that can be read"),
    ],
    ids=["json", "list", "empty", "number", "missing", "picture"],
)
def test_what_cannot_be_used_is_named_with_what_to_do(tmp_path: Path, capsys, told, picture, says: str):
    assert main([str(folder(tmp_path, told, picture=picture))]) == 2
    assert re.search(says, capsys.readouterr().err)


def test_without_labels_it_says_where_they_belong(tmp_path: Path, capsys):
    (tmp_path / "slides").mkdir()
    assert main([str(tmp_path)]) == 2
    assert "titles.json is not there: it holds the title of each slide" in capsys.readouterr().err


def test_exact_is_but_for_spaces_case_and_width_and_near_equal_is_as_chapters_take_it():
    read = [
        Read("a", "Unit 5 My Family", "unit 5  My FAMILY"),
        Read("b", "二次函数的图像与性质", "二次函数的图象与性质"),
        Read("c", "细胞的结构", ""),
        Read("d", "", ""),
        Read("e", "", "石桥小学"),
    ]
    exact, near, signs = figures(read, None)
    assert exact.value == pytest.approx(2 / 5)
    assert near.value == pytest.approx(3 / 5)
    assert signs.value == pytest.approx((0 + 1 + 5) / (13 + 10 + 5)), "of all signs, not of all slides"
    assert signs.worst == "c: 1.000"


def test_edits_are_the_least_that_it_takes():
    assert [edits(*pair) for pair in (("", "abc"), ("kitten", "sitting"), ("abc", "abc"), ("ab", "ba"))] == [3, 3, 0, 2]
    assert plain("Ｆ＝ｍａ 牛顿") == "f=ma牛顿"
