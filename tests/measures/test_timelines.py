"""What holds for any timeline: with holes, with clocks that stepped, with nonsense in it, and of no length."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from measures.fias import fias_lite
from measures.lesson import LessonMeasures, measure_lesson
from measures.samples import looks
from measures.st import st_analysis
from measures.talk import room_talk
from measures.voices import JITTER_S, Role, RoomVoices, Span, Voice, tidied
from tests.measures.rooms import far, lead, pieces
from tests.measures.timelines import LENGTH_S, known_s, lectures, odd_rooms, rooms, stretches

MANY = settings(max_examples=80, deadline=None)
WORDS = {"type": {"dialogue", "practice", "lecture", "mixed"}}


def figures(told: Any, path: str = "") -> Iterator[tuple[str, dict]]:
    """All figures in what was told, each with where it stands."""
    if isinstance(told, dict):
        if "unit" in told:
            yield path, told
            return
        for name, value in told.items():
            yield from figures(value, f"{path}.{name}")
    elif isinstance(told, list):
        for number, value in enumerate(told):
            yield from figures(value, f"{path}[{number}]")


def in_range(one: dict, length: float) -> bool:
    value, unit = one["value"], one["unit"]
    most = {"share": 1.0, "s": length, "count": length / 0.02, "per-minute": 60 / 0.02}
    if unit == "type":
        return value in WORDS["type"]
    return 0 <= value <= most[unit] + 1e-3


def check(found: LessonMeasures, length: float) -> dict:
    """All that any measures must be; returns them as JSON has them."""
    told = found.to_json()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    every = list(figures(told))
    assert every
    for where, one in every:
        assert (one["value"] is None) == ("reason" in one), where
        assert 0 <= one["coverage"] <= 1, where
        assert one["confidence"] is None or 0 <= one["confidence"] <= 1, where
        assert one["value"] is None or in_range(one, length), (where, one)
        assert one["value"] is None or one["coverage"] >= 0.8 - 1e-4, (where, one)
    return told


@MANY
@given(odd_rooms | lectures, st.sampled_from([0.0, -5.0, 0.004, 1.0, 59.9, LENGTH_S]))
def test_no_timeline_makes_a_figure_that_cannot_be(told: list[RoomVoices], end: float):
    check(measure_lesson(told, 0.0, end), max(0.0, end))


@MANY
@given(odd_rooms | lectures)
def test_coverage_is_never_more_than_what_was_listened_to(told: list[RoomVoices]):
    found = measure_lesson(told, 0.0, LENGTH_S)
    for room, one in zip(found.rooms, told, strict=True):
        # Holes shorter than the rounding are closed, one for each span at most.
        most = (known_s(list(one.spans), 0.0, LENGTH_S) + JITTER_S * len(one.spans)) / LENGTH_S
        assert room.coverage <= most + 1e-6
        assert room.talk.share[Voice.SILENCE].coverage <= room.coverage + 1e-6
    assert (
        found.talk.silence.coverage <= min(room.coverage for room in found.rooms if not room.left_out) + 1e-6
        if (any(not room.left_out for room in found.rooms))
        else found.talk.silence.value is None
    )


@MANY
@given(stretches())
def test_where_nothing_was_heard_nothing_is_said(in_lead: list[Span]):
    silent = [RoomVoices("lead", Role.LEAD, in_lead), RoomVoices("far", Role.RECEIVING, ())]
    told = measure_lesson(silent, 0.0, LENGTH_S).to_json()
    for where, one in figures(told["rooms"][1]):
        assert one["value"] is None, where
    assert told["talk"]["share"]["far_pupils"]["value"] is None
    assert told["talk"]["far_of_pupils"]["value"] is None
    assert told["answers"]["far_share"]["value"] is None
    deaf = measure_lesson([replace(one, spans=()) for one in silent], 0.0, LENGTH_S).to_json()
    for where, one in figures(deaf):
        assert one["value"] is None, where


@MANY
@given(odd_rooms | lectures)
def test_shares_of_one_whole_add_up_to_one(told: list[RoomVoices]):
    found = measure_lesson(told, 0.0, LENGTH_S)
    wholes = [found.fias.share, found.talk.share, found.talk.by_room, *(room.talk.share for room in found.rooms)]
    for whole in wholes:
        values = [one.value for one in whole.values()]
        if whole and None not in values:
            assert sum(values) == pytest.approx(1.0, abs=1e-6)
    for room in found.rooms:
        seconds = [one.value for one in room.talk.seconds.values()]
        if None not in seconds:
            assert sum(seconds) == pytest.approx(room.talk.share[Voice.SILENCE].coverage * LENGTH_S, abs=0.01)


@MANY
@given(stretches(), st.sampled_from([1.0, 3.0, 10.0, 30.0]))
def test_ch_is_bounded_by_rt_on_any_timeline(told: list[Span], interval: float):
    found = st_analysis(tidied(told, 0.0, LENGTH_S), 0.0, LENGTH_S, interval)
    if found.rt.known:
        rt, ch, n = found.rt.value, found.ch.value, found.rt.count
        assert 0 <= ch <= 2 * min(rt, 1 - rt) + 1 / n + 1e-9
        assert ch <= (n - 1) / n + 1e-9


def moved(told: list[RoomVoices], by: float) -> list[RoomVoices]:
    return [
        replace(one, spans=[replace(span, start_s=round(span.start_s + by, 3)) for span in one.spans]) for one in told
    ]


def unlike(one: Any, other: Any, by: float, path: str = "") -> Iterator[str]:
    """Where two measures differ by more than the moment at which things happen."""
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            yield f"{path}: {sorted(one.keys() ^ other.keys())}"
        for name in one.keys() & other.keys():
            yield from unlike(one[name], other[name], by, f"{path}.{name}")
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            yield f"{path}: {len(one)} and {len(other)}"
        for number, pair in enumerate(zip(one, other, strict=False)):
            yield from unlike(*pair, by, f"{path}[{number}]")
    elif isinstance(one, float) and isinstance(other, float):
        moment = path.endswith(("start_s", "end_s", "at_s"))
        if abs(other - one - (by if moment else 0.0)) > 2e-3:
            yield f"{path}: {one} and {other}"
    elif one != other:
        yield f"{path}: {one} and {other}"


@MANY
@given(rooms | lectures, st.integers(0, 5_000_000).map(lambda ms: ms / 1000))
@example([lead("T3.5 -0.5 S0.5 T10 -3 S3"), far("-3.9 S0.5 -16.1")], 1234.567)
def test_when_a_lesson_begins_changes_nothing(told: list[RoomVoices], by: float):
    here = measure_lesson(told, 0.0, LENGTH_S).to_json()
    later = measure_lesson(moved(told, by), by, by + LENGTH_S).to_json()
    assert list(unlike(here, later, by)) == []


@MANY
@given(odd_rooms | lectures, st.floats(0.05, 0.95))
def test_a_span_in_two_pieces_is_the_same_span(told: list[RoomVoices], cut: float):
    cut_up = [replace(one, spans=pieces(list(one.spans), [cut])) for one in told]
    here = measure_lesson(told, 0.0, LENGTH_S).to_json()
    assert list(unlike(here, measure_lesson(cut_up, 0.0, LENGTH_S).to_json(), 0.0)) == []


@MANY
@given(odd_rooms | lectures, st.randoms(use_true_random=False))
def test_the_order_in_which_a_timeline_was_written_changes_nothing(told: list[RoomVoices], random):
    mixed = [replace(one, spans=random.sample(list(one.spans), len(one.spans))) for one in told]
    here = measure_lesson(told, 0.0, LENGTH_S).to_json()
    assert list(unlike(here, measure_lesson(mixed, 0.0, LENGTH_S).to_json(), 0.0)) == []


@MANY
@given(stretches(), st.sampled_from([0.5, 3.0, 7.0, 30.0]))
def test_each_look_lies_in_the_lesson_and_sees_no_more_than_there_is(told: list[Span], interval: float):
    spans = tidied(told, 0.0, LENGTH_S)
    seen = looks(spans, 0.0, LENGTH_S, interval)
    assert len(seen) == int(LENGTH_S / interval + 1e-6)
    for one in seen:
        assert 0 < one.at_s < LENGTH_S
        assert 0 <= sum(one.seconds.values()) <= min(interval, 3.0) + 1e-6
        assert one.known == (sum(one.seconds.values()) >= min(interval, 3.0) / 2 - 1e-6)


@MANY
@given(stretches())
def test_pairs_of_the_matrix_are_of_samples_that_are_known(told: list[Span]):
    spans = tidied(told, 0.0, LENGTH_S)
    found = fias_lite(spans, 0.0, LENGTH_S)
    known = found.share[Voice.SILENCE].count
    pairs = sum(map(sum, found.matrix))
    assert pairs <= max(0, known - 1)
    silence = room_talk(spans, 0.0, LENGTH_S).share[Voice.SILENCE]
    if silence.known and silence.value == 1:
        assert found.matrix[2][2] == pairs
