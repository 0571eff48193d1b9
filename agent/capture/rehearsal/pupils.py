"""A receiving room as its camera sees it: three rows of pupils who look, nod and raise their hands."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from agent.capture.lettering import Colour, write
from agent.capture.picture import Bytes, fit, planes
from agent.capture.rehearsal.sprite import Clock, Easel, Planes, Sprite, filmed

HAND_POSES = 6
LOOKS = 4
SKINS: tuple[Colour, ...] = ((150, 182, 224), (160, 194, 232), (138, 170, 214), (156, 188, 222))
UNIFORMS: tuple[Colour, ...] = ((172, 108, 40), (74, 132, 62), (62, 58, 168), (150, 88, 110))
ROWS = ((236, 0.72, 5), (324, 0.92, 4), (436, 1.22, 4))
"""Top of the heads, size of the pupils and how many there are, from the back row to the front."""


def _wall(name: str, uniform: Colour) -> Bytes:
    image = np.empty((720, 1280, 3), np.uint8)
    image[:] = (214, 224, 226)
    image[360:] = (168, 184, 196)
    image[250:360] = (188, 206, 186)
    for left in (40, 1070):
        cv2.rectangle(image, (left, 60), (left + 170, 250), (240, 246, 250), -1)
        cv2.rectangle(image, (left, 60), (left + 170, 250), (170, 170, 170), 6)
        cv2.line(image, (left + 85, 60), (left + 85, 250), (170, 170, 170), 5)
        cv2.rectangle(image, (left + 8, 150), (left + 78, 244), (196, 214, 196), -1)
    cv2.rectangle(image, (290, 56), (990, 236), (92, 128, 176), -1)
    cv2.rectangle(image, (300, 66), (980, 226), (70, 96, 56), -1)
    write(image, "学 习 园 地", (640, 112), 38, (120, 214, 244), align="centre")
    for index in range(8):
        left = 322 + index * 80
        colour = ((210, 226, 250), (226, 246, 232), (250, 236, 216))[index % 3]
        cv2.rectangle(image, (left, 130 + index % 2 * 6), (left + 62, 212 + index % 2 * 6), colour, -1)
        for row in range(5):
            y = 144 + index % 2 * 6 + row * 13
            cv2.line(image, (left + 8, y), (left + 54 - row * 5 % 17, y), (140, 140, 150), 2)
    cv2.rectangle(image, (240, 12), (264 + 22 * max(8, len(name)), 50), (255, 255, 255), -1)
    write(image, name, (254, 40), 24, (60, 60, 60))
    cv2.rectangle(image, (0, 350), (1280, 362), uniform, -1)
    return image


def _seat(image: Bytes, x: float, top: float, size: float) -> None:
    """The desk before a pupil, drawn into the background where pupils in front may cover it."""
    y = int(top + 176 * size)
    half = int(104 * size)
    near = half + int(14 * size)
    corners = np.array([(x - half, y), (x + half, y), (x + near, y + 34 * size), (x - near, y + 34 * size)])
    cv2.fillPoly(image, [corners.astype(np.int32)], (128, 168, 206), cv2.LINE_AA)
    bottom = (int(x + near), int(y + 46 * size))
    cv2.rectangle(image, (int(x - near), int(y + 34 * size)), bottom, (96, 134, 172), -1)
    for side in (-1, 1):
        leg = int(x + side * (near - 6 * size))
        cv2.line(image, (leg, bottom[1]), (leg, int(y + 150 * size)), (120, 116, 112), max(2, int(7 * size)))
    book = np.array([(x - 40 * size, y + 6), (x + 30 * size, y + 6), (x + 36 * size, y + 24 * size)])
    book = np.vstack([book, [(x - 46 * size, y + 24 * size)]])
    cv2.fillPoly(image, [book.astype(np.int32)], (244, 246, 248), cv2.LINE_AA)


def _pupil(look: int, hand: float, uniform: Colour, size: float) -> Easel:
    """One pupil from the desk upwards, 200x250 at size 1; `hand` is how far one is raised, 0 to 1."""
    easel = Easel(round(200 * size / 2) * 2, round(250 * size / 2) * 2)
    s = size
    skin = SKINS[look % len(SKINS)]
    hair: Colour = (26 + look * 4, 26 + look * 3, 30 + look * 2)
    white: Colour = (238, 240, 242)
    easel.polygon([(52 * s, 180 * s), (148 * s, 180 * s), (158 * s, 248 * s), (42 * s, 248 * s)], uniform)
    easel.ellipse((100 * s, 182 * s), (50 * s, 26 * s), uniform)
    easel.polygon([(64 * s, 176 * s), (136 * s, 176 * s), (126 * s, 206 * s), (74 * s, 206 * s)], white)
    easel.polygon([(82 * s, 166 * s), (118 * s, 166 * s), (100 * s, 226 * s)], (48, 48, 206))
    easel.line((56 * s, 196 * s), (46 * s, 244 * s), uniform, 26 * s)
    if hand > 0:
        top = (150 * s + 10 * s * hand, (200 - 130 * hand) * s)
        easel.line((144 * s, 196 * s), (166 * s, (236 - 50 * hand) * s), uniform, 27 * s)
        easel.line((166 * s, (236 - 50 * hand) * s), top, uniform, 23 * s)
        easel.ellipse((top[0], top[1] - 10 * s), (12 * s, 16 * s), skin)
    else:
        easel.line((144 * s, 196 * s), (154 * s, 244 * s), uniform, 26 * s)
    _face(easel, look, s, skin, hair)
    easel.shade(0.18)
    return easel


def _face(easel: Easel, look: int, s: float, skin: Colour, hair: Colour) -> None:
    easel.polygon([(88 * s, 140 * s), (112 * s, 140 * s), (114 * s, 176 * s), (86 * s, 176 * s)], skin)
    if look % 2:
        easel.ellipse((100 * s, 110 * s), (50 * s, 52 * s), hair)
        easel.polygon([(52 * s, 108 * s), (148 * s, 108 * s), (142 * s, 152 * s), (58 * s, 152 * s)], hair)
    else:
        easel.ellipse((100 * s, 102 * s), (45 * s, 44 * s), hair)
    easel.ellipse((100 * s, 118 * s), (39 * s, 43 * s), skin)
    easel.ellipse((100 * s, 92 * s), (42 * s, 26 * s), hair, (180, 360))
    for x in (84, 116):
        easel.ellipse((x * s, 116 * s), (6 * s, 4 * s), (250, 250, 250))
        easel.ellipse((x * s, 116 * s), (3.6 * s, 3.8 * s), (34, 32, 32))
        easel.line(((x - 8) * s, 105 * s), ((x + 8) * s, 104 * s), hair, 2.4 * s)
    easel.line((100 * s, 120 * s), (98 * s, 131 * s), (126, 158, 200), 2.6 * s)
    easel.ellipse((100 * s, 143 * s), (9 * s, 2.6 * s), (92, 92, 190))


@dataclass(frozen=True, slots=True)
class _Seated:
    poses: tuple[Sprite, ...]
    x: float
    y: float
    rhythm: float
    phase: float


class PupilsScene:
    """Draws a receiving room for any moment of the lesson."""

    def __init__(self, size: tuple[int, int], name: str, seed: int) -> None:
        rng = np.random.default_rng(seed)
        uniform = UNIFORMS[seed % len(UNIFORMS)]
        place = fit((1280, 720), size)
        self._size, self._scale = size, place.width / 1280
        self._corner = (place.left, place.top)
        image = _wall(name, uniform)
        drawn: dict[tuple[int, float], tuple[Sprite, ...]] = {}
        self._pupils: list[_Seated] = []
        for top, pupil_size, count in ROWS:
            for x in np.linspace(640 - 480 * pupil_size, 640 + 480 * pupil_size, count):
                look = int(rng.integers(LOOKS))
                if (look, pupil_size) not in drawn:
                    hands = np.linspace(0, 1, HAND_POSES)
                    easels = (_pupil(look, float(hand), uniform, pupil_size) for hand in hands)
                    drawn[look, pupil_size] = tuple(easel.sprite(self._scale) for easel in easels)
                _seat(image, float(x), top, pupil_size)
                at = (float(x) - 100 * pupil_size + float(rng.uniform(-8, 8)), top - 60 * pupil_size)
                rhythm, phase = rng.uniform(0.4, 0.9), rng.uniform(0, 60)
                self._pupils.append(_Seated(drawn[look, pupil_size], *at, float(rhythm), float(phase)))
        inner = (place.left, place.top, place.width, place.height)
        self._backgrounds = filmed(image, size, inner, rng)
        self._clock = Clock(self._scale)

    def draw(self, seconds: float, tick: int, page: int) -> Bytes:
        """The room `seconds` after its start, picture number `tick`; more hands go up on some pages.

        Returns:
            A fresh I420 buffer of shape (height * 3 / 2, width).
        """
        buffer: Bytes = self._backgrounds[tick * 7 % len(self._backgrounds)].copy()
        picture: Planes = planes(buffer, *self._size)
        for index, pupil in enumerate(self._pupils):
            sway = math.sin(seconds * pupil.rhythm * 2 + pupil.phase)
            nod = math.sin(seconds * pupil.rhythm * 3.1 + pupil.phase)
            eager = math.sin(seconds * 0.35 + pupil.phase * 2 + page) - 0.72
            hand = min(1.0, max(0.0, eager * 8)) if index % 3 != 1 else 0.0
            left = round(self._corner[0] + (pupil.x + 4 * sway) * self._scale)
            top = round(self._corner[1] + (pupil.y + 2 * nod) * self._scale)
            pupil.poses[round(hand * (HAND_POSES - 1))].put(picture, left, top)
        self._clock.put(picture[0], (picture[1], picture[2]), seconds, round(20 * self._scale))
        return buffer
