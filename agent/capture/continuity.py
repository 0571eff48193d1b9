"""Sound without a hole: whatever arrives, late or not at all, leaves as blocks that follow each other."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from agent.capture.frame import BLOCK_SAMPLES, SOUND_RATE_HZ, Block
from agent.capture.pace import BLOCK_NS, NS_A_SECOND

TOLERANCE_NS = 40_000_000
"""Stamps may be off by this much before sound is cut or silence put in: jitter, and the card's own clock."""
PATIENCE_NS = 200_000_000
"""So long late is late, not lost."""


class Continuity:
    """Puts stamped pieces of sound on one unbroken line of 20 ms blocks; pure, the time is passed in."""

    def __init__(self) -> None:
        self._next_ns: int | None = None
        self._held = np.zeros(0, np.int16)
        self.filled = 0
        """Samples of silence put in for sound that never came."""
        self.cut = 0
        """Samples thrown away because silence already stood in their place."""

    def put(self, samples: NDArray[np.int16], mono_ns: int) -> Iterator[Block]:
        """Take mono sound at 48 kHz, shape (samples,), whose first sample was captured at `mono_ns`."""
        if self._next_ns is None:
            self._next_ns = mono_ns
        off_ns = mono_ns - self._end_ns()
        if off_ns > TOLERANCE_NS:
            self._fill(off_ns)
        elif off_ns < -TOLERANCE_NS:
            late = min(samples.size, round(-off_ns * SOUND_RATE_HZ / NS_A_SECOND))
            self.cut += late
            samples = samples[late:]
        self._held = np.concatenate([self._held, samples]) if self._held.size else samples
        yield from self._whole()

    def idle(self, now_ns: int) -> Iterator[Block]:
        """Nothing came until `now_ns`: silence, once patience is over."""
        if self._next_ns is None:
            self._next_ns = now_ns
        if (off_ns := now_ns - self._end_ns()) > PATIENCE_NS:
            # Up to the moment of patience only, so that sound which is merely late keeps its place.
            self._fill(off_ns - PATIENCE_NS + BLOCK_NS)
            yield from self._whole()

    def _end_ns(self) -> int:
        return (self._next_ns or 0) + self._held.size * NS_A_SECOND // SOUND_RATE_HZ

    def _fill(self, span_ns: int) -> None:
        count = round(span_ns * SOUND_RATE_HZ / NS_A_SECOND)
        self.filled += count
        self._held = np.concatenate([self._held, np.zeros(count, np.int16)])

    def _whole(self) -> Iterator[Block]:
        while self._held.size >= BLOCK_SAMPLES:
            block = Block(self._held[:BLOCK_SAMPLES], self._next_ns or 0)
            self._held = self._held[BLOCK_SAMPLES:]
            self._next_ns = block.mono_ns + BLOCK_NS
            yield block
