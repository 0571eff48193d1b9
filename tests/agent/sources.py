"""Sources for tests: real implementations of the capture protocols, small and exact."""

import threading
import time
from collections.abc import Iterator

import av
import numpy as np

from agent.capture.frame import BLOCK_SAMPLES, SOUND_RATE_HZ, Block, Frame


class MovingBars:
    """Grey bars that move by a few pixels each frame, at an exact rate."""

    def __init__(self, width: int = 320, height: int = 180, fps: int = 25) -> None:
        self.width, self.height, self.fps = width, height, fps

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        begin, index = time.monotonic_ns(), 0
        ramp = ((np.arange(self.width * 2) // 16) % 2 * 120 + 60).astype(np.uint8)
        chroma = np.full((self.height // 2, self.width), 128, np.uint8)
        while not stop.is_set():
            due = begin + index * 1_000_000_000 // self.fps
            if (wait := due - time.monotonic_ns()) > 0 and stop.wait(wait / 1e9):
                return
            row = ramp[(index * 3) % self.width :][: self.width]
            luma = np.repeat(row[None, :], self.height, axis=0)
            yield Frame(av.VideoFrame.from_ndarray(np.vstack([luma, chroma]), format="yuv420p"), due)
            index += 1


class Tone:
    """A steady tone, block by block, at an exact rate."""

    def __init__(self, hertz: float = 400.0, level: float = 0.3) -> None:
        self.hertz, self.level = hertz, level

    def blocks(self, stop: threading.Event) -> Iterator[Block]:
        begin, index = time.monotonic_ns(), 0
        while not stop.is_set():
            due = begin + index * 20_000_000
            if (wait := due - time.monotonic_ns()) > 0 and stop.wait(wait / 1e9):
                return
            at = (np.arange(BLOCK_SAMPLES) + index * BLOCK_SAMPLES) / SOUND_RATE_HZ
            samples = np.sin(2 * np.pi * self.hertz * at) * self.level * 32767
            yield Block(samples.astype(np.int16), due)
            index += 1
