"""From an encoder's thread to the peers on the event loop."""

import asyncio
import threading

import pytest

from agent.encode.packet import SoundPacket, VideoPacket
from agent.stream.fanout import PENDING_MAX, Feed, TrackFanout


def picture(number: int, keyframe: bool = False) -> VideoPacket:
    return VideoPacket(b"", (b"",), number, keyframe, 16, 16)


def sound(number: int) -> SoundPacket:
    return SoundPacket(b"", number, -20)


class Encoder:
    """Counts the keyframes it is asked for, and speaks from a thread of its own."""

    def __init__(self) -> None:
        self.asked = 0
        self.fanout = TrackFanout(asyncio.get_running_loop(), self._ask)

    def _ask(self) -> None:
        self.asked += 1

    def makes(self, *packets) -> None:
        """Hand packets over while the event loop is busy with something else."""
        thread = threading.Thread(target=lambda: [self.fanout.take(packet) for packet in packets])
        thread.start()
        thread.join()


async def spread() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_everyone_who_joined_gets_every_packet_on_the_event_loop_in_order():
    encoder, here = Encoder(), threading.get_ident()
    got: list[tuple[int, int]] = []
    for _ in range(2):
        encoder.fanout.join(lambda packet: got.append((packet.mono_ns, threading.get_ident())))
    encoder.makes(picture(1, keyframe=True), picture(2))
    await spread()
    assert got == [(1, here), (1, here), (2, here), (2, here)]
    assert encoder.asked == 2


async def test_whoever_left_gets_nothing_more():
    encoder, got = Encoder(), []
    encoder.fanout.join(got.append)
    encoder.fanout.leave(got.append)
    encoder.makes(picture(1, keyframe=True))
    await spread()
    assert got == []


async def test_pictures_that_the_event_loop_cannot_take_are_dropped_up_to_the_next_keyframe():
    encoder, got = Encoder(), []
    encoder.fanout.join(got.append)
    encoder.makes(*(picture(number, keyframe=number == 0) for number in range(PENDING_MAX + 5)))
    await spread()
    assert len(got) == PENDING_MAX
    encoder.makes(picture(900), picture(901, keyframe=True), picture(902))
    await spread()
    assert [one.mono_ns for one in got[PENDING_MAX:]] == [901, 902]
    assert encoder.fanout.dropped == 6
    assert encoder.asked > 1


async def test_sound_goes_on_with_the_next_packet():
    encoder, got = Encoder(), []
    encoder.fanout.join(got.append)
    encoder.makes(*(sound(number) for number in range(PENDING_MAX + 5)))
    await spread()
    encoder.makes(sound(900))
    await spread()
    assert got[-1] == sound(900)


async def test_a_feed_begins_with_a_keyframe_and_again_after_a_change_of_tier():
    full, lower = Encoder(), Encoder()
    got: list[VideoPacket] = []
    feed = Feed(got.append)
    feed.request_keyframe()  # nothing is sent: there is nobody to ask
    feed.follow(full.fanout)
    full.makes(picture(1), picture(2, keyframe=True), picture(3))
    await spread()
    feed.follow(lower.fanout)
    full.makes(picture(4))
    lower.makes(picture(5), picture(6, keyframe=True))
    await spread()
    feed.follow(None)
    lower.makes(picture(7, keyframe=True))
    await spread()
    assert [one.mono_ns for one in got] == [2, 3, 6]
    assert (full.asked, lower.asked) == (1, 1)


@pytest.mark.parametrize("times", [1, 3])
async def test_following_the_same_tier_again_changes_nothing(times):
    encoder, got = Encoder(), []
    feed = Feed(got.append)
    for _ in range(times):
        feed.follow(encoder.fanout)
    encoder.makes(picture(1, keyframe=True), picture(2))
    await spread()
    assert [one.mono_ns for one in got] == [1, 2]
    assert encoder.asked == 1
