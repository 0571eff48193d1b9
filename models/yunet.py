"""Where are faces, faster: YuNet from a file that the operator supplies; no package that we know of ships its weights.

Source: Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector" (2023); names of inputs and outputs, and how
they are read, as in OpenCV's `FaceDetectorYN` for `face_detection_yunet_2023mar.onnx`. The net says for each cell of
8, 16 and 32 pixels how likely it shows a face and how likely a thing at all, and where the face's box lies.
"""

import hashlib
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.centerface import Faces, best_apart
from models.session import ModelUnusable, session_of

WIDTH: Final = 640
HEIGHT: Final = 384
CELLS: Final = (8, 16, 32)
"""Pixels of a cell's side."""
SCORE: Final = 0.3
"""Least score of a face. A prototype found 97.2 % of 833 labelled pupils in 40 classroom pictures with it at
640 x 384; precision was not measured, nor is any of this with the code here."""
WIDEST: Final = 4096
"""Pixels; a file that declares a wider picture is none of these nets."""

FloatArray = NDArray[np.float32]
HEADS: Final = tuple(f"{kind}_{cell}" for kind in ("cls", "obj", "bbox") for cell in CELLS)


class YuNet:
    """Finds faces in a picture; keeps nothing of it. The file is read once, when it is made.

    Raises:
        ModelUnusable: when it is made and the file is missing, cannot be read, or is no YuNet.
    """

    def __init__(self, path: Path) -> None:
        content = _read(path)
        self.sha256 = hashlib.sha256(content).hexdigest()
        """Of the file: nothing else says which weights these are."""
        try:
            self._session = session_of(content, str(path), {"input": (1, 3, HEIGHT, WIDTH)})
            self._size = (WIDTH, HEIGHT)
            self._heads(np.zeros((1, 3, HEIGHT, WIDTH), np.float32))
        except (ModelUnusable, _OtherNet):
            # Some exports hold their size in the graph.
            self._session = session_of(content, str(path))
            self._size = self._declared(path)
            self._try(path)

    def faces(self, bgr: NDArray[np.uint8], score: float = SCORE) -> Faces:
        """Find faces.

        Args:
            bgr: a picture of any size, shape (height, width, 3); it is fitted into 640 x 384, or into the size that
                the file declares, with its proportions kept.
            score: least score of a face.
        """
        high, wide = bgr.shape[:2]
        scale = min(self._size[0] / wide, self._size[1] / high)
        if scale != 1.0:
            size = (max(1, round(wide * scale)), max(1, round(high * scale)))
            bgr = np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
        canvas = np.zeros((1, 3, self._size[1], self._size[0]), np.float32)
        canvas[0, :, : bgr.shape[0], : bgr.shape[1]] = bgr.transpose(2, 0, 1)
        boxes, scores = decode(self._heads(canvas), self._size[0], score)
        keep = best_apart(boxes, scores)
        boxes = np.clip(boxes[keep] / scale, 0, np.asarray([wide, high, wide, high], np.float32))
        return Faces(boxes.astype(np.float32), scores[keep])

    def _heads(self, canvas: FloatArray) -> dict[str, FloatArray]:
        """What the net says, by name, each of shape (cells, values)."""
        try:
            said = dict(zip(HEADS, self._session.run(list(HEADS), {"input": canvas}), strict=True))
        except Exception as error:  # onnxruntime raises its own types, which it does not publish
            raise _OtherNet(str(error).splitlines()[0]) from error
        out = {}
        for name, values in said.items():
            kind, cell = name.split("_")
            cells = canvas.shape[2] // int(cell) * (canvas.shape[3] // int(cell))
            if values.size != cells * (4 if kind == "bbox" else 1):
                raise _OtherNet(f"{name} has {values.size} values for {cells} cells")
            out[name] = values.reshape(cells, -1)
        return out

    def _declared(self, path: Path) -> tuple[int, int]:
        """Width and height of the picture, as the file declares them."""
        inputs = {one.name: one.shape for one in self._session.get_inputs()}
        shape = inputs.get("input", ())
        sides = [one for one in shape[2:] if isinstance(one, int) and 0 < one <= WIDEST and one % CELLS[-1] == 0]
        if len(shape) != 4 or len(sides) != 2:
            raise _refused(path, f"its inputs are {inputs}")
        return sides[1], sides[0]

    def _try(self, path: Path) -> None:
        try:
            self._heads(np.zeros((1, 3, self._size[1], self._size[0]), np.float32))
        except _OtherNet as other:
            raise _refused(path, str(other)) from other


class _OtherNet(Exception):
    """The graph runs, or does not, but is not the one that this reads."""


def _refused(path: Path, why: str) -> ModelUnusable:
    return ModelUnusable(
        f"the face model {path} is not a YuNet: {why}; name a file such as face_detection_yunet_2023mar.onnx"
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelUnusable(f"there is no face model {path}; correct [observe] face_model") from error
    except OSError as error:
        raise ModelUnusable(f"the face model {path} cannot be read: {error.strerror}") from error


def decode(said: dict[str, FloatArray], width: int, score: float) -> tuple[FloatArray, FloatArray]:
    """Boxes and scores of all cells at or above `score`.

    Formula: score = sqrt(face * thing), each held to 0 to 1; middle = (cell + shift) * side of a cell; width and
    height = exp(value) * side of a cell. The three sizes of cells follow one another.

    Args:
        said: what the net says, by name, each of shape (cells, values), cells by row.
        width: of the picture, in pixels.
        score: least score.

    Returns:
        Boxes as left, top, right, bottom in pixels, shape (boxes, 4), and scores, shape (boxes,).
    """
    boxes, scores = [], []
    for side in CELLS:
        sure = np.sqrt(np.clip(said[f"cls_{side}"], 0, 1) * np.clip(said[f"obj_{side}"], 0, 1))[:, 0]
        cell = np.nonzero(sure >= score)[0]
        row, column = np.divmod(cell, width // side)
        across, down, wide, high = said[f"bbox_{side}"][cell].T
        middle_x, middle_y = (column + across) * side, (row + down) * side
        half_w, half_h = np.exp(np.minimum(wide, 10)) * side / 2, np.exp(np.minimum(high, 10)) * side / 2
        edges = (middle_x - half_w, middle_y - half_h, middle_x + half_w, middle_y + half_h)
        boxes.append(np.stack(edges, axis=1).astype(np.float32))
        scores.append(sure[cell].astype(np.float32))
    return np.concatenate(boxes), np.concatenate(scores)
