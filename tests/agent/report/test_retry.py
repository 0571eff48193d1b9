"""How a fleet comes back: not all at once, the rooms with a lesson first, the refused seldom."""

import random

from agent.report.retry import URGENT_S, Retry


def waits(retry: Retry, count: int, *, refused: bool = False, urgent: bool = False) -> list[float]:
    found = []
    for _ in range(count):
        retry.failed(refused=refused)
        found.append(retry.wait_s(urgent=urgent))
    return found


def test_waits_grow_to_the_cap_and_no_further():
    many = [waits(Retry(60.0, random.Random(seed)), 30) for seed in range(200)]
    assert max(one[0] for one in many) <= 8.0
    assert 30.0 < max(max(one) for one in many) <= 60.0


def test_a_district_that_lost_its_hub_comes_back_spread_over_the_whole_wait():
    lost = []
    for seed in range(2000):
        retry = Retry(60.0, random.Random(seed))
        for _ in range(8):
            retry.failed(refused=False)
        lost.append(retry.wait_s(urgent=False))
    in_each = [sum(1 for one in lost if 6 * n <= one < 6 * (n + 1)) for n in range(10)]
    assert min(in_each) > 100


def test_rooms_with_a_lesson_come_first():
    retry = Retry(60.0, random.Random(1))
    assert max(waits(retry, 50, urgent=True)) <= URGENT_S


def test_who_is_refused_tries_with_long_pauses_and_never_stops():
    found = waits(Retry(60.0, random.Random(1)), 40, refused=True)
    assert min(found) >= 30.0
    assert min(found[10:]) >= 300.0
    assert max(found) <= 600.0
    assert max(waits(Retry(60.0, random.Random(1)), 40, refused=True, urgent=True)) <= 30.0


def test_a_refusal_that_ends_is_forgotten():
    retry = Retry(60.0, random.Random(1))
    waits(retry, 10, refused=True)
    retry.lost(held_s=3600)
    assert retry.wait_s(urgent=False) <= 4.0


def test_a_connection_that_never_lasts_is_not_taken_for_success():
    retry = Retry(60.0, random.Random(1))
    for _ in range(12):
        retry.lost(held_s=0.2)
    assert max(retry.wait_s(urgent=False) for _ in range(50)) > 30.0
