import numpy as np
import pytest

from agent.capture.frame import BLOCK_SAMPLES, Block
from agent.stream.played import PlayedTap, lead_s

BLOCK_NS = 20_000_000


def block(level: int = 1) -> np.ndarray:
    return np.full(BLOCK_SAMPLES, level, np.int16)


class Clock:
    def __init__(self) -> None:
        self.ns = 1_000_000_000_000

    def __call__(self) -> int:
        return self.ns


@pytest.mark.parametrize(
    ("dac_s", "stream_s", "latency_s", "lead"),
    [
        (812.045, 812.0, 0.08, 0.045),  # as it should be
        (0.002, 0.0, 0.08, 0.002),  # ALSA over PulseAudio: now is 0
        (0.0, 0.0, 0.08, 0.08),  # WDM-KS says nothing
        (55.0, 55.0, 0.08, 0.08),  # DirectSound says now
        (1_700_000_000.0, 812.0, 0.08, 0.08),  # two clocks
        (812.0, 900.0, 0.08, 0.08),
        (0.0, 0.0, 3.0, 1.0),
        (0.0, 0.0, -1.0, 0.0),
    ],
)
def test_hosts_that_tell_no_time_are_not_believed(dac_s: float, stream_s: float, latency_s: float, lead: float):
    assert lead_s(dac_s, stream_s, latency_s) == pytest.approx(lead)


def test_what_is_asked_for_in_fits_and_starts_lies_on_an_even_line():
    clock = Clock()
    tap, heard = PlayedTap(clock), []
    tap.add(heard.append)
    began_ns = clock.ns
    for number in range(500):
        clock.ns = began_ns + number // 4 * 4 * BLOCK_NS  # four at once, and then none for 80 ms
        tap.give(block(), 0.05)
    starts = np.array([one.mono_ns for one in heard])
    assert np.abs(np.diff(starts) - BLOCK_NS).max() < BLOCK_NS // 4
    assert np.abs(starts - began_ns - np.arange(500) * BLOCK_NS - 50_000_000).max() <= 80_000_000


def test_after_a_pause_of_the_device_times_are_right_at_once():
    clock = Clock()
    tap, heard = PlayedTap(clock), []
    tap.add(heard.append)
    tap.give(block(), 0.05)
    clock.ns += 3_000_000_000
    tap.give(block(), 0.05)
    assert heard[1].mono_ns - heard[0].mono_ns == 3_000_000_000


def test_a_taker_that_fails_is_let_go_and_the_others_go_on(caplog: pytest.LogCaptureFixture):
    tap, heard = PlayedTap(Clock()), []

    def broken(taken: Block) -> None:
        raise RuntimeError("no room")

    tap.add(broken)
    tap.add(heard.append)
    for _ in range(3):
        tap.give(block(), 0.05)
    assert len(heard) == 3
    assert sum("not handed on" in record.message for record in caplog.records) == 1


def test_who_is_removed_gets_nothing_more():
    tap, heard = PlayedTap(Clock()), []
    tap.add(heard.append)
    tap.give(block(), 0.0)
    tap.remove(heard.append)
    tap.remove(heard.append)
    tap.give(block(), 0.0)
    assert len(heard) == 1
