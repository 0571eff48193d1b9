"""Where along the board somebody stands; who, nobody asks."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.observe.finding import Finding
from agent.observe.view import Rectangle

TALL: Final = 0.5
"""A person at the board is at least this high, as a share of the board area: pupils in front of it who sit with
their backs to the camera reach into the area with their heads alone."""


class BoardPart:
    """Tells each look at the board: `position` 0 (left in the picture) to 1, and `people` there.

    With nobody there, `people` is 0 and `position` null; where nothing could be seen both are null. With
    several, the position is that of the tallest, most often the teacher.
    """

    def __init__(self, area: Rectangle) -> None:
        """`area`: where somebody at the board stands in the picture, from the head to about the hips."""
        self._area = area

    def update(self, boxes: NDArray[np.float32] | None, mono_ns: int) -> list[Finding]:
        """Take one look.

        Args:
            boxes: left, top, right, bottom in shares of the picture, shape (people, 4); None where unknown.
            mono_ns: when the picture was taken.
        """
        if boxes is None:
            return [Finding("board", mono_ns, value={"position": None, "people": None})]
        there = boxes[self._stands(boxes)]
        if not len(there):
            return [Finding("board", mono_ns, value={"position": None, "people": 0})]
        tallest = there[(there[:, 3] - there[:, 1]).argmax()]
        area = self._area
        along = (float(tallest[0] + tallest[2]) / 2 - area.left) / (area.right - area.left)
        return [Finding("board", mono_ns, value={"position": round(along, 3), "people": len(there)})]

    def _stands(self, boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Whose middle lies along the board, whose head is in the area, and who is tall enough; shape (people,)."""
        area = self._area
        middle = (boxes[:, 0] + boxes[:, 2]) / 2
        along = (middle >= area.left) & (middle <= area.right)
        head = (boxes[:, 1] >= area.top - (area.bottom - area.top) / 4) & (boxes[:, 1] < area.bottom)
        tall = boxes[:, 3] - boxes[:, 1] >= TALL * (area.bottom - area.top)
        return np.asarray(along & head & tall, np.bool_)
