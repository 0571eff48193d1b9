import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.people import Sample, counts_by_minute, people_count, typical_count


def samples(counts: list[int | None], start: float = 0.0, step: float = 1.0) -> list[Sample]:
    return [Sample(start + at * step, count) for at, count in enumerate(counts)]


def test_the_median_of_a_minute_ignores_single_pictures_that_miss_faces():
    count = people_count(samples([30] * 50 + [12] * 10), 60.0)
    assert (count.median, count.known, count.interval_s) == (30.0, True, 1.0)


def test_with_too_few_known_samples_the_count_is_unknown():
    count = people_count(samples([30] * 40 + [None] * 20), 60.0)
    assert count.median is None
    assert not count.known
    assert count.coverage == pytest.approx(40 / 60)


def test_nothing_sampled_is_unknown_and_an_empty_room_is_zero():
    assert people_count([], 60.0).median is None
    assert people_count(samples([0] * 60), 60.0).median == 0.0


def test_a_stretch_too_short_for_five_samples_needs_all_of_it():
    assert people_count(samples([4, 4, 4]), 3.0).known
    assert not people_count(samples([4, None, 4]), 3.0).known


def test_a_lesson_is_known_only_if_most_of_its_minutes_are():
    seen = samples([20] * 120 + [None] * 60)
    assert [count.median for count in counts_by_minute(seen, 0.0, 180.0)] == [20.0, 20.0, None]
    assert not typical_count(seen, 0.0, 180.0).known
    assert typical_count(seen, 0.0, 120.0).median == 20.0


def test_an_interval_of_nothing_is_refused():
    with pytest.raises(ValueError, match="cannot count"):
        people_count([], 60.0, 0.0)


@given(st.lists(st.integers(0, 60), min_size=60, max_size=60))
def test_a_known_count_lies_between_the_least_and_the_most_seen(counts: list[int]):
    median = people_count(samples(counts), 60.0).median
    assert median is not None
    assert min(counts) <= median <= max(counts)
