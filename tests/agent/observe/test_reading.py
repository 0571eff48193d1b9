"""A slide is told once: read where it stood long enough, else as far as that went."""

import json
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from agent.observe.finding import Finding
from agent.observe.ocr import OcrUnusable
from agent.observe.reading import PATIENCE_S, ReadingPart
from agent.observe.titles import Line
from tests.agent.observe.pages import page, with_film, with_pointer


def grey(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


class Scribe:
    """Reads as many lines as it is told, one a step, and remembers what it was shown."""

    def __init__(self, lines: int = 3, fails: bool = False) -> None:
        self.shown: list[np.ndarray] = []
        self._lines, self._fails = lines, fails

    def read(self, picture: np.ndarray) -> Iterator[Line | None]:
        self.shown.append(picture)
        yield None
        if self._fails:
            raise OcrUnusable("the model is damaged")
        for number in range(self._lines):
            yield Line(f"第{len(self.shown)}页的第{number}行", 0.1, 0.1 + 0.2 * number, 0.5, 0.1 - number / 100, 0.9)


def watched(part: ReadingPart, images: list[np.ndarray], from_s: float = 0.0, steps: int = 1) -> list[Finding]:
    found = []
    for at, image in enumerate(images):
        found += part.update(grey(image), round((from_s + at * 0.5) * 1e9))
        for _ in range(steps):
            found += part.step()
    return found


def test_a_slide_that_stands_is_told_with_title_and_text():
    part = ReadingPart(Scribe(), pytest.fail)
    (one,) = watched(part, [page(0)] * 12)
    assert one.mono_ns == 0
    assert one.value["index"] == 1
    assert one.value["title"] == "第1页的第0行"
    assert one.value["text"].split("\n") == ["第1页的第0行", "第1页的第1行", "第1页的第2行"]
    assert 0 < one.value["title_confidence"] <= 0.9


def test_a_page_is_read_once_and_only_when_it_stands():
    scribe = Scribe()
    part = ReadingPart(scribe, pytest.fail)
    old, new = page(0).astype(np.float32), page(1).astype(np.float32)
    fade = [(old + (new - old) * step / 6).astype(np.uint8) for step in range(1, 6)]
    rng = np.random.default_rng(1)
    watched(part, [page(0)] * 8 + fade + [with_pointer(page(1), rng) for _ in range(12)], steps=3)
    assert len(scribe.shown) == 2
    assert np.abs(scribe.shown[1].astype(int) - grey(page(1))).mean() < 1, "the page itself, not the way to it"


def test_a_slide_that_another_one_follows_is_read_to_its_end():
    part = ReadingPart(Scribe(lines=9), pytest.fail)
    found = watched(part, [page(0)] * 6 + [page(1)] * 20)
    assert [(one.value["index"], one.value["title"]) for one in found] == [(1, "第1页的第0行"), (2, "第2页的第0行")]
    assert [len(one.value["text"].split("\n")) for one in found] == [9, 9]


def test_slides_that_pass_while_one_is_read_are_told_without_words_and_nothing_piles_up():
    scribe = Scribe(lines=30)
    part = ReadingPart(scribe, pytest.fail)
    passing = [page(number) for number in (1, 2, 3) for _ in range(3)]
    found = watched(part, [page(0)] * 6 + passing + [page(4)] * 70)
    assert [one.value["index"] for one in found] == [2, 3, 4, 1, 5]
    told = {one.value["index"]: one.value["title"] for one in found}
    assert told == {1: "第1页的第0行", 2: None, 3: None, 4: None, 5: "第2页的第0行"}
    assert part.memory()["index"] == 5


def test_at_the_end_of_the_lesson_what_is_read_and_what_waits_is_told():
    part = ReadingPart(Scribe(lines=30), pytest.fail)
    assert watched(part, [page(0)] * 6 + [page(1)] * 4) == []
    first, second = part.flush()
    assert (first.value["index"], first.value["title"]) == (1, "第1页的第0行")
    assert (second.value["index"], second.value["title"]) == (2, None)
    assert part.flush() == []


def test_a_slide_that_is_gone_before_it_was_read_has_neither_title_nor_text():
    part = ReadingPart(Scribe(), pytest.fail)
    found = watched(part, [page(0)] * 2 + [page(1)] * 2) + part.flush()
    assert [one.value["index"] for one in found] == [1, 2]
    assert [one.value["title"] for one in found] == [None, None]
    assert [one.value["text"] for one in found] == [None, None]


def test_a_page_without_words_has_an_empty_text():
    (one,) = watched(ReadingPart(Scribe(lines=0), pytest.fail), [page(0)] * 8)
    assert (one.value["title"], one.value["text"]) == (None, "")


def test_a_page_on_which_something_always_moves_is_read_after_a_while():
    rng = np.random.default_rng(2)
    scribe = Scribe()
    part = ReadingPart(scribe, pytest.fail)
    moving = [with_pointer(with_pointer(with_film(page(0), rng), rng), rng) for _ in range(round(PATIENCE_S * 2) + 12)]
    assert len(watched(part, [page(0)] * 2 + moving)) == 1
    assert len(scribe.shown) == 1


def test_without_a_reader_a_slide_is_told_at_once():
    found = watched(ReadingPart(None, pytest.fail), [page(0)] * 2)
    assert [one.value["title"] for one in found] == [None]


def test_reading_that_fails_is_told_once_and_slides_go_on_without():
    words: list[str] = []
    part = ReadingPart(Scribe(fails=True), words.append)
    found = watched(part, [page(0)] * 8 + [page(1)] * 8 + [page(2)] * 8)
    assert [one.value["index"] for one in found] == [1, 2, 3]
    assert words == ["the text of slides is not read any more: the model is damaged"]


def test_another_process_tells_the_slide_that_this_one_had_not_told():
    first = ReadingPart(Scribe(lines=3), pytest.fail)
    assert len(watched(first, [page(0)] * 10 + [page(1)] * 4)) == 1
    second = ReadingPart(Scribe(), pytest.fail)
    second.resume(json.loads(json.dumps(first.memory())))
    found = watched(second, [page(1)] * 8, from_s=5.0)
    assert [one.value["index"] for one in found] == [2]
