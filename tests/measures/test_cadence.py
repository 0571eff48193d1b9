import pytest

from measures.cadence import Cadence
from measures.people import Sample, typical_count


def test_before_it_was_told_the_first_cadence_holds_and_without_any_the_default():
    assert Cadence.told([(5.0, 2.0)], 1.0).interval_s(0.0, 4.0) == 2.0
    assert Cadence.told([], 1.0).interval_s(0.0, 60.0) == 1.0


def test_over_a_change_the_interval_is_length_by_looks_due():
    slowed = Cadence.told([(30.0, 4.0), (0.0, 1.0)], 1.0)
    assert slowed.interval_s(0.0, 30.0) == 1.0
    assert slowed.interval_s(30.0, 60.0) == 4.0
    assert slowed.interval_s(0.0, 60.0) == pytest.approx(60 / (30 + 7.5))


def test_a_room_that_was_looked_at_less_often_for_a_while_is_known_all_the_same():
    slowed = Cadence.told([(0.0, 1.0), (90.0, 4.0), (150.0, 1.0)], 1.0)
    at = [*range(90), *range(90, 150, 4), *range(150, 240)]
    samples = [Sample(float(t), 30) for t in at]
    count = typical_count(samples, 0.0, 240.0, slowed)
    assert (count.median, count.coverage) == (30.0, pytest.approx(1.0, abs=0.02))
    assert typical_count(samples, 0.0, 240.0, 1.0).coverage < 0.9, "the same, held against the usual cadence"
    half = [one for number, one in enumerate(samples) if number % 2]
    assert not typical_count(half, 0.0, 240.0, slowed).known
