"""Moving things drawn once and laid over a picture in a few microseconds."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from agent.capture.lettering import Colour, write
from agent.capture.picture import Bytes, blank, from_bgr, planes

Point = tuple[float, float]
Planes = tuple[Bytes, Bytes, Bytes]
FINE = 2
"""Sprites are drawn this many times larger and scaled down, which makes their edges soft."""
CLOCK_LETTERS = "0123456789:."


class Easel:
    """A drawing in the coordinates of a 1280x720 room: colours, and what of them covers the background."""

    def __init__(self, width: int, height: int) -> None:
        self.colours = np.zeros((height * FINE, width * FINE, 3), np.uint8)
        self.cover = np.zeros((height * FINE, width * FINE), np.uint8)

    def ellipse(self, centre: Point, axes: Point, colour: Colour, arc: Point = (0, 360), turn: float = 0) -> None:
        """A filled ellipse, or the part of it between the two angles, in degrees."""
        at = (round(centre[0] * FINE), round(centre[1] * FINE))
        radii = (round(axes[0] * FINE), round(axes[1] * FINE))
        cv2.ellipse(self.colours, at, radii, turn, *arc, colour, -1, cv2.LINE_AA)
        cv2.ellipse(self.cover, at, radii, turn, *arc, 255, -1, cv2.LINE_AA)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """A filled polygon."""
        corners = np.round(np.asarray(points) * FINE).astype(np.int32)
        cv2.fillPoly(self.colours, [corners], colour, cv2.LINE_AA)
        cv2.fillPoly(self.cover, [corners], 255, cv2.LINE_AA)

    def line(self, a: Point, b: Point, colour: Colour, width: float) -> None:
        """A line with round ends."""
        ends = [(round(x * FINE), round(y * FINE)) for x, y in (a, b)]
        cv2.line(self.colours, ends[0], ends[1], colour, max(1, round(width * FINE)), cv2.LINE_AA)
        cv2.line(self.cover, ends[0], ends[1], 255, max(1, round(width * FINE)), cv2.LINE_AA)

    def shade(self, strength: float) -> None:
        """Light from the upper left: darker to the right and downwards, by at most `strength` (0 to 1)."""
        height, width = self.cover.shape
        light = 1 - strength * (np.linspace(0, 0.6, width)[None, :] + np.linspace(0, 0.4, height)[:, None])
        self.colours = (self.colours * light[..., None]).astype(np.uint8)

    def sprite(self, scale: float) -> "Sprite":
        """The drawing as a sprite for a room `scale` times 1280x720."""
        height, width = self.cover.shape
        size = tuple(max(2, round(side * scale / FINE / 2) * 2) for side in (width, height))
        small = cv2.resize(self.colours, size, interpolation=cv2.INTER_AREA)
        cover = cv2.resize(self.cover, size, interpolation=cv2.INTER_AREA)
        return Sprite.made(np.asarray(small, np.uint8), np.asarray(cover, np.uint8))


@dataclass(frozen=True, slots=True)
class Sprite:
    """Per plane: what is left of the background (0 to 255), and the colour to add to it."""

    layers: tuple[tuple[Bytes, Bytes], ...]
    width: int
    height: int

    @classmethod
    def made(cls, colours: Bytes, cover: Bytes) -> "Sprite":
        """From BGR colours, shape (height, width, 3), and their cover, shape (height, width); even sides."""
        height, width = cover.shape
        half = np.asarray(cv2.resize(cover, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)
        layers = []
        for plane, part in zip(planes(from_bgr(colours), width, height), (cover, half, half), strict=True):
            layers.append((255 - part, cv2.multiply(plane, part, scale=1 / 255)))
        return cls(tuple(layers), width, height)

    def put(self, picture: Planes, left: int, top: int) -> None:
        """Lay the sprite on `picture` in place; it is moved to even pixels and kept inside."""
        height, width = picture[0].shape
        left = min(max(left, 0), width - self.width) // 2
        top = min(max(top, 0), height - self.height) // 2
        for index, (rest, fore) in enumerate(self.layers):
            step = 1 if index else 2
            rows, columns = fore.shape
            part = picture[index][top * step : top * step + rows, left * step : left * step + columns]
            cv2.multiply(part, rest, dst=part, scale=1 / 255)
            cv2.add(part, fore, dst=part)


class Clock:
    """The running time in a corner of the picture, so that anyone can see that it moves, and how late."""

    def __init__(self, scale: float) -> None:
        height = max(12, round(40 * scale / 2) * 2)
        self._letters = {letter: self._letter(letter, height) for letter in CLOCK_LETTERS}
        self.height = height

    @staticmethod
    def _letter(letter: str, height: int) -> Bytes:
        width = height // 4 * 2 if letter.isdigit() else height // 8 * 2
        image = np.full((height, width, 3), 24, np.uint8)
        write(image, letter, (width // 2, round(height * 0.78)), round(height * 0.72), (255, 255, 255), align="centre")
        return from_bgr(image)[:height].copy()

    def put(self, luma: Bytes, chroma: tuple[Bytes, Bytes], seconds: float, margin: int) -> None:
        """Write the minutes, seconds and hundredths at the upper right, `margin` pixels from the edges."""
        hundredths = int(seconds * 100)
        text = f"{hundredths // 6000:02d}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"
        width = sum(self._letters[letter].shape[1] for letter in text)
        left, top = (luma.shape[1] - margin - width) // 2 * 2, margin // 2 * 2
        for plane in chroma:
            plane[top // 2 : (top + self.height) // 2, left // 2 : (left + width) // 2] = 128
        for letter in text:
            tile = self._letters[letter]
            luma[top : top + self.height, left : left + tile.shape[1]] = tile
            left += tile.shape[1]


def filmed(image: Bytes, size: tuple[int, int], inner: tuple[int, int, int, int], rng: np.random.Generator) -> Bytes:
    """A drawn room as a camera would see it, in a few variants of sensor noise.

    Args:
        image: BGR, shape (720, 1280, 3).
        size: width and height of the track.
        inner: left, top, width and height of the room in the track.
        rng: makes the noise.

    Returns:
        I420 buffers, shape (variants, height * 3 / 2, width).
    """
    left, top, width, height = inner
    soft = cv2.GaussianBlur(image, (0, 0), 0.9)
    across, down = np.meshgrid(np.linspace(-1, 1, 1280), np.linspace(-1, 1, 720))
    light = 1.04 - 0.16 * (across**2 + down**2) - 0.05 * across
    lit = np.clip(soft * light[..., None], 0, 255).astype(np.uint8)
    room = from_bgr(np.asarray(cv2.resize(lit, (width, height), interpolation=cv2.INTER_AREA), np.uint8))
    picture = blank(*size)
    for whole, part in zip(planes(picture, *size), planes(room, width, height), strict=True):
        step = size[0] // whole.shape[1]
        whole[top // step : (top + height) // step, left // step : (left + width) // step] = part
    variants = np.repeat(picture[None], NOISE_VARIANTS, axis=0)
    for variant in variants:
        luma = variant[: size[1]][top : top + height, left : left + width]
        grain = rng.normal(0, NOISE_LEVELS, (height, width)).astype(np.float32)
        luma[:] = np.clip(luma + cv2.GaussianBlur(grain, (0, 0), 0.6) * 1.6, 16, 235).astype(np.uint8)
    return variants


NOISE_VARIANTS = 6
NOISE_LEVELS = 1.5
"""Standard deviation of the sensor noise, in levels of luma."""
