"""Speech-like sound: voiced syllables and hissed onsets in turns with pauses, made with numpy alone.

The vowels are a pulse train through formants (the source-filter model). No words are meant.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.capture.frame import BLOCK_SAMPLES, SOUND_RATE_HZ

Samples = NDArray[np.float32]
"""Sound, float32 in -1 to 1, shape (samples,), 48 kHz."""

LOOP_S = 60
BANK = 48
"""Different syllables in one voice."""
SYLLABLE_S = 0.30
VOWELS_HZ = (
    (820, 1250, 2600),
    (560, 950, 2650),
    (480, 1850, 2600),
    (310, 2300, 3100),
    (330, 750, 2500),
    (300, 2050, 2500),
)
WIDTHS_HZ = (90, 110, 170)
PITCH_TONES = ((1.1, 1.1), (0.9, 1.15), (0.95, 0.8), (1.2, 0.8))
"""The four tones: pitch at the start and at the end, over the speaker's middle pitch."""
LEVEL = 0.22
"""Peak level of a loud syllable, of full scale; near -20 dBFS as speech."""
ROOM_NOISE = 0.0006
"""Noise of the empty room, about -64 dBFS."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One stretch of speech, in seconds from the loop's start."""

    start_s: float
    end_s: float


def turns(rng: np.random.Generator, share: float) -> list[Turn]:
    """Turns of 2 to 5 s with pauses between, over the loop, so that about `share` of it is speech."""
    found, at = [], float(rng.uniform(0.3, 0.8))
    while at < LOOP_S - 3:
        end = min(at + float(rng.uniform(2, 5)), LOOP_S - 0.6)
        found.append(Turn(at, end))
        at = end + max(0.7, float(rng.uniform(0.6, 1.4)) * 3.5 * (1 - share) / share)
    return found


def _syllable(rng: np.random.Generator, pitch_hz: float) -> Samples:
    count = int(SYLLABLE_S * SOUND_RATE_HZ)
    time_s = np.arange(count) / SOUND_RATE_HZ
    first, last = PITCH_TONES[rng.integers(len(PITCH_TONES))]
    pitch = pitch_hz * (first + (last - first) * time_s / SYLLABLE_S) * (1 + 0.012 * np.sin(2 * np.pi * 5.2 * time_s))
    phase = np.cumsum(pitch) / SOUND_RATE_HZ
    pulses = np.diff(np.floor(phase), prepend=0.0) + rng.normal(0, 0.004, count)
    hz = np.fft.rfftfreq(count, 1 / SOUND_RATE_HZ)
    envelope = np.zeros_like(hz)
    for centre, width, gain in zip(VOWELS_HZ[rng.integers(len(VOWELS_HZ))], WIDTHS_HZ, (1.0, 0.55, 0.25), strict=True):
        envelope += gain / (1 + ((hz - centre) / width) ** 2)
    envelope *= (hz > 60) / (1 + (hz / 3800) ** 4)
    voiced = np.fft.irfft(np.fft.rfft(pulses) * envelope, count)
    voiced *= np.minimum(1, time_s / 0.035) * np.minimum(1, (SYLLABLE_S - time_s) / 0.07)
    voiced /= np.max(np.abs(voiced))
    hiss = np.fft.irfft(np.fft.rfft(rng.normal(0, 1, count)) * ((hz > 3000) & (hz < 8000)), count)
    hiss *= np.exp(-(((time_s - 0.02) / 0.018) ** 2)) * float(rng.uniform(0, 0.16)) / np.max(np.abs(hiss))
    return (voiced + hiss).astype(np.float32)


def loop(seed: int, *, lead: bool) -> NDArray[np.int16]:
    """One minute of a room's sound that begins and ends in a pause, int16, shape (2_880_000,), 48 kHz.

    Args:
        seed: chooses the voice and what it says.
        lead: a teacher who speaks most of the time; else pupils who answer now and then.
    """
    rng = np.random.default_rng((seed, int(lead)))
    pitch_hz = float(rng.uniform(185, 235) if lead else rng.uniform(250, 310))
    bank = [_syllable(rng, pitch_hz * float(rng.uniform(0.92, 1.08))) for _ in range(BANK)]
    noise = rng.normal(0, ROOM_NOISE, 4 * SOUND_RATE_HZ).astype(np.float32)
    sound = np.tile(noise, LOOP_S // 4)
    for turn in turns(rng, 0.7 if lead else 0.25):
        at = turn.start_s
        while at + SYLLABLE_S < turn.end_s:
            loudness = float(rng.uniform(0.55, 1.0)) * (1 - 0.3 * (at - turn.start_s) / 5)
            start = int(at * SOUND_RATE_HZ)
            part = bank[rng.integers(BANK)]
            sound[start : start + part.size] += part * np.float32(LEVEL * loudness)
            at += SYLLABLE_S * float(rng.uniform(0.72, 0.95))
            if rng.random() < 0.08:
                at += float(rng.uniform(0.1, 0.25))
    whole = sound.size // BLOCK_SAMPLES * BLOCK_SAMPLES
    return np.round(np.clip(sound[:whole], -1, 1) * 32767).astype(np.int16)
