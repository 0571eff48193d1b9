"""How many people the camera sees: a number, and nothing else of them."""

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.observe.finding import Finding

FLAT: Final = 4.0
"""A picture whose brightness varies by less than this (standard deviation, of 255) shows no room:
the lens is covered, the light is off, or the camera sends one colour."""


class FacesSeen(Protocol):
    """Faces of one picture."""

    @property
    def scores(self) -> NDArray[np.float32]:
        """0 to 1, shape (faces,)."""


class Sight(Protocol):
    """Finds faces; models.centerface.FaceDetector is one."""

    def faces(self, bgr: NDArray[np.uint8]) -> FacesSeen:
        """Find faces in a picture of shape (height, width, 3)."""


class PeoplePart:
    """Counts faces in each picture; says unknown where there is no model or nothing to see."""

    def __init__(self, sight: Sight | None) -> None:
        self._sight = sight

    def update(self, bgr: NDArray[np.uint8], mono_ns: int) -> list[Finding]:
        """Count one picture, shape (height, width, 3).

        Confidence is the mean score of the faces; where there is none it is None with a count of 0,
        because the net says nothing about how sure it is of an empty room.
        """
        if self._sight is None or float(bgr[::4, ::4, 1].std()) < FLAT:
            return [Finding("people", mono_ns, value={"count": None})]
        scores = self._sight.faces(bgr).scores
        confidence = round(float(scores.mean()), 3) if len(scores) else None
        return [Finding("people", mono_ns, confidence=confidence, value={"count": len(scores)})]
