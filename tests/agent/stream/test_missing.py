import itertools

import pytest

from agent.stream.missing import (
    REORDER_MAX_MS,
    RETRY_MIN_MS,
    TRIP_GUESS_MS,
    ArrivalJitter,
    Missing,
)


def test_what_a_repetition_takes_is_guessed_then_told_then_measured():
    told: list[float | None] = [None]
    missing = Missing(1000, lambda: told[0])
    assert missing.trip_ms == TRIP_GUESS_MS
    told[0] = 30.0
    assert missing.trip_ms == 30
    missing.gap(1, 2, 0)
    assert missing.due(0) == [1]
    assert missing.came(1, 80)
    assert missing.trip_ms == 80
    assert len(missing) == 0


def test_a_packet_that_comes_unasked_was_overtaken_and_the_next_gap_waits_for_as_long():
    missing = Missing(1000)
    missing.gap(1, 2, 0)
    assert not missing.came(1, 12)
    missing.gap(5, 6, 100)
    assert missing.due(110) == []
    assert missing.due(112) == [5]
    missing.gap(8, 9, 200)
    missing.came(8, 900)
    assert missing.reorder_ms <= REORDER_MAX_MS


def test_requests_are_repeated_until_the_packet_is_of_no_use():
    missing = Missing(300, lambda: 10.0)
    missing.gap(1, 3, 0)
    asked = [(now, one) for now in range(0, 1000, 5) for one in missing.due(now)]
    assert asked[:2] == [(0, 1), (0, 2)]
    assert {one for _, one in asked} == {1, 2}
    times = [now for now, one in asked if one == 1]
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= RETRY_MIN_MS
    assert times[-1] <= 300


def test_what_is_dropped_or_forgotten_is_not_asked_for():
    missing = Missing(1000)
    missing.gap(1, 6, 0)
    missing.drop(5)
    missing.forget_before(3)
    assert missing.due(0) == [3, 4]
    assert missing.since_ms(2) is None
    assert missing.since_ms(3) == 0
    missing.forget_before(10)
    assert len(missing) == 0
    assert missing.due(5000) == []


def test_answers_that_come_all_at_once_too_soon_change_what_a_trip_is_thought_to_take():
    missing = Missing(10_000)
    missing.gap(0, 1, 0)
    missing.due(0)
    missing.came(0, 400)
    assert missing.trip_ms == 400
    now = 1000.0
    for sequence in range(1, 40):
        missing.gap(sequence, sequence + 1, now)
        now += 50
        missing.due(now)
        now += 30
        missing.came(sequence, now)
    assert missing.trip_ms == pytest.approx(30, abs=10)


def test_even_arrivals_have_no_jitter_and_a_long_pause_counts_as_one_second_at_most():
    jitter = ArrivalJitter(90)
    for number in range(100):
        jitter.add(number * 3600 + 0xFFFF_0000 & 0xFFFF_FFFF, number * 40.0)
    assert jitter.ms == 0
    jitter.add(100 * 3600 + 0xFFFF_0000 & 0xFFFF_FFFF, 60_000)
    assert jitter.ms <= 1000 / 16
