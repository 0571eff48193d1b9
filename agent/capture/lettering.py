"""Chinese and English text on pictures, with the font that OpenCV carries; no system font is needed."""

import functools
import threading
from typing import Literal

import cv2
import numpy as np

from agent.capture.picture import Bytes

Align = Literal["left", "centre", "right"]
Colour = tuple[int, int, int]
"""Blue, green, red; 0 to 255."""

_BEFORE: dict[Align, float] = {"left": 0.0, "centre": 0.5, "right": 1.0}
# One FontFace caches glyphs while it draws, and several tracks draw at the same time.
_pen = threading.Lock()


@functools.cache
def _font() -> "cv2.FontFace":
    return cv2.FontFace("uni")


def write(
    image: Bytes,
    words: str,
    at: tuple[int, int],
    size_px: int,
    colour: Colour,
    *,
    weight: int = 400,
    align: Align = "left",
) -> int:
    """Draw `words` on one line with its baseline at `at`, in place; returns where it ended, in pixels.

    Args:
        image: BGR, shape (height, width, 3).
        words: one line.
        at: x and y of the baseline's left end, middle or right end.
        size_px: height of the letters.
        colour: blue, green, red.
        weight: 100 (thin) to 900 (black).
        align: what `at` means.
    """
    with _pen:
        font = _font()
        # OpenCV 5 centres by the rest of the line, not by `at`; so the width is taken first.
        width = cv2.getTextSize((0, 0), words, (0, 0), font, size_px, weight)[2] if align != "left" else 0
        left = at[0] - round(width * _BEFORE[align])
        end, drawn = cv2.putText(image, words, (left, at[1]), colour, font, size_px, weight)
    if drawn is not image:
        image[:] = np.asarray(drawn)
    return int(end[0])
