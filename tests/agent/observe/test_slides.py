import json

import cv2
import numpy as np
import pytest

from agent.observe.finding import Finding
from agent.observe.slides import SlidesPart
from tests.agent.observe.decks import HELD, Film, Lesson, drawn, matched
from tests.agent.observe.pages import SCHEMES, Sample, lesson, page, with_film, with_pointer


def grey(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


def watched(images: list[np.ndarray], part: SlidesPart | None = None, every_s: float = 0.5) -> list[Finding]:
    part = part or SlidesPart()
    found = []
    for at, image in enumerate(images):
        found += part.update(grey(image), round(at * every_s * 1e9))
    return found


def times(found: list[Finding]) -> list[float]:
    return [one.mono_ns / 1e9 for one in found]


def test_the_first_slide_is_number_one_and_each_next_one_more():
    found = watched([page(0)] * 4 + [page(1)] * 4 + [page(0)] * 4)
    assert [one.value["index"] for one in found] == [1, 2, 3]
    assert times(found) == [0.0, 2.0, 4.0]


@pytest.mark.parametrize("scheme", list(SCHEMES))
def test_slides_are_told_from_lines_pointer_and_film(scheme: str):
    order = [0, 1, 2, 3, 4, 5, 1, 0, 4, 2, 5, 3]
    part = SlidesPart()
    samples: list[Sample] = lesson(order, scheme, seed=1)
    found = [one for sample in samples for one in part.update(sample.grey, round(sample.t_s * 1e9))]
    assert len(found) == len(order)
    for shown, one in enumerate(found):
        assert 0 <= one.mono_ns / 1e9 - shown * 12.0 <= 0.5


def test_a_pointer_that_wanders_is_no_slide():
    rng = np.random.default_rng(2)
    assert len(watched([with_pointer(page(0), rng) for _ in range(40)])) == 1


def test_a_film_in_the_page_is_no_slide_and_the_page_behind_it_still_counts():
    rng = np.random.default_rng(3)
    films = [with_film(page(2), rng) for _ in range(20)] + [with_film(page(4), rng) for _ in range(20)]
    found = watched([page(2)] * 4 + films)
    first, second = times(found)
    assert first == 0.0
    assert 12.0 <= second <= 12.5, "a film that plays costs one look"


def test_a_film_over_the_whole_page_and_back_is_no_new_slide():
    rng = np.random.default_rng(4)
    film = [cv2.resize(rng.integers(0, 256, (9, 16, 3), np.uint8), (1280, 720)) for _ in range(20)]
    assert times(watched([page(0)] * 4 + film + [page(0)] * 4)) == [0.0]
    assert times(watched([page(0)] * 4 + film + [page(1)] * 4)) == [0.0, 12.0]


def test_writing_on_a_slide_is_no_slide():
    images = [page(0)]
    for stroke in range(30):
        image = images[-1].copy()
        cv2.line(image, (100 + stroke * 30, 600), (130 + stroke * 30, 560 + stroke % 3 * 40), (0, 0, 255), 6)
        images.append(image)
    assert len(watched(images)) == 1


def test_a_slide_that_fades_in_counts_once():
    old, new = page(0).astype(np.float32), page(1).astype(np.float32)
    fade = [(old + (new - old) * step / 6).astype(np.uint8) for step in range(1, 6)]
    assert len(watched([page(0)] * 4 + fade + [page(1)] * 6)) == 2


def test_a_slide_that_is_only_passed_does_not_count():
    assert times(watched([page(0)] * 4 + [page(1)] + [page(2)] * 4)) == [0.0, 2.5]


def test_an_empty_page_that_fills_is_another_slide():
    empty = np.full((720, 1280, 3), 255, np.uint8)
    assert times(watched([empty] * 4 + [page(3)] * 4)) == [0.0, 2.0]


def test_another_process_goes_on_with_the_slide_that_stood():
    first = SlidesPart()
    watched([page(0)] * 4 + [page(1)] * 4, first)
    second = SlidesPart()
    second.resume(json.loads(json.dumps(first.memory())))
    found = watched([page(1)] * 4 + [page(2)] * 4, second)
    assert [(one.value["index"], one.mono_ns) for one in found] == [(3, 2_000_000_000)]


def test_noise_of_compression_is_no_slide():
    rng = np.random.default_rng(5)
    noisy = [np.clip(page(0) + rng.normal(0, 4, (720, 1280, 3)), 0, 255).astype(np.uint8) for _ in range(20)]
    assert len(watched(noisy)) == 1


def found_and_true(pages, seeds) -> tuple[int, int, int]:
    """How many changes were found rightly (within a second), found at all, and are true."""
    hits = found = true = 0
    for seed in seeds:
        lesson_, part = Lesson(), SlidesPart()
        told = watched(list(lesson_.looks(pages, seed)), part)
        hits += matched(times(told), lesson_.changes_s, 1.0)
        found += len(told)
        true += len(lesson_.changes_s)
    return hits, found, true


def test_precision_and_recall_with_builds_pointer_films_and_fades():
    """Measured on 12 such lessons of the held half: precision 0.994, recall 1.0 (CHOSEN half: 0.988, 1.0)."""
    hits, found, true = found_and_true(HELD, (101, 108, 112))
    assert hits / found >= 0.95
    assert hits / true >= 0.95


def test_a_large_film_in_a_page_is_left_out_and_the_page_round_it_is_judged():
    film = Film(100, 150, 1000, 500, 7)
    first, second = drawn(HELD[0], 1, np.random.default_rng(3)), drawn(HELD[1], 2, np.random.default_rng(4))
    images = [film.put(first.steps[-1], look) for look in range(30)]
    images += [film.put(first.steps[-1], 29)] * 20
    images += [second.steps[-1]] * 10
    assert times(watched(images)) == [0.0, 25.0], "neither the film's beginning nor its end is a slide"


def test_looks_that_are_far_between_still_find_each_slide():
    images = [page(number % 6) for number in range(5) for _ in range(4)]
    assert len(watched(images, every_s=5.0)) == 5
