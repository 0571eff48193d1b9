"""Rooms stay joined: real WebRTC on loopback, signals handed over in the test's own way."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.stream import rtc
from agent.stream.mediaclock import MediaClock
from agent.stream.room import SILENCE_S, PeerState, RoomStream
from agent.stream.voicetalk import MonoSpan, VoiceTalk
from contract.session import Role, RoomOrder, SessionOrder
from contract.signal import Answer, Offer
from contract.signal import Peer as PeerSignal
from contract.state import SessionState
from measures.voices import Voice
from tests.agent.stream.test_peer import Room

LEAD = RoomOrder(room="lead", device="d-lead", role=Role.LEAD)
FAR = RoomOrder(room="far", device="d-far", role=Role.RECEIVING)
ORDER = SessionOrder(session="s-test", rev=1, epoch=0.0, seconds=60, rooms=(LEAD, FAR))


@pytest.fixture(autouse=True)
def installed_rtc():
    rtc.install(MediaClock(time.time_ns() - time.monotonic_ns()), ("127.0.0.1",))


class Pair:
    """A lead and a receiving room; `lost` decides which signals never arrive."""

    def __init__(self, lost: Callable[[Offer | Answer], bool] = lambda _: False) -> None:
        self.rooms = {"lead": Room(slides=True), "far": Room(slides=False)}
        self.sent: list[Offer | Answer] = []
        self.lost = lost
        self.streams: dict[str, RoomStream] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        for me in (LEAD, FAR):
            self.start(me)

    def start(self, me: RoomOrder) -> None:
        stream = RoomStream(ORDER, me, self.rooms[me.room].context, self.carry, lambda: None)
        self.streams[me.room] = stream
        self.tasks[me.room] = asyncio.create_task(stream.run())

    def carry(self, signal: Offer | Answer, _valid_s: float) -> None:
        self.sent.append(signal)
        if self.lost(signal):
            return
        if isinstance(signal, Offer):
            self.streams["lead"].take_offer(signal)
        else:
            self.streams["far"].take_answer(signal)

    async def end(self, name: str) -> None:
        self.tasks[name].cancel()
        await asyncio.gather(self.tasks[name], return_exceptions=True)

    async def wait(self, ready: Callable[[], bool], within_s: float = 40.0) -> float:
        began = time.monotonic()
        while not ready():
            assert time.monotonic() - began < within_s, [stream.states for stream in self.streams.values()]
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    def connected(self) -> bool:
        """Every room sees and hears its counterpart."""
        states = [state for one in self.streams.values() for state in one.states.values()]
        figures = [one for stream in self.streams.values() for one in stream.figures.values()]
        return all(state is PeerState.CONNECTED for state in states) and all(one.joins for one in figures)

    async def close(self) -> None:
        for name in self.tasks:
            await self.end(name)
        for room in self.rooms.values():
            room.close()


async def test_rooms_join_and_stay_joined_with_one_offer():
    pair = Pair()
    await pair.wait(pair.connected)
    await asyncio.sleep(2 * SILENCE_S)
    await pair.wait(pair.connected)
    assert [type(one) for one in pair.sent] == [Offer, Answer]
    await pair.close()


async def test_a_lost_answer_is_asked_for_with_a_new_offer(monkeypatch):
    monkeypatch.setattr("agent.stream.room.ANSWER_S", 0.5)
    pair = Pair(lost=lambda signal: isinstance(signal, Answer) and sum(type(s) is Answer for s in pair.sent) == 1)
    await pair.wait(pair.connected)
    offers = [one for one in pair.sent if isinstance(one, Offer)]
    assert len({one.attempt for one in offers}) == 2
    await pair.close()


async def test_a_repeated_offer_gets_the_same_answer_and_disturbs_nothing():
    pair = Pair()
    await pair.wait(pair.connected)
    offer, answer = pair.sent
    pair.streams["lead"].take_offer(offer)
    await pair.wait(lambda: len(pair.sent) == 3)
    assert pair.sent[2] == answer
    assert pair.connected()
    assert pair.streams["lead"].figures["far"].joins == 1
    await pair.close()


async def test_a_room_whose_service_was_started_anew_is_joined_anew():
    pair = Pair()
    told = {"device": "d-far", "session": "s-test", "room": "lead", "state": SessionState.LIVE}
    pair.streams["far"].take_peer(PeerSignal(**told, incarnation="one"))
    await pair.wait(pair.connected)
    await pair.end("lead")
    pair.start(LEAD)
    pair.streams["far"].take_peer(PeerSignal(**told, incarnation="two"))
    await pair.wait(lambda: pair.streams["far"].figures["lead"].joins == 2)
    await pair.wait(pair.connected)
    await pair.close()


async def test_another_receiving_room_that_was_started_anew_disturbs_nothing():
    pair = Pair()
    await pair.wait(pair.connected)
    told = {"device": "d-far", "session": "s-test", "room": "third", "state": SessionState.LIVE}
    for incarnation in ("one", "two"):
        pair.streams["far"].take_peer(PeerSignal(**told, incarnation=incarnation))
    await asyncio.sleep(1)
    await pair.wait(pair.connected)
    assert len(pair.sent) == 2
    assert pair.streams["far"].figures["lead"].joins == 1
    await pair.close()


async def test_a_receiving_room_that_comes_back_replaces_its_old_connection():
    pair = Pair()
    await pair.wait(pair.connected)
    await pair.end("far")
    pair.start(FAR)
    await pair.wait(lambda: pair.streams["lead"].figures["far"].joins == 2)
    await pair.wait(pair.connected)
    before, began = pair.streams["lead"].figures["far"].video_frames, time.monotonic()
    await asyncio.sleep(1)
    counted = pair.streams["lead"].figures["far"].video_frames - before
    assert counted < 40 * (time.monotonic() - began), "two connections are counted at once"
    await pair.close()


async def test_garbage_offers_and_answers_do_no_harm():
    pair = Pair()
    await pair.wait(pair.connected)
    offer, answer = pair.sent
    for sdp in ("", "garbage", offer.sdp[:200], answer.sdp, offer.sdp.replace("m=audio", "m=radio")):
        pair.streams["lead"].take_offer(offer.model_copy(update={"sdp": sdp, "attempt": f"x{len(sdp)}"}))
        pair.streams["far"].take_answer(answer.model_copy(update={"sdp": sdp}))
    pair.streams["lead"].take_offer(offer.model_copy(update={"sender": "stranger"}))
    await asyncio.sleep(1.5)
    await pair.wait(pair.connected)
    assert not any(task.done() for task in pair.tasks.values())
    await pair.close()


async def test_rooms_tell_each_other_who_speaks_also_after_a_join_anew():
    pair = Pair()
    heard: dict[str, list[MonoSpan]] = {"lead": [], "far": []}
    talks = {
        name: VoiceTalk([other], f"0000000{at}", lambda _room, spans, _error, me=name: heard[me].extend(spans))
        for at, (name, other) in enumerate([("lead", "far"), ("far", "lead")])
    }
    for name, room in pair.rooms.items():
        room.context = replace(room.context, voices=talks[name])
    for me in (LEAD, FAR):
        await pair.end(me.room)
        pair.start(me)
    told = {"device": "d-far", "session": "s-test", "room": "lead", "state": SessionState.LIVE}
    pair.streams["far"].take_peer(PeerSignal(**told, incarnation="one"))
    for number in range(30):
        spoken = MonoSpan(time.monotonic_ns() - (30 - number) * 10**9, 1.0, Voice.TEACHER, 0.9)
        talks["lead"].add(spoken, time.monotonic_ns())
        if number < 20:
            talks["far"].add(replace(spoken, voice=Voice.STUDENT), time.monotonic_ns())
    await pair.wait(lambda: len(heard["far"]) == 30 and len(heard["lead"]) == 20)
    await pair.end("lead")
    talks["far"].add(MonoSpan(time.monotonic_ns(), 1.0, Voice.STUDENT, 0.9), time.monotonic_ns())
    pair.start(LEAD)
    pair.streams["far"].take_peer(PeerSignal(**told, incarnation="two"))
    await pair.wait(lambda: len(heard["lead"]) == 21)
    assert len(heard["far"]) == 30, "each voice once"
    assert {one.voice for one in heard["lead"]} == {Voice.STUDENT}
    drift_s = abs(heard["lead"][0].start_ns - heard["far"][0].start_ns) / 1e9
    assert drift_s < 0.05, "one clock on this machine"
    await pair.close()
