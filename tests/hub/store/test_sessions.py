from dataclasses import replace

import pytest
from sqlalchemy import select

from contract.envelope import sign
from contract.keys import new_hub_key
from contract.model import Message
from contract.result import RoomResult
from contract.session import Role, RoomOrder, SessionOrder
from contract.state import SessionState
from hub.store.errors import RoomTaken
from hub.store.operators import new_token, token_hash
from hub.store.store import Store
from hub.store.tables import OPERATOR


class Note(Message):
    text: str = "kept"


@pytest.fixture
def store(database_url):
    store = Store.open(database_url)
    yield store
    store.close()


def order(session="s-0001", epoch=1000.0, rooms=("room-a", "room-b"), **more):
    ordered = [
        RoomOrder(room=room, device=f"dev-{room}", role=Role.RECEIVING if number else Role.LEAD)
        for number, room in enumerate(rooms)
    ]
    return SessionOrder(session=session, rev=1, epoch=epoch, seconds=60, rooms=tuple(ordered), **more)


def test_a_session_is_read_back_as_it_was_stored_rooms_in_order(store):
    store.sessions.add(order(title="数学", rooms=("room-z", "room-a", "room-m")), 5.0)
    found = store.sessions.get("s-0001")
    assert found.order.title == "数学"
    assert [one.room for one in found.rooms] == ["room-z", "room-a", "room-m"]
    assert store.sessions.get("s-none") is None


def test_a_room_is_kept_with_result_and_receipt(store):
    record = store.sessions.add(order(), 5.0)
    receipt = sign(Note(), new_hub_key(), 1.0, 60.0)
    room = replace(
        record.rooms[0], state=SessionState.SEALED, result=RoomResult(video_frames_sent=7), receipt=receipt, held=1
    )
    store.sessions.save_room("s-0001", room)
    assert store.sessions.get("s-0001").room("room-a") == room


@pytest.mark.parametrize(
    "epoch, taken", [(1000.0, True), (1059.9, True), (940.1, True), (1060.0, False), (940.0, False)]
)
def test_a_room_holds_one_session_at_a_time(store, epoch, taken):
    store.sessions.add(order(), 5.0)
    second = order("s-0002", epoch, ("room-c", "room-b"))
    if taken:
        with pytest.raises(RoomTaken, match="room room-b already has session s-0001"):
            store.sessions.add(second, 6.0)
        assert store.sessions.get("s-0002") is None
    else:
        store.sessions.add(second, 6.0)


def test_a_cancelled_session_takes_no_room(store):
    store.sessions.add(order(), 5.0)
    store.sessions.judge("s-0001", SessionState.CANCELLED, "called off", closed=True, now=6.0)
    store.sessions.add(order("s-0002"), 7.0)
    assert [one.order.session for one in store.sessions.due(2000.0)] == ["s-0002"]


def test_a_full_plan_does_not_hide_the_session_that_runs(store):
    for number in range(12):
        rooms = (f"room-a{number}", f"room-b{number}")
        store.sessions.add(order(f"s-00{number:02}", 1000.0 + 100 * number, rooms), 5.0)
    found = [one.order.session for one in store.sessions.around(1250.0, begun=2, to_come=3)]
    assert found == ["s-0005", "s-0004", "s-0003", "s-0002", "s-0001"]


def test_orders_that_are_not_held_are_found_until_they_are(store):
    record = store.sessions.add(order(), 5.0)
    assert len(store.sessions.unheld()) == 1
    for room in record.rooms:
        store.sessions.save_room("s-0001", replace(room, held=1))
    assert store.sessions.unheld() == []
    store.sessions.reorder(record.order.model_copy(update={"rev": 2, "seconds": 10.0}), 6.0)
    assert [one.order.seconds for one in store.sessions.unheld()] == [10.0]


def test_an_operator_is_known_by_the_newest_token_alone_and_no_token_is_stored(store):
    old, new = new_token(), new_token()
    store.operators.set_token("wang", old, 1.0)
    store.operators.set_token("wang", new, 2.0)
    assert store.operators.hashes() == {"wang": token_hash(new)}
    with store.database.read() as connection:
        held = str(connection.execute(select(OPERATOR)).all())
    assert "wang" in held
    assert new not in held
