"""The face blur: a camera's picture in which whatever may be a face is behind frosted glass before it is encoded.

It closes when in doubt. Until faces have been looked for, and whenever that fails or is late, the whole picture
is frosted; a picture that cannot be frosted is withheld.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import av
import cv2
import numpy as np

from agent.area import Area
from agent.capture.facefinder import FaceFinder
from agent.capture.faces import FaceCover, Look
from agent.capture.frame import Frame, FrameSource
from agent.capture.frost import frost, grid, small
from agent.capture.picture import Bytes, framed
from agent.capture.still import card

log = logging.getLogger(__name__)

PATIENCE_S = 10.0
"""The whole picture is frosted for so long before it is told: a process needs some seconds to start."""
FrameTaker = Callable[[Frame], None]
"""Takes a picture on the reader's thread; must return at once and never raise."""


class Finder(Protocol):
    """Has faces found; agent.capture.facefinder.FaceFinder is one."""

    def start(self) -> None:
        """Begin; returns at once."""

    def offer(self, picture: av.VideoFrame, small: Bytes, mono_ns: int) -> None:
        """Offer a picture and the means of its cells; never blocks."""

    def stop(self) -> None:
        """End."""


MakeFinder = Callable[[Callable[[Look], None], Callable[[str], None]], Finder]
"""Makes a finder that tells looks to the first and troubles to the second."""


@dataclass(frozen=True, slots=True)
class FaceBlur:
    """That faces are blurred, and where not."""

    models: Path
    """Folder of installed models."""
    clear: tuple[Area, ...] = ()
    """Areas that are never blurred: faces may be seen there."""

    def finder(self, on_look: Callable[[Look], None], on_trouble: Callable[[str], None]) -> Finder:
        """Finds faces with a process of its own."""
        return FaceFinder(self.models, on_look, on_trouble)


class FaceBlurred:
    """A source whose faces are covered. Only those who observe on this machine are handed the picture before."""

    def __init__(
        self, source: FrameSource, clear: Sequence[Area], make: MakeFinder, on_trouble: Callable[[str], None]
    ) -> None:
        """Prepare; nothing is looked for before `frames` is read.

        Args:
            source: the camera, with its masks.
            clear: areas that are never covered.
            make: makes what finds faces.
            on_trouble: told in words when the whole picture is frosted, and when it no longer is.
        """
        self.width, self.height, self.fps = source.width, source.height, source.fps
        self.withheld = 0
        """Pictures for which the card was sent instead."""
        self.looked = False
        """Whether faces were looked for, in time for the last picture."""
        self._source, self._clear, self._make, self._on_trouble = source, tuple(clear), make, on_trouble
        self._observers: list[FrameTaker] = []
        self._instead: Bytes | None = None

    def add_observer(self, take: FrameTaker) -> None:
        """Hand `take` each picture as it is before faces are covered; it must not leave this machine."""
        self._observers.append(take)

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Yield the source's pictures, faces covered.

        Raises:
            agent.capture.frame.SourceLost: as the source does.
        """
        # For the whole process: at these sizes a second thread helps little, and on a busy machine one waits for it.
        cv2.setNumThreads(1)
        blur = _Blur((self.width, self.height), self._clear, self._on_trouble)
        finder = self._make(blur.take, blur.trouble)
        finder.start()
        try:
            for frame in self._source.frames(stop):
                for take in self._observers:
                    take(frame)
                # A card that stands in is to be read, and nothing of the room is on it.
                yield frame if frame.stand_in else replace(frame, picture=self._covered(frame, blur, finder))
        finally:
            finder.stop()

    def _covered(self, frame: Frame, blur: "_Blur", finder: Finder) -> av.VideoFrame:
        try:
            covered = blur.over(frame, finder)
            self.looked = blur.fresh(frame.mono_ns)
        except Exception as error:
            # Whatever went wrong: an uncovered picture must not be what follows.
            log.exception("faces cannot be covered")
            return self._withhold(str(error))
        return covered

    def _withhold(self, why: str) -> av.VideoFrame:
        self.withheld += 1
        if self.withheld == 1:
            self._on_trouble(f"the camera's picture is withheld, because faces in it cannot be covered: {why}")
        if self._instead is None:
            self._instead = card((self.width, self.height), "画面按隐私设置未显示", "Withheld: the face blur failed")
        return framed(self._instead)


class _Blur:
    """What is known of the faces in the pictures of one reading."""

    def __init__(self, size: tuple[int, int], clear: Sequence[Area], on_trouble: Callable[[str], None]) -> None:
        self._size = size
        self._on_trouble = on_trouble
        self._cover = FaceCover(grid(size), clear)
        self._lock = threading.Lock()
        self._looks: list[Look] = []
        self._why = ""
        self._whole_since_ns: int | None = None
        self._told = False

    def take(self, look: Look) -> None:
        """A look is done; on the finder's thread."""
        with self._lock:
            self._looks.append(look)
            self._why = ""

    def trouble(self, why: str) -> None:
        """There are no looks for now; on the finder's thread."""
        with self._lock:
            again, self._why = self._why == why, why
        if not again:
            log.warning("faces are not found: %s", why)

    def fresh(self, mono_ns: int) -> bool:
        """Whether faces were looked for, in time for a picture of `mono_ns`."""
        return self._cover.fresh(mono_ns)

    def over(self, frame: Frame, finder: Finder) -> av.VideoFrame:
        """A copy of the picture, covered.

        Raises:
            ValueError: it is not yuv420p of the size that was said.
        """
        picture = frame.picture
        if (picture.width, picture.height) != self._size or picture.format.name != "yuv420p":
            told = f"{picture.width}x{picture.height} {picture.format.name}"
            raise ValueError(f"{self._size[0]}x{self._size[1]} yuv420p was to come, {told} came")
        buffer = np.ascontiguousarray(picture.to_ndarray(), np.uint8)
        means = small(buffer, self._size)
        finder.offer(picture, means, frame.mono_ns)
        with self._lock:
            looks, self._looks, why = self._looks, [], self._why
        for look in looks:
            self._cover.take(look)
        self._tell(frame.mono_ns, why)
        frost(buffer, means, self._cover.cells(means, frame.mono_ns))
        return framed(buffer)

    def _tell(self, mono_ns: int, why: str) -> None:
        if self._cover.fresh(mono_ns):
            if self._told:
                self._on_trouble("faces are found again: the rest of the camera's picture is shown")
            self._whole_since_ns, self._told = None, False
            return
        if self._whole_since_ns is None:
            self._whole_since_ns = mono_ns
        late = mono_ns - self._whole_since_ns >= PATIENCE_S * 1e9
        if not self._told and (late or why):
            self._told = True
            why = why or "the machine is too slow, or too busy"
            self._on_trouble(f"the camera's whole picture is blurred, because faces in it are not found: {why}")


def faceless(source: FrameSource, blur: FaceBlur | None, on_trouble: Callable[[str], None]) -> FrameSource:
    """`source` with faces covered; the source itself where that is not asked for, so that it costs nothing."""
    return FaceBlurred(source, blur.clear, blur.finder, on_trouble) if blur is not None else source
