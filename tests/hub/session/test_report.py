import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.result import RoomResult
from contract.signal import RoomReport
from contract.state import SessionState as S
from hub.session.report import reachable, reported
from hub.store.sessions import RoomRecord

WAY = [S.READYING, S.READY, S.LIVE, S.ENDING, S.SEALED, S.UPLOADED]
RESULT = RoomResult(video_frames_sent=5)


def report(state, incarnation="i1", **more):
    return RoomReport(
        device="dev-1", session="s-0001", room="room-1", rev=1, state=state, incarnation=incarnation, **more
    )


def room(state=S.SCHEDULED, incarnation="i1", issued=10.0, **more):
    return RoomRecord("room-1", "dev-1", state=state, incarnation=incarnation, issued=issued, **more)


@given(st.permutations(list(enumerate(WAY))), st.lists(st.sampled_from(list(enumerate(WAY))), max_size=10))
def test_in_whatever_order_reports_come_the_room_ends_where_it_is(order, again):
    known = room(incarnation="", issued=0.0)
    for issued, state in [*order, *again]:
        result = RESULT if state in {S.SEALED, S.UPLOADED} else None
        known = reported(known, report(state, result=result), 100.0 + issued, "i1")
    assert known.state is S.UPLOADED
    assert known.result == RESULT


def test_a_report_that_overtakes_others_counts():
    assert reported(room(S.SCHEDULED), report(S.LIVE), 11.0, "i1").state is S.LIVE


def test_a_late_report_changes_nothing_but_brings_its_result():
    known = reported(room(S.UPLOADED), report(S.SEALED, result=RESULT), 9.0, "i1")
    assert (known.state, known.result) == (S.UPLOADED, RESULT)
    assert reported(room(S.LIVE), report(S.READY), 11.0, "i1") == room(S.LIVE)


def test_a_room_may_go_back_from_ready_but_not_by_an_old_report():
    assert reported(room(S.READY), report(S.READYING), 11.0, "i1").state is S.READYING
    assert reported(room(S.READY), report(S.READYING), 9.0, "i1").state is S.READY


def test_an_agent_that_was_started_again_in_mid_lesson_begins_anew():
    known = reported(room(S.LIVE), report(S.READYING, "i2"), 11.0, "i2")
    assert (known.state, known.incarnation) == (S.READYING, "i2")


def test_a_word_of_the_earlier_life_changes_nothing():
    assert reported(room(S.READYING, "i2"), report(S.LIVE, "i1"), 9.0, "i2") == room(S.READYING, "i2")


def test_a_new_life_is_believed_even_before_its_hello():
    assert reported(room(S.LIVE), report(S.READY, "i2"), 11.0, "i1").incarnation == "i2"


@pytest.mark.parametrize("state", [S.ENDING, S.SEALED, S.UPLOADED, S.FAILED, S.CANCELLED])
def test_a_new_life_does_not_take_back_what_was_closed(state):
    assert reported(room(state), report(S.READYING, "i2"), 11.0, "i2").state is state


def test_final_states_are_final():
    for final in (S.UPLOADED, S.FAILED, S.CANCELLED):
        assert {to for to in S if reachable(final, to)} == {final}
    assert {to for to in S if reachable(S.SCHEDULED, to)} == set(S)
