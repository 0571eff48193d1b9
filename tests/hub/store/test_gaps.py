from hypothesis import given
from hypothesis import strategies as st

from hub.store.gaps import without


@given(st.integers(1, 20), st.integers(0, 20), st.sets(st.integers(1, 50)))
def test_what_is_left_of_a_gap_is_exactly_what_did_not_come(first, length, came):
    span = (first, first + length)
    left = without([span], came)
    assert [seq for a, b in left for seq in range(a, b + 1)] == sorted(set(range(first, first + length + 1)) - came)
    assert all(a <= b for a, b in left)
