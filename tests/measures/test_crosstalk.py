import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measures.crosstalk import OwnVoices, own_voices
from measures.voices import Role, RoomVoices, Voice, known_seconds
from tests.measures.rooms import far, lead, lessons, pieces, script_of, voices_between

LATE = 0.3
"""How late one room arrives in the other, in seconds."""
LECTURE = [("T", 0.0, 20.0), ("T", 22.0, 40.0)]


def room(role: Role, voices: list[tuple[str, float, float]], until: float = 100.0) -> RoomVoices:
    return RoomVoices(role.value, role, voices_between(voices, until))


def both(
    in_lead: list[tuple[str, float, float]], in_far: list[tuple[str, float, float]]
) -> tuple[OwnVoices, OwnVoices]:
    """Own voices of a lead and a receiving room, each after a lecture that arrives in the far room as `M`."""
    heard = [("M", start + LATE, end + LATE) for _, start, end in LECTURE]
    a, b = own_voices([room(Role.LEAD, LECTURE + in_lead), room(Role.RECEIVING, heard + in_far)], 0, 100)
    return a, b


def said(own: OwnVoices, after: float = 41.0) -> list[tuple[str, float, float]]:
    return [
        (one.voice.value, round(one.start_s, 2), round(one.end_s, 2))
        for one in own.spans
        if one.voiced and one.end_s > after
    ]


def test_the_lead_teacher_in_the_far_rooms_loudspeaker_is_not_the_far_room():
    a, b = both([], [])
    assert not any(one.voiced for one in b.spans)
    assert b.loudspeaker_s == pytest.approx(38)
    assert known_seconds(b.spans) == pytest.approx(100)
    assert [one.voice for one in a.spans if one.voiced] == [Voice.TEACHER] * 2


@pytest.mark.parametrize("label", ["T", "S", "M"])
def test_whatever_the_far_room_takes_the_lead_teacher_for(label: str):
    _, b = both([("T", 50, 60)], [(label, 50.3, 60.3)])
    assert said(b) == []


def test_a_far_pupil_in_the_lead_rooms_loudspeaker_is_the_far_pupil():
    a, b = both([("S", 50.3, 54.3)], [("S", 50, 54)])
    assert said(a) == []
    assert said(b) == [("student", 50, 54)]


def test_a_lead_pupil_in_the_far_rooms_loudspeaker_is_the_lead_pupil():
    a, b = both([("S", 50, 54)], [("S", 50.3, 54.3)])
    assert said(a) == [("student", 50, 54)]
    assert said(b) == []


def test_a_local_teacher_is_known_by_the_lead_room_taking_her_for_somebody_else():
    a, b = both([("S", 50.0, 54.3)], [("T", 50.0, 54.0)])
    assert said(a) == []
    assert said(b) == [("teacher", 50, 54)]


def test_an_answer_that_begins_under_the_end_of_the_echo_stays_and_the_echo_goes():
    a, b = both([("T", 50, 60), ("S", 60.9, 64.3)], [("M", 50.3, 60.3), ("S", 60.3, 64)])
    assert said(b) == [("student", 60.3, 64)]
    assert said(a) == [("teacher", 50, 60)]


def test_an_answer_that_the_far_room_hears_as_one_voice_with_the_echo_is_told_from_it_by_its_end():
    a, b = both([("T", 50, 60.2), ("S", 60.2, 64.3)], [("S", 50.3, 64)])
    assert said(b) == [("student", 60.2, 64)]
    assert said(a) == [("teacher", 50, 60.2)]


def test_a_short_answer_just_after_the_teacher_is_not_taken_for_her_tail():
    _, b = both([("T", 50, 60)], [("M", 50.3, 60.3), ("S", 60.9, 61.5)])
    assert said(b) == [("student", 60.9, 61.5)]


def test_where_both_rooms_begin_and_end_at_once_nobody_knows_which_spoke():
    a, b = both([("S", 50, 54)], [("S", 50.01, 54.0)])
    assert said(a) == said(b) == []
    assert a.undecided_s == pytest.approx(4)
    assert b.undecided_s == pytest.approx(3.99)
    assert known_seconds(a.spans) == pytest.approx(96)


def test_where_the_edges_disagree_nobody_knows_which_spoke():
    a, b = both([("S", 50, 54.3)], [("S", 50.3, 54)])
    assert a.undecided_s == pytest.approx(3.7)
    assert b.undecided_s == pytest.approx(3.7)


def test_in_a_far_room_that_does_not_hear_the_loudspeaker_an_aside_under_the_lead_teacher_stays():
    rooms = [lead("T60 -5 S3 -32"), far("-20 T5 -15 S2 -58")]
    a, b = own_voices(rooms, 0, 100)
    assert script_of(b.spans) == "-20 T5 -15 S2 -58"
    assert script_of(a.spans) == "T60 -5 S3 -32"


def test_what_slips_through_a_detector_that_knows_what_is_played_is_not_the_far_room():
    rooms = [lead("T60 -5 S3 -32"), far("-20 S1.5 -20 M1 -57.5")]
    _, b = own_voices(rooms, 0, 100)
    assert script_of(b.spans) == "-100"
    assert b.loudspeaker_s == pytest.approx(2.5)


def test_an_answer_that_begins_under_the_teachers_last_word_is_nothing_that_slipped_through():
    _, b = own_voices([lead("T60 -40"), far("-59.5 S1.5 -39")], 0, 100)
    assert script_of(b.spans) == "-59.5 S1.5 -39"


def test_with_too_little_to_judge_by_a_room_is_taken_to_hear_the_other():
    _, b = own_voices([lead("-10 T5 -5"), far("-10.3 M5 -4.7")], 0, 20)
    assert b.loudspeaker_s == pytest.approx(5)
    assert script_of(b.spans) == "-20"


def test_two_far_rooms_hear_the_lead_room_and_one_another():
    rooms = [
        room(Role.LEAD, [*LECTURE, ("S", 50.3, 54.3)]),
        far_room("one", [*late_lecture(0.2), ("S", 50, 54)]),
        far_room("two", [*late_lecture(0.4), ("S", 50.5, 54.5)]),
    ]
    a, one, two = own_voices(rooms, 0, 100)
    assert said(a) == said(two) == []
    assert said(one) == [("student", 50, 54)]


def far_room(name: str, voices: list[tuple[str, float, float]]) -> RoomVoices:
    return RoomVoices(name, Role.RECEIVING, voices_between(voices, 100))


def late_lecture(late: float) -> list[tuple[str, float, float]]:
    return [("M", start + late, end + late) for _, start, end in LECTURE]


def test_a_room_alone_keeps_all_it_hears_and_the_order_of_rooms_does_not_matter():
    assert script_of(own_voices([far("T4 S2")], 0, 6)[0].spans) == "T4 S2"
    rooms = [room(Role.LEAD, LECTURE), room(Role.RECEIVING, late_lecture(0.3))]
    assert own_voices(rooms, 0, 100) == own_voices(rooms[::-1], 0, 100)[::-1]


def test_rooms_of_one_name_and_two_lead_rooms_are_refused():
    with pytest.raises(ValueError, match="one name"):
        own_voices([lead("T1"), far("T1", "lead")], 0, 1)
    with pytest.raises(ValueError, match="one lead room"):
        own_voices([lead("T1"), lead("T1", "other")], 0, 1)


@settings(deadline=None)
@given(lessons, lessons, st.lists(st.floats(0.01, 0.99), max_size=3))
def test_spans_cut_to_pieces_are_told_apart_alike(in_lead, in_far, cuts):
    whole = own_voices([RoomVoices("a", Role.LEAD, in_lead), RoomVoices("b", Role.RECEIVING, in_far)], 0, 600)
    cut = own_voices(
        [RoomVoices("a", Role.LEAD, pieces(in_lead, cuts)), RoomVoices("b", Role.RECEIVING, pieces(in_far, cuts))],
        0,
        600,
    )
    assert [script_of(one.spans) for one in whole] == [script_of(one.spans) for one in cut]


@settings(deadline=None)
@given(lessons, lessons)
def test_nothing_is_invented_and_what_is_taken_is_accounted_for(in_lead, in_far):
    rooms = [RoomVoices("a", Role.LEAD, in_lead), RoomVoices("b", Role.RECEIVING, in_far)]
    alone = [own_voices([one], 0, 600)[0] for one in rooms]
    for before, after in zip(alone, own_voices(rooms, 0, 600), strict=True):
        voiced_before = sum(one.seconds for one in before.spans if one.voiced)
        voiced_after = sum(one.seconds for one in after.spans if one.voiced)
        assert voiced_before - voiced_after == pytest.approx(after.loudspeaker_s + after.undecided_s, abs=0.5)
        assert voiced_after <= voiced_before + 1e-6
