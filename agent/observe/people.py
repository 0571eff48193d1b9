"""How many people the camera sees: a number, where heads are on a coarse grid, and nothing else of them."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.observe.board import BoardPart
from agent.observe.finding import Finding
from agent.observe.pose import PosePart
from agent.observe.seats import SeatsPart

FLAT: Final = 4.0
"""A picture whose brightness varies by less than this (standard deviation, of 255) shows no room:
the lens is covered, the light is off, or the camera sends one colour."""
BODIES_S: Final = 4.0
"""Seconds between two looks for people from behind: dearer than faces, and whoever is turned away stays so for a
while. In between, those of the last look count."""
BODY_SCORE: Final = 0.25
"""Least score of a person without a face: legs, coats and chairs look like one, so it is more than a body is found
at. Of 0.12 to 0.4 the one with the fewest errors on 68 portraits whose face was painted over and 9 pictures without
people (35 found, 2 too many); on 103 others of other sizes and 10 other pictures 29 found, 5 too many. Painted
portraits are a poor stand-in for people from behind; it is not measured in classrooms."""
SLACK_S: Final = 0.2
"""A camera's pictures do not come to the millisecond."""

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


@dataclass(frozen=True, slots=True)
class _Turned:
    """People whose face was not seen, at the last look."""

    heads: FloatArray
    scores: FloatArray

    def but(self, faces: FloatArray) -> "_Turned":
        """Without those who show a face by now."""
        still = without_face(self.heads, faces)
        return _Turned(self.heads[still], self.scores[still])


NOBODY: Final = _Turned(np.zeros((0, 2), np.float32), np.zeros(0, np.float32))


class PeoplePart:
    """Counts people in each picture; says unknown where there is no model or nothing to see."""

    def __init__(
        self,
        sight: Sight | None,
        bodies: Bodies | None = None,
        *,
        seats: SeatsPart | None = None,
        board: BoardPart | None = None,
        pose: PosePart | None = None,
    ) -> None:
        """Say with what to look.

        Args:
            sight: finds faces; without it everything is unknown.
            bodies: finds whoever shows no face; without it faces alone count.
            seats: is told where heads are, in each picture.
            board: is told who stands where, whenever bodies were looked for.
            pose: the same, with their keypoints.
        """
        self._sight = sight
        self._bodies = bodies
        self._seats = seats
        self._board = board
        self._pose = pose
        self._turned = NOBODY
        self._looked_ns: int | None = None

    @property
    def sees(self) -> bool:
        """Whether anybody can be counted at all."""
        return self._sight is not None

    def update(self, bgr: NDArray[np.uint8], mono_ns: int) -> list[Finding]:
        """Count one picture, shape (height, width, 3).

        The count is the number of faces and of people without one. Confidence is their mean score; where
        there is nobody it is None with a count of 0, because the nets say nothing about how sure they are
        of an empty room.
        """
        if self._sight is None or float(bgr[::4, ::4, 1].std()) < FLAT:
            self._turned, self._looked_ns = NOBODY, None
            return self._unknown(mono_ns)
        faces = self._sight.faces(bgr)
        findings = self._look(bgr, faces, mono_ns)
        turned = self._turned if self._looked_ns == mono_ns else self._turned.but(faces.boxes)
        scores = np.concatenate([faces.scores, turned.scores])
        value = {"count": len(scores), "faces": len(faces.scores)}
        confidence = round(float(scores.mean()), 3) if len(scores) else None
        findings.insert(0, Finding("people", mono_ns, confidence=confidence, value=value))
        if self._seats is not None:
            size = np.asarray(bgr.shape[1::-1], np.float32)
            heads = np.concatenate([middles(faces.boxes), turned.heads]) / size
            findings += self._seats.update(heads.astype(np.float32), mono_ns)
        return findings

    def flush(self) -> list[Finding]:
        """What is still open."""
        return self._seats.flush() if self._seats is not None else []

    def _unknown(self, mono_ns: int) -> list[Finding]:
        findings = [Finding("people", mono_ns, value={"count": None})]
        if self._seats is not None:
            findings += self._seats.update(None, mono_ns)
        if self._board is not None:
            findings += self._board.update(None, mono_ns)
        return findings

    def _look(self, bgr: NDArray[np.uint8], faces: FacesSeen, mono_ns: int) -> list[Finding]:
        """Look for bodies, if it is time."""
        if self._bodies is None:
            return []
        if self._looked_ns is not None and mono_ns - self._looked_ns < (BODIES_S - SLACK_S) * 1e9:
            return []
        self._looked_ns = mono_ns
        people = self._bodies.people(bgr)
        turned = without_face(people.heads, faces.boxes) & (people.scores >= BODY_SCORE)
        self._turned = _Turned(people.heads[turned], people.scores[turned])
        findings: list[Finding] = []
        if self._board is not None:
            size = np.asarray([*bgr.shape[1::-1], *bgr.shape[1::-1]], np.float32)
            sure = people.scores >= BODY_SCORE
            findings += self._board.update(people.boxes[sure] / size, mono_ns)
        if self._pose is not None:
            findings += self._pose.update(people.keypoints, len(faces.scores) + int(turned.sum()), mono_ns)
        return findings


def middles(boxes: FloatArray) -> FloatArray:
    """Middles of boxes, across and down: shape (boxes, 4) to (boxes, 2)."""
    return np.asarray((boxes[:, :2] + boxes[:, 2:]) / 2, np.float32)


def without_face(heads: FloatArray, faces: FloatArray) -> NDArray[np.bool_]:
    """Which heads have no face: none whose middle is within a face's width across and its height down.

    A face belongs to one head, the nearest first, so that of two heads behind one another only one is taken
    for the face.

    Args:
        heads: across and down, shape (heads, 2).
        faces: left, top, right, bottom, shape (faces, 4).

    Returns:
        Shape (heads,).
    """
    alone = np.ones(len(heads), np.bool_)
    if not len(heads) or not len(faces):
        return alone
    sides = np.maximum(faces[:, 2:] - faces[:, :2], 1e-6)
    away = np.abs(heads[:, None] - middles(faces)[None]) / sides  # (heads, faces, 2), in sides of the face
    far = away.max(axis=2)
    for _ in range(min(len(heads), len(faces))):
        head, face = np.unravel_index(int(far.argmin()), far.shape)
        if far[head, face] > 1:
            break
        alone[head] = False
        far[head, :] = np.inf
        far[:, face] = np.inf
    return alone
