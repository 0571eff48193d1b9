"""Where are faces: CenterFace, at a fixed size, decoded without a loop over cells.

Source: Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point" (2019).
The net says for each cell of 4 x 4 pixels how likely a face's middle lies in it, the face's
size as a logarithm of cells, and where in the cell the middle is.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.manifest import load_manifest
from models.session import open_session

WIDTH: Final = 640
HEIGHT: Final = 384
CELL: Final = 4
"""Pixels of a cell's side."""
SCORE: Final = 0.35
"""Least score of a face. 0.2 finds 98 % instead of 89 % of labelled pupils but more than twice as many
boxes on nobody's label; for a count, the two errors together are smaller here."""
OVERLAP: Final = 0.3
"""Boxes that share more of their area than this are one face."""

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Faces:
    """Faces of one picture, best first."""

    boxes: FloatArray
    """Left, top, right, bottom in pixels of the picture given, shape (faces, 4)."""
    scores: FloatArray
    """0 to 1, shape (faces,)."""


class FaceDetector:
    """Finds faces in a picture; keeps nothing of it.

    Raises:
        ModelUnusable: when it is made and the file is missing or corrupt.
    """

    def __init__(self, folder: Path) -> None:
        high, wide = HEIGHT // CELL, WIDTH // CELL
        shapes = {"input.1": (1, 3, HEIGHT, WIDTH), "537": (1, 1, high, wide), "538": (1, 2, high, wide)}
        shapes |= {"539": (1, 2, high, wide), "540": (1, 10, high, wide)}
        self._session = open_session(load_manifest().find("centerface"), folder, shapes)

    def faces(self, bgr: NDArray[np.uint8], score: float = SCORE) -> Faces:
        """Find faces of about 10 pixels and more, measured at 640 x 384.

        Args:
            bgr: a picture of any size, shape (height, width, 3); it is fitted into 640 x 384
                with its proportions kept.
            score: least score of a face.
        """
        high, wide = bgr.shape[:2]
        scale = min(WIDTH / wide, HEIGHT / high)
        if scale != 1.0:
            size = (max(1, round(wide * scale)), max(1, round(high * scale)))
            bgr = np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
        canvas = np.zeros((3, HEIGHT, WIDTH), np.float32)
        canvas[:, : bgr.shape[0], : bgr.shape[1]] = bgr[:, :, ::-1].transpose(2, 0, 1)
        heat, size_map, offset, _ = self._session.run(["537", "538", "539", "540"], {"input.1": canvas[None]})
        boxes, scores = decode(heat[0, 0], size_map[0], offset[0], score)
        keep = best_apart(boxes, scores)
        boxes = np.clip(boxes[keep] / scale, 0, np.array([wide, high, wide, high], np.float32))
        return Faces(boxes, scores[keep])


def decode(heat: FloatArray, size: FloatArray, offset: FloatArray, score: float) -> tuple[FloatArray, FloatArray]:
    """Boxes and scores of all cells at or above `score`.

    Args:
        heat: shape (rows, columns).
        size: logarithm of height and of width in cells, shape (2, rows, columns).
        offset: of the middle from the cell's, down and right in cells, shape (2, rows, columns).
        score: least score.

    Returns:
        Boxes as left, top, right, bottom in pixels, shape (boxes, 4), and scores, shape (boxes,).
    """
    row, column = np.nonzero(heat >= score)
    high, wide = np.exp(size[:, row, column]) * CELL
    middle_y = (row + offset[0, row, column] + 0.5) * CELL
    middle_x = (column + offset[1, row, column] + 0.5) * CELL
    sides = (middle_x - wide / 2, middle_y - high / 2, middle_x + wide / 2, middle_y + high / 2)
    return np.stack(sides, axis=1).astype(np.float32), heat[row, column].astype(np.float32)


def best_apart(boxes: FloatArray, scores: FloatArray, overlap: float = OVERLAP) -> NDArray[np.intp]:
    """Indices of the best boxes that share at most `overlap` of their area (greedy suppression)."""
    order = np.argsort(-scores, kind="stable")
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    while order.size:
        best, order = int(order[0]), order[1:]
        kept.append(best)
        inner = np.minimum(boxes[best, 2:], boxes[order, 2:]) - np.maximum(boxes[best, :2], boxes[order, :2])
        shared = np.clip(inner, 0, None).prod(axis=1)
        order = order[shared <= overlap * (area[best] + area[order] - shared)]
    return np.asarray(kept, np.intp)
