from pathlib import Path

import numpy as np
import pytest

from models.ge2e import BANDS, FRAMES, RATE_HZ, WINDOW_S, WINDOW_SAMPLES, VoiceEncoder, mel
from tests.lessons.recorded import Part, pupils, teachers

pytestmark = pytest.mark.models("ge2e")


def windows(samples: np.ndarray, count: int) -> np.ndarray:
    return np.stack([samples[at * RATE_HZ :][:WINDOW_SAMPLES] for at in range(count)]).astype(np.float32) * 0.05


def test_a_window_is_a_little_longer_than_one_and_a_half_seconds():
    assert 1.58 < WINDOW_S < 1.62


def test_a_tone_lies_in_the_band_of_its_pitch():
    at = np.arange(WINDOW_SAMPLES) / RATE_HZ
    for hz, band in ((200, 2), (1_000, 14), (4_000, 31)):
        bands = mel(np.sin(2 * np.pi * hz * at, dtype=np.float32)[None])
        assert bands.shape == (1, FRAMES, BANDS)
        assert abs(int(bands[0].mean(axis=0).argmax()) - band) <= 1, hz


def test_windows_of_one_voice_are_alike_and_those_of_two_less_so(models: Path):
    encoder = VoiceEncoder(models)
    people = [max(voice, key=lambda clip: len(clip.samples)) for voice in teachers(Part.REPORT)] + pupils(Part.REPORT)[
        :6
    ]
    vectors = [encoder.voices(windows(clip.samples, 3)) for clip in people]
    assert all(np.allclose(np.linalg.norm(one, axis=1), 1, atol=1e-4) for one in vectors)
    same = [float(one[i] @ one[j]) for one in vectors for i, j in ((0, 1), (0, 2), (1, 2))]
    other = [
        float(a @ b) for first, one in enumerate(vectors) for two in vectors[first + 1 :] for a in one for b in two
    ]
    print(f"same voice {np.mean(same):.2f}, other voice {np.mean(other):.2f}")
    assert np.mean(same) > np.mean(other) + 0.2


def test_how_loud_a_window_is_says_nothing_of_the_voice(models: Path):
    encoder = VoiceEncoder(models)
    loud = windows(pupils(Part.TUNE)[0].samples, 2)
    assert np.allclose(encoder.voices(loud), encoder.voices(loud * 0.01), atol=1e-3)


def test_a_silent_window_has_no_voice(models: Path):
    found = VoiceEncoder(models).voices(np.zeros((2, WINDOW_SAMPLES), np.float32))
    assert not found.any()


def test_windows_of_another_length_are_refused(models: Path):
    with pytest.raises(ValueError, match="windows must have the shape"):
        VoiceEncoder(models).voices(np.zeros((1, 100), np.float32))
