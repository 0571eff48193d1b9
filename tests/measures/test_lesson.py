import json
from dataclasses import replace

import pytest
from hypothesis import given, settings

from measures.figure import Reason
from measures.lesson import measure_lesson, measure_recent
from measures.voices import Party, Role, RoomVoices, Span
from tests.measures.rooms import far, lead, lessons, pieces, spans, voices_between


def two_rooms(seconds: int = 600) -> list[RoomVoices]:
    """Every 20 s the lead teacher speaks for 12 s and a pupil answers 2 s later, every third one in the far room."""
    here, there = [], []
    for number in range(seconds // 20):
        begin = 20.0 * number
        here.append(("T", begin, begin + 12))
        there.append(("M", begin + 0.3, begin + 12.3))
        own, other = (there, here) if number % 3 == 2 else (here, there)
        own.append(("S", begin + 14, begin + 17))
        other.append(("S", begin + 14.3, begin + 17.3))
    return [
        RoomVoices("shiqiao-1", Role.LEAD, voices_between(here, seconds)),
        RoomVoices("xinhe-2", Role.RECEIVING, voices_between(there, seconds)),
    ]


def test_a_lesson_of_two_rooms_worked_by_hand():
    found = measure_lesson(two_rooms(), 0, 600, st_interval_s=20)
    assert found.talk.share[Party.LEAD_TEACHER].value == pytest.approx(12 / 15)
    assert found.talk.share[Party.LEAD_PUPILS].value == pytest.approx(2 / 15)
    assert found.talk.share[Party.FAR_PUPILS].value == pytest.approx(1 / 15)
    assert found.talk.far_of_pupils.value == pytest.approx(1 / 3)
    assert found.talk.silence.value == pytest.approx(0.25)
    assert found.waits.first.median.value == pytest.approx(2)
    assert found.waits.second.median.value == pytest.approx(3)
    assert found.answers.by_room["shiqiao-1"].value == 20
    assert found.answers.by_room["xinhe-2"].value == 10
    assert found.answers.far_share.value == pytest.approx(1 / 3)
    assert found.turns.monologue.value == pytest.approx(12)
    assert found.st.codes == "T" * 30
    assert found.st.type.value == "lecture"
    assert found.rooms[1].loudspeaker_s == pytest.approx(30 * 12 + 20 * 3)
    assert found.rooms[1].undecided_s == 0


def test_what_is_told_is_json_and_each_figure_says_unit_coverage_interval_and_why_it_is_unknown():
    told = measure_lesson(two_rooms(), 0, 600).to_json()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["talk"]["share"]["lead_teacher"] == {
        "value": 0.8,
        "unit": "share",
        "coverage": 1.0,
        "interval_s": 0.032,
        "confidence": None,
    }
    assert told["rooms"][1]["role"] == "receiving"
    assert told["turns"]["by_party"]["local_teacher"]["longest"]["reason"] == "none-seen"
    assert len(told["waits"]["first"]["waits"]) == 30
    assert told["st"]["rt"]["interval_s"] == 30


def test_without_events_only_figures_are_told():
    told = measure_lesson(two_rooms(), 0, 600).to_json(events=False)
    assert "codes" not in told["st"]
    assert "waits" not in told["waits"]["first"]
    assert "turns" not in told["turns"]
    assert "answers" not in told["answers"]
    assert told["answers"]["far_share"]["count"] == 30


def test_the_live_figures_are_those_of_the_last_minutes():
    rooms = two_rooms()
    now = measure_recent(rooms, 400, 300).live
    assert now == measure_lesson(rooms, 100, 400).live
    assert now.talk_share.value == pytest.approx(0.8)
    assert now.longest_wait.value == pytest.approx(2)
    assert measure_recent(rooms, 120, 300).start_s == 0


def test_without_the_far_room_the_lead_rooms_pupils_are_unknown_but_the_teacher_is_not():
    rooms = two_rooms()
    rooms[1] = replace(rooms[1], spans=())
    found = measure_lesson(rooms, 0, 600)
    assert found.talk.share[Party.LEAD_TEACHER].value == pytest.approx(0.8)
    assert found.talk.share[Party.LEAD_PUPILS].reason is Reason.CROSS_TALK
    assert found.talk.far_of_pupils.reason is Reason.COVERAGE
    assert found.answers.far_share.reason is Reason.COVERAGE
    assert found.answers.by_room["shiqiao-1"].reason is Reason.CROSS_TALK
    assert found.rooms[1].left_out
    assert not found.rooms[0].told_apart
    assert found.rooms[1].told_apart
    assert found.st.codes == "ST" * 10


def test_rooms_whose_clocks_do_not_know_each_other_are_not_put_on_one_timeline():
    found = measure_lesson(two_rooms(), 0, 600, clock_error_s=2.0)
    assert found.talk.far_of_pupils.reason is Reason.CLOCK
    assert found.talk.share[Party.LEAD_PUPILS].reason is Reason.CROSS_TALK
    assert found.talk.share[Party.LEAD_TEACHER].value == pytest.approx(0.8)
    assert measure_lesson(two_rooms(), 0, 600, clock_error_s=0.002).talk.far_of_pupils.value == pytest.approx(1 / 3)


def test_a_far_room_that_took_the_lead_teacher_for_its_own_does_not_say_who_of_it_speaks_but_how_much():
    at_lead = [("T", 20.0 * at, 20.0 * at + 12) for at in range(10)] + [("S", 214.3, 220.3)]
    there = [("T", 20.0 * at + 0.3, 20.0 * at + 12.3) for at in range(10)] + [("S", 214.0, 220.0)]
    rooms = [
        RoomVoices("lead", Role.LEAD, voices_between(at_lead, 240)),
        RoomVoices("far", Role.RECEIVING, voices_between(there, 240)),
    ]
    found = measure_lesson(rooms, 0, 240)
    assert not found.rooms[1].teacher_known
    assert found.talk.far_of_pupils.reason is found.answers.far_share.reason is Reason.VOICES
    assert found.talk.share[Party.LOCAL_TEACHER].reason is Reason.VOICES
    assert found.live.far_rooms.value == pytest.approx(6 / 126)
    quiet = measure_lesson([rooms[0], replace(rooms[1], spans=voices_between(there[:-1], 240))], 0, 240)
    assert quiet.talk.share[Party.FAR_PUPILS].value == 0


def test_a_room_that_was_alone_from_the_start_keeps_its_pupils():
    found = measure_lesson([lead("T60 S20 -20")], 0, 100)
    assert found.talk.share[Party.LEAD_PUPILS].value == pytest.approx(0.25)
    assert found.talk.share[Party.FAR_PUPILS].reason is Reason.NO_ROOM


def test_what_is_not_asked_of_a_room_that_is_alone_is_so_before_anything_is_heard_of_it():
    found = measure_lesson([lead("")], 0, 100)
    assert found.live.talk_share.reason is Reason.NO_LEAD
    assert found.live.far_share.reason is found.live.far_rooms.reason is found.live.far_answers.reason is Reason.NO_ROOM


def test_without_the_lead_room_nothing_is_said_of_the_session_but_of_the_room():
    found = measure_lesson([lead(""), far("T60 S20 -20")], 0, 100)
    assert found.talk.share[Party.FAR_PUPILS].reason is Reason.NO_LEAD
    assert found.st.rt.reason is found.waits.first.longest.reason is Reason.NO_LEAD
    assert found.turns.monologue.reason is Reason.NO_LEAD
    assert found.turns.monologue_at_s is None
    assert found.rooms[1].talk.teacher_of_talk.value == pytest.approx(0.75)


@pytest.mark.parametrize("end", [0.0, -10.0])
def test_a_lesson_of_zero_length_is_unknown_in_all_and_an_error_in_nothing(end: float):
    found = measure_lesson(two_rooms(), 0, end)
    told = found.to_json()
    assert figures(told)
    assert all(one["value"] is None for one in figures(told))
    assert measure_lesson([], 0, 600).st.rt.value is None


def test_a_silent_lesson_is_known_to_be_silent():
    found = measure_lesson([lead("-600"), far("-600")], 0, 600)
    assert found.talk.silence.value == 1
    assert found.talk.share[Party.LEAD_TEACHER].reason is Reason.NO_SPEECH
    assert found.st.rt.value == 0
    assert found.answers.by_room["far"].value == 0


def test_a_clock_that_stepped_back_costs_what_was_told_twice_and_no_more():
    rooms = two_rooms()
    stepped = [one for one in rooms[0].spans if one.end_s <= 300]
    stepped += [Span(one.start_s - 30, one.seconds, one.voice) for one in rooms[0].spans if one.start_s >= 300]
    found = measure_lesson([replace(rooms[0], spans=stepped), rooms[1]], 0, 600)
    assert found.rooms[0].coverage == pytest.approx((600 - 30 - 30) / 600, abs=0.05)
    assert found.talk.share[Party.LEAD_TEACHER].coverage <= found.rooms[0].coverage + 1e-9


def test_confidence_of_the_spans_is_told_with_the_figures():
    room = RoomVoices("lead", Role.LEAD, [*spans("T60", confidence=0.9), *spans("-40", 60, confidence=0.4)])
    found = measure_lesson([room], 0, 100)
    assert found.talk.share[Party.LEAD_TEACHER].confidence == pytest.approx(0.7)


def figures(told) -> list[dict]:
    """All figures in what was told."""
    if isinstance(told, dict):
        return [told] if "unit" in told else [one for value in told.values() for one in figures(value)]
    return [one for value in told for one in figures(value)] if isinstance(told, list) else []


@settings(max_examples=60, deadline=None)
@given(lessons, lessons)
def test_any_two_rooms_are_measured_and_each_figure_is_known_or_says_why(in_lead, in_far):
    rooms = [RoomVoices("a", Role.LEAD, in_lead), RoomVoices("b", Role.RECEIVING, in_far)]
    told = measure_lesson(rooms, 0, 120).to_json()
    json.dumps(told, allow_nan=False)
    for one in figures(told):
        assert (one["value"] is None) == ("reason" in one)
        assert 0 <= one["coverage"] <= 1
        if one["unit"] == "share" and one["value"] is not None:
            assert 0 <= one["value"] <= 1


@settings(max_examples=60, deadline=None)
@given(lessons, lessons)
def test_cutting_spans_changes_no_figure(in_lead, in_far):
    whole = [RoomVoices("a", Role.LEAD, in_lead), RoomVoices("b", Role.RECEIVING, in_far)]
    cut = [replace(one, spans=pieces(list(one.spans), [0.25, 0.5])) for one in whole]
    assert measure_lesson(whole, 0, 120).to_json() == measure_lesson(cut, 0, 120).to_json()
