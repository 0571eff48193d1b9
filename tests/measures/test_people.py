import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.people import (
    BoardSample,
    Sample,
    SeatMinute,
    board_track,
    counts_by_minute,
    people_count,
    rate,
    seat_occupancy,
    typical_count,
)


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


def test_a_rate_is_told_only_of_enough_people():
    assert rate(18, 24, 30).share == pytest.approx(0.75)
    assert rate(18, 23, 30).share is None, "under 80 % assessed"
    assert rate(3, 4, 4).share is None, "under five people"
    assert rate(0, 5, 5).share == 0.0


def test_a_rate_of_nobody_is_unknown_and_a_missed_person_does_not_exceed_all():
    assert rate(0, 0, 0).share is None
    assert rate(6, 6, 5).coverage == 1.0


@pytest.mark.parametrize("count,assessed,present", [(6, 5, 5), (-1, 5, 5), (1, 5, -1)])
def test_a_rate_that_cannot_be_is_refused(count: int, assessed: int, present: int):
    with pytest.raises(ValueError, match="assessed"):
        rate(count, assessed, present)


def seats(start_s: float, known: int, *shares: float | None) -> SeatMinute:
    grid = None if None in shares else (shares,)
    return SeatMinute(start_s, 60.0, known, grid)


def test_seats_are_averaged_by_what_was_seen_of_each_minute():
    found = seat_occupancy([seats(0, 60, 1.0, 0.0), seats(60, 40, 0.5, 0.5)], 0, 120)
    assert found.shares is not None
    assert found.shares[0] == pytest.approx((0.8, 0.2))
    assert found.coverage == pytest.approx(100 / 120)


def test_seats_of_a_dark_lesson_are_unknown():
    found = seat_occupancy([seats(0, 60, 1.0), seats(60, 0, None), seats(120, 10, None)], 0, 180)
    assert (found.shares, found.coverage) == (None, pytest.approx(1 / 3))
    assert seat_occupancy([], 0, 0).shares is None


def test_grids_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="not of one size"):
        seat_occupancy([seats(0, 60, 1.0), seats(60, 60, 1.0, 0.0)], 0, 120)


def looks(positions: list[float | str | None], step: float = 4.0) -> list[BoardSample]:
    """A look each 4 s: a position, None for nobody, "dark" for unknown."""
    return [
        BoardSample(at * step, None, None)
        if isinstance(one, str)
        else BoardSample(at * step, int(one is not None), one)
        for at, one in enumerate(positions)
    ]


def test_who_walks_along_the_board_travels_and_makes_no_patrol():
    track = board_track(looks([0.1, 0.3, 0.5, 0.7, 0.9, 0.5]), 0, 24)
    assert track.share == 1.0
    assert track.middle == pytest.approx(0.5)
    assert track.travelled == pytest.approx(1.2)
    assert track.spread == pytest.approx(0.6)
    assert (track.patrols, track.patrol_s) == (0, 0.0)


def test_a_patrol_is_an_absence_between_two_times_at_the_board():
    track = board_track(looks([0.5, 0.5, None, None, None, 0.6, 0.5, None, 0.5, None, None, None]), 0, 48)
    # away from 4 s to 20 s; away from 24 s to 32 s is too short; the last one does not come back
    assert (track.patrols, track.patrol_s) == (1, 16.0)
    assert track.share == pytest.approx(5 / 12)
    assert track.travelled == pytest.approx(0.1)


def test_a_hole_in_the_looks_is_no_patrol_and_no_way():
    before, after = looks([0.1] * 5), [BoardSample(100 + 4 * at, 1, 0.9) for at in range(20)]
    track = board_track(before + after, 0, 100 + 80)
    assert track.patrols is None, "too little was seen of the whole"
    track = board_track(looks([0.5, None, "dark", "dark", None, 0.5] + [0.5] * 14), 0, 80)
    assert track.patrols == 0, "nobody knows whether they were there in the dark"


def test_a_board_where_nobody_stood_has_a_share_and_no_position():
    track = board_track(looks([None] * 10), 0, 40)
    assert (track.share, track.middle, track.spread, track.patrols) == (0.0, None, None, 0)


def test_a_board_that_was_not_seen_is_unknown():
    track = board_track(looks(["dark"] * 10), 0, 40)
    assert (track.share, track.coverage) == (None, 0.0)
    assert board_track([], 0, 0).share is None
    with pytest.raises(ValueError, match="cannot follow"):
        board_track([], 0, 10, 0.0)
