"""Which parts of the seats are taken: shares of a minute on a coarse grid, too coarse to mean one pupil."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.observe.finding import Finding
from agent.observe.view import WHOLE, Rectangle
from measures.people import COVERAGE, LEAST, WINDOW_S

COLUMNS: Final = 8
ROWS: Final = 5
"""Of the seat area: at 8 x 5 a cell holds one to a few seats of a class of forty."""


@dataclass
class _Minute:
    """What was seen since `start_ns`."""

    start_ns: int
    end_ns: int
    pictures: int = 0
    unknown: int = 0
    taken: NDArray[np.int64] = field(default_factory=lambda: np.zeros((ROWS, COLUMNS), np.int64))


class SeatsPart:
    """Sums up where heads are, and tells it once a minute.

    The value is `columns`, `rows`, `pictures` (looked at), `unknown` (of these, dark or without a model) and
    `share`: by row from the top, the share of the known pictures in which the cell held a head; null where
    fewer than 80 % or fewer than five are known. Confidence is the share of the pictures that are known.
    """

    def __init__(self, area: Rectangle = WHOLE, window_s: float = WINDOW_S) -> None:
        """`area`: where the seats are in the picture; heads outside it are left out."""
        self._area = area
        self._window_ns = round(window_s * 1e9)
        self._minute: _Minute | None = None

    def update(self, heads: NDArray[np.float32] | None, mono_ns: int) -> list[Finding]:
        """Take one picture's heads; returns the minute that this picture ends, if it does.

        Args:
            heads: across and down in shares of the picture, shape (heads, 2); None where unknown.
            mono_ns: when the picture was taken.
        """
        out: list[Finding] = []
        minute = self._minute
        if minute is not None and not 0 <= mono_ns - minute.start_ns < self._window_ns:
            minute.end_ns = min(max(mono_ns, minute.start_ns), minute.start_ns + self._window_ns)
            out, minute = [_told(minute)], None
        if minute is None:
            minute = self._minute = _Minute(mono_ns, mono_ns)
        minute.end_ns = mono_ns
        minute.pictures += 1
        if heads is None:
            minute.unknown += 1
        else:
            minute.taken += self._cells(heads)
        return out

    def flush(self) -> list[Finding]:
        """The minute that is open."""
        minute, self._minute = self._minute, None
        return [_told(minute)] if minute is not None else []

    def _cells(self, heads: NDArray[np.float32]) -> NDArray[np.int64]:
        """1 for each cell that holds a head, shape (rows, columns)."""
        area = self._area
        sides = np.asarray([area.right - area.left, area.bottom - area.top])
        place = (heads - np.asarray([area.left, area.top])) / sides
        place = place[((place >= 0) & (place < 1)).all(axis=1)]
        cell = (place * np.asarray([COLUMNS, ROWS])).astype(np.intp)
        taken = np.zeros((ROWS, COLUMNS), np.int64)
        taken[cell[:, 1], cell[:, 0]] = 1
        return taken


def _told(minute: _Minute) -> Finding:
    known = minute.pictures - minute.unknown
    enough = known >= LEAST and known >= COVERAGE * minute.pictures
    value = {
        "columns": COLUMNS,
        "rows": ROWS,
        "pictures": minute.pictures,
        "unknown": minute.unknown,
        "share": (minute.taken / known).round(2).tolist() if enough else None,
    }
    seconds = round((minute.end_ns - minute.start_ns) / 1e9, 3)
    return Finding("seats", minute.start_ns, seconds, round(known / minute.pictures, 3) if enough else None, value)
