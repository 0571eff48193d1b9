"""The lower tier: steps, live bitrate, and that the recorded tier never notices."""

import threading
import time

import av
from hypothesis import given
from hypothesis import strategies as st

from agent.capture.frame import Frame
from agent.encode.lower import CLIMB, RETRY_S, STEPS, LowerTier, step_for
from agent.encode.packet import VideoPacket
from agent.encode.picture import PictureEncoder
from tests.agent.sources import MovingBars


@given(st.integers(0, 5_000_000), st.sampled_from([None, *STEPS]))
def test_a_step_never_asks_for_more_than_there_is_and_is_left_upwards_only_with_room_to_spare(bps, current):
    step = step_for(bps, current)
    if step is None:
        assert bps < STEPS[-1].floor_bps * CLIMB
        return
    assert bps >= step.floor_bps
    if current is not None and step.floor_bps > current.floor_bps:
        assert bps >= step.floor_bps * CLIMB


def test_at_one_megabit_every_frame_is_sent_and_at_the_least_a_third():
    assert step_for(700_000, None).share == 1
    assert step_for(STEPS[-1].floor_bps, None).share == 3
    assert step_for(10_000, None) is None


def frames(count: int, width: int = 640, height: int = 360) -> list[Frame]:
    stop = threading.Event()
    made = []
    for frame in MovingBars(width, height, fps=500).frames(stop):
        made.append(frame)
        if len(made) == count:
            stop.set()
    return made


def wait(ready, within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def fed(tier: LowerTier, packets: list[VideoPacket], count: int, source=None) -> list[VideoPacket]:
    """Feed frames one by one, each after the packet of the one before."""
    begun = len(packets)
    for frame in source[:count] if source else frames(count):
        before = len(packets)
        tier.feed(Frame(frame.picture, time.monotonic_ns()))
        share = tier.step.share
        if share == 1:
            wait(lambda before=before: len(packets) > before)
        else:
            time.sleep(0.01)
    return packets[begun:]


def untroubled(words: str) -> None:
    raise AssertionError(words)


def test_pictures_get_smaller_with_the_bitrate_and_begin_with_a_keyframe():
    packets: list[VideoPacket] = []
    tier = LowerTier(25, packets.append, untroubled)
    assert tier.want(900_000)
    assert fed(tier, packets, 5)[0].keyframe
    assert packets[-1].height == 360
    assert tier.want(90_000)
    smaller = fed(tier, packets, 9)
    wait(lambda: len(packets) > 5)
    smaller = packets[5:]
    assert smaller[0].keyframe
    assert smaller[0].height == 216
    assert not tier.want(1000)
    tier.close()


def test_the_bitrate_changes_without_a_keyframe_within_a_step():
    packets: list[VideoPacket] = []
    tier = LowerTier(25, packets.append, untroubled)
    tier.want(500_000)
    moving = frames(20)  # one scene: a cut would be a keyframe of its own
    fed(tier, packets, 5, moving)
    tier.want(300_000)
    assert not any(packet.keyframe for packet in fed(tier, packets, 6, moving[5:]))
    tier.request_keyframe()
    time.sleep(0.3)
    assert any(packet.keyframe for packet in fed(tier, packets, 3))
    tier.close()


def test_a_tier_that_is_behind_leaves_frames_out_and_never_waits():
    tier = LowerTier(25, lambda _packet: time.sleep(0.2), untroubled)
    tier.want(500_000)
    fed = frames(40)
    began = time.monotonic()
    for frame in fed:
        tier.feed(frame)
    assert time.monotonic() - began < 6.0, "to encode them all takes eight seconds"
    assert tier.skipped > 20
    tier.close()


def test_the_recorded_tier_is_the_same_with_and_without_a_lower_one():
    def recorded(with_lower: bool) -> list[bytes]:
        encoder = PictureEncoder(640, 360, 25, 500_000, lambda: 0)
        tier = LowerTier(25, lambda _packet: None, untroubled)
        if with_lower:
            tier.want(500_000)
        made = []
        for index, frame in enumerate(frames(30)):
            tier.feed(frame)
            tier.request_keyframe()
            made += [packet.data for packet in encoder.encode(frame.picture, index * 40_000_000)]
            time.sleep(0.005)
        tier.close()
        return made

    assert recorded(with_lower=True) == recorded(with_lower=False)


def test_the_ceiling_lets_the_bitrate_rise_again():
    encoder = PictureEncoder(320, 180, 25, 100_000, ceiling_bps=400_000)
    encoder.bitrate_bps = 350_000
    assert encoder.bitrate_bps == 350_000
    assert isinstance(encoder.encode(frames(1, 320, 180)[0].picture, 0)[0], VideoPacket)


def test_a_tier_that_cannot_be_made_says_so_once_and_is_tried_again_a_little_later():
    told: list[str] = []
    packets: list[VideoPacket] = []
    now_ns = 0
    tier = LowerTier(25, packets.append, told.append, lambda: now_ns)
    tier.want(500_000)
    for _ in range(5):
        tier.feed(Frame(av.VideoFrame(16, 1, "yuv420p"), 0))  # no encoder takes half a line
        time.sleep(0.02)
    wait(lambda: told)
    assert len(told) == 1
    assert "cannot be made" in told[0]
    (good,) = frames(1)
    tier.feed(good)
    time.sleep(0.1)
    assert packets == []
    now_ns = round((RETRY_S + 0.1) * 1e9)
    tier.feed(good)
    wait(lambda: packets)
    tier.close()
    assert len(told) == 1
