"""Where seats and board are in the camera's picture: told by whoever set the room up, for the observing process."""

import json
from dataclasses import asdict, dataclass
from typing import NamedTuple, Self

from agent.area import Opposite


class Rectangle(NamedTuple):
    """A part of the picture, in shares of its width and height from its upper left corner."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def between(cls, corners: Opposite) -> Self:
        """The rectangle of two opposite corners, in either order.

        >>> Rectangle.between(((1.0, 0.2), (0.5, 0.9)))
        Rectangle(left=0.5, top=0.2, right=1.0, bottom=0.9)
        """
        (x, y), (to_x, to_y) = corners
        return cls(min(x, to_x), min(y, to_y), max(x, to_x), max(y, to_y))


WHOLE = Rectangle(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class View:
    """What of the camera's picture is what."""

    seats: Rectangle = WHOLE
    """Where pupils sit; their heads are sorted into a coarse grid of this part."""
    board: Rectangle | None = None
    """Where somebody at the board stands, from the head to about the hips; None: this camera does not see one."""

    @classmethod
    def of(cls, seats: Opposite, board: Opposite | None) -> Self:
        """As settings say it."""
        return cls(Rectangle.between(seats), Rectangle.between(board) if board is not None else None)

    def text(self) -> str:
        """As JSON, for a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Self:
        """From what `text` wrote."""
        told = json.loads(text)
        return cls(Rectangle(*told["seats"]), Rectangle(*told["board"]) if told["board"] else None)


UNTOLD = View()
"""Nobody said what is where: the whole picture is seats, and no board is seen."""
