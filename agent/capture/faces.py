"""Which part of a picture may show a face: what a look found a moment ago, and whatever has changed since.

A look at a picture takes longer than a picture lasts, and is taken a few times a second. A face that is in the
picture now was either there at the last look, and then the look or one before it may have found it, or it came
since, and then the picture changed where it is. Both are covered. Where there is no look that is fresh enough,
everything is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.area import Area, outline
from agent.capture.frost import Cells
from agent.capture.picture import Bytes

Boxes = NDArray[np.float32]
"""Left, top, right, bottom in shares of the picture's width and height, shape (faces, 4)."""

_FINE = 8
"""A cell lies in an area where all of so many times so many points of it do."""


@dataclass(frozen=True, slots=True)
class Caution:
    """How much is covered. Chosen on one half of the made-up lessons of benchmarks/faces.py, reported on the other."""

    score: float = 0.05
    """Least score of a face; a box on nobody costs a patch of frosted glass, a face that is missed costs more."""
    margin: float = 0.35
    """A face is covered this much wider on each side, as a share of its own size."""
    face_hold_s: float = 4.0
    """A face that a look does not find again stays covered where it was, in seconds."""
    change: int = 8
    """A cell has changed when its mean brightness differs by so much (of 255) from the picture last looked at."""
    change_reach: int = 2
    """Cells this near to one that changed are covered with it."""
    change_hold_s: float = 1.0
    """What changed stays covered, in seconds: several looks have seen it by then."""
    late_s: float = 2.0
    """Without a look at a picture of the last so many seconds, everything is covered."""


CAUTION = Caution()
SAME_PLACE = 1.0
"""A face found this near to where one was, in sides of it, is taken for that one."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found in one picture."""

    mono_ns: int
    """When the picture was captured."""
    small: Bytes
    """Means of its cells, shape (rows, columns, 3)."""
    boxes: Boxes
    """Faces."""


class FaceCover:
    """Says which cells of each picture to cover; holds no picture but the last one looked at, in cells."""

    def __init__(self, grid: tuple[int, int], clear: Sequence[Area] = (), caution: Caution = CAUTION) -> None:
        """Nothing has been looked at: everything is covered.

        Args:
            grid: rows and columns of cells.
            clear: areas that are never covered.
            caution: how much to cover.
        """
        self._caution = caution
        self._covered_by_right = ~_within(clear, grid)
        self._look: Look | None = None
        self._boxes = np.zeros((0, 4), np.float32)
        self._seen_ns = np.zeros(0, np.int64)
        self._faces = np.zeros(grid, np.bool_)
        self._changed_ns = np.full(grid, -(1 << 62), np.int64)

    def take(self, look: Look) -> None:
        """A look is done; one that is older than the last counts for nothing."""
        if self._look is not None and look.mono_ns <= self._look.mono_ns:
            return
        self._look = look
        lost = ~_found_again(self._boxes, look.boxes)
        lost &= look.mono_ns - self._seen_ns <= self._caution.face_hold_s * 1e9
        self._boxes = np.concatenate([look.boxes, self._boxes[lost]])
        self._seen_ns = np.concatenate([np.full(len(look.boxes), look.mono_ns), self._seen_ns[lost]])
        self._faces = self._drawn(self._boxes)

    def fresh(self, mono_ns: int) -> bool:
        """Whether there is a look that is good enough for a picture of `mono_ns`."""
        return self._look is not None and mono_ns - self._look.mono_ns <= self._caution.late_s * 1e9

    def cells(self, small: Bytes, mono_ns: int) -> Cells:
        """Which cells of a picture to cover.

        Args:
            small: means of its cells, shape (rows, columns, 3).
            mono_ns: when it was captured.
        """
        if self._look is None or not self.fresh(mono_ns):
            return self._covered_by_right
        changed = np.asarray(cv2.absdiff(small[:, :, 0], self._look.small[:, :, 0])) >= self._caution.change
        reach = 2 * self._caution.change_reach + 1
        near = cv2.dilate(changed.view(np.uint8), np.ones((reach, reach), np.uint8))
        self._changed_ns[near.view(np.bool_)] = mono_ns
        moving = self._changed_ns >= mono_ns - self._caution.change_hold_s * 1e9
        return np.asarray((moving | self._faces) & self._covered_by_right, np.bool_)

    def _drawn(self, boxes: Boxes) -> Cells:
        rows, columns = self._faces.shape
        cells = np.zeros((rows, columns), np.bool_)
        sides = boxes[:, 2:] - boxes[:, :2]
        margins = sides * self._caution.margin
        least = np.clip(np.concatenate([boxes[:, :2] - margins, boxes[:, 2:] + margins], axis=1), 0, 1)
        scaled = least * np.asarray([columns, rows, columns, rows], np.float32)
        for left, top, right, bottom in scaled:
            cells[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))] = True
        return cells


def _found_again(before: Boxes, now: Boxes) -> Cells:
    """Which faces of `before` are among those of `now`: each of these is one of those at most, the nearest first."""
    again = np.zeros(len(before), np.bool_)
    if not len(before) or not len(now):
        return again
    sides = np.maximum(before[:, 2:] - before[:, :2], 1e-6)
    middles = [(boxes[:, :2] + boxes[:, 2:]) / 2 for boxes in (before, now)]
    away = (np.abs(middles[0][:, None] - middles[1][None]) / sides[:, None]).max(axis=2)
    for _ in range(min(away.shape)):
        one, other = np.unravel_index(int(away.argmin()), away.shape)
        if away[one, other] > SAME_PLACE:
            break
        again[one] = True
        away[one, :] = np.inf
        away[:, other] = np.inf
    return again


def _within(areas: Sequence[Area], grid: tuple[int, int]) -> Cells:
    """Cells that lie wholly in one of the areas."""
    rows, columns = grid
    inside = np.zeros((rows * _FINE, columns * _FINE), np.uint8)
    for area in areas:
        corners = np.asarray(outline(area), np.float64) * (columns * _FINE, rows * _FINE) - 0.5
        cv2.fillPoly(inside, [np.round(corners * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    return np.asarray(inside.reshape(rows, _FINE, columns, _FINE).all(axis=(1, 3)), np.bool_)
