import itertools

import pytest

from contract.session import Mode, Role, RoomOrder, SessionOrder
from contract.state import SessionState as S
from hub.session.derive import room_stands, session_stands
from hub.store.sessions import RoomRecord

EPOCH, SECONDS, GRACE = 1000.0, 60.0, 10.0
BEFORE, DURING, AFTER, LONG_AFTER = 990.0, 1020.0, 1061.0, 1075.0


def order(receiving=1, **more):
    rooms = [RoomOrder(room="room-a", device="dev-a", role=Role.LEAD, name="甲")]
    rooms += [
        RoomOrder(room=f"room-{n}", device=f"dev-{n}", role=Role.RECEIVING, name=f"乙{n}") for n in range(receiving)
    ]
    return SessionOrder(session="s-0001", rev=1, epoch=EPOCH, seconds=SECONDS, rooms=tuple(rooms), **more)


def verdict(now, *states, was=S.SCHEDULED, online=True, words="", **more):
    ordered = order(len(states) - 1, **more)
    rooms = [
        room_stands(
            ordered,
            RoomRecord(
                one.room, one.device, state=state, incarnation="i" if state is not S.SCHEDULED else "", words=words
            ),
            online=online,
            now=now,
            grace_s=GRACE,
        )
        for one, state in zip(ordered.rooms, states, strict=True)
    ]
    return session_stands(ordered, rooms, was, now)


@pytest.mark.parametrize(
    "now, lead, receiving, state",
    [
        (BEFORE, S.SCHEDULED, S.SCHEDULED, S.SCHEDULED),
        (BEFORE, S.READYING, S.SCHEDULED, S.READYING),
        (BEFORE, S.READY, S.SCHEDULED, S.READYING),
        (BEFORE, S.READY, S.READYING, S.READYING),
        (BEFORE, S.READY, S.READY, S.READY),
        (BEFORE, S.LIVE, S.READY, S.READY),
        (DURING, S.READY, S.READY, S.READY),
        (DURING, S.READY, S.LIVE, S.READY),
        (DURING, S.LIVE, S.SCHEDULED, S.LIVE),
        (DURING, S.LIVE, S.LIVE, S.LIVE),
        (DURING, S.LIVE, S.FAILED, S.FAILED),
        (DURING, S.FAILED, S.LIVE, S.FAILED),
        (AFTER, S.LIVE, S.LIVE, S.ENDING),
        (AFTER, S.SEALED, S.ENDING, S.ENDING),
        (AFTER, S.SCHEDULED, S.SCHEDULED, S.ENDING),
        (AFTER, S.SEALED, S.SEALED, S.SEALED),
        (AFTER, S.UPLOADED, S.SEALED, S.SEALED),
        (AFTER, S.UPLOADED, S.UPLOADED, S.UPLOADED),
        (LONG_AFTER, S.UPLOADED, S.UPLOADED, S.UPLOADED),
        (LONG_AFTER, S.ENDING, S.SEALED, S.ENDING),
        (LONG_AFTER, S.SCHEDULED, S.SEALED, S.FAILED),
        (LONG_AFTER, S.LIVE, S.SEALED, S.FAILED),
        (LONG_AFTER, S.SEALED, S.LIVE, S.FAILED),
    ],
)
def test_the_session_stands_where_rooms_and_time_put_it(now, lead, receiving, state):
    assert verdict(now, lead, receiving).state is state


@pytest.mark.parametrize(
    "now, lead, state, words",
    [
        (BEFORE, S.SCHEDULED, S.SCHEDULED, ""),
        (BEFORE, S.READYING, S.READYING, ""),
        (BEFORE, S.READY, S.READY, ""),
        (DURING, S.READY, S.READY, "甲 has not begun; see whether its device runs"),
        (DURING, S.LIVE, S.LIVE, ""),
        (DURING, S.FAILED, S.FAILED, "甲 failed: no reason was given"),
        (AFTER, S.LIVE, S.ENDING, ""),
        (AFTER, S.SEALED, S.SEALED, ""),
        (AFTER, S.UPLOADED, S.UPLOADED, ""),
        (LONG_AFTER, S.SEALED, S.SEALED, ""),
        (
            LONG_AFTER,
            S.SCHEDULED,
            S.FAILED,
            "甲 failed: was not heard from during the lesson; see whether its device runs",
        ),
        (LONG_AFTER, S.LIVE, S.FAILED, "甲 failed: was last heard from when it was live; see whether its device runs"),
    ],
)
def test_a_lead_room_that_is_alone_waits_for_nobody(now, lead, state, words):
    found = verdict(now, lead, mode=Mode.OPEN)
    assert (found.state, found.words) == (state, words)


def test_a_lead_room_that_is_alone_and_comes_back_is_still_live():
    found = verdict(DURING, S.READYING, was=S.LIVE, mode=Mode.OPEN)
    assert (found.state, found.words) == (S.LIVE, "甲 is coming back")


def test_one_failed_receiving_room_of_two_does_not_hold_up_the_others_and_is_named():
    found = verdict(AFTER, S.UPLOADED, S.FAILED, S.UPLOADED, words="the camera is gone")
    assert found.state is S.UPLOADED
    assert found.words == "乙0 failed: the camera is gone"


def test_a_room_that_was_never_heard_from_has_failed_after_the_grace_in_words():
    found = verdict(LONG_AFTER, S.UPLOADED, S.SCHEDULED, S.UPLOADED)
    assert found.state is S.UPLOADED
    assert "乙0 failed: was not heard from" in found.words


def test_a_missing_room_that_comes_back_late_is_taken_back():
    assert verdict(LONG_AFTER, S.SCHEDULED, S.UPLOADED).state is S.FAILED
    assert verdict(LONG_AFTER, S.UPLOADED, S.UPLOADED, was=S.FAILED).state is S.UPLOADED


def test_a_room_that_still_closes_its_files_is_waited_for_only_while_it_is_there():
    assert verdict(LONG_AFTER, S.ENDING, S.SEALED).state is S.ENDING
    assert verdict(LONG_AFTER, S.ENDING, S.SEALED, online=False).state is S.FAILED


def test_a_called_off_session_is_cancelled_whatever_its_rooms_say():
    for states in itertools.product(S, S):
        assert verdict(DURING, *states, cancelled=True).state is S.CANCELLED


def test_a_live_lesson_stays_live_while_the_lead_room_comes_back():
    found = verdict(DURING, S.READYING, S.LIVE, was=S.LIVE)
    assert (found.state, found.words) == (S.LIVE, "甲 is coming back")
    assert verdict(AFTER, S.READYING, S.LIVE, was=S.LIVE).state is S.ENDING


def test_a_lead_room_that_has_not_begun_is_told_in_words():
    assert "甲 has not begun" in verdict(DURING, S.READY, S.READY).words


def test_every_combination_has_a_verdict():
    for now, lead, one, two, was, online in itertools.product(
        (BEFORE, DURING, AFTER, LONG_AFTER), S, S, S, (S.SCHEDULED, S.LIVE), (True, False)
    ):
        assert verdict(now, lead, one, two, was=was, online=online).state in S
