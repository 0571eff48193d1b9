"""What capture hands on: pictures and sound, each with its capture time."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray

SOUND_RATE_HZ = 48_000
"""Sampling rate of every sound block."""
BLOCK_SAMPLES = 960
"""Samples of one block: 20 ms, one Opus frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture: yuv420p at the track's size, and when it was captured."""

    picture: av.VideoFrame
    mono_ns: int
    stand_in: bool = False
    """Whether it is a card that stands in for a device that is away: nothing of the room is seen on it."""


@dataclass(frozen=True, slots=True)
class Block:
    """20 ms of mono sound: int16, shape (960,), 48 kHz, and when its first sample was captured."""

    samples: NDArray[np.int16]
    mono_ns: int


class SourceLost(Exception):
    """A source that worked and stopped, or cannot be opened; the message says what to do."""


class FrameSource(Protocol):
    """Something that sees; it holds its device while frames are read, and no longer."""

    width: int
    height: int
    fps: int

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Yield frames at their own pace until `stop` is set; blocks in between.

        Raises:
            SourceLost: the device is gone, or in use.
        """


class SoundSource(Protocol):
    """Something that hears; it holds its device while blocks are read, and no longer."""

    def blocks(self, stop: threading.Event) -> Iterator[Block]:
        """Yield blocks of 20 ms without a hole until `stop` is set; blocks in between.

        Raises:
            SourceLost: the device is gone, or in use.
        """
