"""The voices of the lessons, and which of them may be heard while tuning. Decided here and nowhere else."""

import itertools
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import numpy as np

from tests.models.recordings import sound, speech_folder

RATE_HZ = 16_000
STEP_SAMPLES = 160
RUMBLE_HZ = 80
"""Under this there is no voice; some speakers touch their microphone at the beginning."""
QUIET_DB = 30.0
"""A frame of 10 ms this much under the loud ones (95 of 100 are quieter than those) is a pause."""
BREATH_FRAMES = 30
"""Pauses under 0.3 s belong to the word before."""
WORD_FRAMES = 10
"""What stands alone for less than 0.1 s is a click of the tongue or of the recorder."""
CONSONANT_FRAMES = 15
"""Further than 0.15 s from any voiced sound (one that has a pitch) there is breath and noise, and no word."""
PITCH = 0.5
"""Autocorrelation from which on a frame has a pitch."""


class Part(StrEnum):
    """A part of the voices."""

    TUNE = "tune"
    """Thresholds are chosen on these: the first two teachers and every second pupil."""
    REPORT = "report"
    """Figures are reported on these: the other three teachers and the other pupils."""


@dataclass(frozen=True)
class Clip:
    """One utterance without the silence at its ends, at a mean power of 1 while it is voiced."""

    speaker: str
    samples: np.ndarray
    """float32, 16 kHz, shape (samples,)."""
    voiced: np.ndarray
    """One flag every 10 ms, shape (samples / 160,)."""


def teachers(part: Part) -> list[list[Clip]]:
    """The utterances of each teacher of the part."""
    folders = sorted(one for one in (speech_folder() / "librispeech" / "teachers").iterdir() if one.is_dir())
    chosen = folders[:2] if part is Part.TUNE else folders[2:]
    return [[clip(path) for path in sorted(folder.glob("*.flac"))] for folder in chosen]


def pupils(part: Part) -> list[Clip]:
    """One utterance of each pupil of the part."""
    paths = sorted((speech_folder() / "librispeech" / "students").glob("*.flac"))
    return [clip(path) for path in (paths[0::2] if part is Part.TUNE else paths[1::2])]


@lru_cache(maxsize=128)
def clip(path: Path) -> Clip:
    wave = _without_rumble(sound(path, RATE_HZ).astype(np.float32) / 32_768)
    frames = len(wave) // STEP_SAMPLES
    power = np.square(wave[: frames * STEP_SAMPLES]).reshape(frames, STEP_SAMPLES).mean(axis=1)
    near = np.convolve(_pitched(wave, frames), np.ones(2 * CONSONANT_FRAMES + 1), "same") > 0.5
    voiced = _words(near & (power > np.quantile(power, 0.95) * 10 ** (-QUIET_DB / 10)))
    spoken = np.flatnonzero(voiced)
    first, last = int(spoken[0]), int(spoken[-1]) + 1
    level = np.sqrt(power[voiced].mean())
    speaker = path.stem.split("-")[0]
    return Clip(speaker, wave[first * STEP_SAMPLES : last * STEP_SAMPLES] / level, voiced[first:last])


def _words(loud: np.ndarray) -> np.ndarray:
    """Which frames are words: pauses of a breath closed, clicks left out."""
    words = loud.copy()
    at = np.flatnonzero(loud)
    for before, after in itertools.pairwise(at):
        if after - before <= BREATH_FRAMES:
            words[before:after] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[False], words, [False]]).astype(np.int8)))
    for first, last in edges.reshape(-1, 2):
        if last - first < WORD_FRAMES:
            words[first:last] = False
    return words


def _pitched(wave: np.ndarray, frames: int) -> np.ndarray:
    """Which frames have a pitch of 70 to 400 Hz: the autocorrelation of the 40 ms around each."""
    size = 640
    padded = np.pad(wave, (size // 2, size))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, size)[::STEP_SAMPLES][:frames] * np.hanning(size)
    spectrum = np.abs(np.fft.rfft(pieces, 2 * size)) ** 2
    alike = np.fft.irfft(spectrum)
    return alike[:, RATE_HZ // 400 : RATE_HZ // 70].max(axis=1) > PITCH * np.maximum(alike[:, 0], 1e-9)


def _without_rumble(wave: np.ndarray) -> np.ndarray:
    spectrum = np.fft.rfft(wave)
    spectrum[: round(RUMBLE_HZ * len(wave) / RATE_HZ)] = 0
    return np.fft.irfft(spectrum, len(wave)).astype(np.float32)
