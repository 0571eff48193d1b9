"""What came from another room, counted."""

import bisect
import itertools
from collections import Counter
from dataclasses import dataclass, field


class Latencies:
    """How old pictures were when they were decoded, counted in steps of 0.1 ms; written by one thread."""

    def __init__(self) -> None:
        self._counts: Counter[float] = Counter()

    def add(self, milliseconds: float) -> None:
        """Count one picture."""
        self._counts[round(milliseconds, 1)] += 1

    def percentiles(self, *shares: float) -> tuple[float, ...] | None:
        """The ages in ms below which these shares of the pictures lie; None before the first picture."""
        ordered = sorted(self._counts.copy().items())
        total = sum(count for _, count in ordered)
        if not total:
            return None
        ages = list(itertools.accumulate(count for _, count in ordered))
        return tuple(ordered[bisect.bisect_right(ages, min(total - 1, int(total * share)))][0] for share in shares)


@dataclass
class PeerFigures:
    """What came from one room so far, over all its joins."""

    video_frames: int = 0
    audio_seconds: float = 0.0
    joins: int = 0
    join_ms: float | None = None
    latencies: Latencies = field(default_factory=Latencies)
    clock_error_ms: float = 0.0
    last_sound_ns: int | None = None
    """When a sound packet came last, over all joins."""
    last_camera_ns: int | None = None
    """When a packet of the camera came last, over all joins."""
    last_picture_ns: int | None = None
    """When a picture was decoded last, over all joins."""
    sound_lost: int = 0
    """20 ms pieces that neither came in time nor were recovered."""
    sound_recovered: int = 0
    """20 ms pieces that were lost on the way and brought back in time."""
    sound_concealed: int = 0
    """Of those lost, the pieces that the decoder made up."""
