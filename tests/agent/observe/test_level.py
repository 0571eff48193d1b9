import numpy as np
import pytest

from agent.observe.finding import Finding
from agent.observe.level import FLOOR_DBFS, LevelPart

RATE = 48_000
START_NS = 7_000_000_000


def sine(peak: float, seconds: float) -> np.ndarray:
    at = np.arange(round(seconds * RATE)) / RATE
    return np.clip(peak * 32_768 * np.sin(2 * np.pi * 440 * at), -32_768, 32_767).astype(np.int16)


def told(samples: np.ndarray, piece: int = 9_600) -> list[Finding]:
    part = LevelPart()
    pieces = [samples[at : at + piece] for at in range(0, len(samples), piece)]
    return [
        one
        for number, samples in enumerate(pieces)
        for one in part.update(samples, START_NS + round(number * piece / RATE * 1e9))
    ]


def test_a_sine_at_half_scale_lies_nine_decibels_under_full_and_is_told_every_second():
    found = told(sine(0.5, 3.0))
    assert [one.mono_ns for one in found] == [START_NS + second * 1_000_000_000 for second in range(3)]
    assert [one.seconds for one in found] == [1.0, 1.0, 1.0]
    assert all(one.value == {"dbfs": -9.0, "peak_dbfs": -6.0, "clipped": 0.0} for one in found)


def test_sound_that_is_cut_off_at_full_scale_says_for_how_much_of_the_second():
    (one,) = told(sine(2.0, 1.0))
    assert one.value["clipped"] == pytest.approx(2 / 3, abs=0.01)  # |sin| is above a half for two thirds of the time
    assert one.value["peak_dbfs"] == 0.0


def test_a_muted_microphone_is_told_as_the_floor_and_not_as_minus_infinity():
    (one,) = told(np.zeros(RATE, np.int16))
    assert one.value == {"dbfs": FLOOR_DBFS, "peak_dbfs": FLOOR_DBFS, "clipped": 0.0}


@pytest.mark.parametrize("piece", [960, 1_001, 60_000])
def test_pieces_of_any_length_give_the_same_levels(piece: int):
    assert [one.value for one in told(sine(0.3, 2.5), piece)] == [one.value for one in told(sine(0.3, 2.5))]


def test_a_second_with_a_hole_in_it_is_not_told_and_the_next_begins_behind_the_hole():
    part = LevelPart()
    found = part.update(sine(0.5, 0.6), START_NS)
    found += part.update(sine(0.5, 1.2), START_NS + 10_000_000_000)
    assert [one.mono_ns for one in found] == [START_NS + 10_000_000_000]
