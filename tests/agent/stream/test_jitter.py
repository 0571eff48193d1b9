import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.encode import h264
from agent.stream.jitter import KEYFRAME_GAP_MS, NACK_TRIES, SOUND_WAIT_MS, WAIT_MS, Packet, PictureJitter, SoundJitter

SPS = bytes([h264.NAL_SPS | 0x60, 1, 2])
SLICE = bytes([0x41, 1, 2])


def picture(first: int, count: int, timestamp: int, key: bool = False) -> list[Packet]:
    return [
        Packet((first + i) & 0xFFFF, timestamp, i == count - 1, SPS if key and i == 0 else SLICE) for i in range(count)
    ]


def stream(pictures: int, first: int = 65_530) -> list[Packet]:
    packets: list[Packet] = []
    for index in range(pictures):
        packets += picture(first + len(packets), 3, index * 3600, key=index == 0)
    return packets


def test_a_picture_is_released_at_its_marker_bit():
    jitter = PictureJitter()
    *most, last = picture(10, 3, 0, key=True)
    assert [jitter.add(packet, 0) for packet in most] == [[], []]
    (done,) = jitter.add(last, 0)
    assert done.keyframe
    assert len(done.payloads) == 3


def test_nothing_comes_before_the_first_keyframe():
    jitter = PictureJitter()
    for packet in picture(0, 3, 0):
        assert jitter.add(packet, 0) == []
    assert jitter.keyframe_due(0)
    assert not jitter.keyframe_due(KEYFRAME_GAP_MS - 1)
    assert jitter.keyframe_due(KEYFRAME_GAP_MS)


@given(st.integers(0, 2**32), st.integers(1, 6))
def test_any_order_within_a_few_packets_gives_every_picture_once_and_in_order(seed, reach):
    rng = random.Random(seed)
    head, *packets = stream(30)
    for at in range(0, len(packets) - reach, reach):
        window = packets[at : at + reach]
        rng.shuffle(window)
        packets[at : at + reach] = window
    jitter = PictureJitter()
    seen = [done.timestamp for packet in [head, *packets, *packets] for done in jitter.add(packet, 0)]
    assert seen == [index * 3600 for index in range(30)]


def test_a_missing_packet_is_asked_for_again_and_again_but_not_for_ever():
    jitter = PictureJitter()
    packets = stream(3, first=100)
    del packets[4]
    for packet in packets:
        jitter.add(packet, 0)
    asked = [jitter.nacks(now) for now in range(0, 2000, 50)]
    assert [104] in asked
    assert sum(bool(one) for one in asked) == NACK_TRIES


def test_what_cannot_be_completed_is_skipped_up_to_the_next_keyframe():
    jitter = PictureJitter()
    broken = picture(0, 3, 0, key=True) + picture(3, 3, 3600)[1:] + picture(6, 3, 7200, key=True)
    released = [done.timestamp for packet in broken for done in jitter.add(packet, 0)]
    assert released == [0]
    assert jitter.tick(WAIT_MS - 1) == []
    assert [done.timestamp for done in jitter.tick(WAIT_MS)] == [7200]


def test_without_a_keyframe_in_sight_one_is_asked_for():
    jitter = PictureJitter()
    for packet in picture(0, 3, 0, key=True) + picture(3, 3, 3600)[1:]:
        jitter.add(packet, 0)
    assert not jitter.keyframe_due(WAIT_MS)
    jitter.tick(WAIT_MS)
    assert jitter.keyframe_due(WAIT_MS)


def test_sound_waits_a_little_for_a_missing_packet_and_then_goes_on():
    jitter = SoundJitter()
    one, _, three = (Packet(i, i * 960, False, b"x") for i in range(3))
    assert jitter.add(one, 0) == [one]
    assert jitter.add(three, 20) == []
    assert jitter.tick(20 + SOUND_WAIT_MS - 1) == []
    assert jitter.tick(20 + SOUND_WAIT_MS) == [three]
    assert jitter.lost == 1


@given(st.lists(st.integers(0, 65_535), min_size=1, max_size=300))
def test_garbage_sequence_numbers_do_no_harm(sequences):
    pictures, sound = PictureJitter(), SoundJitter()
    for now, sequence in enumerate(sequences):
        packet = Packet(sequence, sequence, sequence % 3 == 0, SLICE)
        pictures.add(packet, now * 100)
        sound.add(packet, now * 100)
        pictures.tick(now * 100)
        sound.tick(now * 100)
        pictures.nacks(now * 100)


@pytest.mark.parametrize("payload", [b"", b"\x18", b"\x18\x00", b"\x1f\x00\x00"])
def test_truncated_payloads_do_no_harm(payload):
    jitter = PictureJitter()
    assert jitter.add(Packet(0, 0, True, payload), 0) == []
