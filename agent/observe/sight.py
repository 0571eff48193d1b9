"""What finds people in a picture, as the people part sees it; the models are such, and a test's are ten lines."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


class FacesSeen(Protocol):
    """Faces of one picture."""

    @property
    def scores(self) -> FloatArray:
        """0 to 1, shape (faces,)."""

    @property
    def boxes(self) -> FloatArray:
        """Left, top, right, bottom in pixels, shape (faces, 4)."""


class Sight(Protocol):
    """Finds faces; models.centerface.FaceDetector is one."""

    def faces(self, bgr: NDArray[np.uint8]) -> FacesSeen:
        """Find faces in a picture of shape (height, width, 3)."""


class PeopleSeen(Protocol):
    """People of one picture, with or without a face."""

    @property
    def scores(self) -> FloatArray:
        """0 to 1, shape (people,)."""

    @property
    def boxes(self) -> FloatArray:
        """Left, top, right, bottom in pixels, shape (people, 4)."""

    @property
    def keypoints(self) -> FloatArray:
        """Across, down in pixels and score, shape (people, 17, 3)."""

    @property
    def heads(self) -> FloatArray:
        """Across, down in pixels, shape (people, 2)."""


class Bodies(Protocol):
    """Finds people, also from behind; models.movenet.PoseDetector is one."""

    def people(self, bgr: NDArray[np.uint8]) -> PeopleSeen:
        """Find people in a picture of shape (height, width, 3)."""
