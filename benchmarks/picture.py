"""The picture that every sender benchmark sends: the same frames, at the same pace, with the time painted in.

A strip of black and white blocks at the top holds the monotonic clock in tenths of milliseconds,
so that the receiving process reads the age of a picture from the picture itself, whoever sent it.
"""

import threading
import time
from collections.abc import Iterator

import av
import numpy as np
from numpy.typing import NDArray

from agent.capture.frame import Frame
from agent.capture.rehearsal.lesson import RehearsalCamera

WIDTH, HEIGHT, FPS = 1280, 720, 25
BITS, BLOCK = 32, 16
LOOP = 100
"""Frames of the loop: 4 s."""


def size_of(text: str) -> tuple[int, int]:
    """The width and height that `1280x720` says."""
    width, _, height = text.partition("x")
    return int(width), int(height)


def loop_of_frames(size: tuple[int, int] = (WIDTH, HEIGHT)) -> list[NDArray[np.uint8]]:
    """Frames of the rehearsal's camera as planar yuv420p arrays, shape (height * 3 / 2, width), with sensor noise."""
    stop = threading.Event()
    source = RehearsalCamera(size, 1000, 1, lead=True, name="")
    noise = np.random.default_rng(1).normal(0, 1.6, (7, size[1], size[0])).astype(np.int16)
    frames = []
    for index, frame in enumerate(source.frames(stop)):
        planes = frame.picture.to_ndarray().astype(np.int16)
        planes[: size[1]] += noise[index % len(noise)]
        frames.append(np.clip(planes, 0, 255).astype(np.uint8))
        if len(frames) == LOOP:
            stop.set()
    return frames


def painted(planes: NDArray[np.uint8], now_ns: int) -> av.VideoFrame:
    """A picture with `now_ns` painted in."""
    stamp = now_ns // 100_000 & 0xFFFF_FFFF
    bits = (stamp >> np.arange(BITS) & 1).astype(np.uint8) * 219 + 16
    planes[:BLOCK, : BITS * BLOCK] = np.repeat(bits, BLOCK)
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def age_ms(picture: av.VideoFrame, now_ns: int, painted_width: int = WIDTH) -> float:
    """How old a painted picture is, in ms, to a tenth; it may have been made smaller on its way."""
    plane = picture.planes[0]
    scale = picture.width / painted_width
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[int(4 * scale) : max(2, int(12 * scale))]
    middles = ((np.arange(BITS) + 0.5) * BLOCK * scale).astype(int)
    stamp = int((rows[:, middles].mean(axis=0) > 125) @ (1 << np.arange(BITS, dtype=np.int64)))
    return ((now_ns // 100_000 - stamp) & 0xFFFF_FFFF) / 10


class PaintedSource:
    """The loop as a camera."""

    fps = FPS

    def __init__(self, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
        self.width, self.height = size
        self._frames = loop_of_frames(size)

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        begin, index = time.monotonic_ns(), 0
        while not stop.is_set():
            due = begin + index * 1_000_000_000 // FPS
            if (wait := due - time.monotonic_ns()) > 0 and stop.wait(wait / 1e9):
                return
            now = time.monotonic_ns()
            yield Frame(painted(self._frames[index % LOOP], now), now)
            index += 1
