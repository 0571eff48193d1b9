"""A part of a picture, such as one that is never shown: its corners, in shares of the picture's width and height."""

from collections.abc import Sequence
from itertools import combinations
from typing import Annotated

from pydantic import AfterValidator, Field

CORNERS_MAX = 32
AREAS_MAX = 16
LEAST_SHARE = 1e-4
"""Share of the picture below which an area is a slip of the pen: 10 x 9 pixels of 720p."""

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Corner = tuple[Share, Share]
"""Right and down from the picture's upper left corner."""


def outline(corners: Sequence[Corner]) -> list[Corner]:
    """The corners of the polygon: all four where two opposite ones say a rectangle.

    >>> outline([(0.0, 0.25), (0.5, 1.0)])
    [(0.0, 0.25), (0.5, 0.25), (0.5, 1.0), (0.0, 1.0)]
    """
    if len(corners) != 2:
        return list(corners)
    (left, top), (right, bottom) = corners
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _meant(corners: tuple[Corner, ...]) -> tuple[Corner, ...]:
    if not 2 <= len(corners) <= CORNERS_MAX:
        raise ValueError(
            f"an area has two opposite corners (a rectangle) or three to {CORNERS_MAX} (a polygon), not {len(corners)}"
        )
    polygon = outline(corners)
    # First whether sides cross: the halves of a figure of eight cancel out to no area.
    if _crosses(polygon):
        raise ValueError("the sides of the area cross each other; give its corners in order, once round it")
    if abs(_signed(polygon)) < LEAST_SHARE:
        raise ValueError("the area covers nothing: its corners lie in one place or on one line")
    return corners


def _signed(polygon: Sequence[Corner]) -> float:
    """Area of a polygon, with a sign that says which way round it goes (the shoelace formula)."""
    ends = [*polygon[1:], polygon[0]]
    return sum(x * to_y - to_x * y for (x, y), (to_x, to_y) in zip(polygon, ends, strict=True)) / 2


def _crosses(polygon: Sequence[Corner]) -> bool:
    """Whether two sides that are not neighbours meet."""
    count = len(polygon)
    sides = [(polygon[index], polygon[(index + 1) % count]) for index in range(count)]
    return any(
        _meet(*sides[one], *sides[other])
        for one, other in combinations(range(count), 2)
        if other - one not in {1, count - 1}
    )


def _meet(a: Corner, b: Corner, c: Corner, d: Corner) -> bool:
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Corner, b: Corner, point: Corner) -> float:
    """On which side of the line from `a` to `b` a point lies; 0 on it."""
    return (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])


Area = Annotated[tuple[Corner, ...], AfterValidator(_meant)]
"""Two opposite corners of a rectangle, or the corners of a polygon in order."""


def _sides(corners: tuple[Corner, Corner]) -> tuple[Corner, Corner]:
    (left, top), (right, bottom) = corners
    if left == right or top == bottom:
        raise ValueError("the rectangle covers nothing: give two opposite corners")
    return corners


Opposite = Annotated[tuple[Corner, Corner], AfterValidator(_sides)]
"""Two opposite corners of a rectangle."""
