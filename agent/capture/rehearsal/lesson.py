"""The built-in lesson as sources: camera, slides and sound of one room, in step with each other."""

import threading
from collections.abc import Iterator
from typing import Protocol

from agent.capture.frame import BLOCK_SAMPLES, Block, Frame
from agent.capture.pace import NS_A_SECOND, CommonStart, Pace, block_times
from agent.capture.picture import Bytes, framed
from agent.capture.rehearsal import pages, voice
from agent.capture.rehearsal.pupils import PupilsScene
from agent.capture.rehearsal.teacher import TeacherScene

PAGE_S = 8.0
"""How long each slide stands."""
SLIDES_FPS = 5


class Scene(Protocol):
    """A room that can be drawn for any moment."""

    def draw(self, seconds: float, tick: int, page: int) -> Bytes:
        """The room `seconds` after its start as a fresh I420 buffer."""


def page_at(seconds: float) -> int:
    """The number of the slide, from 0, `seconds` after the start; after the last comes the first."""
    return int(seconds / PAGE_S) % len(pages.images())


class RehearsalCamera:
    """A drawn classroom: the teacher at the board of a lead room, or the pupils of a receiving room."""

    def __init__(
        self,
        size: tuple[int, int],
        fps: int,
        seed: int,
        *,
        lead: bool,
        name: str = "",
        start: CommonStart | None = None,
    ) -> None:
        self.width, self.height = size
        self.fps = fps
        self._start = start or CommonStart()
        self._seed, self._lead = seed, lead
        self._name = name or ("主讲教室" if lead else f"听课教室 {seed}")

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Yield a picture at every tick of the frame rate until `stop` is set; missed ones are skipped."""
        # Drawn before time zero is taken, so that the first pictures are not late.
        scene = self._drawn()
        start_ns = self._start.get()
        pace = Pace(self.fps, start_ns)
        while (due := pace.wait(stop)) is not None:
            tick, due_ns = due
            seconds = (due_ns - start_ns) / NS_A_SECOND
            yield Frame(framed(scene.draw(seconds, tick, page_at(seconds))), due_ns)

    def _drawn(self) -> Scene:
        draw = TeacherScene if self._lead else PupilsScene
        return draw((self.width, self.height), self._name, self._seed)


class RehearsalSlides:
    """The pages of the lesson on the theorem of Pythagoras, turned every eight seconds."""

    width = pages.WIDTH
    height = pages.HEIGHT

    def __init__(self, fps: int = SLIDES_FPS, start: CommonStart | None = None) -> None:
        self.fps = fps
        self._start = start or CommonStart()

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Yield the page that stands, at every tick, until `stop` is set."""
        buffers = pages.buffers()
        start_ns = self._start.get()
        pace = Pace(self.fps, start_ns)
        while (due := pace.wait(stop)) is not None:
            yield Frame(framed(buffers[page_at((due[1] - start_ns) / NS_A_SECOND)]), due[1])


class RehearsalSound:
    """A teacher who speaks in turns, or a class that answers now and then; a minute that begins anew."""

    def __init__(self, seed: int, *, lead: bool, start: CommonStart | None = None) -> None:
        self._seed, self._lead = seed, lead
        self._start = start or CommonStart()

    def blocks(self, stop: threading.Event) -> Iterator[Block]:
        """Yield every block when its last sample would have been heard, until `stop` is set."""
        loop = voice.loop(self._seed, lead=self._lead).reshape(-1, BLOCK_SAMPLES)
        loop.flags.writeable = False
        start_ns = self._start.get()
        for number, mono_ns in block_times(start_ns, stop):
            yield Block(loop[number % len(loop)], mono_ns)
