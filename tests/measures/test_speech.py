import doctest
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import measures.speech
from measures.speech import Turn, TurnBuilder, joined, speech_turns, talk_time

flags = st.lists(st.booleans(), max_size=200)


def spans(turns: list[Turn]) -> list[tuple[float, float]]:
    return [(round(turn.start_s, 6), round(turn.end_s, 6)) for turn in turns]


def test_the_example_in_the_documentation_is_true():
    assert doctest.testmod(measures.speech).failed == 0


def test_short_silences_stay_inside_a_turn_and_long_ones_end_it():
    voiced = [0, 1, 1, 0, 1, 0, 0, 0, 1, 1]
    assert spans(speech_turns(np.array(voiced, bool), 0.5, min_gap_s=1.0)) == [(0.5, 2.5), (4.0, 5.0)]


def test_a_cough_is_no_turn():
    assert speech_turns([False, True, False, False, False], 0.1, min_gap_s=0.2, min_turn_s=0.25) == []


def test_nothing_voiced_gives_nothing():
    assert speech_turns([], 0.032) == []
    assert speech_turns([False] * 100, 0.032) == []


def test_a_hop_without_length_is_refused():
    with pytest.raises(ValueError, match="hop_s must be positive"):
        speech_turns([True], 0.0)


def test_between_the_thresholds_a_turn_goes_on_but_does_not_begin():
    builder = TurnBuilder(0.1, 0.5, 0.3, min_gap_s=0.1, min_turn_s=0.1)
    heard = [0.4, 0.4, 0.6, 0.4, 0.4, 0.2, 0.4]
    turns = [turn for hop, one in enumerate(heard) for turn in builder.update(one, hop * 0.1)]
    assert spans(turns + builder.flush()) == [(0.2, 0.5)]


def test_a_long_turn_comes_in_pieces_without_a_hole_and_can_be_joined():
    builder = TurnBuilder(0.1, max_turn_s=1.0)
    turns = [turn for hop in range(35) for turn in builder.update(0.9, hop * 0.1)] + builder.flush()
    assert spans(turns) == [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 3.5)]
    assert [turn.continues for turn in turns] == [False, True, True, True]
    assert spans(joined(turns)) == [(0.0, 3.5)]


def test_after_a_long_silence_the_next_turn_is_a_new_one():
    builder = TurnBuilder(0.1, min_gap_s=0.3, max_turn_s=1.0)
    heard = [0.9] * 10 + [0.0] * 5 + [0.9] * 5
    turns = [turn for hop, one in enumerate(heard) for turn in builder.update(one, hop * 0.1)] + builder.flush()
    assert [turn.continues for turn in turns] == [False, False]


def test_overlapping_turns_count_once():
    assert talk_time([Turn(5.0, 2.0), Turn(0.0, 3.0), Turn(1.0, 1.0), Turn(2.5, 1.0)]) == pytest.approx(5.5)


@given(flags)
def test_talk_time_is_at_least_what_is_voiced_and_at_most_all(voiced: list[bool]):
    time = talk_time(speech_turns(voiced, 0.1, min_gap_s=0.5, min_turn_s=0.0))
    assert sum(voiced) * 0.1 - 1e-6 <= time <= len(voiced) * 0.1 + 1e-6


@given(flags)
def test_pieces_joined_are_the_turns_in_one(voiced: list[bool]):
    builder = TurnBuilder(0.1, 0.5, 0.5, 0.3, 0.0, max_turn_s=0.7)
    pieces = [turn for hop, one in enumerate(voiced) for turn in builder.update(float(one), hop * 0.1)]
    pieces += builder.flush()
    whole = speech_turns(voiced, 0.1, min_gap_s=0.3, min_turn_s=0.0)
    assert talk_time(pieces) == pytest.approx(talk_time(whole))
    assert all(piece.seconds <= 0.7 + 0.3 + 1e-6 for piece in pieces)


@given(flags)
def test_turns_are_in_order_and_apart(voiced: list[bool]):
    turns = speech_turns(voiced, 0.1, min_gap_s=0.3, min_turn_s=0.0)
    assert all(after.start_s - before.end_s >= 0.3 - 1e-6 for before, after in itertools.pairwise(turns))
