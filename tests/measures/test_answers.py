import pytest
from hypothesis import given, settings

from measures.answers import Kind, answers_of, pupil_answers
from measures.crosstalk import OwnVoices, own_voices
from measures.figure import Reason
from measures.floor import session_floor, session_ground
from measures.voices import Party, Role, RoomVoices, tidied
from tests.measures.rooms import far, lead, lessons, pieces, voices_between


def own(*rooms: RoomVoices) -> list[OwnVoices]:
    return [OwnVoices(one.room, one.role, tidied(one.spans, 0, 1000)) for one in rooms]


def found(*rooms: RoomVoices) -> list[tuple[str, str, float]]:
    return [(one.room, one.kind.value, round(one.start_s, 2)) for one in pupil_answers(own(*rooms))]


def answers(end: float, *rooms: RoomVoices):
    mine = own(*rooms)
    return answers_of(mine, session_ground(session_floor(mine), 0, end), end, {})


def test_a_pupil_after_a_teacher_answers_and_the_wait_is_told():
    (one,) = pupil_answers(own(lead("T10 -2 S3 -1 T5")))
    assert (one.room, one.kind, one.asked_by) == ("lead", Kind.SINGLE, Party.LEAD_TEACHER)
    assert one.wait_s == pytest.approx(2)
    assert one.end_s == pytest.approx(15)


def test_pupils_who_say_on_before_the_teacher_speaks_again_give_one_answer():
    assert found(lead("T10 -1 S3 -4 S2 M2 T5 S1")) == [("lead", "single", 11), ("lead", "single", 27)]


def test_a_far_pupil_after_a_lead_pupil_is_an_answer_of_each_room():
    assert found(lead("T10 -1 S3 -10"), far("-16 S3 -5")) == [("lead", "single", 11), ("far", "single", 16)]


def test_pupils_whom_no_teacher_asked_answer_nobody():
    assert found(lead("S5 -3 S4 -2")) == []
    assert found(lead("T10 -31 S4")) == []


def test_a_murmur_under_the_teacher_is_no_answer_but_a_pupil_to_whom_she_yields_is():
    assert found(lead("T20 -5"), far("-5 S4 -16")) == []
    assert found(lead("T20 -5"), far("-19 S4 -2")) == [("far", "single", 19)]


def test_several_voices_right_after_a_teacher_are_a_chorus_and_later_group_work():
    assert found(lead("T10 M3 T5")) == [("lead", "chorus", 10)]
    assert found(lead("T10 S3 -20"), far("-16 M10 -7")) == [("lead", "single", 10)]


def test_both_classes_in_chorus_are_a_chorus_of_each():
    assert found(lead("T10 -0.4 M3 -4"), far("-10.6 M3 -3.8")) == [("lead", "chorus", 10.4), ("far", "chorus", 10.6)]


def test_an_answer_to_the_local_teacher_is_told_from_one_to_the_lead_teacher():
    script = " ".join(["T5 -5 -10"] * 5)
    there = " ".join(["-6 S2 -2 T3 -1 S2 -4"] * 5)
    told = answers(100, lead(script), far(there))
    assert told.by_room["far"].value == 10
    assert told.far_share.value == 1
    assert told.far_share_of_lead.count == 5
    assert {one.asked_by for one in told.answers} == {Party.LEAD_TEACHER, Party.LOCAL_TEACHER}


def test_the_far_rooms_share_worked_by_hand():
    told = answers(100, lead("T5 S2 T5 S2 T5 S2 T5 S2 T5 -67"), far("-34 S2 -64"))
    assert told.by_room["lead"].value == 4
    assert told.by_room["far"].value == 1
    assert told.far_share.value == pytest.approx(1 / 5)
    assert told.far_share.count == 5
    assert told.since_far_s == pytest.approx(64)


def test_a_far_class_that_is_forgotten_has_a_share_of_nothing_which_is_not_unknown():
    told = answers(100, lead(" ".join(["T8 S2"] * 10)), far("-100"))
    assert told.far_share.value == 0
    assert told.far_share.reason is None
    assert told.since_far_s is None


def test_of_few_answers_there_is_no_share():
    assert answers(100, lead("T8 S2 T8 S2 -80"), far("-100")).far_share.reason is Reason.TOO_FEW
    assert answers(100, lead("T8 -92"), far("-100")).far_share.reason is Reason.NONE_SEEN


def test_a_lesson_of_question_and_answer_heard_through_both_loudspeakers_is_counted_once():
    """Twenty questions; lead and far pupils answer in turn; each room hears the other 0.25 s late."""
    at_lead, at_far = [], []
    for number in range(20):
        begin = 20.0 * number
        at_lead.append(("T", begin, begin + 10))
        at_far.append(("M", begin + 0.25, begin + 10.25))
        start, end = begin + 11.5, begin + 15
        here, there = (at_lead, at_far) if number % 2 else (at_far, at_lead)
        here.append(("S", start, end))
        there.append(("S", start + 0.25, end + 0.25))
    rooms = own_voices(
        [
            RoomVoices("lead", Role.LEAD, voices_between(at_lead, 400)),
            RoomVoices("far", Role.RECEIVING, voices_between(at_far, 400)),
        ],
        0,
        400,
    )
    told = answers_of(rooms, session_ground(session_floor(rooms), 0, 400), 400, {})
    assert told.by_room["lead"].value == told.by_room["far"].value == 10
    assert told.far_share.value == pytest.approx(0.5)
    assert told.chorus_by_room["far"].value == 0


@settings(deadline=None)
@given(lessons, lessons)
def test_each_room_answers_a_teachers_turn_at_most_once(in_lead, in_far):
    mine = own(RoomVoices("a", Role.LEAD, in_lead), RoomVoices("b", Role.RECEIVING, in_far))
    told = pupil_answers(mine)
    asked = sum(span.voice.value == "teacher" for room in mine for span in room.spans)
    for name in ("a", "b"):
        assert sum(one.room == name for one in told) <= asked
    assert all(one.wait_s >= 0 and one.end_s > one.start_s for one in told)


@settings(deadline=None)
@given(lessons, lessons)
def test_cutting_spans_changes_no_answer(in_lead, in_far):
    rooms = RoomVoices("a", Role.LEAD, in_lead), RoomVoices("b", Role.RECEIVING, in_far)
    cut = RoomVoices("a", Role.LEAD, pieces(in_lead, [0.5])), RoomVoices("b", Role.RECEIVING, pieces(in_far, [0.1]))
    assert found(*rooms) == found(*cut)
