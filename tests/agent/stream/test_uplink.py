"""What leaves on one transport and what is told of what arrived; real time, no network."""

import asyncio
from dataclasses import dataclass

import pytest

from agent.stream.pacer import Priority
from agent.stream.twcc import parse_feedback
from agent.stream.uplink import Uplink
from tests.patience import comes

PROBE_US = 400_000
"""Long enough for a busy machine to get a word in."""
PROBED_S = 0.5


@dataclass
class Parcel:
    """A packet that tells its number, its kind and its payload."""

    name: bytes
    repeatable: bool = True

    def serialize(self, transport_sequence: int, now_ns: int) -> bytes:
        return transport_sequence.to_bytes(2, "big") + self.name

    @property
    def pads(self):
        return self.repeatable

    def padding(self):
        return Parcel(b"padding" + bytes(500)) if self.repeatable else None


class Transport:
    """Keeps what is sent; may go away."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.dropped: list[Priority] = []
        self.gone = False
        self.uplink = Uplink(self.send, lambda priority, _packets: self.dropped.append(priority))
        self.running = asyncio.create_task(self.uplink.run())

    def send(self, data: bytes) -> None:
        if self.gone:
            raise ConnectionError("gone")
        self.sent.append(data)

    def put(self, name: bytes, priority: Priority = Priority.CAMERA, size: int = 1000) -> None:
        self.uplink.put(size, priority, Parcel(name), picture=hash(name), keyframe=True)
        self.uplink.flow()

    async def end(self) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)


@pytest.fixture
async def transport():
    one = Transport()
    yield one
    await one.end()


async def test_packets_get_the_numbers_of_the_transport_as_they_leave_sound_first(transport):
    for name, priority in ((b"camera", Priority.CAMERA), (b"slides", Priority.SLIDES), (b"sound", Priority.SOUND)):
        transport.uplink.put(1000, priority, Parcel(name), picture=hash(name), keyframe=True)
    transport.uplink.flow()
    assert transport.sent == [b"\0\0sound", b"\0\1slides", b"\0\2camera"]


async def test_what_arrives_is_told_in_one_message_a_little_later(transport):
    for number in (7, 8, 10):
        transport.uplink.arrived(number, 11, 22)
    await comes(lambda: transport.sent)
    (told,) = transport.sent
    feedback = parse_feedback(told)
    assert (feedback.sender_ssrc, feedback.media_ssrc) == (11, 22)
    assert [(number, at is not None) for number, at in feedback.packets] == [
        (7, True), (8, True), (9, False), (10, True),
    ]  # fmt: skip


async def test_feedback_is_taken_out_of_a_compound_and_the_rest_is_left_for_others(transport):
    transport.uplink.arrived(7, 11, 22)
    await comes(lambda: transport.sent)
    other = bytes.fromhex("80C90001") + bytes(4)
    assert transport.uplink.take_rtcp(transport.sent[0] + other) == other
    with pytest.raises(ValueError, match="RTCP"):
        transport.uplink.take_rtcp(b"garbage!")


async def test_a_probe_is_padded_with_packets_that_may_come_twice_and_with_no_others(transport):
    transport.uplink._pacer.probe(1_000_000, PROBE_US, transport.uplink._mono_ns() // 1000)
    transport.put(b"sound", Priority.SOUND, 60)
    await asyncio.sleep(PROBED_S)
    assert sum(b"padding" in data for data in transport.sent) >= 3
    transport.sent.clear()
    transport.uplink._pacer.probe(1_000_000, PROBE_US, transport.uplink._mono_ns() // 1000)
    transport.uplink.put(60, Priority.SOUND, Parcel(b"last", repeatable=False), picture=0, keyframe=True)
    transport.uplink.flow()
    await asyncio.sleep(PROBED_S)
    assert sum(b"padding" in data for data in transport.sent) >= 3  # of the packet before


async def test_a_probe_without_anything_to_repeat_is_not_padded(transport):
    transport.uplink._pacer.probe(1_000_000, PROBE_US, transport.uplink._mono_ns() // 1000)
    transport.uplink.put(60, Priority.SOUND, Parcel(b"sound", repeatable=False), picture=0, keyframe=True)
    transport.uplink.flow()
    await asyncio.sleep(PROBED_S)
    assert len(transport.sent) == 1


async def test_what_each_kind_sends_is_known_after_a_while(transport):
    for _ in range(60):
        transport.put(b"camera", Priority.CAMERA, 1250)
        await asyncio.sleep(0.02)
    rate = transport.uplink.sent_bps(Priority.CAMERA)
    assert 100_000 < rate < 500_000
    assert transport.uplink.sent_bps(Priority.SLIDES) == 0


async def test_a_keyframe_leaves_bit_by_bit_without_being_asked_again(transport):
    for _ in range(60):
        transport.uplink.put(1200, Priority.CAMERA, Parcel(b"key"), picture=1, keyframe=True)
    transport.uplink.flow()
    assert 5 < len(transport.sent) < 30
    await comes(lambda: len(transport.sent) >= 60)
    assert len(transport.sent) == 60


async def test_an_error_while_sending_is_told_once(transport):
    def broken(sequence: int, size: int, now_us: int) -> None:
        raise ZeroDivisionError

    transport.uplink.controller.sent = broken
    with pytest.raises(ZeroDivisionError):
        transport.put(b"camera")
    transport.put(b"camera")
    await asyncio.wait_for(transport.running, 20)


async def test_once_the_transport_is_gone_the_uplink_ends_and_nothing_piles_up(transport):
    transport.gone = True
    transport.put(b"camera")
    await asyncio.wait_for(transport.running, 20)
    assert transport.uplink.closed
    for _ in range(1000):
        transport.put(b"sound", Priority.SOUND)
        transport.put(b"camera")
    assert transport.uplink._pacer.next_us(0) is None


async def test_a_transport_that_is_gone_is_noticed_by_feedback_too(transport):
    transport.gone = True
    transport.uplink.arrived(7, 11, 22)
    await asyncio.wait_for(transport.running, 20)
    assert transport.uplink.closed


async def test_an_error_of_ours_ends_the_uplink_and_is_not_swallowed(transport):
    def broken(now_us: int) -> None:
        raise ZeroDivisionError

    transport.uplink.controller.tick = broken
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(transport.running, 20)
    assert transport.uplink.closed
