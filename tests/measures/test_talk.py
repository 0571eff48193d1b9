import pytest
from hypothesis import given, settings

from measures.crosstalk import OwnVoices, own_voices
from measures.figure import Reason
from measures.floor import session_floor, session_ground
from measures.talk import SessionTalk, room_talk, session_talk
from measures.voices import Party, Role, RoomVoices, Voice, tidied
from tests.measures.rooms import far, lead, lessons, pieces, spans


def of_room(script: str, end: float):
    return room_talk(tidied(spans(script), 0, end), 0, end)


def of_session(rooms: list[OwnVoices], end: float, missing=None) -> SessionTalk:
    return session_talk(rooms, session_ground(session_floor(rooms), 0, end), missing)


def own(*rooms: RoomVoices) -> list[OwnVoices]:
    """The rooms as they are told, as if no room heard another."""
    return [OwnVoices(one.room, one.role, tidied(one.spans, 0, 1000)) for one in rooms]


def test_ten_seconds_worked_by_hand():
    talk = of_room("T5 -1 S2 M2", 10)
    assert {voice.value: one.value for voice, one in talk.seconds.items()} == {
        "teacher": pytest.approx(5),
        "student": pytest.approx(2),
        "several": pytest.approx(2),
        "silence": pytest.approx(1),
    }
    assert talk.share[Voice.TEACHER].value == pytest.approx(0.5)
    assert talk.teacher_of_talk.value == pytest.approx(5 / 7)
    assert talk.teacher_of_talk.interval_s == 0.032


def test_under_four_fifths_known_talk_is_unknown_and_says_why():
    talk = of_room("T7.9 ?2.1", 10)
    assert talk.share[Voice.TEACHER].value is None
    assert talk.share[Voice.TEACHER].reason is Reason.COVERAGE
    assert talk.share[Voice.TEACHER].coverage == pytest.approx(0.79)
    assert of_room("T8 ?2", 10).share[Voice.TEACHER].value == 1


def test_a_silent_room_is_known_to_be_silent_and_has_no_talk_ratio():
    talk = of_room("-60", 60)
    assert talk.share[Voice.SILENCE].value == 1
    assert talk.seconds[Voice.TEACHER].value == 0
    assert talk.teacher_of_talk.reason is Reason.NO_SPEECH


def test_a_lesson_without_length_is_unknown():
    assert of_room("", 0).share[Voice.TEACHER].reason is Reason.EMPTY


def test_parties_of_a_session_worked_by_hand():
    talk = of_session(own(lead("T10 -10"), far("-10 T2 -1 S4 -3")), 20)
    assert talk.share[Party.LEAD_TEACHER].value == pytest.approx(10 / 16)
    assert talk.share[Party.LOCAL_TEACHER].value == pytest.approx(2 / 16)
    assert talk.share[Party.FAR_PUPILS].value == pytest.approx(4 / 16)
    assert talk.share[Party.LEAD_PUPILS].value == 0
    assert talk.teachers.value == pytest.approx(12 / 16)
    assert talk.far_of_pupils.value == 1
    assert talk.by_room["far"].value == talk.far_rooms.value == pytest.approx(6 / 16)
    assert talk.silence.value == pytest.approx(4 / 20)


def test_two_parties_at_once_count_for_both_and_two_far_rooms_at_once_count_once():
    talk = of_session(own(lead("T10"), far("-5 S5", "one"), far("-7 S3", "two")), 10)
    assert talk.seconds[Party.LEAD_TEACHER].value == pytest.approx(10)
    assert talk.seconds[Party.FAR_PUPILS].value == pytest.approx(5)
    assert talk.share[Party.FAR_PUPILS].value == pytest.approx(5 / 15)


def test_a_far_class_that_is_silent_has_a_share_of_nothing():
    talk = of_session(own(lead("T10 S5 -5"), far("-20")), 20)
    assert talk.far_of_pupils.value == 0


def test_pupils_are_unknown_where_those_of_another_room_may_be_meant():
    missing = {Party.FAR_PUPILS: Reason.COVERAGE, Party.LEAD_PUPILS: Reason.CROSS_TALK}
    talk = of_session(own(lead("T10 S5 -5")), 20, missing)
    assert talk.share[Party.LEAD_TEACHER].value == pytest.approx(10 / 15)
    assert talk.share[Party.LEAD_PUPILS].reason is Reason.CROSS_TALK
    assert talk.pupils.reason is talk.teachers.reason is Reason.CROSS_TALK


@settings(deadline=None)
@given(lessons)
def test_a_rooms_shares_add_up_to_one_where_they_are_known(room):
    talk = room_talk(tidied(room, 0, 300), 0, 300)
    known = [one.value for one in talk.share.values() if one.value is not None]
    assert not known or sum(known) == pytest.approx(1)


@settings(deadline=None)
@given(lessons, lessons)
def test_a_sessions_shares_add_up_to_one_where_they_are_known(in_lead, in_far):
    rooms = own_voices([RoomVoices("a", Role.LEAD, in_lead), RoomVoices("b", Role.RECEIVING, in_far)], 0, 60)
    talk = of_session(list(rooms), 60)
    known = [one.value for one in talk.share.values() if one.value is not None]
    assert not known or sum(known) == pytest.approx(1)


@settings(deadline=None)
@given(lessons)
def test_cutting_spans_changes_no_talk_time(room):
    whole, cut = (room_talk(tidied(one, 0, 300), 0, 300) for one in (room, pieces(room, [0.3, 0.7])))
    for voice in Voice:
        assert (whole.seconds[voice].value or 0) == pytest.approx(cut.seconds[voice].value or 0, abs=1e-6)


@settings(deadline=None)
@given(lessons)
def test_talk_time_never_falls_while_the_lesson_goes_on(room):
    times = [room_talk(tidied(room, 0, end), 0, end).seconds[Voice.TEACHER] for end in (10, 20, 40, 80)]
    known = [one.value for one in times if one.value is not None]
    assert known == sorted(known)
