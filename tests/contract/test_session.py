"""Which rooms make a session: one lead room, which has it to itself in an open class alone."""

import pytest
from pydantic import ValidationError

from contract.session import Mode, Role, RoomOrder, SessionOrder

LEAD = RoomOrder(room="room-a", device="dev-a", role=Role.LEAD)
FAR = RoomOrder(room="room-b", device="dev-b", role=Role.RECEIVING)


def order(mode: Mode, *rooms: RoomOrder) -> SessionOrder:
    return SessionOrder(session="s-0001", rev=1, epoch=0.0, seconds=60.0, mode=mode, rooms=rooms)


def test_the_lead_room_of_an_open_class_may_be_alone():
    alone = order(Mode.OPEN, LEAD)
    assert alone.alone
    assert alone.lead == LEAD
    assert not order(Mode.OPEN, LEAD, FAR).alone


@pytest.mark.parametrize(
    "mode, rooms, words",
    [
        (Mode.DELIVERY, (LEAD,), "of mode delivery has a receiving room"),
        (Mode.MASTER, (LEAD,), "of mode master has a receiving room"),
        (Mode.OPEN, (FAR,), "exactly one lead room, and not 0"),
        (Mode.DELIVERY, (LEAD, LEAD), "exactly one lead room, and not 2"),
        (Mode.OPEN, (), "at least 1 item"),
    ],
)
def test_other_rooms_make_no_session_and_it_is_said_why(mode: Mode, rooms: tuple[RoomOrder, ...], words: str):
    with pytest.raises(ValidationError, match=words):
        order(mode, *rooms)


def test_teachers_watch_in_the_receiving_rooms_of_a_master_class_and_nowhere_else():
    master, delivery = order(Mode.MASTER, LEAD, FAR), order(Mode.DELIVERY, LEAD, FAR)
    assert [master.watches(room) for room in master.rooms] == [False, True]
    assert master.classrooms == (LEAD,)
    assert delivery.classrooms == (LEAD, FAR)
