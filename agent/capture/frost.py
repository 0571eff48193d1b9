"""Frosted glass over parts of a picture: so few colours are left of it that nobody can be made out behind them.

What is laid over is made of the mean colours of ten rows of squares over the whole picture, drawn into one
another. Nothing finer is kept, so nothing finer can be brought back.
"""

from functools import lru_cache

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from agent.capture.picture import Bytes, framed, planes

CELL_ROWS = 90
"""Rows of cells that are covered or not: 8 pixels of 720p each."""
SQUARE_ROWS = 10
"""Rows of squares whose mean colour is left: 72 pixels of 720p each. A face that fills a third of the picture's
height is three squares high; those of pupils are smaller than one."""

Cells = NDArray[np.bool_]
"""Which cells, shape (rows, columns)."""


def grid(size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of cells of a picture of `size` (width, height)."""
    width, height = size
    rows = min(CELL_ROWS, height // 2)
    return rows, min(max(1, round(rows * width / height)), width // 2)


def small(buffer: Bytes, size: tuple[int, int]) -> Bytes:
    """Mean brightness and colour of each cell of an I420 buffer, shape (rows, columns, 3)."""
    rows, columns = grid(size)
    parts = [cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA) for plane in planes(buffer, *size)]
    return np.asarray(cv2.merge(parts), np.uint8)


def frost(buffer: Bytes, means: Bytes, covered: Cells) -> None:
    """Cover cells of an I420 buffer in place.

    Args:
        buffer: shape (height * 3 / 2, width).
        means: what `small` made of it.
        covered: which cells.
    """
    if not covered.any():
        return
    width = buffer.shape[1]
    height = len(buffer) * 2 // 3
    squares = (max(1, round(SQUARE_ROWS * width / height)), SQUARE_ROWS)
    coarse = cv2.resize(means, squares, interpolation=cv2.INTER_AREA)
    everything = bool(covered.all())
    mask = covered.astype(np.uint8)
    for index, plane in enumerate(planes(buffer, width, height)):
        sides = (plane.shape[1], plane.shape[0])
        glass = cv2.resize(np.ascontiguousarray(coarse[:, :, index]), sides, interpolation=cv2.INTER_LINEAR)
        if everything:
            plane[:] = glass
        else:
            where = mask.take(_nearest(sides[0], mask.shape[1]), 1).take(_nearest(sides[1], mask.shape[0]), 0)
            cv2.copyTo(glass, where, plane)


@lru_cache(maxsize=16)
def _nearest(pixels: int, cells: int) -> NDArray[np.intp]:
    """In which cell each pixel of a side lies."""
    return np.arange(pixels) * cells // pixels


def frosted(picture: av.VideoFrame, covered: Cells | None = None) -> av.VideoFrame:
    """A copy of a yuv420p picture with `covered` frosted; all of it where that is None."""
    size = (picture.width, picture.height)
    buffer = np.ascontiguousarray(picture.to_ndarray(), np.uint8)
    frost(buffer, small(buffer, size), np.ones(grid(size), np.bool_) if covered is None else covered)
    return framed(buffer)
