"""Whether anything moved in the room since a picture was looked at: where nothing did, what was seen then stands."""

from typing import Final, Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 160
HEIGHT: Final = 96
BLOCK: Final = 8
"""Side of a block of the small picture; 32 pixels of one of 640 across: a head and a half in the last row."""
MOVED: Final = 4.0
"""Levels (of 255) by which a block must differ on the mean. Noise of 8 levels in each pixel of 640 x 360 makes 3.0
here; a portrait whose head is 16 pixels wide and shifts by one of them before a grey wall makes 5.3."""

STILL_S: Final = 10.0
"""Where nothing moves, what was seen stands for less than this; then it is looked at all the same."""

What = TypeVar("What")
Grey = NDArray[np.uint8]


def shrunk(bgr: NDArray[np.uint8]) -> Grey:
    """The green of a picture of shape (height, width, 3) at 160 x 96, each pixel the mean of those it covers."""
    small = cv2.resize(cv2.extractChannel(bgr, 1), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


class Still:
    """Holds one small picture, and says of others whether they show the same."""

    def __init__(self) -> None:
        self._before: Grey | None = None

    def keep(self, small: Grey) -> None:
        """This picture is looked at; those to come are held against it, so that slow changes add up."""
        self._before = small

    def holds(self, small: Grey) -> bool:
        """Whether nothing moved since the picture that is kept; False where none is."""
        if self._before is None:
            return False
        blocks = cv2.resize(
            cv2.absdiff(small, self._before).astype(np.float32),
            (WIDTH // BLOCK, HEIGHT // BLOCK),
            interpolation=cv2.INTER_AREA,
        )
        return bool(np.asarray(blocks).max() < MOVED)


class Seen(Generic[What]):
    """What a net saw at its last look, and whether it need not look again."""

    def __init__(self) -> None:
        self.what: What | None = None
        self._still = Still()
        self._at_ns = 0

    def look(self, what: What, small: Grey, mono_ns: int) -> None:
        """It looked, at the picture of which `small` is the small one."""
        self.what, self._at_ns = what, mono_ns
        self._still.keep(small)

    def age_s(self, mono_ns: int) -> float:
        """Seconds since; infinite before the first look, and where time stepped back."""
        age_ns = mono_ns - self._at_ns
        return age_ns / 1e9 if self.what is not None and age_ns >= 0 else float("inf")

    def stands(self, small: Grey, mono_ns: int) -> bool:
        """Whether nothing has moved since, and that is not too long ago."""
        return self.age_s(mono_ns) < STILL_S and self._still.holds(small)
