"""From 48 kHz to 16 kHz, in a stream."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FACTOR: Final = 3
TAPS: Final = 97
CUT_HZ: Final = 7_200
"""Half way down here, under -50 dB from 8 kHz on, where the lower rate would fold it back."""
RATE_IN_HZ: Final = 48_000
DELAY_S: Final = (TAPS - 1) / 2 / RATE_IN_HZ
"""What comes out lies this much later than what went in: 1 ms."""


def _low_pass() -> NDArray[np.float32]:
    """Windowed sinc (Hamming): the textbook design; a steeper one gains nothing for speech."""
    at = np.arange(TAPS) - (TAPS - 1) / 2
    taps = np.sinc(2 * CUT_HZ / RATE_IN_HZ * at) * np.hamming(TAPS)
    return np.asarray(taps / taps.sum(), np.float32)


class Decimator:
    """Low-passes and takes every third sample; pieces may be of any length."""

    def __init__(self) -> None:
        self._taps = _low_pass()
        self.reset()

    def reset(self) -> None:
        """Forget what was heard: the sound has a hole here."""
        self._tail = np.zeros(TAPS - 1, np.float32)
        self._skip = 0

    def update(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        """Take int16 at 48 kHz, shape (samples,); return -1 to 1 at 16 kHz, about a third as many."""
        sound = np.concatenate([self._tail, samples.astype(np.float32) / 32_768])
        self._tail = sound[len(sound) - (TAPS - 1) :]
        if len(samples) <= self._skip:
            self._skip -= len(samples)
            return np.zeros(0, np.float32)
        filtered = np.convolve(sound, self._taps, "valid")[self._skip :: FACTOR]
        self._skip = (self._skip - len(samples)) % FACTOR
        return np.asarray(filtered, np.float32)
