"""Which orders a room holds, and what becomes of them; on a real disk, without devices: no lesson here begins."""

import time

import pytest

from agent.capture.sources import parse_source
from agent.classroom import PictureLimits
from agent.house import House
from agent.keeping import Keeping
from agent.lessons import LEFT_BEHIND_S, Lessons
from agent.record.package import Standpoint
from agent.record.store import FolderStore
from agent.stream.mediaclock import MediaClock
from contract.clock import ClockRecord
from contract.keys import new_device_key, new_hub_key
from contract.session import Role, RoomOrder, SessionOrder
from contract.signal import Peer
from contract.state import SessionState
from tests.agent.record.packets import ALL, draft
from tests.agent.report.conftest import identity_of
from tests.agent.test_lesson import Told, WallClock
from tests.patience import comes

ROOM = "room-a"


class Clock(WallClock):
    """A device that knows the hub's time exactly."""

    heard = True
    now = staticmethod(time.time)
    heard_now = staticmethod(time.time)


class Place:
    """One room and its disk."""

    def __init__(self, folder):
        self.told = Told()
        self.store = FolderStore(folder / "packages")
        self.keeping = Keeping(
            self.store,
            identity_of(new_device_key(), new_hub_key().public_key(), 1),
            Clock(),
            quiet=lambda: True,
            current=lambda: self.lessons.sessions,
            on_uploaded=lambda ref, receipt: None,
            on_trouble=lambda words: None,
            keep_uploaded=False,
        )
        house = House(
            incarnation="first",
            standpoint=Standpoint("boot", Clock(), lambda: ClockRecord(boot="boot"), {}),
            media_clock=MediaClock(0),
            spec=parse_source("rehearsal"),
            seed=1,
            limits=PictureLimits(320, 180, 10, 300_000),
            name="",
            store=self.store,
            min_free_bytes=0,
            send=self.told.send,
            report=self.told,
            observer=None,
            playout=None,
            on_change=lambda: None,
        )
        self.lessons = Lessons("d-1", ROOM, house, self.keeping, time.time)

    @property
    def said(self):
        """The last that the hub was told of each session."""
        return {one.session: str(one.state) for one in self.told.reports}


def order(session="s-test-1", *, begins_in_s=3600.0, room="d-1", **more):
    rooms = (
        RoomOrder(room=ROOM, device=room, role=Role.LEAD),
        RoomOrder(room="room-b", device="d-2", role=Role.RECEIVING),
    )
    return SessionOrder(
        session=session, rev=1, epoch=time.time() + begins_in_s, seconds=4, rooms=rooms, policy=ALL, **more
    )


@pytest.fixture
async def place(tmp_path):
    one = Place(tmp_path)
    yield one
    await one.lessons.end()


async def test_only_what_is_ordered_of_this_device_is_held(place):
    place.lessons.take_order(order("s-others", room="d-3"))
    place.lessons.take_order(order("s-called-off", cancelled=True))
    place.lessons.take_order(order("s-mine"))
    assert place.lessons.sessions == {"s-mine"}
    assert not place.lessons.live
    assert place.lessons.foremost is None, "a lesson that waits for its time is not shown"


async def test_a_lesson_that_is_called_off_is_told_and_forgotten(place):
    place.lessons.take_order(order())
    place.lessons.take_order(order(cancelled=True).model_copy(update={"rev": 2}))
    await comes(lambda: place.lessons.sessions == set())
    assert place.said == {"s-test-1": "cancelled"}
    place.lessons.take_order(order().model_copy(update={"rev": 3}))
    assert place.lessons.sessions == {"s-test-1"}, "it may be ordered anew"


async def test_of_a_lesson_that_is_over_what_an_earlier_run_left_is_sealed_and_kept_until_its_receipt(place):
    left = draft(place.store.root).folder
    place.lessons.take_order(order(begins_in_s=-60))
    await comes(lambda: place.lessons.sessions == set())
    assert place.said == {"s-test-1": "sealed"}
    assert (left / "manifest.json").exists()
    assert place.lessons.foremost.state is SessionState.SEALED
    place.lessons.uploaded("s-test-1")
    assert place.said == {"s-test-1": "uploaded"}
    assert place.lessons.foremost is None


@pytest.mark.parametrize("over_s, has_draft", [(60, False), (LEFT_BEHIND_S + 60, True)])
async def test_a_lesson_that_is_over_is_not_held_without_a_draft_or_after_an_hour(place, over_s, has_draft):
    if has_draft:
        draft(place.store.root)
    place.lessons.take_order(order(begins_in_s=-over_s - 4))
    assert place.lessons.sessions == set()


async def test_what_an_earlier_run_sealed_is_told_and_not_held_again(place):
    draft(place.store.root)
    place.keeping.seal_left_behind()
    place.lessons.tell_sealed()
    assert place.said == {"s-test-1": "sealed"}
    place.lessons.take_order(order(begins_in_s=-60))
    assert place.lessons.sessions == set()


async def test_a_fault_in_the_program_ends_one_lesson_and_is_told(place, monkeypatch, caplog):
    monkeypatch.setattr("agent.lesson.seal_left_behind", lambda *_: 1 / 0)
    draft(place.store.root)
    place.lessons.take_order(order("s-other"))
    place.lessons.take_order(order(begins_in_s=-60))
    await comes(lambda: place.lessons.sessions == {"s-other"})
    assert place.said["s-test-1"] == "failed"
    assert "a fault in the program ended the lesson" in place.told.reports[-1].words
    assert "ZeroDivisionError" in caplog.text


async def test_a_signal_of_a_session_that_is_not_held_does_no_harm(place, caplog):
    caplog.set_level("INFO")
    place.lessons.take_signal(Peer(device="d-1", session="s-none", room="room-b", state="live", incarnation="i"))
    assert "s-none, which is not held here" in caplog.text


async def test_at_the_end_of_the_service_every_lesson_is_interrupted_and_none_is_given_up(place):
    place.lessons.take_order(order("s-first"))
    place.lessons.take_order(order("s-second"))
    await place.lessons.end()
    assert place.lessons.sessions == set()
    assert place.said == {}
