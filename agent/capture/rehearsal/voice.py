"""Speech-like sound: syllables with gliding formants in turns with pauses, made with numpy alone.

A source-filter model: glottal pulses and breath run through four resonances whose frequencies
glide from one vowel to the next, a hiss or a short closure stands between. No words are meant;
it is there to be heard, levelled, encoded and taken for speech by a speech detector.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.capture.frame import BLOCK_SAMPLES, SOUND_RATE_HZ

Floats = NDArray[np.float64]

LOOP_S = 60
MODEL_HZ = 16_000
"""Rate at which the voice is modelled; what is above 8 kHz is left empty."""
HOP = 128
"""Samples at `MODEL_HZ` between two settings of the mouth: 8 ms."""
FRAME = 256
SPECTRUM = 512
VOWELS_HZ = (
    (850, 1300, 2800),
    (560, 1000, 2800),
    (500, 1900, 2750),
    (330, 2550, 3200),
    (370, 800, 2700),
    (330, 2100, 2600),
    (620, 1500, 2700),
)
"""Three formants of seven vowels of a woman's voice, near those of a, o, e, i, u, ü and the neutral one."""
WIDTHS_HZ = (80, 110, 160, 250)
FOURTH_HZ = 4100
TONES = ((1.12, 1.10), (0.92, 1.18), (0.92, 0.84), (1.22, 0.82))
"""The four tones: pitch at the start and the end of a syllable, over the speaker's middle pitch."""
PEAK = 0.32
"""Loudest sample, of full scale; speech near -22 dBFS."""
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


@dataclass(slots=True)
class _Mouth:
    """Settings of one turn, a row a hop."""

    formants: Floats
    pitch: Floats
    voiced: Floats
    hiss: Floats

    @classmethod
    def closed(cls, hops: int) -> "_Mouth":
        neutral = np.tile(np.asarray(VOWELS_HZ[-1], np.float64), (hops, 1))
        return cls(neutral, np.ones(hops), np.zeros(hops), np.zeros(hops))


def _spoken(rng: np.random.Generator, hops: int) -> _Mouth:
    """One turn: syllables of 140 to 260 ms, tones, a falling line of pitch, softer towards the end."""
    mouth, at = _Mouth.closed(hops), 0
    while at < hops - 12:
        length = min(int(rng.integers(18, 33)), hops - at)
        onset = int(rng.integers(3, 9))
        begin, end = (VOWELS_HZ[index] for index in rng.integers(len(VOWELS_HZ), size=2))
        if rng.random() < 0.6:
            end = begin
        part = np.linspace(0, 1, length)[:, None]
        mouth.formants[at : at + length] = np.asarray(begin) * (1 - part) + np.asarray(end) * part
        first, last = TONES[rng.integers(len(TONES))]
        mouth.pitch[at : at + length] = np.linspace(first, last, length)
        loud = float(rng.uniform(0.6, 1.0))
        mouth.voiced[at + onset : at + length] = loud * np.hanning(2 * (length - onset))[length - onset :] ** 0.4
        # A third of the syllables begin voiced throughout, as with m, n, l; the others hiss or close.
        if rng.random() < 0.35:
            mouth.voiced[at : at + onset] = loud * 0.45
        else:
            mouth.hiss[at : at + onset] = float(rng.uniform(0.1, 1.0))
        at += length + (int(rng.integers(12, 30)) if rng.random() < 0.07 else 0)
    line = np.linspace(1.08, 0.88, hops)
    mouth.pitch *= line
    mouth.voiced *= line
    # The tongue glides, it does not jump.
    for row in mouth.formants.T:
        row[:] = _smooth(row, 7)
    mouth.pitch, mouth.voiced, mouth.hiss = (
        _smooth(one, n) for one, n in ((mouth.pitch, 7), (mouth.voiced, 4), (mouth.hiss, 3))
    )
    return mouth


def _smooth(row: Floats, width: int) -> Floats:
    padded = np.pad(row, (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid")


def _sounded(rng: np.random.Generator, mouth: _Mouth, pitch_hz: float, tract: float) -> Floats:
    """The sound of one turn at 48 kHz; `tract` scales the formants (children above 1)."""
    hops = mouth.pitch.size
    count = hops * HOP
    ticks = np.arange(count) / HOP
    pitch = pitch_hz * np.interp(ticks, np.arange(hops), mouth.pitch)
    pitch *= 1 + 0.01 * np.repeat(rng.normal(0, 1, hops), HOP)
    phase = np.cumsum(pitch) / MODEL_HZ
    pulses = np.diff(np.floor(phase), prepend=0.0)
    breath = rng.normal(0, 1, count)
    voiced, hiss = (np.interp(ticks, np.arange(hops), one) for one in (mouth.voiced, mouth.hiss))
    frames = (pulses * 6 + breath * 0.05) * voiced
    window = np.hanning(FRAME + 1)[:FRAME]
    starts = np.arange(0, count - FRAME, HOP)[:, None] + np.arange(FRAME)
    spectra = np.fft.rfft(frames[starts] * window, SPECTRUM) * _resonance(mouth.formants[1 : len(starts) + 1] * tract)
    hz = np.fft.rfftfreq(SPECTRUM, 1 / MODEL_HZ)
    sharp = np.exp(-(((hz - 5200) / 1800) ** 2)) * 0.35
    spectra += np.fft.rfft((breath * hiss)[starts] * window, SPECTRUM) * sharp
    up = SOUND_RATE_HZ // MODEL_HZ
    pieces = np.fft.irfft(spectra, SPECTRUM * up) * up
    sound = np.zeros((count + SPECTRUM) * up)
    for start, piece in zip(starts[:, 0] * up, pieces, strict=True):
        sound[start : start + piece.size] += piece
    return sound


def _resonance(formants: Floats) -> NDArray[np.complex128]:
    """Response of the vocal tract, shape (hops, bins): four resonances, the glottis' slope and the lips' rise."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(SPECTRUM, 1 / MODEL_HZ) / MODEL_HZ)
    response = np.tile((1 - 0.97 * z) / (1 - 0.94 * z) ** 2, (formants.shape[0], 1))
    centres = np.column_stack([formants, np.full(formants.shape[0], FOURTH_HZ)])
    for centre, width in zip(centres.T, WIDTHS_HZ, strict=True):
        radius = np.exp(-np.pi * width / MODEL_HZ)
        turn = 2 * radius * np.cos(2 * np.pi * centre / MODEL_HZ)
        response *= ((1 - turn + radius**2)[:, None]) / (1 - turn[:, None] * z + radius**2 * z**2)
    return response


def loop(seed: int, *, lead: bool) -> NDArray[np.int16]:
    """One minute of a room's sound that begins and ends in a pause, int16, shape (2_880_000,), 48 kHz.

    Args:
        seed: chooses the voice and what it says.
        lead: a teacher who speaks most of the time; else pupils who answer now and then.
    """
    rng = np.random.default_rng((seed, int(lead)))
    pitch_hz, tract = (rng.uniform(185, 225), 1.0) if lead else (rng.uniform(240, 280), 1.12)
    noise = rng.normal(0, ROOM_NOISE, 4 * SOUND_RATE_HZ)
    sound = np.tile(noise, LOOP_S // 4)
    for turn in turns(rng, 0.7 if lead else 0.25):
        hops = int((turn.end_s - turn.start_s) * MODEL_HZ / HOP)
        spoken = _sounded(rng, _spoken(rng, hops), float(pitch_hz), tract)
        start = int(turn.start_s * SOUND_RATE_HZ)
        part = sound[start : start + spoken.size]
        part += (spoken * (PEAK / np.abs(spoken).max()))[: part.size]
    whole = sound.size // BLOCK_SAMPLES * BLOCK_SAMPLES
    return np.round(np.clip(sound[:whole], -1, 1) * 32767).astype(np.int16)
