import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.insight.plots.rtch import NAMES_AT, RtCh, RtChWords, place, rt_ch
from hub.insight.plots.stair import BOTTOM, LEFT, RIGHT, TOP, StairWords, stair, stair_points
from measures.st import ClassType, class_type

STAIR = StairWords("S-T", "told", "T", "S")
RTCH = RtChWords("Rt-Ch", "told", {one: one.value for one in ClassType}, "here")


def shapes(svg: str, kind: str) -> list[ET.Element]:
    return [one for one in ET.fromstring(svg).iter() if one.get("class") == f"p-{kind}"]


def test_the_stair_goes_right_for_the_teacher_and_up_for_the_pupils():
    assert stair_points("TTST") == [[(0, 0), (2, 0), (2, 1), (3, 1)]]


def test_an_unknown_sample_goes_nowhere_and_breaks_the_stair():
    assert stair_points("T?S") == [[(0, 0), (1, 0)], [(1, 0), (1, 1)]]
    assert stair_points("??T??") == [[(0, 0), (1, 0)]]
    assert stair_points("???") == stair_points("") == [[(0, 0)]]
    assert len(shapes(stair("TT??S", 30.0, STAIR), "break")) == 1


@given(st.text("TS?", max_size=200))
def test_a_stair_ends_at_its_numbers_of_samples_and_never_goes_back(codes: str):
    runs = stair_points(codes)
    assert runs[-1][-1] == (codes.count("T"), codes.count("S"))
    every = [point for run in runs for point in run]
    assert every == sorted(every)


def test_both_axes_have_one_scale_in_minutes():
    svg = stair("T" * 40 + "S" * 20, 30.0, STAIR)  # 20 minutes and 10
    (line,) = shapes(svg, "stair-line")
    points = [tuple(map(float, pair)) for pair in re.findall(r"([\d.]+) ([\d.]+)", line.get("d"))]
    assert points == [(LEFT, BOTTOM), (RIGHT, BOTTOM), (RIGHT, BOTTOM - (RIGHT - LEFT) / 2)]


@pytest.mark.parametrize("codes", ["", "T", "S" * 5000, "?" * 9])
def test_no_stair_leaves_its_frame(codes: str):
    for line in shapes(stair(codes, 30.0, STAIR), "stair-line"):
        points = [tuple(map(float, pair)) for pair in re.findall(r"([\d.]+) ([\d.]+)", line.get("d"))]
        assert all(LEFT <= x <= RIGHT and TOP <= y <= BOTTOM for x, y in points)


def test_the_lesson_lies_at_its_rt_and_ch_with_its_error():
    svg = rt_ch(RtCh(0.6, 0.2, (0.5, 0.7), (0.1, 0.3)), RTCH)
    (point,) = shapes(svg, "point")
    assert (float(point.get("cx")), float(point.get("cy"))) == pytest.approx(place(0.6, 0.2), abs=0.01)
    along, up = shapes(svg, "error")[:2]
    assert [float(along.get(one)) for one in ("x1", "x2")] == pytest.approx(
        [place(0.5, 0)[0], place(0.7, 0)[0]], abs=0.01
    )
    assert [float(up.get(one)) for one in ("y1", "y2")] == pytest.approx([place(0, 0.1)[1], place(0, 0.3)[1]], abs=0.01)


def test_a_lesson_that_is_unknown_has_no_point():
    svg = rt_ch(None, RTCH)
    assert shapes(svg, "point") == shapes(svg, "error") == []
    assert len(shapes(svg, "type-name")) == len(ClassType)


def test_each_types_name_stands_where_a_lesson_is_of_that_type():
    for one, (rt, ch) in NAMES_AT.items():
        assert class_type(rt, ch) is one
        assert ch <= 2 * min(rt, 1 - rt)
