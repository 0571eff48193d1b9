import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from agent.capture.frame import BLOCK_SAMPLES
from agent.stream.loudspeaker import AHEAD_MOST_SAMPLES, AHEAD_SAMPLES, MOST_SAMPLES, Loudspeaker, Mixer


def block(level: int) -> np.ndarray:
    return np.full(BLOCK_SAMPLES, level, np.int16)


def test_a_room_is_heard_once_enough_of_it_waits():
    mixer = Mixer()
    heard = []
    for _ in range(AHEAD_SAMPLES // BLOCK_SAMPLES):
        heard.append(int(mixer.take(10)[0]))
        mixer.put("far", block(7))
    assert set(heard) == {0}
    assert mixer.take(BLOCK_SAMPLES)[0] == 7


def test_rooms_are_mixed_and_never_wrap_around():
    mixer = Mixer()
    for _ in range(3):
        mixer.put("a", block(30_000))
        mixer.put("b", block(30_000))
    assert set(mixer.take(BLOCK_SAMPLES)) == {32_767}


def test_what_runs_ahead_is_dropped_oldest_first_so_that_the_rooms_stay_together():
    mixer = Mixer()
    for level in range(50):
        mixer.put("far", block(level))
    assert mixer.dropped_samples == 50 * BLOCK_SAMPLES - MOST_SAMPLES
    assert mixer.take(1)[0] == 40


def test_a_room_that_ran_dry_gathers_some_before_it_is_heard_again():
    mixer = Mixer()
    for _ in range(3):
        mixer.put("far", block(5))
    assert mixer.take(4 * BLOCK_SAMPLES)[-1] == 0
    mixer.put("far", block(6))
    assert mixer.take(1)[0] == 0


def test_samples_come_out_in_the_order_and_number_they_went_in():
    mixer = Mixer()
    sent = np.arange(6 * BLOCK_SAMPLES, dtype=np.int16)
    for part in np.split(sent, 6):
        mixer.put("far", part)
    out = np.concatenate([mixer.take(n) for n in (1, 959, 500, 1000, 3300)])
    assert np.array_equal(out, sent)


def test_a_machine_without_a_loudspeaker_says_so_once_and_goes_on():
    told: list[str] = []
    speaker = Loudspeaker("no such loudspeaker", told.append)
    if not told:
        speaker.close()
        pytest.skip("this machine has a loudspeaker of that name")
    assert len(told) == 1
    assert "not heard" in told[0]
    speaker.sound("far", block(1))
    speaker.close()


def played(mixer: Mixer, blocks: int, level: int = 5) -> None:
    """A room that speaks and is heard at the same pace."""
    for _ in range(blocks):
        mixer.put("far", block(level))
        mixer.take(BLOCK_SAMPLES)


def test_a_room_that_keeps_running_dry_gathers_more_but_not_ever_more():
    mixer = Mixer()
    gathered = []
    for _ in range(6):
        count = 0
        while not mixer.take(1).any():
            mixer.put("far", block(5))
            count += 1
        gathered.append(count * BLOCK_SAMPLES)
        mixer.take(MOST_SAMPLES)
    assert gathered[0] == AHEAD_SAMPLES
    assert gathered == sorted(gathered)
    assert gathered[-1] == AHEAD_MOST_SAMPLES


def test_sound_that_waits_for_nothing_is_dropped_in_a_quiet_moment_only():
    mixer = Mixer()
    for _ in range(8):
        mixer.put("far", block(9000))
    played(mixer, 600, level=9000)
    assert mixer.dropped_samples == 0
    played(mixer, 2400, level=5)
    assert mixer.dropped_samples >= 4 * BLOCK_SAMPLES
    assert 20 <= mixer.waiting_ms("far") <= 80


def test_how_long_sound_waits_is_known_before_and_while_it_is_heard():
    mixer = Mixer()
    ahead_ms = AHEAD_SAMPLES / 48
    assert mixer.waiting_ms("far") == ahead_ms
    mixer.put("far", block(5))
    assert mixer.waiting_ms("far") == ahead_ms
    mixer.put("far", block(5))
    mixer.put("far", block(5))
    mixer.take(BLOCK_SAMPLES)
    assert mixer.waiting_ms("far") == ahead_ms - 20


class PortAudioAtHand:
    """A sound system whose device asks for a block when the test says so."""

    class OutputStream:
        latency = 0.08

        def __init__(self, *, callback, **_wanted):
            self.ask = callback

        def start(self):
            PortAudioAtHand.stream = self

        def close(self):
            pass

    stream: OutputStream


def test_what_is_handed_to_the_device_is_told_with_the_time_at_which_it_is_heard(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", PortAudioAtHand)
    speaker, heard = Loudspeaker("default", pytest.fail), []
    speaker.add_played_taker(heard.append)
    for _ in range(3):
        speaker.sound("far", block(7))
        speaker.sound("other", block(4))
    out = np.zeros((BLOCK_SAMPLES, 1), np.int16)
    asked_ns = time.monotonic_ns()
    PortAudioAtHand.stream.ask(out, BLOCK_SAMPLES, SimpleNamespace(currentTime=5.0, outputBufferDacTime=5.25), "")
    (one,) = heard
    assert set(one.samples) == set(out[:, 0]) == {11}
    assert 0.25 <= (one.mono_ns - asked_ns) / 1e9 < 5.25
    out[:] = 0
    assert set(one.samples) == {11}, "the device's own memory is not handed on"
    speaker.close()
