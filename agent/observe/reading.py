"""Slides as they come up, each with its title and its text once it stands still and has been read."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.observe.finding import Finding
from agent.observe.ocr import OcrUnusable
from agent.observe.slides import SlidesPart
from agent.observe.titles import Line, guessed_title, page_text

log = logging.getLogger(__name__)

SETTLED_S: Final = 1.0
"""A page that has stood for so long is read; what is added later is not."""
PATIENCE_S: Final = 10.0
"""One on which something always moves is read all the same after this."""

Picture = NDArray[np.uint8]


class Reader(Protocol):
    """Reads a picture; agent.observe.ocr.SlideReader is one."""

    def read(self, grey: Picture) -> Iterator[Line | None]:
        """Read it piece by piece; None for a piece of work that gave no line.

        Raises:
            OcrUnusable: it cannot be read.
        """


class ReadingPart:
    """Tells each slide once: when it has been read, or is gone before that.

    Reading is done in steps between other work. A slide that another one follows is told with what was
    read of it until then; one that was not read has neither title nor text (None): unknown.
    """

    def __init__(self, reader: Reader | None, trouble: Callable[[str], None]) -> None:
        """Begin without a slide.

        Args:
            reader: None where slides cannot be read: they are told at once then.
            trouble: told in words, once, when reading fails; slides are told without their text from then on.
        """
        self.slides = SlidesPart()
        self._reader = reader
        self._trouble = trouble
        self._waiting: Finding | None = None
        self._reading: Iterator[Line | None] | None = None
        self._lines: list[Line] = []
        self._looked = False
        """Whether the lines of the waiting slide have been looked for."""
        self._memory: dict[str, Any] = {}
        """What the slides part remembers as of the last slide that was told."""
        self._memory_next: dict[str, Any] = {}

    def update(self, grey: Picture, mono_ns: int) -> list[Finding]:
        """Look at one picture, shape (height, width); returns slides that are now known, seldom more than one."""
        told: list[Finding] = []
        for found in self.slides.update(grey, mono_ns):
            told += self._tell()
            self._waiting = found
            self._memory_next = self.slides.memory()
        if self._waiting is None or self._reading is not None:
            return told
        if self._reader is None:
            return told + self._tell()
        settled_ns = self.slides.settled_ns
        stands = settled_ns is not None and mono_ns - settled_ns >= SETTLED_S * 1e9
        if stands or mono_ns - self._waiting.mono_ns >= PATIENCE_S * 1e9:
            self._reading = self._reader.read(grey.copy())
        return told

    @property
    def busy(self) -> bool:
        """Whether there is something to read: call `step`."""
        return self._reading is not None

    def step(self) -> list[Finding]:
        """Do one piece of the reading, a few tenths of a second at most; returns the slide once it is read."""
        if self._reading is None:
            return []
        try:
            line = next(self._reading)
        except StopIteration:
            self._looked = True
            return self._tell()
        except OcrUnusable as error:
            self._reader = None
            self._trouble(f"the text of slides is not read any more: {error}")
            return self._tell()
        if line is not None:
            self._looked = True
            self._lines.append(line)
        return []

    def flush(self) -> list[Finding]:
        """The slide that waits, as far as it was read: the lesson is over."""
        return self._tell()

    def _tell(self) -> list[Finding]:
        """Tell the slide that waits, and forget its picture."""
        if self._waiting is None:
            return []
        told, lines = self._waiting, self._lines
        title = guessed_title(lines)
        value = told.value | {
            "title": title.text if title is not None else None,
            "text": page_text(lines) if self._looked else None,
            "title_confidence": title.confidence if title is not None else None,
        }
        self._reading = None
        self._waiting, self._lines, self._looked = None, [], False
        self._memory = self._memory_next
        return [replace(told, value=value)]

    def memory(self) -> dict[str, Any]:
        """What another process needs to go on from the last slide that was told, as JSON values."""
        return self._memory

    def resume(self, memory: dict[str, Any]) -> None:
        """Go on from what another process remembered.

        Raises:
            ValueError: it is not what `memory` gives.
        """
        self.slides.resume(memory)
        self._memory = dict(memory)
