import itertools
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.store.buckets import Bucket, Key, Sample, Times, numbers, summed

NOON = 1_700_000_000 // 3600 * 3600


def sample(mono_s, *, received=None, wall=None, boot="b", device="dev-1", data=None):
    received = NOON + mono_s if received is None else received
    wall = received if wall is None else wall
    return Sample(1, device, "health", boot, round(mono_s * 1e9), wall, received, json.dumps(data or {}))


def test_a_row_is_counted_in_its_minute_and_in_its_hour():
    found = summed([sample(5, data={"cpu": 0.25}), sample(65, data={"cpu": 0.75}), sample(70, data={})])
    assert {key: bucket.rows for key, bucket in found.items()} == {
        Key("minute", "dev-1", "health", NOON): 1,
        Key("minute", "dev-1", "health", NOON + 60): 2,
        Key("hour", "dev-1", "health", NOON): 3,
    }
    assert found[Key("hour", "dev-1", "health", NOON)].numbers == {"cpu": [0.25, 0.75, 1.0, 2]}


def test_numbers_are_found_by_name_however_deep_and_nothing_else_is():
    data = {"cpu": 1, "clock": {"offset_ns": -5.5, "far": {"too": {"deep": 1, "so": {"gone": 2}}}}, "ok": True}
    other = {"list": [1, 2], "text": "7", "none": None, "huge": 10**400, "n" * 65: 1, "": 3}
    assert numbers(json.dumps(data | other)) == {"cpu": 1, "clock.offset_ns": -5.5, "clock.far.too.deep": 1, "ok": 1}


def test_a_row_with_endless_numbers_keeps_the_first_ones():
    bucket = Bucket()
    bucket.add(numbers(json.dumps({f"n{index}": index for index in range(500)})))
    assert len(bucket.numbers) == 64


measure = st.floats(-1e9, 1e9)


@given(st.lists(measure, min_size=1), st.lists(measure))
def test_sums_can_be_made_in_pieces(some, others):
    whole, left, right = Bucket(), Bucket(), Bucket()
    for value in some + others:
        whole.add({"x": value})
    for bucket, values in ((left, some), (right, others)):
        for value in values:
            bucket.add({"x": value})
    left.merge(Bucket.from_json(right.rows, right.to_json()))
    assert left.rows == whole.rows
    low, high, total, count = left.numbers["x"]
    assert (low, high, count) == (min(some + others), max(some + others), len(some + others))
    assert math.isclose(total, sum(some + others), rel_tol=1e-9, abs_tol=1e-3)


def placed(*samples):
    times = Times(samples)
    return [round(times.of(one) - NOON, 3) for one in samples]


@pytest.mark.parametrize("wrong", [-NOON, -3 * 3600.0, 86_400.0, 0.0])
def test_rows_that_come_as_they_happen_are_placed_by_the_monotonic_clock_whatever_the_wall_clock_says(wrong):
    live = [sample(mono, wall=NOON + mono + wrong) for mono in range(0, 60, 5)]
    assert placed(*live) == list(range(0, 60, 5))


def test_rows_that_waited_are_placed_where_their_wall_clock_says():
    waited = [sample(mono, wall=NOON - 7200 + mono, received=NOON + 1 + mono / 1000) for mono in range(0, 600, 60)]
    assert placed(*waited) == [mono - 7200 for mono in range(0, 600, 60)]


def test_rows_that_waited_and_cannot_be_as_old_as_they_say_keep_their_distances():
    waited = [sample(mono, wall=mono, received=NOON + 600 + mono / 1000) for mono in range(0, 600, 60)]
    times = placed(*waited)
    assert [b - a for a, b in itertools.pairwise(times)] == pytest.approx([60] * 9)
    assert times[-1] <= 601


def test_rows_that_had_waited_and_live_ones_after_them_all_find_their_place():
    waited = [sample(mono, wall=NOON + mono, received=NOON + 3600 + mono / 1000) for mono in range(0, 3600, 300)]
    live = [sample(3600 + mono) for mono in range(0, 60, 5)]
    assert placed(*waited, *live) == [*range(0, 3600, 300), *range(3600, 3660, 5)]


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e6, 2e9), st.floats(0, 1e6)), min_size=1, max_size=30))
def test_nothing_happens_after_it_arrived(rows):
    samples = [sample(mono, wall=wall, received=NOON + at) for mono, wall, at in rows]
    times = Times(samples)
    assert all(times.of(one) <= one.received + 1e-3 for one in samples)
