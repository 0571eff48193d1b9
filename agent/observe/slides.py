"""When another slide comes up.

A page that grows (one more line, handwriting) keeps what was on it; another page loses it.
So a change is counted when, of the places where something stood, a good part now shows
something else. Places that move all the time (a video in the page, an animation) and
places as small as a mouse pointer have no say, and the new page must stand for two samples.
Source: our own, after comparing with plain block differences, which cannot tell a page
that grows from a page that goes.
"""

import base64
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
"""Share of blocks that must stand still to judge at all; less is a transition, or a film over the page."""
OTHER_PAGE: Final = 0.5
"""Share of all blocks that must have changed where little ink was lost: another background."""

Picture = NDArray[np.uint8]
Blocks = NDArray[np.bool_]


class SlidesPart:
    """Counts slides as they come up; the first is number 1."""

    def __init__(self) -> None:
        self.index = 0
        self._page: Picture | None = None
        """The slide that counts, with what was added to it since."""
        self._before: Picture | None = None
        self._since_ns: int | None = None
        """When the picture last turned into something new."""

    def update(self, grey: Picture, mono_ns: int) -> list[Finding]:
        """Look at one picture, shape (height, width); returns at most one `slide`.

        Its time is that of the first sample that showed it; its score and confidence are the
        share of the old page that is gone.
        """
        small = shrunk(grey)
        before, self._before = self._before, small
        if before is None:
            self._since_ns = mono_ns
            return []
        still = ~changed(before, small, CALM_STEP)
        if self._page is None:
            if still.mean() < LEAST_STILL:
                self._since_ns = mono_ns
                return []
            return self._shown(small, mono_ns, 1.0)
        gone = changed(self._page, small)
        if (gone & ~still).sum() >= LEAST_INK:
            self._since_ns = mono_ns
        score, enough = _lost(self._page, gone, still)
        if enough:
            return self._shown(small, mono_ns, score)
        if still.all():
            self._page = small  # what was added belongs to the page from now on
        return []

    def _shown(self, small: Picture, mono_ns: int, score: float) -> list[Finding]:
        since_ns = mono_ns if self._since_ns is None else self._since_ns
        self._page, self._since_ns = small, None
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


def _lost(page: Picture, gone: Blocks, still: Blocks) -> tuple[float, bool]:
    """Share of the page that is gone, and whether that makes another slide."""
    if still.mean() < LEAST_STILL:
        return 0.0, False
    ink = inked(page) & still
    gone = gone & still
    if ink.sum() < LEAST_INK:
        share = float(gone.mean())
        return share, share >= FILLED
    score = float(gone[ink].mean())
    # A page of another colour changes everywhere; its ink may be few blocks of many.
    return max(score, float(gone.mean())), score >= LOST or float(gone.mean()) >= OTHER_PAGE
