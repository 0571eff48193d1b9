import threading
import time
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.capture.continuity import Continuity
from agent.capture.frame import BLOCK_SAMPLES
from agent.capture.lasting import retry_pause_s
from agent.capture.pace import BLOCK_NS, NS_A_SECOND, CommonStart, Pace, block_times


def test_ticks_stay_on_the_schedule_however_late_they_are_asked_for():
    pace = Pace(30, start_ns=1000)
    for tick in range(10_000):
        assert pace.take(pace.due_ns(tick) + 1_000_000) == (tick, 1000 + round(tick * NS_A_SECOND / 30))


def test_missed_ticks_are_skipped_and_counted():
    pace = Pace(25, start_ns=0)
    assert pace.take(0) == (0, 0)
    assert pace.take(NS_A_SECOND) == (25, NS_A_SECOND)
    assert pace.skipped == 24


def test_sound_skips_nothing():
    pace = Pace(50, start_ns=0, skips=False)
    assert [pace.take(NS_A_SECOND)[0] for _ in range(4)] == [0, 1, 2, 3]


def test_a_waiting_pace_ends_at_once_when_stopped():
    stop = threading.Event()
    pace = Pace(0.01, start_ns=time.monotonic_ns())
    assert pace.wait(stop) is not None
    threading.Timer(0.05, stop.set).start()
    begun = time.monotonic()
    assert pace.wait(stop) is None
    assert time.monotonic() - begun < 50, "the next tick is due in 100 s"


def test_blocks_joined_late_begin_with_the_one_being_heard():
    stop = threading.Event()
    begun_ns = time.monotonic_ns()
    start_ns = begun_ns - 10 * NS_A_SECOND
    number, mono_ns = next(block_times(start_ns, stop))
    assert mono_ns == start_ns + number * BLOCK_NS
    assert begun_ns - BLOCK_NS <= mono_ns <= time.monotonic_ns() - BLOCK_NS


def test_picture_and_sound_share_one_start():
    start = CommonStart()
    assert start.get() == start.get()


def test_the_pauses_between_attempts_grow_and_are_capped():
    pauses = [retry_pause_s(attempt) for attempt in range(100)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 10.0


def ramp(start: int, count: int) -> np.ndarray:
    return (np.arange(start, start + count) % 30000).astype(np.int16)


@given(st.lists(st.tuples(st.integers(1, 3000), st.integers(-300, 500)), max_size=40))
def test_whatever_arrives_leaves_as_blocks_without_a_hole(pieces):
    line, now, out = Continuity(), NS_A_SECOND, []
    for count, jitter_ms in pieces:
        out += line.put(ramp(0, count), now + jitter_ms * 1_000_000)
        now += count * NS_A_SECOND // 48000
        out += line.idle(now)
    assert all(block.samples.shape == (BLOCK_SAMPLES,) for block in out)
    assert all(b.mono_ns - a.mono_ns == BLOCK_NS for a, b in pairwise(out))


def test_steady_sound_passes_untouched():
    line = Continuity()
    sent = ramp(0, 480 * 100)
    out = [
        block
        for n in range(100)
        for block in line.put(sent[n * 480 : (n + 1) * 480], NS_A_SECOND + n * 10_000_000 + (n % 7) * 1_000_000)
    ]
    assert np.array_equal(np.concatenate([block.samples for block in out]), sent)
    assert line.filled == line.cut == 0


def test_sound_that_stays_away_becomes_silence_and_what_comes_too_late_is_cut():
    line = Continuity()
    list(line.put(ramp(1, 960), 0))
    silent = list(line.idle(NS_A_SECOND))
    assert silent
    assert not any(block.samples.any() for block in silent)
    assert silent[-1].mono_ns < NS_A_SECOND
    late = list(line.put(ramp(1, 48000), 20_000_000))
    assert line.cut > 30_000
    assert late[0].mono_ns == silent[-1].mono_ns + BLOCK_NS
