"""The seats as they were taken: in each cell a square that is as large as the share of the time in which it was."""

from collections.abc import Sequence
from math import sqrt

from markupsafe import Markup

from hub.insight.plots.svg import drawing, rect

CELL = 22.0
INSET = 1.5


def seat_grid(shares: Sequence[Sequence[float]], title: str, told: str, name: str) -> Markup:
    """The drawing, row by row as the camera sees them; a square's area is the share.

    Args:
        shares: by row from the top, 0 to 1.
        title: what it is.
        told: what it shows, in words.
        name: of the drawing, unlike any other on the page.
    """
    body = []
    for row, cells in enumerate(shares):
        for column, share in enumerate(cells):
            body.append(rect(column * CELL + 0.5, row * CELL + 0.5, CELL, CELL, "cell"))
            side = (CELL - 2 * INSET) * sqrt(min(1.0, max(0.0, share)))
            if side >= 0.5:
                middle = column * CELL + 0.5 + CELL / 2, row * CELL + 0.5 + CELL / 2
                body.append(rect(middle[0] - side / 2, middle[1] - side / 2, side, side, "taken"))
    columns = max((len(cells) for cells in shares), default=0)
    return drawing(name, (columns * CELL + 1, len(shares) * CELL + 1), title, told, body)
