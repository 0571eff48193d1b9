"""A room for the observer: feeds it in real time from the test's pictures and sound, at full rate."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from agent.capture.frame import BLOCK_SAMPLES, Block, Frame
from agent.observe.observer import Observer, ObserverLimits
from contract.observation import Observation


def picture(bgr: np.ndarray) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(bgr), "bgr24").reformat(format="yuv420p")


class Notes:
    """What an observer told, in order."""

    def __init__(self) -> None:
        self.observations: list[Observation] = []
        self.troubles: list[str] = []

    def of(self, kind: str) -> list[Observation]:
        return [one for one in self.observations if one.kind == kind]


def observer(models: Path, notes: Notes, **limits: float) -> Observer:
    epoch = time.monotonic_ns()
    return Observer(
        models,
        on_observation=notes.observations.append,
        on_trouble=notes.troubles.append,
        session_t=lambda mono_ns: (mono_ns - epoch) / 1e9,
        boot="boot",
        limits=ObserverLimits(**limits),
    )


def until(true: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Room:
    """Camera and slides at 25 frames a second and sound in blocks of 20 ms, on one thread, in real time."""

    def __init__(
        self, camera: np.ndarray | None, slides: list[np.ndarray], sound: np.ndarray, slide_s: float = 2.0
    ) -> None:
        """`camera`: what it shows; None where there is none."""
        self._camera = picture(camera) if camera is not None else None
        self._slides = [picture(slide) for slide in slides]
        self._blocks = sound[: len(sound) // BLOCK_SAMPLES * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)
        self._slide_s = slide_s
        self._stop = threading.Event()
        self.longest_feed_s = 0.0

    def play(self, to: Observer, seconds: float) -> None:
        """Feed for so long; remembers the longest time that one call took."""
        start_ns = time.monotonic_ns()
        blocks = round(seconds * 50)
        for number in range(blocks):
            mono_ns = start_ns + number * 20_000_000
            wait_s = (mono_ns - time.monotonic_ns()) / 1e9
            if wait_s > 0:
                time.sleep(wait_s)
            before = time.monotonic()
            to.feed_block(Block(self._blocks[number % len(self._blocks)], mono_ns))
            if number % 2 == 0:
                page = int(number / 50 / self._slide_s) % len(self._slides)
                if self._camera is not None:
                    to.feed_frame("camera", Frame(self._camera, mono_ns))
                to.feed_frame("slides", Frame(self._slides[page], mono_ns))
            self.longest_feed_s = max(self.longest_feed_s, time.monotonic() - before)
