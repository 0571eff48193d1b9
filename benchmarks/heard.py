"""What a room saw and heard in a stretch of a run, from the times at which pictures and sound came out."""

import itertools
from dataclasses import dataclass
from typing import Any

from benchmarks.tones import BLOCK_S
from benchmarks.wire import percentile

FREEZE_S = 0.2
"""A gap between decoded pictures that is longer counts, whole, as frozen."""


AGE_MAX_MS = 60_000.0
"""An age above this was read from a picture too damaged to tell its time."""


@dataclass(frozen=True)
class Heard:
    """One stretch of one peer's time."""

    seconds: float
    frames: int
    frozen: float
    """Share of the time in gaps of more than `FREEZE_S`."""
    longest_gap_s: float
    sound_lost: float
    """Share of the 20 ms blocks sent that never came out, or came out as something made up."""
    p50_ms: float | None
    p95_ms: float | None

    @property
    def fps(self) -> float:
        return self.frames / self.seconds


def heard(peer: dict[str, Any], begin_ns: int, end_ns: int, *, slow: float = 1.0) -> Heard:
    """Judge what came out in [begin, end).

    Args:
        peer: `pictures` and `sounds` of a receiver's tally.
        begin_ns: monotonic.
        end_ns: monotonic.
        slow: how many times slower than real time the sender went.
    """
    pictures = [(at, age) for at, age in peer["pictures"] if begin_ns <= at < end_ns]
    edges = [begin_ns, *(at for at, _ in pictures), end_ns]
    gaps = [(later - earlier) / 1e9 for earlier, later in itertools.pairwise(edges)]
    seconds = (end_ns - begin_ns) / 1e9
    new = sum(count for at, count in peer["sounds"] if begin_ns <= at < end_ns)
    ages = [age for _, age in pictures if age < AGE_MAX_MS]
    return Heard(
        seconds=seconds,
        frames=len(pictures),
        frozen=sum(gap for gap in gaps if gap > FREEZE_S * slow) / seconds,
        longest_gap_s=max(gaps),
        # A block more or less falls into the stretch by chance.
        sound_lost=max(0.0, 1 - (new + 1) / (seconds / BLOCK_S / slow)),
        p50_ms=percentile(ages, 0.5),
        p95_ms=percentile(ages, 0.95),
    )
