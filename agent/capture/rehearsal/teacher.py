"""The lead room as its camera sees it: a teacher who walks, points and speaks before board and screen."""

import math

import cv2
import numpy as np

from agent.capture.lettering import Colour, write
from agent.capture.picture import Bytes, fit, planes
from agent.capture.rehearsal import pages
from agent.capture.rehearsal.sprite import Clock, Easel, Planes, Point, Sprite, filmed

BOARD: Colour = (62, 84, 46)
CHALK: Colour = (214, 226, 220)
SKIN: Colour = (158, 188, 226)
ARM_POSES = 24
SCREEN = (436, 132, 456, 256)
"""Left, top, width and height of the smart screen in the 1280x720 room."""

JACKETS: tuple[Colour, ...] = ((120, 74, 52), (70, 62, 138), (84, 96, 52), (112, 60, 98))


def _wall(name: str) -> Bytes:
    image = np.empty((720, 1280, 3), np.uint8)
    image[:] = (206, 216, 220)
    image[596:] = (150, 168, 182)
    for x in range(-600, 1900, 130):
        cv2.line(image, (640 + (x - 640) // 2, 596), (x, 720), (132, 150, 166), 2, cv2.LINE_AA)
    write(image, "勤 学    善 思    明 理    笃 行", (664, 74), 40, (58, 58, 178), align="centre")
    cv2.rectangle(image, (84, 108), (1244, 424), (110, 134, 160), -1)
    cv2.rectangle(image, (94, 118), (1234, 414), BOARD, -1)
    rng = np.random.default_rng(3)
    for _ in range(70):
        x, y = int(rng.integers(100, 1170)), int(rng.integers(124, 400))
        cv2.line(image, (x, y), (x + int(rng.integers(20, 60)), y + int(rng.integers(-8, 8))), (70, 94, 54), 7)
    image[118:414, 94:1234] = cv2.GaussianBlur(image[118:414, 94:1234], (0, 0), 4)
    for x in (414, 914):
        cv2.line(image, (x, 118), (x, 414), (96, 118, 140), 6)
    left, top, width, height = SCREEN
    cv2.rectangle(image, (left - 12, top - 12), (left + width + 12, top + height + 14), (34, 32, 32), -1)
    cv2.rectangle(image, (84, 416), (1244, 430), (92, 112, 136), -1)
    _chalk(image)
    cv2.rectangle(image, (40, 20), (64 + 22 * max(8, len(name)), 62), (255, 255, 255), -1)
    write(image, name, (54, 50), 24, (60, 60, 60))
    return image


def _chalk(image: Bytes) -> None:
    write(image, "17.1  勾股定理", (122, 166), 30, CHALK)
    cv2.line(image, (120, 178), (340, 180), (130, 214, 240), 2, cv2.LINE_AA)
    for row, words in enumerate(("a² + b² = c²", "勾 3  股 4  弦 5", "c = 5")):
        write(image, words, (130, 226 + row * 46), 28, CHALK)
    for a, b in (((270, 390), (270, 290)), ((270, 390), (392, 390)), ((270, 290), (392, 390))):
        cv2.line(image, a, b, CHALK, 3, cv2.LINE_AA)
    write(image, "例 1", (940, 166), 28, (140, 220, 244))
    for row, words in enumerate(("解：h² + 3² = 5²", "h² = 16", "h = 4", "作业 P28  1、2、3")):
        write(image, words, (940, 214 + row * 50), 26, CHALK)


def _desk(image: Bytes) -> None:
    cv2.fillPoly(image, [np.array([(880, 520), (1110, 520), (1136, 556), (858, 556)])], (96, 138, 184), cv2.LINE_AA)
    cv2.rectangle(image, (872, 556), (1122, 704), (74, 110, 152), -1)
    cv2.rectangle(image, (892, 576), (1102, 690), (84, 122, 166), -1)
    cv2.rectangle(image, (928, 500), (1010, 528), (60, 60, 64), -1)
    cv2.rectangle(image, (1030, 508), (1090, 526), (236, 240, 244), -1)


def _body(angle: float, jacket: Colour) -> Easel:
    """The teacher without head, 360x540; `angle` of the pointing arm, in radians above the horizon."""
    easel = Easel(360, 540)
    dark: Colour = (int(jacket[0] * 0.75), int(jacket[1] * 0.75), int(jacket[2] * 0.75))
    for x in (190, 236):
        easel.polygon([(x - 22, 330), (x + 24, 330), (x + 18, 518), (x - 16, 518)], (64, 56, 52))
        easel.ellipse((x - 4, 522), (28, 11), (34, 30, 30))
    easel.polygon([(160, 150), (266, 150), (280, 350), (146, 350)], jacket)
    easel.ellipse((213, 152), (56, 26), jacket)
    easel.polygon([(196, 132), (230, 132), (213, 208)], (240, 240, 240))
    easel.line((213, 205), (213, 346), dark, 3)
    easel.line((262, 164), (286, 250), dark, 31)
    easel.line((286, 250), (252, 306), dark, 27)
    easel.polygon([(214, 278), (268, 268), (274, 320), (220, 328)], (236, 238, 232))
    easel.ellipse((250, 306), (15, 13), SKIN)
    shoulder = (168.0, 166.0)
    elbow = (shoulder[0] - 78 * math.cos(angle * 0.6 - 0.5), shoulder[1] - 78 * math.sin(angle * 0.6 - 0.5))
    hand = (elbow[0] - 66 * math.cos(angle), elbow[1] - 66 * math.sin(angle))
    tip = (hand[0] - 80 * math.cos(angle + 0.15), hand[1] - 80 * math.sin(angle + 0.15))
    easel.line(hand, (max(4.0, tip[0]), max(4.0, tip[1])), (40, 70, 110), 3.5)
    easel.line(shoulder, elbow, jacket, 33)
    easel.line(elbow, hand, jacket, 27)
    easel.ellipse(hand, (15, 14), SKIN)
    easel.shade(0.25)
    return easel


def _head(mouth: float) -> Easel:
    """The teacher's head, 120x150; `mouth` is how far it is open, in pixels."""
    easel = Easel(120, 150)
    easel.ellipse((60, 66), (46, 54), (30, 30, 36))
    easel.polygon([(16, 60), (104, 60), (100, 112), (20, 112)], (30, 30, 36))
    easel.polygon([(46, 96), (74, 96), (76, 146), (44, 146)], (140, 170, 208))
    easel.ellipse((60, 74), (35, 43), SKIN)
    easel.ellipse((60, 42), (37, 22), (30, 30, 36), (180, 360))
    for x in (46, 74):
        easel.line((x - 8, 59), (x + 8, 58), (50, 54, 62), 2.5)
        easel.ellipse((x, 69), (6, 3.6), (250, 250, 250))
        easel.ellipse((x, 69), (3.2, 3.4), (36, 34, 34))
    easel.line((60, 72), (57, 85), (128, 160, 200), 3)
    easel.ellipse((60, 98), (11, 2.5 + mouth), (86, 84, 186))
    if mouth > 2:
        easel.ellipse((60, 98), (7, mouth - 0.5), (48, 40, 84))
    easel.shade(0.2)
    return easel


class TeacherScene:
    """Draws the lead room for any moment of the lesson; costs well under a millisecond a picture."""

    def __init__(self, size: tuple[int, int], name: str, seed: int) -> None:
        rng = np.random.default_rng(seed)
        place = fit((1280, 720), size)
        self._size, self._scale = size, place.width / 1280
        self._corner = (place.left, place.top)
        image = _wall(name)
        _desk(image)
        inner = (place.left, place.top, place.width, place.height)
        self._backgrounds = filmed(image, size, inner, rng)
        jacket = JACKETS[seed % len(JACKETS)]
        angles = np.linspace(-0.5, 1.15, ARM_POSES)
        self._bodies = [_body(float(angle), jacket).sprite(self._scale) for angle in angles]
        self._heads = [_head(mouth).sprite(self._scale) for mouth in (0.0, 2.2, 4.0)]
        self._screens = [self._screen(image) for image in pages.images()]
        self._clock = Clock(self._scale)
        self._phase = float(rng.uniform(0, 2 * math.pi))

    def _screen(self, page: Bytes) -> Sprite:
        size = (round(SCREEN[2] * self._scale / 2) * 2, round(SCREEN[3] * self._scale / 2) * 2)
        small = np.asarray(cv2.resize(page, size, interpolation=cv2.INTER_AREA), np.uint8)
        return Sprite.made(small, np.full(size[::-1], 255, np.uint8))

    def _at(self, point: Point) -> tuple[int, int]:
        return round(self._corner[0] + point[0] * self._scale), round(self._corner[1] + point[1] * self._scale)

    def draw(self, seconds: float, tick: int, page: int) -> Bytes:
        """The room `seconds` after its start, picture number `tick`, with `page` (from 0) on the screen.

        Returns:
            A fresh I420 buffer of shape (height * 3 / 2, width).
        """
        buffer: Bytes = self._backgrounds[tick * 7 % len(self._backgrounds)].copy()
        picture: Planes = planes(buffer, *self._size)
        self._screens[page % len(self._screens)].put(picture, *self._at((SCREEN[0], SCREEN[1])))
        x = 730 + 150 * math.sin(seconds * 0.31 + self._phase)
        swing = 0.5 + 0.5 * math.sin(seconds * 1.7 + self._phase) * math.cos(seconds * 0.43)
        step = 3 * abs(math.sin(seconds * 2.2)) * abs(math.cos(seconds * 0.31 + self._phase))
        self._bodies[round(swing * (ARM_POSES - 1))].put(picture, *self._at((x - 213, 166 - step)))
        mouth = int(seconds * 7.3) % 3 if math.sin(seconds * 0.9) > -0.6 else 0
        self._heads[mouth].put(picture, *self._at((x - 60 + 3 * math.sin(seconds * 0.8), 166 - step)))
        self._clock.put(picture[0], (picture[1], picture[2]), seconds, round(20 * self._scale))
        return buffer
