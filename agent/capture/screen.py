"""A screen of this machine, through mss: the slides as the teacher shows them."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic_ns

import av
import mss
import numpy as np
from mss.exception import ScreenShotError

from agent.capture.frame import Frame, SourceLost
from agent.capture.pace import Pace
from agent.capture.picture import Letterbox


@dataclass(frozen=True, slots=True)
class ScreenPlace:
    """One screen."""

    index: int
    width: int
    height: int


class Screen:
    """One screen at the track's size; unchanged screens are yielded at the same pace."""

    def __init__(self, index: int, size: tuple[int, int], fps: int) -> None:
        self.width, self.height = size
        self.fps = fps
        self._index = index

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Yield the screen at every tick; its capture time is when it was copied.

        Raises:
            SourceLost: there is no display or no such screen, or it went away.
        """
        letterbox = Letterbox((self.width, self.height))
        pace = Pace(self.fps, monotonic_ns())
        try:
            # Opened on the reading thread: a connection to the display belongs to its thread.
            with mss.MSS() as display:
                if self._index + 1 >= len(display.monitors):
                    raise SourceLost(_no_such(self._index, len(display.monitors) - 1))
                place = display.monitors[self._index + 1]
                while pace.wait(stop) is not None:
                    mono_ns = monotonic_ns()
                    shot = display.grab(place)
                    pixels = np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)
                    picture = av.VideoFrame.from_numpy_buffer(pixels, "bgra")
                    yield Frame(letterbox.put(picture), mono_ns)
        except ScreenShotError as error:
            raise SourceLost(_no_display(self._index, error)) from error


def screens(index: int = 0) -> list[ScreenPlace]:
    """The screens of this machine; `index` is the one that is asked for, named where none can be opened.

    Raises:
        SourceLost: there is no display that can be opened.
    """
    try:
        with mss.MSS() as display:
            return [ScreenPlace(n, one["width"], one["height"]) for n, one in enumerate(display.monitors[1:])]
    except ScreenShotError as error:
        raise SourceLost(_no_display(index, error)) from error


def missing_words(index: int) -> str | None:
    """Why screen `index` cannot be captured now; None where it can."""
    try:
        found = screens(index)
    except SourceLost as lost:
        return str(lost)
    return None if index < len(found) else _no_such(index, len(found))


def _no_such(index: int, known: int) -> str:
    return f"screen:{index} is not there, this machine has {known}, counted from 0; write for example screen:0"


def _no_display(index: int, error: ScreenShotError) -> str:
    return (
        f"screen:{index} cannot be captured, no display can be opened ({error}); "
        "run the agent in the session of the signed-in user, with DISPLAY set on Linux"
    )
