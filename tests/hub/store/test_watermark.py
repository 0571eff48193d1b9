from hypothesis import given
from hypothesis import strategies as st

from hub.store.watermark import Mark


@given(st.permutations(range(1, 13)), st.lists(st.integers(1, 12), max_size=20))
def test_whatever_the_order_the_watermark_ends_at_the_last_row(order, again):
    mark = Mark()
    for seq in [*order, *again]:
        mark.add(seq)
    assert mark.upto == 12
    assert not mark.beyond


@given(st.lists(st.integers(1, 30), max_size=60))
def test_the_watermark_never_passes_a_row_that_is_not_stored(arrivals):
    mark = Mark()
    stored = set()
    for seq in arrivals:
        mark.add(seq)
        stored.add(seq)
        assert set(range(1, mark.upto + 1)) <= stored
        assert mark.upto + 1 not in stored
        assert all(mark.holds(one) for one in stored)


@given(st.lists(st.integers(1, 30), max_size=40), st.integers(1, 40))
def test_declaring_moves_the_watermark_only_over_holes_it_names(arrivals, kept):
    mark = Mark()
    for seq in arrivals:
        mark.add(seq)
    holes = mark.declare(kept)
    lost = {seq for start, end in holes for seq in range(start, end + 1)}
    assert lost == set(range(1, kept)) - set(arrivals)
    assert mark.upto >= kept - 1
    assert set(range(1, mark.upto + 1)) <= set(arrivals) | lost
    assert mark.declare(kept) == []


def test_only_a_device_that_was_told_of_more_than_is_here_is_asked_again():
    mark = Mark(5, {7})
    assert not mark.lacks(3)
    assert not mark.lacks(6)
    assert mark.lacks(7)
