import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measures.voices import Party, Role, Span, Voice, coverage, known_seconds, mean_confidence, party_of, tidied
from tests.measures.rooms import lessons, pieces, script_of, spans

claims = st.lists(
    st.builds(
        Span,
        st.integers(-50, 500).map(lambda tenths: tenths / 10),
        st.integers(-10, 300).map(lambda tenths: tenths / 10),
        st.sampled_from(Voice),
        st.none() | st.floats(0, 1),
    ),
    max_size=30,
)


def test_neighbours_of_one_voice_are_one_and_what_is_outside_is_cut_off():
    assert script_of(tidied(spans("T4 T4 -2 S5", start=-2), 0, 10)) == "T6 -2 S2"


def test_a_hole_stays_unknown_and_a_hole_of_rounding_does_not():
    assert script_of(tidied([*spans("T4"), *spans("T4", 4.02), *spans("S2", 10)], 0, 20)) == "T8.02 ?1.98 S2"


def test_two_claims_of_different_voices_for_a_moment_make_it_unknown():
    assert script_of(tidied([*spans("T10"), *spans("S10", 7)], 0, 20)) == "T7 ?3 S7"


def test_a_clock_that_steps_back_by_half_a_minute_leaves_half_a_minute_unknown():
    before, after = spans("T20 S20"), spans("-20 S10", start=10)
    assert script_of(tidied(before + after, 0, 60)) == "T10 ?20 S10"


def test_two_claims_of_one_voice_are_one_and_the_lower_confidence_holds():
    both = tidied([Span(0, 10, Voice.TEACHER, 0.9), Span(5, 10, Voice.TEACHER, 0.5)], 0, 20)
    assert script_of(both) == "T15"
    assert both[0].confidence == pytest.approx((5 * 0.9 + 10 * 0.5) / 15)


def test_spans_without_length_or_with_times_that_are_no_numbers_are_left_out():
    odd = [
        Span(1, 0, Voice.TEACHER),
        Span(2, -3, Voice.TEACHER),
        Span(math.nan, 1, Voice.TEACHER),
        Span(0, math.inf, Voice.TEACHER),
    ]
    assert tidied(odd, 0, 10) == ()


def test_a_lesson_without_length_has_nothing_and_covers_nothing():
    assert tidied(spans("T10"), 5, 5) == ()
    assert tidied(spans("T10"), 5, 3) == ()
    assert coverage((), 5, 5) == 0


def test_confidence_is_weighted_by_length_and_unknown_where_nobody_told_it():
    assert mean_confidence([Span(0, 3, Voice.TEACHER, 1.0), Span(3, 1, Voice.STUDENT, 0.2)]) == pytest.approx(0.8)
    assert mean_confidence(spans("T3")) is None


def test_room_and_role_say_who_speaks():
    assert party_of(Role.LEAD, Voice.TEACHER) is Party.LEAD_TEACHER
    assert party_of(Role.RECEIVING, Voice.TEACHER) is Party.LOCAL_TEACHER
    assert party_of(Role.LEAD, Voice.STUDENT) is Party.LEAD_PUPILS
    assert party_of(Role.RECEIVING, Voice.STUDENT) is Party.FAR_PUPILS
    assert party_of(Role.RECEIVING, Voice.SEVERAL) is Party.SEVERAL
    assert party_of(Role.LEAD, Voice.SILENCE) is None


@settings(deadline=None)
@given(claims)
def test_tidied_spans_are_in_order_apart_and_inside(told: list[Span]):
    tidy = tidied(told, 0, 50)
    assert all(one.start_s >= 0 and one.end_s <= 50 + 1e-9 and one.seconds > 0 for one in tidy)
    for one, following in pairwise(tidy):
        assert following.start_s >= one.end_s - 1e-6
        assert following.voice is not one.voice or following.start_s - one.end_s > 0.04


@settings(deadline=None)
@given(claims, st.randoms())
def test_the_order_in_which_spans_are_told_does_not_matter(told: list[Span], random):
    mixed = told.copy()
    random.shuffle(mixed)
    assert script_of(tidied(told, 0, 50)) == script_of(tidied(mixed, 0, 50))


@settings(deadline=None)
@given(claims)
def test_tidying_twice_changes_nothing(told: list[Span]):
    once = tidied(told, 0, 50)
    assert script_of(tidied(once, 0, 50)) == script_of(once)


@settings(deadline=None)
@given(lessons, st.lists(st.floats(0.01, 0.99), max_size=4))
def test_spans_cut_to_pieces_are_the_same_spans(room: list[Span], cuts: list[float]):
    assert script_of(tidied(pieces(room, cuts), 0, 1000)) == script_of(tidied(room, 0, 1000))


@settings(deadline=None)
@given(lessons)
def test_what_is_known_never_exceeds_the_stretch_and_grows_with_it(room: list[Span]):
    seconds = [known_seconds(tidied(room, 0, end)) for end in (0, 10, 50, 200, 2000)]
    assert seconds == sorted(seconds)
    assert all(0 <= coverage(tidied(room, 0, end), 0, end) <= 1 for end in (0, 10, 50, 200, 2000))
