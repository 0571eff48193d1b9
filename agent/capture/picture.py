"""Pictures as the tracks want them: yuv420p, of one size, with bars where the shape differs."""

from dataclasses import dataclass

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
"""Samples of a picture, uint8."""

BLACK_LUMA = 16
NO_CHROMA = 128


def planes(buffer: Bytes, width: int, height: int) -> tuple[Bytes, Bytes, Bytes]:
    """Views on the three planes of an I420 buffer of shape (height * 3 / 2, width)."""
    flat = buffer.reshape(-1)
    luma, quarter = width * height, width * height // 4
    half = (height // 2, width // 2)
    return (
        flat[:luma].reshape(height, width),
        flat[luma : luma + quarter].reshape(half),
        flat[luma + quarter :].reshape(half),
    )


def blank(width: int, height: int) -> Bytes:
    """A black I420 buffer of shape (height * 3 / 2, width).

    Raises:
        ValueError: a side is odd; yuv420p halves both.
    """
    if width % 2 or height % 2 or min(width, height) <= 0:
        raise ValueError(f"a picture needs even sides, not {width}x{height}")
    buffer = np.full((height * 3 // 2, width), NO_CHROMA, np.uint8)
    buffer[:height] = BLACK_LUMA
    return buffer


def framed(buffer: Bytes) -> av.VideoFrame:
    """An av picture on top of an I420 buffer, without a copy; the buffer must not change any more."""
    if len(buffer) % 6:
        return av.VideoFrame.from_ndarray(buffer, "yuv420p")  # without a copy, av cuts the height to a multiple of 4
    return av.VideoFrame.from_numpy_buffer(buffer, "yuv420p")


def again(picture: av.VideoFrame) -> av.VideoFrame:
    """A copy of a yuv420p picture with a time stamp of its own: encoders write theirs into the object."""
    return framed(np.ascontiguousarray(picture.to_ndarray(), np.uint8))


def from_bgr(image: Bytes) -> Bytes:
    """An I420 buffer of an image of shape (height, width, 3), BGR; the sides must be even."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), np.uint8)


@dataclass(frozen=True, slots=True)
class Fit:
    """Where a picture comes to stand in a track of another shape; all even, in pixels."""

    left: int
    top: int
    width: int
    height: int


def fit(shape: tuple[float, float], size: tuple[int, int]) -> Fit:
    """The largest even rectangle of `shape` (width, height) in the middle of `size`."""
    scale = min(size[0] / shape[0], size[1] / shape[1])
    width = min(size[0], max(2, round(shape[0] * scale / 2) * 2))
    height = min(size[1], max(2, round(shape[1] * scale / 2) * 2))
    return Fit((size[0] - width) // 4 * 2, (size[1] - height) // 4 * 2, width, height)


class Letterbox:
    """Brings any picture to the track's size with libswscale; bars are black. One thread at a time."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._scaler = VideoReformatter()

    def put(self, picture: av.VideoFrame, pixel_aspect: float = 1.0) -> av.VideoFrame:
        """`picture` as yuv420p at the track's size; itself where it is that already.

        Args:
            picture: any format and size.
            pixel_aspect: width of one pixel over its height.
        """
        width, height = self._size
        turned = round(picture.rotation / 90) % 4
        place = self._place(picture, pixel_aspect, turned)
        if (place.width, place.height) == self._size and not turned:
            if (picture.width, picture.height, picture.format.name) == (width, height, "yuv420p"):
                return picture
            return self._scaler.reformat(picture, width, height, "yuv420p")
        inner = (place.height, place.width) if turned % 2 else (place.width, place.height)
        small = self._scaler.reformat(picture, *inner, "yuv420p")
        buffer = blank(width, height)
        for index, plane in enumerate(planes(buffer, width, height)):
            step = 1 if index == 0 else 2
            source = np.frombuffer(memoryview(small.planes[index]), np.uint8).reshape(-1, small.planes[index].line_size)
            source = source[: inner[1] // step, : inner[0] // step]
            top, left = place.top // step, place.left // step
            plane[top : top + place.height // step, left : left + place.width // step] = np.rot90(source, turned)
        return framed(buffer)

    def _place(self, picture: av.VideoFrame, pixel_aspect: float, turned: int) -> Fit:
        shape = (picture.width * pixel_aspect, float(picture.height))
        return fit(shape[::-1] if turned % 2 else shape, self._size)
