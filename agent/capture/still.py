"""What stands in for a device that is not there: a card with words, and silence."""

import threading
from collections.abc import Iterator
from time import monotonic_ns

import cv2
import numpy as np

from agent.capture.frame import BLOCK_SAMPLES, Block, Frame
from agent.capture.lettering import write
from agent.capture.pace import Pace, block_times
from agent.capture.picture import Bytes, blank, fit, framed, from_bgr, planes


def card(size: tuple[int, int], chinese: str, english: str) -> Bytes:
    """An I420 buffer of `size` (width, height) that says why there is no picture."""
    image = np.empty((720, 1280, 3), np.uint8)
    image[:] = (62, 48, 40)
    cv2.rectangle(image, (160, 200), (1120, 520), (84, 66, 56), -1)
    cv2.rectangle(image, (160, 200), (172, 520), (40, 170, 250), -1)
    write(image, chinese, (220, 330), 64, (255, 255, 255), weight=600)
    write(image, english, (220, 410), 34, (222, 212, 204))
    write(image, "课照常进行  The lesson goes on.", (220, 474), 28, (176, 164, 152))
    place = fit((1280, 720), size)
    small = np.asarray(cv2.resize(image, (place.width, place.height), interpolation=cv2.INTER_AREA), np.uint8)
    buffer = blank(*size)
    inner = planes(from_bgr(small), place.width, place.height)
    for index, (whole, part) in enumerate(zip(planes(buffer, *size), inner, strict=True)):
        step = 2 if index else 1
        left, top = place.left // step, place.top // step
        whole[top : top + part.shape[0], left : left + part.shape[1]] = part
    return buffer


class StillPicture:
    """The same card for ever, at an exact rate."""

    def __init__(self, size: tuple[int, int], fps: int, chinese: str, english: str) -> None:
        self.width, self.height = size
        self.fps = fps
        self.picture = card(size, chinese, english)
        """I420, shape (height * 3 / 2, width); shared by all its frames."""

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Yield the card at every tick until `stop` is set."""
        pace = Pace(self.fps, monotonic_ns())
        while (due := pace.wait(stop)) is not None:
            yield Frame(framed(self.picture), due[1], stand_in=True)


class Silence:
    """Silence for ever, in blocks of 20 ms."""

    def blocks(self, stop: threading.Event) -> Iterator[Block]:
        """Yield silent blocks at their pace until `stop` is set."""
        samples = np.zeros(BLOCK_SAMPLES, np.int16)
        for _, mono_ns in block_times(monotonic_ns(), stop):
            yield Block(samples, mono_ns)
