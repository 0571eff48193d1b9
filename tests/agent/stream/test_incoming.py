"""What comes from another room, from RTP payloads to pictures and sound; real codecs, no network."""

import asyncio
import random
import time

import av
import numpy as np
import pytest

from agent.encode import h264
from agent.stream.figures import PeerFigures
from agent.stream.incoming import IncomingPictures, IncomingSound, Reception
from agent.stream.jitter import Packet
from agent.stream.mediaclock import MediaClock
from agent.stream.redundancy import with_previous
from agent.stream.roomclock import RoomClock
from tests.agent.stream.test_redundancy import tone
from tests.patience import comes

CLOCK = MediaClock(1_700_000_000 * 1_000_000_000)


class Asked:
    """Stands where the RTP receiver does: takes requests, and delivers what a test gives it."""

    def __init__(self) -> None:
        self.on_packet = None
        self.packets = 0
        self.keyframes = 0
        self.sequences: list[int] = []

    async def request_keyframe(self) -> None:
        self.keyframes += 1

    async def request_packets(self, sequences: list[int]) -> None:
        self.sequences += sequences

    async def deliver(self, packets: list[Packet]) -> None:
        for packet in packets:
            self.packets += 1
            await self.on_packet(packet)


class Wall:
    """Shows and sounds everything, by counting it."""

    def __init__(self) -> None:
        self.pictures: list[tuple[str, float]] = []
        self.samples = 0

    def picture(self, room: str, track: str, picture: av.VideoFrame) -> None:
        self.pictures.append((track, time.monotonic()))

    def sound(self, room: str, samples: np.ndarray) -> None:
        self.samples += len(samples)


class ChoosyWall(Wall):
    """Shows only the tracks that it wants now."""

    wanted: tuple[str, ...] = ()

    def wants(self, room: str, track: str) -> bool:
        return track in self.wanted


class SlowWall(Wall):
    """Its sound is heard 120 ms after it was handed over."""

    def waiting_ms(self, room: str) -> float:
        return 120.0


def reception(wall: Wall | None) -> Reception:
    room_clock = RoomClock(CLOCK.anchor_ns, lambda _: None)
    return Reception("far", time.monotonic_ns(), PeerFigures(), room_clock, lambda _: True, wall)


def pictures(count: int, keyframe_every: int = 100) -> list[list[Packet]]:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "yuv420p"
    encoder.framerate = 25
    encoder.options = {"tune": "zerolatency", "threads": "1", "g": str(keyframe_every), "sc_threshold": "0"}
    out: list[list[Packet]] = []
    sequence = 0
    for index in range(count):
        grey = np.full((72, 64), 50 + index, np.uint8)
        frame = av.VideoFrame.from_ndarray(grey, format="yuv420p")
        frame.pts = index
        for made in encoder.encode(frame):
            parts = h264.payloads(h264.nal_units(bytes(made)))
            ntp = CLOCK.ntp(time.monotonic_ns())
            out.append(
                [
                    Packet(sequence + at, index * 3600, at == len(parts) - 1, bytes(part), None if at else ntp)
                    for at, part in enumerate(parts)
                ]
            )
            sequence += len(parts)
    return out


async def settled() -> None:
    """Give what should not come the time to come."""
    await asyncio.sleep(0.3)


async def test_pictures_are_decoded_shown_and_counted():
    wall, receiver = Wall(), Asked()
    incoming = IncomingPictures("camera", receiver, got := reception(wall))
    for packets in pictures(10):
        await receiver.deliver(packets)
    await comes(lambda: len(wall.pictures) >= 10)
    incoming.close()
    assert [track for track, _ in wall.pictures] == ["camera"] * 10
    assert got.figures.video_frames == 10


async def test_a_track_that_nobody_shows_is_kept_in_order_but_not_decoded():
    wall, receiver = ChoosyWall(), Asked()
    incoming = IncomingPictures("slides", receiver, got := reception(wall))
    made = pictures(20, keyframe_every=10)
    lost = made[3].pop(0)
    for packets in made[:6]:
        await receiver.deliver(packets)
    assert receiver.sequences == [lost.sequence]
    await receiver.deliver([lost])
    await settled()
    assert incoming._decoder is None
    asked = receiver.keyframes
    wall.wanted = ("slides",)
    for packets in made[6:]:
        await receiver.deliver(packets)
    await comes(lambda: len(wall.pictures) >= 10)
    incoming.close()
    # From the moment it is wanted it needs a keyframe, and asks for one.
    assert [track for track, _ in wall.pictures] == ["slides"] * 10
    assert receiver.keyframes > asked
    assert got.figures.video_frames == 0


async def test_the_camera_is_decoded_even_where_nobody_shows_it_because_it_is_counted():
    wall, receiver = ChoosyWall(), Asked()
    incoming = IncomingPictures("camera", receiver, got := reception(wall))
    for packets in pictures(5):
        await receiver.deliver(packets)
    await comes(lambda: got.figures.video_frames >= 5)
    incoming.close()
    assert got.figures.video_frames == 5
    assert wall.pictures == []


async def test_pictures_wait_for_their_sound():
    wall = SlowWall()
    receiver, ears = Asked(), Asked()
    got = reception(wall)
    incoming, hearing = IncomingPictures("camera", receiver, got), IncomingSound(ears, got)
    began = time.monotonic()
    stamp = CLOCK.ntp(time.monotonic_ns())
    await ears.deliver([Packet(0, 0, False, tone(1)[0], stamp)])
    await receiver.deliver(pictures(1)[0])
    await comes(lambda: wall.pictures)
    incoming.close()
    hearing.close()
    (_, shown), *more = wall.pictures
    assert not more
    assert shown - began > 0.1


async def test_lost_sound_is_counted_made_up_and_told_apart_from_what_came():
    wall, receiver = Wall(), Asked()
    incoming = IncomingSound(receiver, got := reception(wall))
    pieces = tone(20)
    running = asyncio.create_task(incoming.run())
    sent = [Packet(at, at * 960, False, data) for at, data in enumerate(pieces)]
    carried = Packet(9, 9 * 960, False, with_previous(pieces[9], pieces[8]))
    await receiver.deliver(sent[:5] + sent[6:8] + [carried])
    await asyncio.sleep(0.15)
    await receiver.deliver(sent[10:])
    await asyncio.sleep(0.1)
    running.cancel()
    assert (got.figures.sound_lost, got.figures.sound_recovered, got.figures.sound_concealed) == (1, 1, 1)
    assert 5 in receiver.sequences
    assert got.figures.audio_seconds == pytest.approx(19 * 0.02)
    assert wall.samples == 20 * 960


async def test_figures_of_sound_outlive_a_join():
    got = reception(None)
    for _ in range(2):
        receiver = Asked()
        incoming = IncomingSound(receiver, got)
        running = asyncio.create_task(incoming.run())
        data = tone(1)[0]
        await receiver.deliver([Packet(at, at * 960, False, data) for at in (0, 2, 3)])
        await asyncio.sleep(0.15)
        running.cancel()
    assert got.figures.sound_lost == 2


@pytest.mark.parametrize("seed", range(4))
async def test_truncated_and_damaged_payloads_do_no_harm_and_the_next_keyframe_is_shown(seed):
    rng = random.Random(seed)
    wall, receiver, ears = Wall(), Asked(), Asked()
    got = reception(wall)
    incoming, hearing = IncomingPictures("camera", receiver, got), IncomingSound(ears, got)
    made = pictures(12, keyframe_every=11)
    for packets in made[:-1]:
        for packet in packets:
            payload = rng.choice(
                [
                    packet.payload[: rng.randrange(len(packet.payload))],
                    rng.randbytes(rng.randrange(1, 60)),
                    bytes([packet.payload[0]]) + rng.randbytes(30),
                    b"",
                ]
            )
            await receiver.deliver([Packet(packet.sequence, packet.timestamp, packet.marker, payload)])
    for number, data in enumerate(tone(20)):
        broken = rng.choice([data[: rng.randrange(len(data))], rng.randbytes(rng.randrange(1, 40)), b""])
        await ears.deliver([Packet(number, number * 960, False, broken)])
    await settled()
    before = len(wall.pictures)
    await receiver.deliver(made[-1])
    await comes(lambda: len(wall.pictures) > before)
    heard = wall.samples
    await ears.deliver([Packet(20, 20 * 960, False, tone(1)[0])])
    incoming.close()
    hearing.close()
    assert len(wall.pictures) > before
    assert wall.samples == heard + 960
