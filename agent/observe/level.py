"""How loud the room's sound is, second by second, and whether it is cut off at full scale."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.observe.finding import Finding

RATE_HZ: Final = 48_000
FLOOR_DBFS: Final = -120.0
"""What digital silence is called: a muted microphone, not a quiet room."""
FULL_SCALE: Final = 32_700
"""Samples at or above this stand at the end of the scale (0.02 dB below it)."""
HOLE_S: Final = 0.1
"""A step in the sound's times of more than this begins another second."""


class LevelPart:
    """Tells the level of each whole second: one finding a second, nothing for a second with a hole in it."""

    def __init__(self) -> None:
        self._start_ns: int | None = None
        self._due_ns = 0
        self._power = 0.0
        self._peak = 0
        self._clipped = 0
        self._samples = 0

    def update(self, samples: NDArray[np.int16], mono_ns: int) -> list[Finding]:
        """Take sound at 48 kHz that began at `mono_ns`; return the seconds that are now whole.

        Each has the value `dbfs` (mean power against a full-scale square wave), `peak_dbfs` and `clipped`
        (share of the samples at the end of the scale, 0 to 1).
        """
        if self._start_ns is None or abs(mono_ns - self._due_ns) > HOLE_S * 1e9:
            self._begin(mono_ns)
        self._due_ns = mono_ns + round(len(samples) / RATE_HZ * 1e9)
        found = []
        while len(samples):
            piece, samples = np.split(samples, [RATE_HZ - self._samples])
            size = np.abs(piece.astype(np.int32))
            self._power += float(np.square(piece, dtype=np.float64).sum())
            self._peak = max(self._peak, int(size.max(initial=0)))
            self._clipped += int((size >= FULL_SCALE).sum())
            self._samples += len(piece)
            if self._samples == RATE_HZ:
                found.append(self._whole())
        return found

    def _begin(self, start_ns: int) -> None:
        self._start_ns = start_ns
        self._power, self._peak, self._clipped, self._samples = 0.0, 0, 0, 0

    def _whole(self) -> Finding:
        start_ns = self._start_ns or 0
        value = {
            "dbfs": dbfs((self._power / RATE_HZ) ** 0.5 / 32_768),
            "peak_dbfs": dbfs(self._peak / 32_768),
            "clipped": round(self._clipped / RATE_HZ, 5),
        }
        self._begin(start_ns + 1_000_000_000)
        return Finding("level", start_ns, 1.0, 1.0, value)


def dbfs(amplitude: float) -> float:
    """An amplitude of 0 to 1 in dB of full scale, one decimal, never under `FLOOR_DBFS`."""
    return round(max(FLOOR_DBFS, float(20 * np.log10(max(amplitude, 1e-9)))), 1)
