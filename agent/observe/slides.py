"""When another slide comes up.

A page that grows (one more line, handwriting) keeps what was on it; another page loses it.
So a change is counted when, of the places where something stood, a good part now shows
something else. Places as small as a mouse pointer have no say, and the new page must stand
for two looks.

A film in the page moves for longer than any page takes to turn. Its place is left out while it
plays and for a while after, so that neither its pictures nor its end is a slide, and the page
round it is judged by itself.

Source: our own, after comparing with plain block differences, which cannot tell a page
that grows from a page that goes.
"""

import base64
import math
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.observe.finding import Finding

WIDTH: Final = 160
HEIGHT: Final = 90
BLOCK: Final = 5
"""Side of a block in pixels of the small picture: 32 x 18 blocks."""
STEP: Final = 14
"""Levels (of 255) by which a pixel must differ to have changed; compression noise stays under it."""
CALM_STEP: Final = 6
"""The same between two looks: a page that fades in slowly is not there yet."""
SHARE: Final = 0.08
"""Share of a block's pixels that must have changed: two of 25."""
INK_RANGE: Final = 18
"""Levels between the lightest and darkest pixel of a block from which on something stands in it."""
LOST: Final = 0.35
"""Share of the inked blocks that must show something else for it to be another slide."""
FILLED: Final = 0.04
"""From an empty page: share of all blocks that must have changed."""
LEAST_INK: Final = 6
"""With fewer inked blocks than this the page counts as empty."""
LEAST_STILL: Final = 0.75
"""Share of blocks that must stand still to judge at all; less is a transition."""
CALM: Final = 0.97
"""Share of blocks that stand still on a page on which at most a pointer moves."""
OTHER_PAGE: Final = 0.5
"""Share of all blocks that must have changed where little ink was lost: another background."""
FILM_S: Final = 2.2
"""Time constant with which a block's activity follows whether it moves."""
FILM_ON: Final = 0.75
"""Activity from which on a block belongs to a film: it has moved for 1.4 time constants, 3 s."""
FILM_OFF: Final = 0.25
"""Activity below which it does not any more: it has stood for 3 s."""
LOOK_MOST_S: Final = 0.7
"""A look counts for at most this much: however far apart looks are, a film is what moved in five of them."""
FILM_MOST: Final = 0.75
"""Share of blocks up to which a film is one in the page; a larger one hides the page."""

Picture = NDArray[np.uint8]
Blocks = NDArray[np.bool_]
GRID: Final = (HEIGHT // BLOCK, WIDTH // BLOCK)


class SlidesPart:
    """Counts slides as they come up; the first is number 1."""

    def __init__(self) -> None:
        self.index = 0
        self.settled_ns: int | None = None
        """Since when at most a pointer and a film have moved; None while the page itself does."""
        self._page: Picture | None = None
        """The slide that counts, with what was added to it since."""
        self._before: Picture | None = None
        self._before_ns = 0
        self._activity = np.zeros(GRID, np.float64)
        self._film: Blocks = np.zeros(GRID, np.bool_)
        self._moved_ns = np.zeros(GRID, np.int64)
        """When each block last moved."""
        self._shown_ns = -1
        """When the slide that counts was found."""

    def update(self, grey: Picture, mono_ns: int) -> list[Finding]:
        """Look at one picture, shape (height, width); returns at most one `slide`.

        Its time is that of the look in which what is new of it came; its score and confidence are
        the share of the old page that is gone.
        """
        small = shrunk(grey)
        before, self._before = self._before, small
        if before is None:
            self._moved_ns[:] = mono_ns
            self._before_ns = mono_ns
            return []
        still, before_ns = ~changed(before, small, CALM_STEP), self._before_ns
        self._follow(still, mono_ns)
        judged = self._judged(small)
        calm = bool(still[judged].mean() >= CALM)
        self.settled_ns = (before_ns if self.settled_ns is None else self.settled_ns) if calm else None
        if self._page is None:
            return self._shown(small, mono_ns, still & judged, 1.0) if still[judged].mean() >= LEAST_STILL else []
        gone = changed(self._page, small)
        score, enough = _lost(self._page, gone, still, judged)
        if enough:
            return self._shown(small, mono_ns, gone & still & judged, score)
        if calm:
            self._absorb(small, still)  # what was added belongs to the page from now on
        return []

    def _follow(self, still: Blocks, mono_ns: int) -> None:
        """Keep account of which blocks move, and which of them have done so for as long as only films do."""
        passed_s = min(LOOK_MOST_S, max(0.0, (mono_ns - self._before_ns) / 1e9))
        self._before_ns = mono_ns
        self._moved_ns[~still] = mono_ns
        self._activity += (~still - self._activity) * (1 - math.exp(-passed_s / FILM_S))
        self._film = np.where(self._film, self._activity > FILM_OFF, self._activity >= FILM_ON)

    def _judged(self, small: Picture) -> Blocks:
        """The blocks that tell of the page: all but a film's, whose last picture is made part of the page."""
        if self._film.mean() > FILM_MOST:
            return np.ones(GRID, np.bool_)
        if self._page is not None and self._film.any():
            self._absorb(small, self._film)
        return ~self._film

    def _absorb(self, small: Picture, where: Blocks) -> None:
        if self._page is not None:
            pixels = where.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)
            self._page = np.where(pixels, small, self._page)

    def _shown(self, small: Picture, mono_ns: int, new: Blocks, score: float) -> list[Finding]:
        # Not the last of them: what moves after the page has come, as a film's rim does, does not decide.
        moved_ns = self._moved_ns[new]
        fresh_ns = np.sort(moved_ns[moved_ns > self._shown_ns])
        # Where most of it never moved by more than noise, the page came so slowly that it is there only now.
        since_ns = int(fresh_ns[len(fresh_ns) // 4]) if 2 * len(fresh_ns) >= len(moved_ns) else mono_ns
        self._page, self._shown_ns = small, mono_ns
        self.index += 1
        told = round(score, 3)
        return [Finding("slide", since_ns, confidence=told, value={"index": self.index, "score": told})]

    def memory(self) -> dict[str, Any]:
        """What another process needs to go on where this one is, as JSON values."""
        if self._page is None:
            return {}
        return {"index": self.index, "page": base64.b64encode(self._page.tobytes()).decode("ascii")}

    def resume(self, memory: dict[str, Any]) -> None:
        """Go on from what another process remembered.

        Raises:
            ValueError: it is not what `memory` gives.
        """
        if not memory:
            return
        page = np.frombuffer(base64.b64decode(str(memory["page"])), np.uint8)
        self._page = page.reshape(HEIGHT, WIDTH)
        self.index = int(memory["index"])


def shrunk(grey: Picture) -> Picture:
    """The picture at 160 x 90, each pixel the mean of those it covers."""
    if grey.shape == (HEIGHT, WIDTH):
        return grey
    return np.asarray(cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def _blocks(picture: NDArray[Any]) -> NDArray[Any]:
    """As blocks: shape (rows, columns, pixels)."""
    cut = picture.reshape(HEIGHT // BLOCK, BLOCK, WIDTH // BLOCK, BLOCK)
    return cut.swapaxes(1, 2).reshape(HEIGHT // BLOCK, WIDTH // BLOCK, BLOCK * BLOCK)


def changed(one: Picture, other: Picture, step: int = STEP) -> Blocks:
    """Which blocks differ by more than `step` levels, shape (18, 32)."""
    return np.asarray(_blocks(cv2.absdiff(one, other) > step).mean(axis=2) >= SHARE, np.bool_)


def inked(picture: Picture) -> Blocks:
    """Where something stands, shape (18, 32)."""
    blocks = _blocks(picture)
    return np.asarray(blocks.max(axis=2).astype(np.int16) - blocks.min(axis=2) >= INK_RANGE, np.bool_)


def _lost(page: Picture, gone: Blocks, still: Blocks, judged: Blocks) -> tuple[float, bool]:
    """Share of the page that is gone, and whether that makes another slide."""
    if still[judged].mean() < LEAST_STILL:
        return 0.0, False
    known = still & judged
    ink = inked(page) & known
    gone = gone & known
    share = float(gone.sum() / judged.sum())
    if ink.sum() < LEAST_INK:
        return share, share >= FILLED
    score = float(gone[ink].mean())
    # A page of another colour changes everywhere; its ink may be few blocks of many.
    return max(score, share), score >= LOST or share >= OTHER_PAGE
