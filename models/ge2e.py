"""What does a voice sound like: GE2E speaker embedding of windows of 1.6 s.

Two windows of one voice give vectors that point the same way (cosine near 1), two voices less so.
A vector is kept for as long as a lesson lasts and no longer (agent.observe.voices).

Source of the front end: Resemblyzer 0.1.4, `hparams.py` and `audio.py`: 16 kHz; windows of 25 ms (Hann,
periodic) every 10 ms; the power spectrum over 40 mel bands on Slaney's scale and with Slaney's norm
(the defaults of librosa's `feature.melspectrogram`); no logarithm; sound brought to -30 dBFS; 160 frames
a window. Here each window is brought to -30 dBFS by itself, so that its level says nothing of the voice,
and frames are not padded: a window is 15 ms longer than 1.6 s instead.
"""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.manifest import load_manifest
from models.session import open_session

RATE_HZ: Final = 16_000
FRAME_SAMPLES: Final = 400
STEP_SAMPLES: Final = 160
FRAMES: Final = 160
BANDS: Final = 40
WINDOW_SAMPLES: Final = (FRAMES - 1) * STEP_SAMPLES + FRAME_SAMPLES
"""Samples of one window: 25,840, which is 1.615 s."""
WINDOW_S: Final = WINDOW_SAMPLES / RATE_HZ
TARGET_RMS: Final = 10 ** (-30 / 20)
SILENT_RMS: Final = 1e-5
"""Under -100 dBFS there is nothing to be made louder."""
SIZE: Final = 256
"""Numbers of a vector."""

FloatArray = NDArray[np.float32]


class VoiceEncoder:
    """Turns windows of speech into vectors of length 1; keeps nothing of them.

    Raises:
        ModelUnusable: when it is made and the file is missing or corrupt.
    """

    def __init__(self, folder: Path) -> None:
        self._session = open_session(load_manifest().find("ge2e"), folder)

    def voices(self, windows: FloatArray) -> FloatArray:
        """The vector of each window.

        Args:
            windows: mono at 16 kHz, -1 to 1, shape (windows, WINDOW_SAMPLES).

        Returns:
            Shape (windows, 256); a silent window's vector is zero.

        Raises:
            ValueError: the windows are of another length.
        """
        if windows.ndim != 2 or windows.shape[1] != WINDOW_SAMPLES:
            raise ValueError(f"windows must have the shape (windows, {WINDOW_SAMPLES}), not {windows.shape}")
        rms = np.sqrt(np.square(windows, dtype=np.float64).mean(axis=1))
        heard = rms > SILENT_RMS
        out = np.zeros((len(windows), SIZE), np.float32)
        if heard.any():
            levelled = windows[heard] * (TARGET_RMS / rms[heard, None]).astype(np.float32)
            (found,) = self._session.run(["voice"], {"mel": mel(levelled)})
            out[heard] = np.nan_to_num(found)
        return out


def mel(windows: FloatArray) -> FloatArray:
    """Power in 40 mel bands every 10 ms, shape (windows, 160, 40), from shape (windows, WINDOW_SAMPLES)."""
    frames = np.lib.stride_tricks.sliding_window_view(windows, FRAME_SAMPLES, axis=1)[:, ::STEP_SAMPLES]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME_SAMPLES) / FRAME_SAMPLES)
    spectrum = np.fft.rfft(frames * hann.astype(np.float32), axis=2)
    power = spectrum.real**2 + spectrum.imag**2
    return np.asarray(power.astype(np.float32) @ _bands().T, np.float32)


@cache
def _bands() -> FloatArray:
    """Triangles on Slaney's mel scale, each of area 1 in Hz, shape (40, 201).

    Source: Slaney, "Auditory Toolbox" (1998): 3 mel every 200 Hz up to 1 kHz, from there 27 mel for a factor of 6.4.
    """
    log_from_hz, log_from_mel, log_step = 1_000.0, 15.0, np.log(6.4) / 27
    top = log_from_mel + np.log(RATE_HZ / 2 / log_from_hz) / log_step
    at = np.linspace(0.0, top, BANDS + 2)
    hz = np.where(at < log_from_mel, at * 200 / 3, log_from_hz * np.exp(log_step * (at - log_from_mel)))
    bins = np.fft.rfftfreq(FRAME_SAMPLES, 1 / RATE_HZ)
    rising = (bins - hz[:-2, None]) / (hz[1:-1] - hz[:-2])[:, None]
    falling = (hz[2:, None] - bins) / (hz[2:] - hz[1:-1])[:, None]
    triangles = np.clip(np.minimum(rising, falling), 0, None)
    return np.asarray(triangles * (2 / (hz[2:] - hz[:-2]))[:, None], np.float32)
