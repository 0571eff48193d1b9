"""How much later one microphone hears the same as another: learnt from how loud it is in both."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

STEP_SAMPLES: Final = 128
"""Levels are compared every 8 ms."""
RATE_HZ: Final = 16_000
MOST_S: Final = 0.4
"""A radio is late by some 0.02 s, Bluetooth by up to 0.3 s."""
STEPS: Final = round(MOST_S * RATE_HZ / STEP_SAMPLES)
MOST_SAMPLES: Final = STEPS * STEP_SAMPLES
FORGET: Final = 0.9
"""What a piece says counts by so much less with each one after it."""
ALIKE: Final = 0.3
"""Below this correlation two levels have nothing to do with each other."""
FLOOR_DB: Final = 60.0
"""What is so much under the loudest is as quiet as what is under that."""

FloatArray = NDArray[np.float32]


class Lag:
    """The delay of a second microphone behind the first; both hear the same people, near or far."""

    def __init__(self) -> None:
        self._alike = np.zeros(2 * STEPS + 1)
        self.samples = 0
        """At 16 kHz; 0 until something was heard in both."""

    def update(self, sound: FloatArray, other: FloatArray) -> None:
        """Take a piece in which somebody speaks.

        Args:
            sound: of the first microphone, 16 kHz, shape (samples,).
            other: of the second one, from `MOST_SAMPLES` before that to as much after it.
        """
        first, second = _levels(sound), _levels(other)
        count = len(first)
        windows = np.lib.stride_tricks.sliding_window_view(second, count)[: 2 * STEPS + 1]
        alike = np.array([_correlation(first, one) for one in windows])
        if alike.max() >= ALIKE:
            self._alike = FORGET * self._alike + alike
            self.samples = (int(self._alike.argmax()) - STEPS) * STEP_SAMPLES


def _levels(sound: FloatArray) -> NDArray[np.float64]:
    """In dB, shape (steps,)."""
    whole = sound[: len(sound) // STEP_SAMPLES * STEP_SAMPLES].reshape(-1, STEP_SAMPLES)
    level_db = 10 * np.log10(np.square(whole, dtype=np.float64).mean(axis=1) + 1e-12)
    return np.asarray(np.maximum(level_db, level_db.max() - FLOOR_DB))


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Pearson's; 0 where one of them does not move."""
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt(np.square(one).sum() * np.square(other).sum()))
    return float((one * other).sum()) / scale if scale > 0 else 0.0
