"""Privacy masks: parts of a room's picture that nobody sees, because they leave the source covered.

Everything that looks at a picture (both encoders, the recorder behind them, the observer) looks at
what a `FrameSource` yields, so the mask lies there: there is no way round it. Where it cannot be
applied the picture is withheld, not shown.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from agent.area import Area, outline
from agent.capture.faceblur import FaceBlur, faceless
from agent.capture.frame import Frame, FrameSource
from agent.capture.picture import BLACK_LUMA, NO_CHROMA, Bytes, framed, planes
from agent.capture.still import card

log = logging.getLogger(__name__)

MARGIN = 1 / 360
"""An area is covered this much wider on every side, as a share of the picture's height: 2 pixels of 720p."""
SHAPE_TOLERANCE = 0.02
"""The picture's shape may differ this much from the one that the areas were drawn on: sides are rounded."""
FIXED_POINT = 4
"""Bits behind the point of the corners that OpenCV is handed."""


@dataclass(frozen=True, slots=True)
class RoomMasks:
    """What is covered in the pictures of one room."""

    camera: tuple[Area, ...] = ()
    slides: tuple[Area, ...] = ()
    drawn_on: tuple[int, int] = (1280, 720)
    """Width and height of the camera's picture that its areas were drawn on; only their ratio counts."""
    faces: FaceBlur | None = None
    """That faces in the camera's picture are blurred."""

    def laid_over(self, camera: FrameSource, on_trouble: Callable[[str], None]) -> FrameSource:
        """The camera as others may see it: areas covered, then faces."""
        covered = masked("the camera's picture", camera, self.camera, self.drawn_on, on_trouble)
        blur = self.faces
        if blur is not None and blur.clear and (words := other_shape(self.drawn_on, (camera.width, camera.height))):
            on_trouble(f"faces are blurred in the clear areas, too: {words}")
            blur = replace(blur, clear=())
        return faceless(covered, blur, on_trouble)


@dataclass(frozen=True, slots=True)
class _Patch:
    """One area of one plane: the rectangle round it, and what of that it covers; None for all."""

    top: int
    bottom: int
    left: int
    right: int
    covered: NDArray[np.bool_] | None

    @classmethod
    def of(cls, covered: NDArray[np.bool_]) -> "_Patch":
        rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
        top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
        inner = covered[top:bottom, left:right]
        return cls(top, bottom, left, right, None if inner.all() else np.ascontiguousarray(inner))

    def put(self, plane: Bytes, value: int) -> None:
        part = plane[self.top : self.bottom, self.left : self.right]
        if self.covered is None:
            part[:] = value
        else:
            np.copyto(part, np.uint8(value), where=self.covered)


class Cover:
    """The areas over pictures of one size; made once, laid over each picture.

    Colour has half the resolution: a colour sample that an area touches is covered with all four
    pixels that it belongs to.

    Raises:
        ValueError: a side is odd, or an area lies outside the picture.
    """

    def __init__(self, areas: Sequence[Area], size: tuple[int, int]) -> None:
        width, height = self.size = size
        if width % 2 or height % 2 or min(size) <= 0:
            raise ValueError(f"a picture needs even sides, not {width}x{height}")
        self._luma: list[_Patch] = []
        self._chroma: list[_Patch] = []
        for area in areas:
            cells = self._drawn(area).reshape(height // 2, 2, width // 2, 2)
            quarter = np.asarray(cells.any(axis=(1, 3)), np.bool_)
            if not quarter.any():
                raise ValueError("an area lies outside the picture")
            self._chroma.append(_Patch.of(quarter))
            self._luma.append(_Patch.of(quarter.repeat(2, axis=0).repeat(2, axis=1)))

    def _drawn(self, area: Area) -> NDArray[np.bool_]:
        """The pixels that an area touches, with its margin, shape (height, width)."""
        width, height = self.size
        pixels = np.zeros((height, width), np.uint8)
        corners = np.asarray(outline(area), np.float64) * (width, height) - 0.5
        fixed = np.round(corners * (1 << FIXED_POINT)).astype(np.int32)
        cv2.fillPoly(pixels, [fixed], 1, cv2.LINE_8, FIXED_POINT)
        margin = max(1, round(MARGIN * height))
        return np.asarray(cv2.dilate(pixels, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)), np.bool_)

    def over(self, picture: av.VideoFrame) -> av.VideoFrame:
        """A copy of `picture` with the areas black; the picture itself may be shown elsewhere.

        Raises:
            ValueError: it is not yuv420p of this cover's size.
        """
        if (picture.width, picture.height) != self.size or picture.format.name != "yuv420p":
            told = f"{picture.width}x{picture.height} {picture.format.name}"
            raise ValueError(f"a mask for {self.size[0]}x{self.size[1]} yuv420p cannot cover {told}")
        buffer = np.ascontiguousarray(picture.to_ndarray(), np.uint8)
        luma, blue, red = planes(buffer, *self.size)
        for patch in self._luma:
            patch.put(luma, BLACK_LUMA)
        for patch in self._chroma:
            patch.put(blue, NO_CHROMA)
            patch.put(red, NO_CHROMA)
        return framed(buffer)


class MaskedPicture:
    """A source whose areas are covered; what cannot be covered is withheld, and told once."""

    def __init__(
        self,
        what: str,
        source: FrameSource,
        areas: Sequence[Area],
        drawn_on: tuple[int, int],
        on_trouble: Callable[[str], None],
    ) -> None:
        """Make the cover.

        Args:
            what: the picture as people call it, for what is told.
            source: what is to be covered.
            areas: at least one.
            drawn_on: width and height of the picture that the areas were drawn on.
            on_trouble: told in words, once, when pictures are withheld; on the reader's thread.
        """
        self.width, self.height, self.fps = source.width, source.height, source.fps
        self.withheld = 0
        """Pictures for which the card was sent instead."""
        self._what, self._source, self._on_trouble = what, source, on_trouble
        self._instead: Bytes | None = None
        self._cover: Cover | None = None
        self._why = ""
        try:
            self._cover = self._made(areas, drawn_on)
        except (ValueError, cv2.error) as error:
            self._why = str(error)

    def _made(self, areas: Sequence[Area], drawn_on: tuple[int, int]) -> Cover:
        if words := other_shape(drawn_on, (self.width, self.height)):
            raise ValueError(words)
        return Cover(areas, (self.width, self.height))

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Yield the source's pictures, covered.

        Raises:
            agent.capture.frame.SourceLost: as the source does.
        """
        for frame in self._source.frames(stop):
            yield replace(frame, picture=self._covered(frame.picture))

    def _covered(self, picture: av.VideoFrame) -> av.VideoFrame:
        if self._cover is not None:
            try:
                return self._cover.over(picture)
            except Exception as error:
                # Whatever went wrong: an uncovered picture must not be what follows.
                log.exception("the mask of %s cannot be applied", self._what)
                return self._withhold(str(error))
        return self._withhold(self._why)

    def _withhold(self, why: str) -> av.VideoFrame:
        self.withheld += 1
        if self.withheld == 1:
            self._on_trouble(f"{self._what} is withheld, because its privacy mask cannot be applied: {why}")
        if self._instead is None:
            self._instead = card((self.width, self.height), "画面按隐私设置未显示", "Withheld: the privacy mask failed")
        return framed(self._instead)


def other_shape(drawn_on: tuple[int, int], size: tuple[int, int]) -> str:
    """Why areas drawn on a picture of one size cannot be meant for another; empty where they can."""
    if abs(size[0] / size[1] / (drawn_on[0] / drawn_on[1]) - 1) <= SHAPE_TOLERANCE:
        return ""
    drawn, shown = (f"{width}x{height}" for width, height in (drawn_on, size))
    return f"it was drawn on a picture of {drawn} and this one is {shown}; set `drawn_on` and the areas in [masks] anew"


def masked(
    what: str,
    source: FrameSource,
    areas: Sequence[Area],
    drawn_on: tuple[int, int],
    on_trouble: Callable[[str], None],
) -> FrameSource:
    """`source` with its areas covered; the source itself where there are none, so that no mask costs nothing."""
    return MaskedPicture(what, source, areas, drawn_on, on_trouble) if areas else source
