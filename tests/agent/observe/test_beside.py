import numpy as np
import pytest

from agent.observe.beside import KEPT_S, BesideSound
from agent.observe.decimate import Decimator

RATE = 48_000
SECOND = 1_000_000_000
START_NS = 5_000 * SECOND
BLOCK = 9_600


def tone(seconds: float) -> np.ndarray:
    return (10_000 * np.sin(2 * np.pi * 300 * np.arange(round(seconds * RATE)) / RATE)).astype(np.int16)


def fed(beside: BesideSound, samples: np.ndarray, start_ns: int = START_NS) -> None:
    for at in range(0, len(samples), BLOCK):
        beside.update(samples[at : at + BLOCK], start_ns + round(at / RATE * 1e9))


def test_the_same_sound_lies_at_the_same_place_as_in_the_room():
    samples = tone(3.0)
    room = Decimator().update(samples)
    beside = BesideSound()
    fed(beside, samples)
    from_s = START_NS / 1e9 - 0.001 + 1.0
    sound, known = beside.at(from_s, 16_000)
    assert known.all()
    assert np.abs(sound - room[16_000:32_000]).max() < 0.01


def test_what_never_came_is_silence_and_told_as_unknown():
    beside = BesideSound()
    fed(beside, tone(1.0))
    fed(beside, tone(1.0), START_NS + 2 * SECOND)
    sound, known = beside.at(START_NS / 1e9, 3 * 16_000)
    assert known.mean() == pytest.approx(2 / 3, abs=0.01)
    assert not sound[17_000:31_000].any()
    assert beside.at(START_NS / 1e9 - 100, 512)[1].sum() == 0


def test_nothing_is_known_before_anything_came():
    beside = BesideSound()
    assert beside.end_s is None
    assert not beside.at(0.0, 512)[1].any()


def test_the_last_half_minute_is_kept_and_no_more():
    beside = BesideSound()
    fed(beside, tone(KEPT_S + 20))
    first_s = START_NS / 1e9
    assert beside.at(first_s + 25, 16_000)[1].all()
    assert not beside.at(first_s + 10, 16_000)[1].any()
