"""Slides as they come up, each with its title and its text once it stands still and has been read."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class _Slide:
    """A slide that is not told yet."""

    found: Finding
    memory: dict[str, Any]
    """What the slides part remembers as of it."""


class ReadingPart:
    """Tells each slide once: when it has been read, or is gone before reading began.

    Reading is done in steps between other work, and a page is read to its end also where another one follows
    meanwhile: half of a page's lines can make a wrong title. One slide waits for that at the most; one that was not
    read has neither title nor text (None): unknown.
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
        self._waiting: _Slide | None = None
        """The newest one, before it is read."""
        self._read: _Slide | None = None
        """The one that is being read."""
        self._reading: Iterator[Line | None] | None = None
        self._lines: list[Line] = []
        self._looked = False
        """Whether the lines of the slide that is read have been looked for."""
        self._memory: dict[str, Any] = {}
        """What the slides part remembers as of the newest slide that was told."""

    def update(self, grey: Picture, mono_ns: int) -> list[Finding]:
        """Look at one picture, shape (height, width); returns slides that are now known, seldom more than one."""
        told: list[Finding] = []
        for found in self.slides.update(grey, mono_ns):
            told += self._tell_waiting()
            self._waiting = _Slide(found, self.slides.memory())
        if self._waiting is None or self._reading is not None:
            return told
        if self._reader is None:
            return told + self._tell_waiting()
        settled_ns = self.slides.settled_ns
        stands = settled_ns is not None and mono_ns - settled_ns >= SETTLED_S * 1e9
        if stands or mono_ns - self._waiting.found.mono_ns >= PATIENCE_S * 1e9:
            self._read, self._waiting = self._waiting, None
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
            return self._tell_read()
        except OcrUnusable as error:
            self._reader = None
            self._trouble(f"the text of slides is not read any more: {error}")
            return self._tell_read()
        if line is not None:
            self._looked = True
            self._lines.append(line)
        return []

    def flush(self) -> list[Finding]:
        """What is not told yet, as far as it was read: the lesson is over."""
        return self._tell_read() + self._tell_waiting()

    def _tell_read(self) -> list[Finding]:
        """Tell the slide that was read, and forget its picture and its lines."""
        slide, lines, looked = self._read, self._lines, self._looked
        self._read, self._reading, self._lines, self._looked = None, None, [], False
        return self._told(slide, lines, looked=looked) if slide is not None else []

    def _tell_waiting(self) -> list[Finding]:
        """Tell the slide that waits, of which nothing was read."""
        slide, self._waiting = self._waiting, None
        return self._told(slide, [], looked=False) if slide is not None else []

    def _told(self, slide: _Slide, lines: list[Line], *, looked: bool) -> list[Finding]:
        title = guessed_title(lines)
        value = slide.found.value | {
            "title": title.text if title is not None else None,
            "text": page_text(lines) if looked else None,
            "title_confidence": title.confidence if title is not None else None,
        }
        if int(slide.memory.get("index", 0)) > int(self._memory.get("index", 0)):
            self._memory = slide.memory  # a slide that was read for long is told after the one that followed it
        return [replace(slide.found, value=value)]

    def memory(self) -> dict[str, Any]:
        """What another process needs to go on from the newest slide that was told, as JSON values."""
        return self._memory

    def resume(self, memory: dict[str, Any]) -> None:
        """Go on from what another process remembered.

        Raises:
            ValueError: it is not what `memory` gives.
        """
        self.slides.resume(memory)
        self._memory = dict(memory)
