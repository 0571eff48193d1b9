"""The sound that every sender benchmark sends: each 20 ms another tone, so that a block that was made up is found out.

What a receiver invents in place of a lost packet repeats the tone before it, or is silent; either is no new block.
"""

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.capture.frame import BLOCK_SAMPLES, SOUND_RATE_HZ, Block

FIRST_HZ, STEP_HZ, COUNT = 400, 200, 16
"""Multiples of 50 Hz, so that every block begins and ends at zero."""
LEVEL = 8000
SETTLED = 400
"""Samples after which a decoded block holds its own tone alone: an encoder looks 312 samples ahead."""
QUIET = 500
BLOCK_S = BLOCK_SAMPLES / SOUND_RATE_HZ

_at = np.arange(BLOCK_SAMPLES) / SOUND_RATE_HZ
TONES = [(np.sin(2 * np.pi * (FIRST_HZ + k * STEP_HZ) * _at) * LEVEL).astype(np.int16) for k in range(COUNT)]
_angles = 2 * np.pi * np.outer(FIRST_HZ + STEP_HZ * np.arange(COUNT), _at[SETTLED:])
_probes = np.stack([np.cos(_angles), np.sin(_angles)]).astype(np.float32)


def tone(index: int) -> NDArray[np.int16]:
    """The `index`th 20 ms of the sound; neighbours are far apart."""
    return TONES[index * 7 % COUNT]


class NewBlocks:
    """Counts blocks that say something new."""

    def __init__(self) -> None:
        self._last: int | None = None

    def heard(self, samples: NDArray[np.int16]) -> int:
        """How many blocks of these samples (mono, shape (samples,)) are new."""
        new = 0
        for begin in range(0, len(samples) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
            block = samples[begin : begin + BLOCK_SAMPLES][SETTLED:].astype(np.float32)
            if np.abs(block).mean() < QUIET:
                self._last = None
                continue
            # Not `@`: for so little, BLAS wakes a thread a core, which spin and take the time of what is measured.
            found = int(np.square(np.einsum("pks,s->pk", _probes, block)).sum(axis=0).argmax())
            new += found != self._last
            self._last = found
        return new


class ToneSource:
    """The tones as a microphone."""

    def blocks(self, stop: threading.Event) -> Iterator[Block]:
        begin, index = time.monotonic_ns(), 0
        while not stop.is_set():
            due = begin + index * 20_000_000
            if (wait := due - time.monotonic_ns()) > 0 and stop.wait(wait / 1e9):
                return
            yield Block(tone(index), due)
            index += 1


def mono(frame: Any) -> NDArray[np.int16]:
    """The first channel of a decoded frame, shape (samples,)."""
    return np.asarray(frame.to_ndarray()).reshape(-1)[:: len(frame.layout.channels)].astype(np.int16)
