"""A second sound beside the room's own: kept for a while, and looked up by time."""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.observe.decimate import DELAY_S, RATE_IN_HZ, Decimator

RATE_HZ: Final = 16_000
HOLE_S: Final = 0.1
"""A step in its times of more than this is a hole."""
KEPT_S: Final = 30.0
"""Longer than the room's sound may lag behind it: 10 s wait for the process at most, and 10 s in it."""

FloatArray = NDArray[np.float32]


class BesideSound:
    """Takes sound at 48 kHz as it comes; gives 16 kHz of any stretch of the last half minute.

    Both pass the same filter, so that what is heard in both lies at the same place.
    """

    def __init__(self, kept_s: float = KEPT_S) -> None:
        """`kept_s`: how long sound is kept, in seconds."""
        self._kept_s = kept_s
        self._decimator = Decimator()
        self._due_ns: int | None = None
        self._pieces: deque[tuple[float, FloatArray]] = deque()
        """Each with the time of its first sample, in seconds."""

    @property
    def end_s(self) -> float | None:
        """Up to when it is known; None before its first sample."""
        return None if self._due_ns is None else self._due_ns / 1e9 - DELAY_S

    def update(self, samples: NDArray[np.int16], mono_ns: int) -> None:
        """Take sound at 48 kHz that began at `mono_ns`."""
        if self._due_ns is None or abs(mono_ns - self._due_ns) > HOLE_S * 1e9:
            self._decimator.reset()
        self._due_ns = mono_ns + round(len(samples) / RATE_IN_HZ * 1e9)
        self._pieces.append((mono_ns / 1e9 - DELAY_S, self._decimator.update(samples)))
        while self._pieces[0][0] < self._pieces[-1][0] - self._kept_s:
            self._pieces.popleft()

    def at(self, start_s: float, count: int) -> tuple[FloatArray, NDArray[np.bool_]]:
        """`count` samples at 16 kHz from `start_s` on, and which of them are known; the others are 0."""
        sound, known = np.zeros(count, np.float32), np.zeros(count, np.bool_)
        for piece_s, piece in self._pieces:
            first = round((piece_s - start_s) * RATE_HZ)
            here = slice(max(0, first), min(count, first + len(piece)))
            if here.start < here.stop:
                sound[here] = piece[here.start - first : here.stop - first]
                known[here] = True
        return sound, known
