"""How many people the camera sees: a number, where heads are on a coarse grid, and nothing else of them."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agent.observe.board import BoardPart
from agent.observe.finding import Finding
from agent.observe.pose import PosePart
from agent.observe.seats import SeatsPart
from agent.observe.sight import Bodies, FacesSeen, FloatArray, PeopleSeen, Sight
from agent.observe.spent import Spent
from agent.observe.still import Seen, shrunk

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
LENT_S: Final = 1.2
"""Where bodies are looked for, faces are not: those of the look before stand, if they are not older than this."""


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
    """Counts people in each picture; says unknown where there is no model or nothing to see.

    Of the two nets at most one looks at a picture, and none where nothing has moved since it last did.
    """

    def __init__(
        self,
        sight: Sight | None,
        bodies: Bodies | None = None,
        *,
        seats: SeatsPart | None = None,
        board: BoardPart | None = None,
        pose: PosePart | None = None,
        spent: Spent | None = None,
    ) -> None:
        """Say with what to look.

        Args:
            sight: finds faces; without it everything is unknown.
            bodies: finds whoever shows no face; without it faces alone count.
            seats: is told where heads are, in each picture.
            board: is told who stands where, whenever bodies were looked for.
            pose: the same, with their keypoints.
            spent: is told what each net takes.
        """
        self._sight = sight
        self._bodies = bodies
        self._seats = seats
        self._board = board
        self._pose = pose
        self._spent = spent or Spent()
        self._faces: Seen[FacesSeen] = Seen()
        self._people: Seen[PeopleSeen] = Seen()
        self._turned = NOBODY
        self._due_ns: int | None = None
        """When bodies are to be looked for again; None: at once."""
        self.bodies_s = BODIES_S
        """Seconds between two looks for bodies."""

    @property
    def sees(self) -> bool:
        """Whether anybody can be counted at all."""
        return self._sight is not None

    @property
    def sees_bodies(self) -> bool:
        """Whether whoever shows no face is counted too."""
        return self._sight is not None and self._bodies is not None

    def update(self, bgr: NDArray[np.uint8], mono_ns: int) -> list[Finding]:
        """Count one picture, shape (height, width, 3).

        The count is the number of faces and of people without one. Confidence is their mean score; where
        there is nobody it is None with a count of 0, because the nets say nothing about how sure they are
        of an empty room. `still` says that no net looked, because nothing had moved since one did.
        """
        if self._sight is None or float(bgr[::4, ::4, 1].std()) < FLAT:
            self._forget()
            return self._unknown(mono_ns)
        small = shrunk(bgr)
        due = self._is_due(mono_ns)
        looked = due and self._look_for_bodies(bgr, small, mono_ns)
        lent = looked and self._faces.age_s(mono_ns) <= LENT_S
        if not lent and not self._faces.stands(small, mono_ns):
            with self._spent.on("faces"):
                self._faces.look(self._sight.faces(bgr), small, mono_ns)
            fresh = True
        else:
            fresh = False
        return self._told(bgr, mono_ns, due=due, looked=looked, still=not fresh and not looked)

    def flush(self) -> list[Finding]:
        """What is still open."""
        return self._seats.flush() if self._seats is not None else []

    def _forget(self) -> None:
        self._faces, self._people = Seen(), Seen()
        self._turned, self._due_ns = NOBODY, None

    def _unknown(self, mono_ns: int) -> list[Finding]:
        findings = [Finding("people", mono_ns, value={"count": None})]
        if self._seats is not None:
            findings += self._seats.update(None, mono_ns)
        if self._board is not None:
            findings += self._board.update(None, mono_ns)
        return findings

    def _is_due(self, mono_ns: int) -> bool:
        """Whether it is time for bodies."""
        if self._bodies is None or (self._due_ns is not None and mono_ns < self._due_ns):
            return False
        self._due_ns = mono_ns + round((self.bodies_s - SLACK_S) * 1e9)
        return True

    def _look_for_bodies(self, bgr: NDArray[np.uint8], small: NDArray[np.uint8], mono_ns: int) -> bool:
        """Look for bodies, if anything moved; whether it was looked."""
        if self._bodies is None or self._people.stands(small, mono_ns):
            return False
        with self._spent.on("bodies"):
            self._people.look(self._bodies.people(bgr), small, mono_ns)
        return True

    def _told(self, bgr: NDArray[np.uint8], mono_ns: int, *, due: bool, looked: bool, still: bool) -> list[Finding]:
        faces, people = self._faces.what, self._people.what
        if faces is None:  # for the type alone: update looked for them
            return self._unknown(mono_ns)
        turned = self._turned.but(faces.boxes)
        if looked and people is not None:
            alone = without_face(people.heads, faces.boxes) & (people.scores >= BODY_SCORE)
            turned = self._turned = _Turned(people.heads[alone], people.scores[alone])
        scores = np.concatenate([faces.scores, turned.scores])
        value: dict[str, Any] = {"count": len(scores), "faces": len(faces.scores)} | ({"still": True} if still else {})
        confidence = round(float(scores.mean()), 3) if len(scores) else None
        findings = [Finding("people", mono_ns, confidence=confidence, value=value)]
        size = np.asarray(bgr.shape[1::-1], np.float32)
        if due and people is not None and self._board is not None:
            boxes = people.boxes[people.scores >= BODY_SCORE] / np.tile(size, 2)
            findings += self._board.update(boxes.astype(np.float32), mono_ns)
        if due and people is not None and self._pose is not None:
            findings += self._pose.update(people.keypoints, len(scores), mono_ns)
        if self._seats is not None:
            heads = np.concatenate([middles(faces.boxes), turned.heads]) / size
            findings += self._seats.update(heads.astype(np.float32), mono_ns)
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
