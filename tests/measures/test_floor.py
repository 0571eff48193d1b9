from hypothesis import given, settings

from measures.crosstalk import OwnVoices
from measures.floor import session_floor, session_ground, steady
from measures.voices import Role, known_seconds, tidied
from tests.measures.rooms import lessons, script_of, spans


def own(script: str, role: Role = Role.LEAD) -> OwnVoices:
    return OwnVoices(role.value, role, tidied(spans(script), 0, 1000))


def floor(in_lead: str, in_far: str) -> str:
    return script_of(session_floor([own(in_lead), own(in_far, Role.RECEIVING)]))


def test_whoever_speaks_alone_has_the_floor():
    assert floor("T5 -10", "-6 S4 -5") == "T5 -1 S4 -5"


def test_the_lead_teacher_keeps_the_floor_over_asides():
    assert floor("T10 -5", "-2 T3 S2 -8") == "T10 -5"


def test_two_other_voices_in_two_rooms_are_several():
    assert floor("S4 -6", "-2 S4 -4") == "S2 M2 S2 -4"


def test_where_one_room_is_unknown_the_floor_is():
    assert floor("T10", "-4 ?3 -3") == "T4 ?3 T3"


def test_no_room_is_no_floor():
    assert session_floor([]) == ()
    assert session_ground((), 0, 10).coverage == 0


def test_a_short_voice_goes_to_whom_it_follows_or_leads_into_or_is_none():
    assert script_of(steady(tidied(spans("T5 M0.3 S4"), 0, 99))) == "T5.3 S4"
    assert script_of(steady(tidied(spans("-5 T0.3 S4"), 0, 99))) == "-5 S4.3"
    assert script_of(steady(tidied(spans("T5 -2 S0.4 -3"), 0, 99))) == "T5 -5.4"
    assert script_of(steady(tidied(spans("T5 -2 S0.5 -3"), 0, 99))) == "T5 -2 S0.5 -3"


@settings(deadline=None)
@given(lessons)
def test_steadying_keeps_what_is_known(room):
    tidy = tidied(room, 0, 1000)
    assert abs(known_seconds(steady(tidy)) - known_seconds(tidy)) < 1e-6
