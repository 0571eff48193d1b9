import random

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.encode import h264
from agent.stream.jitter import (
    GAP_MAX,
    KEYFRAME_GAP_MS,
    LATE_MAX,
    LIFE_MS,
    PATIENCE_MAX_MS,
    PATIENCE_MIN_MS,
    Packet,
    PictureJitter,
)
from tests.agent.stream.lossy_link import SLICE, SPS, LossyLink, watch

IDR = bytes([h264.NAL_IDR | 0x60, 0x88, 2])


def picture(first: int, count: int, timestamp: int, key: bool = False) -> list[Packet]:
    return [
        Packet((first + i) & 0xFFFF, timestamp, i == count - 1, SPS if key and i == 0 else SLICE) for i in range(count)
    ]


def stream(pictures: int, first: int = 65_530) -> list[Packet]:
    packets: list[Packet] = []
    for index in range(pictures):
        packets += picture(first + len(packets), 3, index * 3600, key=index == 0)
    return packets


def released(jitter: PictureJitter, packets: list[Packet], now_ms: float = 0.0) -> list[int]:
    return [done.timestamp for packet in packets for done in jitter.add(packet, now_ms)]


def test_a_picture_is_released_at_its_marker_bit():
    jitter = PictureJitter()
    *most, last = picture(10, 3, 0, key=True)
    assert [jitter.add(packet, 0) for packet in most] == [[], []]
    (done,) = jitter.add(last, 0)
    assert done.keyframe
    assert len(done.payloads) == 3


def test_a_sender_without_marker_bits_is_understood_a_picture_later():
    jitter = PictureJitter()
    packets = [Packet(one.sequence, one.timestamp, False, one.payload) for one in stream(3)]
    assert released(jitter, packets) == [0, 3600]


def test_nothing_comes_before_the_first_keyframe():
    jitter = PictureJitter()
    for packet in picture(0, 3, 0):
        assert jitter.add(packet, 0) == []
    assert jitter.keyframe_due(0)
    assert not jitter.keyframe_due(KEYFRAME_GAP_MS - 1)
    assert jitter.keyframe_due(KEYFRAME_GAP_MS)


def test_a_keyframe_that_is_on_its_way_is_not_asked_for_again():
    jitter = PictureJitter()
    packets = picture(0, 40, 0, key=True)
    assert jitter.keyframe_due(0)
    for index, packet in enumerate(packets[:-1]):
        jitter.add(packet, 100.0 + 25 * index)
        assert not jitter.keyframe_due(100.0 + 25 * index)


def test_a_slow_keyframe_is_not_thrown_away_half_way():
    jitter = PictureJitter()
    packets = picture(0, 40, 0, key=True)
    seen = []
    for index, packet in enumerate(packets):
        seen += jitter.add(packet, 30.0 * index) + jitter.tick(30.0 * index)
    assert [done.timestamp for done in seen] == [0]


@given(st.integers(0, 2**32), st.integers(1, 6))
def test_any_order_within_a_few_packets_gives_every_picture_once_and_in_order(seed, reach):
    rng = random.Random(seed)
    head, *packets = stream(30)
    for at in range(0, len(packets) - reach, reach):
        window = packets[at : at + reach]
        rng.shuffle(window)
        packets[at : at + reach] = window
    assert released(PictureJitter(), [head, *packets, *packets]) == [index * 3600 for index in range(30)]


def test_a_missing_packet_is_asked_for_at_once_and_again_but_not_for_ever():
    jitter = PictureJitter()
    packets = stream(3, first=100)
    del packets[4]
    for packet in packets:
        jitter.add(packet, 0)
    assert jitter.nacks(0) == [104]
    asked = [now for now in range(1, 5000, 5) if jitter.nacks(now) == [104]]
    assert 10 < len(asked) < 50
    assert max(asked) <= LIFE_MS


def test_requests_are_repeated_after_a_round_trip_not_before():
    slow = PictureJitter(lambda: 200.0)
    packets = stream(3, first=100)
    del packets[4]
    for packet in packets:
        slow.add(packet, 0)
    assert [now for now in range(0, 260, 10) if slow.nacks(now)] == [0, 240]


def test_packets_that_overtake_each_other_are_not_asked_for_at_once():
    jitter = PictureJitter()
    packets = stream(40, first=0)
    asked = []
    now = 0.0
    for at in range(1, len(packets) - 1, 2):
        # Each pair comes in the wrong order, 3 ms apart.
        for packet in (packets[at + 1], packets[at]):
            now += 3
            jitter.add(packet, now)
            asked += jitter.nacks(now)
        if at == 1:
            jitter.add(packets[0], now)
    assert len(asked) <= 3


def test_a_keyframe_beyond_what_is_missing_is_jumped_to_after_a_while():
    jitter = PictureJitter()
    broken = picture(0, 3, 0, key=True) + picture(3, 3, 3600)[1:] + picture(6, 3, 7200, key=True)
    assert released(jitter, broken) == [0]
    assert jitter.tick(PATIENCE_MIN_MS - 1) == []
    assert [done.timestamp for done in jitter.tick(PATIENCE_MIN_MS)] == [7200]
    assert jitter.skipped == 1


def test_without_a_keyframe_in_sight_one_is_asked_for_and_the_packet_is_still_welcome():
    jitter = PictureJitter()
    delta = picture(3, 3, 3600)
    released(jitter, picture(0, 3, 0, key=True) + delta[1:])
    assert not jitter.keyframe_due(PATIENCE_MIN_MS - 1)
    assert jitter.keyframe_due(PATIENCE_MIN_MS)
    assert jitter.tick(PATIENCE_MIN_MS) == []
    assert [done.timestamp for done in jitter.add(delta[0], PATIENCE_MIN_MS + 50)] == [3600]
    assert jitter.skipped == 0


def test_what_never_comes_is_given_up_and_the_next_keyframe_shown_at_once():
    jitter = PictureJitter()
    released(jitter, picture(0, 3, 0, key=True) + picture(3, 3, 3600)[1:])
    assert jitter.tick(LIFE_MS) == []
    assert jitter.keyframe_due(LIFE_MS)
    assert released(jitter, picture(6, 3, 7200), LIFE_MS) == []
    assert released(jitter, picture(9, 3, 10_800, key=True), LIFE_MS) == [10_800]


def test_half_a_keyframe_is_not_shown():
    jitter = PictureJitter()
    packets = [Packet(one.sequence, one.timestamp, one.marker, IDR) for one in picture(1, 5, 0)]
    # The first packet that comes is in the middle of a keyframe of several slices.
    assert released(jitter, packets) == []


AUD_SPS_PPS = b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in (b"\x09\x10", SPS, b"\x68\xce"))


def test_parameter_sets_are_found_behind_a_delimiter_in_the_same_packet():
    jitter = PictureJitter()
    packets = [Packet(0, 0, False, AUD_SPS_PPS), Packet(1, 0, True, IDR)]
    assert released(jitter, packets) == [0]


def sliced(count: int, side: int, noise: int) -> list[list[bytes]]:
    """The NAL units of pictures of four slices each, every one a keyframe, as x264 makes them."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.framerate = side, side, "yuv420p", 25
    slices = "slices=4:sliced-threads=0:keyint=1:sei=0"
    encoder.options = {"tune": "zerolatency", "threads": "1", "x264-params": slices}
    grey = np.random.default_rng(1)
    made = []
    for index in range(count):
        pixels = grey.integers(100 - noise, 101 + noise, (side * 3 // 2, side)).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
        frame.pts = index
        made += [h264.nal_units(bytes(packet)) for packet in encoder.encode(frame)]
    return [[unit for unit in units if h264.nal_type(unit) != h264.NAL_SEI] for units in made]


def numbered(pictures: list[list[bytes]]) -> list[list[Packet]]:
    """Each picture's packets; numbers go on from one to the next."""
    out: list[list[Packet]] = []
    for index, units in enumerate(pictures):
        parts = h264.payloads(units)
        first = sum(len(packets) for packets in out)
        out.append([Packet(first + at, index * 3600, at == len(parts) - 1, part) for at, part in enumerate(parts)])
    return out


AGGREGATED, SINGLE, FRAGMENTED = (64, 0), (64, 100), (256, 100)


@pytest.mark.parametrize("parameters", [True, False], ids=["with parameter sets", "slices alone"])
@pytest.mark.parametrize(
    ("side", "noise", "kinds"),
    [(*AGGREGATED, {24}), (*SINGLE, {24, 5}), (*FRAGMENTED, {24, 28})],
    ids=["STAP-A", "single NAL units", "FU-A"],
)
def test_a_keyframe_without_its_first_slice_is_not_taken_for_whole(side, noise, kinds, parameters):
    whole, damaged, again = sliced(3, side, noise)
    slices = [unit for unit in damaged if h264.nal_type(unit) == h264.NAL_IDR]
    assert [h264.is_first_slice(unit[:2]) for unit in slices] == [True, False, False, False]
    sets = damaged[:-4] if parameters else []
    # The sender, or something on the way, dropped the first slice before the packets got their numbers.
    first, broken, last = numbered([whole, sets + slices[1:], again])
    assert {packet.payload[0] & 0x1F for packet in first} == kinds
    jitter = PictureJitter()
    assert released(jitter, first) == [0]
    jitter.require_keyframe()
    assert released(jitter, broken, 500) == []
    assert jitter.keyframe_due(500)
    (shown,) = [done for packet in last for done in jitter.add(packet, 600)]
    assert shown.keyframe
    decoder = av.CodecContext.create("h264", "r")
    decoder.options = {"flags": "low_delay"}
    assert len(decoder.decode(av.Packet(h264.annexb(shown.payloads)))) == 1


@pytest.mark.parametrize(("side", "noise"), [SINGLE, FRAGMENTED], ids=["single NAL units", "FU-A"])
def test_whatever_packet_of_the_first_keyframe_is_lost_nothing_comes_before_the_next_one(side, noise):
    pictures = numbered(sliced(2, side, noise))
    for lost in range(len(pictures[0])):
        jitter = PictureJitter()
        assert released(jitter, [packet for at, packet in enumerate(pictures[0]) if at != lost]) == []
        shown = released(jitter, pictures[1], 100)
        shown += [done.timestamp for done in jitter.tick(PATIENCE_MAX_MS)]
        assert shown == [3600]


def test_a_long_outage_is_not_asked_for_packet_by_packet():
    jitter = PictureJitter()
    released(jitter, stream(2, first=0))
    assert released(jitter, picture(6 + GAP_MAX + 1, 3, 90_000), 5000) == []
    assert jitter.nacks(5000) == []
    assert jitter.keyframe_due(5000)
    assert released(jitter, picture(6 + GAP_MAX + 4, 3, 93_600, key=True), 5100) == [93_600]


def test_a_sender_that_begins_to_count_anew_is_seen_again():
    jitter = PictureJitter()
    released(jitter, stream(4, first=30_000))
    anew = stream(LATE_MAX, first=5)
    anew += picture(5 + len(anew), 3, 7, key=True)
    assert released(jitter, anew)[-1] == 7


@pytest.mark.parametrize(("loss", "most_frozen"), [(0.01, 0.001), (0.05, 0.01), (0.1, 0.03)])
def test_random_loss_both_ways_hardly_freezes_the_pictures(loss, most_frozen):
    runs = [watch(LossyLink(seed=seed, loss=loss), seconds=60) for seed in range(3)]
    assert sum(run.frozen_share for run in runs) / len(runs) <= most_frozen
    assert max(run.longest_ms for run in runs) < 500
    assert min(run.pictures for run in runs) > 1480
    assert max(run.keyframes_asked for run in runs) <= 10


def test_bursts_of_loss_hardly_freeze_the_pictures():
    run = watch(LossyLink(seed=3, loss=0.02, burst=0.7), seconds=60)
    assert run.frozen_share < 0.02


def test_jitter_without_loss_freezes_nothing():
    run = watch(LossyLink(seed=4, loss=0.0, jitter_ms=15), seconds=30)
    assert run.frozen_share == 0
    assert run.sent_again < 0.1 * 9 * 25 * 30


@pytest.mark.parametrize("one_way_ms", [1.0, 80.0, 200.0])
def test_any_round_trip_keeps_the_requests_few_and_the_queue_bounded(one_way_ms):
    run = watch(LossyLink(seed=5, loss=0.05, one_way_ms=one_way_ms), seconds=30)
    lost = 0.05 * 9 * 25 * 30
    assert run.sent_again < 3 * lost
    assert run.longest_queue < 500


@given(st.lists(st.integers(0, 65_535), min_size=1, max_size=300))
def test_garbage_sequence_numbers_do_no_harm(sequences):
    jitter = PictureJitter()
    for now, sequence in enumerate(sequences):
        jitter.add(Packet(sequence, sequence, sequence % 3 == 0, SLICE), now * 100)
        jitter.tick(now * 100)
        asked = jitter.nacks(now * 100)
        assert len(asked) == len(set(asked)) <= (now + 1) * GAP_MAX
        assert not set(asked) & set(sequences[max(0, now - 1) : now + 1]), "asked for what has just come"
        assert len(jitter._held) <= now


@pytest.mark.parametrize("payload", [b"", b"\x18", b"\x18\x00", b"\x1f\x00\x00"])
def test_truncated_payloads_do_no_harm(payload):
    jitter = PictureJitter()
    assert jitter.add(Packet(0, 0, True, payload), 0) == []
