from hypothesis import given
from hypothesis import strategies as st

from agent.stream.figures import Latencies


def test_before_the_first_picture_there_is_no_age():
    assert Latencies().percentiles(0.5) is None


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=200), st.floats(0, 1))
def test_a_percentile_is_the_age_at_that_place_in_order(ages, share):
    latencies = Latencies()
    for age in ages:
        latencies.add(float(age))
    expected = sorted(ages)[min(len(ages) - 1, int(len(ages) * share))]
    assert latencies.percentiles(share) == (expected,)


def test_ages_are_told_in_tenths_of_a_millisecond():
    latencies = Latencies()
    latencies.add(12.34)
    assert latencies.percentiles(0.0, 1.0) == (12.3, 12.3)
