"""How good a recording of the benchmark's picture is: frames, and PSNR against the frames that were sent."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.picture import BLOCK, HEIGHT, WIDTH, loop_of_frames

EVERY = 7
"""Frames from one that is compared to the next; no divisor of the loop, so that every part of it counts alike."""
LIKELY = 5
"""Frames of the loop that a recorded one may be: neighbours differ by little more than noise."""


@dataclass(frozen=True)
class Recording:
    """One file."""

    frames: int
    fps: float
    psnr_db: float
    """Mean over the frames compared, luma, without the strip that holds the time."""
    kbps: float


def judge(file: Path, sent: list[NDArray[np.uint8]] | None = None) -> Recording:
    """Decode a recording and compare it with the loop that was sent."""
    loop = sent if sent is not None else loop_of_frames()
    small = np.stack([_luma(frame)[::16, ::16] for frame in loop])
    ratios: list[float] = []
    count = 0
    with av.open(str(file)) as container:
        size, seconds = file.stat().st_size, 0.0
        for frame in container.decode(video=0):
            seconds = float(frame.time or 0.0)
            if count % EVERY == 0:
                luma = _luma(np.asarray(frame.to_ndarray(format="yuv420p")))
                # A camera that was late left a frame out: which one this is shows the picture itself.
                likely = np.square(small - luma[::16, ::16]).mean(axis=(1, 2)).argsort()[:LIKELY]
                error = min(np.square(luma - _luma(loop[which])).mean() for which in likely)
                ratios.append(10 * float(np.log10(255**2 / max(float(error), 1e-9))))
            count += 1
    seconds = max(seconds, 1e-9)
    return Recording(count, (count - 1) / seconds, float(np.mean(ratios)) if ratios else 0.0, size * 8 / 1000 / seconds)


def _luma(planes: NDArray[np.uint8]) -> NDArray[np.float32]:
    return planes[BLOCK:HEIGHT, :WIDTH].astype(np.float32)
