import re
from xml.etree import ElementTree as ET

from hub.insight.plots.axis import TimeAxis
from hub.insight.plots.timeline import LANE, LEFT, RIGHT, STEP, THIN, TOP, Lane, TimelineWords, drawn, timeline, unknown

WORDS = TimelineWords("Lesson", "what it shows", ("T", "P", "S"), "Chapters", {0: "00:00"})
AXIS = TimeAxis(1000.0, LEFT, RIGHT)


def shapes(svg: str, kind: str) -> list[ET.Element]:
    return [one for one in ET.fromstring(svg).iter() if one.get("class") == f"p-{kind}"]


def begins(path: str) -> list[float]:
    return [float(x) for x in re.findall(r"M([\d.]+) ", path)]


def test_bars_lie_where_the_voices_do_each_voice_in_a_row_of_its_own():
    voices = {"teacher": [(0.0, 500.0)], "student": [(500.0, 250.0)], "silence": [(750.0, 250.0)]}
    svg = timeline([Lane("A", "lead", voices)], [], 1000.0, WORDS, "timeline-0")
    (teacher,) = shapes(svg, "voice-teacher")
    (pupils,) = shapes(svg, "voice-student")
    middle = (LEFT + RIGHT) / 2
    assert teacher.get("d") == f"M{LEFT:g} {TOP + 1:g}H{middle:g}v13H{LEFT:g}Z"
    assert begins(pupils.get("d")) == [middle]
    assert f" {TOP + STEP + 1:g}H" in pupils.get("d")
    assert shapes(svg, "unknown") == []


def test_what_no_span_covers_is_hatched_and_silence_is_not():
    voices = {"teacher": [(0.0, 250.0)], "silence": [(250.0, 250.0)]}
    svg = timeline([Lane("A", "lead", voices)], [], 1000.0, WORDS, "timeline-0")
    (hole,) = shapes(svg, "unknown")
    assert (float(hole.get("x")), float(hole.get("width"))) == ((LEFT + RIGHT) / 2, (RIGHT - LEFT) / 2)
    assert float(hole.get("height")) == LANE
    assert hole.get("fill") == "url(#timeline-0-hatch)"


def test_the_time_that_is_unknown_is_what_is_left():
    assert unknown([], 10.0) == [(0.0, 10.0)]
    assert unknown([(2.0, 3.0), (4.0, 2.0)], 10.0) == [(0.0, 2.0), (6.0, 4.0)]
    assert unknown([(0.0, 30.0)], 10.0) == []
    assert unknown([(20.0, 5.0)], 10.0) == [(0.0, 10.0)]


def test_a_word_is_drawn_wide_enough_to_be_seen_and_thousands_of_them_stay_few_bars():
    ((left, right),) = drawn([(500.0, 0.01)], AXIS)
    assert right - left >= THIN
    many = drawn([(t / 100, 0.005) for t in range(100_000)], AXIS)
    assert len(many) <= (RIGHT - LEFT) / THIN * 2


def test_slides_marks_chapters_and_gaps_lie_at_their_times():
    lane = Lane("A", "lead", {}, slides=[0.0, 500.0], marks=[250.0], gaps=[(500.0, 500.0)])
    svg = timeline([lane], [(0.0, 500.0, "one"), (500.0, 500.0, "two")], 1000.0, WORDS, "timeline-0")
    middle = (LEFT + RIGHT) / 2
    assert [float(one.get("x1")) for one in shapes(svg, "slide")] == [LEFT, middle]
    assert [float(one.get("x")) for one in shapes(svg, "chapter")] == [LEFT, middle]
    assert [one.text for one in shapes(svg, "chapter-name")] == ["1 one", "2 two"]
    assert begins(shapes(svg, "gap")[0].get("d")) == [middle]
    assert begins(shapes(svg, "mark")[0].get("d")) == [LEFT + (RIGHT - LEFT) / 4]


def test_what_lies_outside_of_the_lesson_stays_inside_of_the_drawing():
    voices = {"teacher": [(-50.0, 100.0), (990.0, 1e6)]}
    svg = timeline([Lane("A", "lead", voices, slides=[2000.0])], [(900.0, 900.0, "x")], 1000.0, WORDS, "timeline-0")
    numbers = [float(x) for one in shapes(svg, "voice-teacher") for x in re.findall(r"[MH]([\d.]+)", one.get("d"))]
    assert min(numbers) == LEFT
    assert max(numbers) == RIGHT
    (box,) = shapes(svg, "chapter")
    assert float(box.get("x")) + float(box.get("width")) == RIGHT


def test_a_name_that_is_markup_is_text():
    svg = timeline([Lane("<script>alert(1)</script>&", '"', {})], [(0, 9, "</svg>")], 9.0, WORDS, "timeline-0")
    assert "<script" not in svg
    assert shapes(svg, "lane-name")[0].text.startswith("<script>")


def test_a_long_name_is_cut_and_the_drawing_says_in_words_what_it_shows():
    svg = timeline([Lane("很长的教室名称" * 9, "lead", {})], [], 9.0, WORDS, "timeline-0")
    assert shapes(svg, "lane-name")[0].text.endswith("…")
    root = ET.fromstring(svg)
    told = {one.get("id"): one.text for one in root if one.get("id")}
    assert [told[name] for name in root.get("aria-labelledby").split()] == ["Lesson", "what it shows"]


def test_a_lesson_of_no_length_is_drawn():
    assert shapes(timeline([Lane("A", "lead", {})], [], 0.0, WORDS, "timeline-0"), "lane")


def test_ticks_are_round_and_few():
    assert TimeAxis(2400.0, 0, 1).ticks()[:3] == [0, 300, 600]
    for seconds in (0.0, 5.0, 59.0, 600.0, 2700.0, 86_400.0):
        assert 1 <= len(TimeAxis(seconds, 0, 1).ticks()) <= 13
