from hypothesis import given
from hypothesis import strategies as st

from agent.stream.mediaclock import MediaClock, ns_to_ntp, ntp_to_ns

UNTIL_2036_NS = 2_085_978_495 * 1_000_000_000
"""Then 64-bit NTP stamps begin anew."""


@given(st.integers(0, UNTIL_2036_NS))
def test_a_stamp_says_to_the_nanosecond_when_it_was_made(unix_ns):
    assert ntp_to_ns(ns_to_ntp(unix_ns)) == unix_ns


def test_the_unix_epoch_is_seventy_years_after_the_ntp_epoch():
    assert ns_to_ntp(0) == (70 * 365 + 17) * 86_400 << 32


def test_stamps_follow_the_monotonic_clock_and_never_the_wall():
    clock = MediaClock(1_700_000_000 * 1_000_000_000)
    assert ntp_to_ns(clock.ntp(5_000)) == 1_700_000_000_000_005_000
    assert clock.ntp(1_000_000_000) - clock.ntp(0) == 1 << 32
