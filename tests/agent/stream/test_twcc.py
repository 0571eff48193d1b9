import random
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.stream.twcc import (
    REFERENCE_WRAP_US,
    TICK_US,
    Feedback,
    FeedbackBuilder,
    parse_feedback,
    take_feedback,
)

FIXTURES = Path(__file__).parent / "fixtures"


def fixture(name: str) -> bytes:
    return bytes.fromhex((FIXTURES / name).read_text().split("#")[0])


def build(arrivals: list[tuple[int, int]], now_us: int | None = None) -> list[Feedback]:
    builder = FeedbackBuilder()
    for sequence, at_us in arrivals:
        builder.arrived(sequence & 0xFFFF, at_us)
    built = builder.build(1, 2, now_us if now_us is not None else max(at for _, at in arrivals))
    assert all(len(packet) <= 1200 and len(packet) % 4 == 0 for packet in built)
    return [parse_feedback(packet) for packet in built]


def quantised(at_us: int) -> int:
    return at_us // TICK_US * TICK_US % REFERENCE_WRAP_US


@given(
    begin=st.integers(0, 0xFFFF),
    start_us=st.integers(0, 1 << 44),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 200_000)), min_size=1, max_size=600),
    seed=st.integers(0, 1 << 32),
    reordering=st.integers(0, 20),
)
@settings(max_examples=150, deadline=None)
def test_what_arrived_is_read_back_whatever_was_lost_or_reordered(begin, start_us, steps, seed, reordering):
    dice = random.Random(seed)
    sent, at_us = [], start_us
    for offset, (kept, step_us) in enumerate(steps):
        at_us += step_us
        if kept:
            sent.append((begin + offset, at_us))
    if not sent:
        return
    order = sorted(sent, key=lambda one: one[0] + dice.uniform(0, reordering))
    arrivals = [(sequence, at) for (sequence, _), at in zip(order, sorted(at for _, at in order), strict=True)]
    read = {}
    for feedback in build(arrivals):
        for sequence, at in feedback.packets:
            assert sequence not in read
            read[sequence] = at
    arrived = {sequence & 0xFFFF: at for sequence, at in arrivals}
    assert {sequence for sequence, at in read.items() if at is not None} == set(arrived)
    for sequence, at in arrived.items():
        assert (read[sequence] - quantised(at)) % REFERENCE_WRAP_US == 0
    lowest, highest = min(one for one, _ in arrivals), max(one for one, _ in arrivals)
    assert len(read) == highest - lowest + 1


@given(st.binary(max_size=200))
@settings(max_examples=500)
def test_garbage_is_refused_in_words_and_never_otherwise(data):
    for read in (parse_feedback, take_feedback):
        try:
            read(data)
        except ValueError as error:
            assert str(error).endswith(".")


@given(st.binary(max_size=64), st.integers(0, 3))
@settings(max_examples=500)
def test_garbage_behind_a_true_header_is_refused_in_words(body, padding):
    body += bytes(-len(body) % 4)
    data = struct.pack("!BBH", 0x8F | (0x20 if padding == 0 else 0), 205, len(body) // 4) + body
    try:
        feedback = parse_feedback(data)
    except ValueError as error:
        assert str(error).endswith(".")
    else:
        assert 0 < len(feedback.packets) <= 0x7FFF


@pytest.mark.parametrize("length", range(44))
def test_a_feedback_cut_off_anywhere_is_refused(length):
    whole = fixture("twcc_losses.hex")
    assert len(whole) == 44
    with pytest.raises(ValueError):
        parse_feedback(whole[:length])


def test_a_feedback_with_losses_and_large_steps_is_read_as_written_by_hand():
    feedback = parse_feedback(fixture("twcc_losses.hex"))
    assert (feedback.sender_ssrc, feedback.media_ssrc, feedback.count) == (0x11223344, 0x55667788, 7)
    origin = 5 * 64_000
    assert feedback.packets == [
        (65534, origin + 4 * 250),
        (65535, None),
        (0, origin + 14 * 250),
        (1, origin + 14 * 250 + 1000 * 250),
        (2, origin + 1012 * 250),
        (3, None),
        (4, origin + 1013 * 250),
        *[(sequence, origin + (1009 + sequence) * 250) for sequence in range(5, 15)],
    ]


@pytest.mark.parametrize("name", ["twcc_truncated_deltas.hex", "twcc_truncated_chunks.hex", "twcc_reserved.hex"])
def test_fixtures_that_contradict_themselves_are_refused(name):
    with pytest.raises(ValueError):
        parse_feedback(fixture(name))


def test_a_packet_that_came_late_is_reported_with_those_after_it_once_more():
    builder = FeedbackBuilder()
    for sequence in (1, 2, 4, 5):
        builder.arrived(sequence, sequence * 1000)
    (first,) = builder.build(1, 2, 50_000)
    assert parse_feedback(first).packets[2] == (3, None)
    builder.arrived(3, 52_000)
    builder.arrived(6, 53_000)
    (second,) = builder.build(1, 2, 100_000)
    packets = dict(parse_feedback(second).packets)
    assert sorted(packets) == [3, 4, 5, 6]
    assert packets[3] == 52_000
    assert packets[4] == 4_000


def test_feedback_is_due_soon_with_many_packets_and_later_with_few():
    builder = FeedbackBuilder()
    assert not builder.due(10**9)
    builder.arrived(1, 0)
    assert not builder.due(60_000)
    assert builder.due(100_000)
    builder.build(1, 2, 100_000)
    assert not builder.due(300_000)
    for sequence in range(2, 20):
        builder.arrived(sequence, 110_000)
    assert not builder.due(149_000)
    assert builder.due(150_000)


def test_feedback_packets_are_counted_and_the_count_starts_over():
    builder = FeedbackBuilder()
    counts = []
    for number in range(258):
        builder.arrived(number, number * 1000)
        counts += [parse_feedback(one).count for one in builder.build(1, 2, number * 1000)]
    assert counts == [*range(256), 0, 1]


def test_the_same_packet_twice_is_reported_once_with_its_first_arrival():
    (feedback,) = build([(7, 1000), (7, 9000)])
    assert feedback.packets == [(7, 1000)]


def test_an_outage_of_many_thousand_packets_makes_small_feedback():
    (feedback,) = build([(0, 0), (12_000, 3_000_000)])
    assert len(feedback.packets) == 12_001
    assert sum(at is None for _, at in feedback.packets) == 11_999


def test_after_a_silence_longer_than_a_delta_can_say_a_second_feedback_begins():
    first, second = build([(0, 0), (1, 60_000_000)])
    assert first.packets == [(0, 0)]
    assert second.packets == [(1, 60_000_000)]


def test_memory_stays_bounded_over_a_long_lesson():
    builder = FeedbackBuilder()
    for number in range(40_000):
        builder.arrived(number & 0xFFFF, number * 1000)
        if builder.due(number * 1000):
            builder.build(1, 2, number * 1000)
    assert len(builder._arrivals) < 1000


def test_feedback_is_taken_out_of_a_compound_and_the_rest_is_left_whole():
    whole = fixture("twcc_losses.hex")
    report = struct.pack("!BBHI", 0x80, 201, 1, 9)
    nack = struct.pack("!BBHIIHH", 0x81, 205, 3, 1, 2, 3, 4)
    found, rest = take_feedback(report + whole + nack + whole)
    assert found == [whole, whole]
    assert rest == report + nack
    with pytest.raises(ValueError):
        take_feedback(report + whole[:-4])
