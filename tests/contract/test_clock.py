import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.clock import DRIFT_BOUND_PPM, ClockMap, Exchange, mono_at, session_t

MS = 1_000_000
S = 1_000_000_000


def exchange(at: int, offset: int, there_ns: int, back_ns: int, drift_ppb: int = 0) -> Exchange:
    """An exchange begun at `at`, with another clock that is `offset` ahead and drifts."""

    def there(mono: int) -> int:
        return mono + offset + mono * drift_ppb // S

    t2 = there(at + there_ns)
    return Exchange(t1=at, t2=t2, t3=t2 + 50_000, t4=at + there_ns + 50_000 + back_ns)


@given(
    st.integers(-(10**18), 10**18),
    st.lists(st.tuples(st.integers(0, 200 * MS), st.integers(0, 200 * MS)), min_size=1, max_size=40),
)
def test_the_true_time_always_lies_within_the_stated_error(offset, ways):
    clock = ClockMap("boot")
    for index, (there_ns, back_ns) in enumerate(ways):
        clock.add(exchange(index * 2 * S, offset, there_ns, back_ns))
        now = index * 2 * S + S
        assert abs(clock.hub_ns(now) - (now + offset)) <= clock.error_ns(now) + 1


@given(st.integers(-DRIFT_BOUND_PPM * 900, DRIFT_BOUND_PPM * 900))
def test_a_drifting_clock_is_followed_within_the_stated_error(drift_ppb):
    clock = ClockMap("boot")
    for index in range(120):
        at = index * 15 * S
        clock.add(exchange(at, 5 * S, 2 * MS, 3 * MS, drift_ppb))
        now = at + 7 * S
        assert abs(clock.hub_ns(now) - (now + 5 * S + now * drift_ppb // S)) <= clock.error_ns(now) + 1


def test_the_least_round_trip_wins():
    clock = ClockMap("boot")
    clock.add(exchange(0, 0, 80 * MS, 20 * MS))
    coarse = clock.error_ns(S)
    clock.add(exchange(S, 0, 1 * MS, 1 * MS))
    assert clock.error_ns(2 * S) < coarse / 10
    clock.add(exchange(2 * S, 0, 90 * MS, 10 * MS))
    assert abs(clock.hub_ns(3 * S) - 3 * S) < 2 * MS


def test_a_hub_that_jumped_is_followed_with_a_new_segment():
    clock = ClockMap("boot")
    clock.add(exchange(0, 0, MS, MS))
    clock.add(exchange(400 * S, 60 * S, MS, MS))
    assert abs(clock.hub_ns(401 * S) - 461 * S) < 60 * MS
    assert abs(clock.hub_ns(S) - S) < 10 * MS, "what was mapped before keeps its place"


def test_a_machine_that_slept_is_followed_at_the_first_exchange_also_over_a_slow_line():
    clock = ClockMap("boot")
    for at in range(0, 150, 15):
        clock.add(exchange(at * S, 0, 5 * MS, 5 * MS))
    clock.add(exchange(150 * S, 3600 * S, 200 * MS, 180 * MS))
    assert abs(clock.hub_ns(151 * S) - 3751 * S) < 400 * MS
    assert abs(clock.hub_ns(100 * S) - 100 * S) < 10 * MS, "what was mapped before keeps its place"


def test_before_the_first_exchange_nothing_is_known_and_the_wall_clock_can_stand_in():
    clock = ClockMap("boot")
    with pytest.raises(LookupError):
        clock.hub_ns(0)
    stand_in = ClockMap.from_wall("boot", 5 * S, 1000 * S)
    assert stand_in.hub_ns(6 * S) == 1001 * S
    assert stand_in.error_ns(6 * S) >= 2 * S
    stand_in.add(exchange(10 * S, 7 * S, MS, MS))
    assert stand_in.source == "exchange"
    assert abs(stand_in.hub_ns(11 * S) - 18 * S) < 10 * MS


def test_timestamps_that_run_backwards_are_refused():
    with pytest.raises(ValueError, match="backwards"):
        ClockMap("boot").add(Exchange(t1=10, t2=0, t3=0, t4=5))


def test_a_record_goes_on_where_it_stopped():
    clock = ClockMap("boot")
    clock.add(exchange(0, 3 * S, MS, MS))
    again = ClockMap.from_record(clock.record())
    assert again.hub_ns(S) == clock.hub_ns(S)
    assert again.record() == clock.record()


def test_session_time_and_its_moment_are_inverse():
    clock = ClockMap.from_wall("boot", 0, 1_800_000_000 * S)
    epoch = 1_800_000_100.0
    begin = mono_at(clock, epoch, 50 * S)
    assert begin == 100 * S
    assert session_t(clock, epoch, begin) == 0
    assert session_t(clock, epoch, begin + S // 2) == 0.5
