import numpy as np
import pytest

from agent.observe.lag import MOST_SAMPLES, Lag

RATE = 16_000


def speech(seconds: float, seed: int) -> np.ndarray:
    """Noise in syllables of random length and loudness."""
    rng = np.random.default_rng(seed)
    parts = [rng.standard_normal(rng.integers(800, 4_000)) * 10 ** rng.uniform(-2.5, -0.5) for _ in range(200)]
    return np.concatenate(parts)[: round(seconds * RATE)].astype(np.float32)


def heard(late_s: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Ten seconds in one microphone, and the other one around them, which is late and hears less of it."""
    whole = speech(11.2, seed)
    late = round(late_s * RATE)
    other = 0.05 * np.roll(whole, late) + 1e-4 * speech(11.2, seed + 100)
    count = 10 * RATE // 512 * 512
    return whole[MOST_SAMPLES : MOST_SAMPLES + count], other[: count + 2 * MOST_SAMPLES].astype(np.float32)


@pytest.mark.parametrize("late_s", [-0.2, -0.03, 0.0, 0.02, 0.25, 0.39])
def test_the_delay_of_a_radio_is_found(late_s: float):
    lag = Lag()
    lag.update(*heard(late_s))
    assert lag.samples / RATE == pytest.approx(late_s, abs=0.009)


def test_microphones_that_hear_different_things_have_no_delay():
    lag = Lag()
    for seed in range(5):
        lag.update(heard(0.1, seed)[0], heard(0.1, seed + 50)[1])
    assert lag.samples == 0


def test_one_odd_piece_does_not_move_what_many_have_said():
    lag = Lag()
    for seed in range(5):
        lag.update(*heard(0.2, seed))
    lag.update(*heard(-0.3, 9))
    assert lag.samples / RATE == pytest.approx(0.2, abs=0.009)


def test_digital_silence_says_nothing():
    lag = Lag()
    lag.update(heard(0.1)[0], np.zeros_like(heard(0.1)[1]))
    assert lag.samples == 0
