from itertools import pairwise

import pytest
from hypothesis import given, settings

from measures.crosstalk import OwnVoices
from measures.figure import Reason
from measures.floor import session_floor, session_ground
from measures.turns import spoken_turns, turns_of
from measures.voices import Party, Role, RoomVoices, tidied
from tests.measures.rooms import far, lead, lessons, pieces


def own(*rooms: RoomVoices) -> list[OwnVoices]:
    return [OwnVoices(one.room, one.role, tidied(one.spans, 0, 1000)) for one in rooms]


def told(*rooms: RoomVoices) -> list[tuple[str, float, float]]:
    return [(one.party.value, round(one.start_s, 2), round(one.end_s, 2)) for one in spoken_turns(own(*rooms))]


def turns(end: float, *rooms: RoomVoices):
    mine = own(*rooms)
    return turns_of(mine, session_ground(session_floor(mine), 0, end), end, {})


def test_a_pause_under_three_seconds_stays_inside_a_turn():
    assert told(lead("T10 -2.9 T5 -3 T4")) == [("lead_teacher", 0, 17.9), ("lead_teacher", 20.9, 24.9)]


def test_a_pause_in_which_another_room_speaks_ends_a_turn():
    assert told(lead("T10 -2 T5"), far("-10.5 S1 -5.5")) == [
        ("lead_teacher", 0, 10),
        ("far_pupils", 10.5, 11.5),
        ("lead_teacher", 12, 17),
    ]


def test_what_was_not_heard_ends_a_turn():
    assert told(lead("T10 ?1 T5")) == [("lead_teacher", 0, 10), ("lead_teacher", 11, 16)]


def test_a_chair_is_no_turn():
    assert told(lead("T10 S0.3 T5")) == [("lead_teacher", 0, 15.3)]


def test_monologue_and_lengths_worked_by_hand():
    found = turns(60, lead("T20 S3 T10 -5 S2 T4 -16"), far("-60"))
    assert found.monologue.value == pytest.approx(20)
    assert found.monologue_at_s == pytest.approx(0)
    assert found.by_party[Party.LEAD_TEACHER].number.value == 3
    assert found.by_party[Party.LEAD_TEACHER].longest.value == pytest.approx(20)
    assert found.by_party[Party.LEAD_TEACHER].median.reason is Reason.TOO_FEW
    assert found.by_party[Party.FAR_PUPILS].number.value == 0
    assert found.by_party[Party.FAR_PUPILS].longest.reason is Reason.NONE_SEEN
    assert found.exchanges.value == pytest.approx(4)


def test_of_a_silent_lesson_there_is_no_monologue_and_of_one_without_length_nothing():
    assert turns(60, lead("-60")).monologue.reason is Reason.NONE_SEEN
    assert turns(0, lead("")).monologue.reason is Reason.EMPTY


@settings(deadline=None)
@given(lessons, lessons)
def test_turns_of_a_room_are_in_order_and_apart(in_lead, in_far):
    found = spoken_turns(own(RoomVoices("a", Role.LEAD, in_lead), RoomVoices("b", Role.RECEIVING, in_far)))
    for name in ("a", "b"):
        mine = [one for one in found if one.room == name]
        assert all(one.end_s <= following.start_s + 1e-6 for one, following in pairwise(mine))


@settings(deadline=None)
@given(lessons, lessons)
def test_cutting_spans_changes_no_turn(in_lead, in_far):
    rooms = [
        (RoomVoices("a", Role.LEAD, one), RoomVoices("b", Role.RECEIVING, other))
        for one, other in ((in_lead, in_far), (pieces(in_lead, [0.2, 0.6]), pieces(in_far, [0.4])))
    ]
    assert told(*rooms[0]) == told(*rooms[1])


@settings(deadline=None)
@given(lessons)
def test_a_longer_pause_allowed_never_makes_more_turns(room):
    mine = own(RoomVoices("a", Role.LEAD, room))
    numbers = [len(spoken_turns(mine, pause)) for pause in (0.5, 1.0, 3.0, 10.0)]
    assert numbers == sorted(numbers, reverse=True)
