"""Rendered lessons for the slide counter: pages that grow line by line, a pointer, a film in the page."""

from dataclasses import dataclass

import cv2
import numpy as np

WIDTH, HEIGHT = 1280, 720

LESSONS = [
    (
        "第三课 勾股定理",
        ["直角三角形两直角边的平方和等于斜边的平方", "即 a²+b²=c²，其中 c 为斜边", "例1：已知 a=3，b=4，求 c"],
    ),
    ("光合作用", ["绿色植物利用光能，将二氧化碳和水转化为有机物", "反应场所：叶绿体", "影响因素：光照强度、温度"]),
    ("春晓 孟浩然", ["春眠不觉晓，处处闻啼鸟。", "夜来风雨声，花落知多少。", "思考：诗人表达了怎样的情感？"]),
    (
        "Unit 5 My Family",
        ["This is my father. He is a doctor.", "Who is that man? He's my uncle.", "Practice in pairs"],
    ),
    ("牛顿第二定律", ["物体加速度的大小跟作用力成正比", "公式：F=ma", "课堂练习：质量为2kg的物体受到10N的力"]),
    ("鸦片战争", ["1840年，英国发动侵华战争", "1842年签订《南京条约》", "课后思考：战争带来了哪些影响？"]),
]
SCHEMES = {
    "white": [((255, 255, 255), (20, 20, 20))],
    "dark": [((90, 50, 20), (250, 250, 250))],
    "mixed": [((255, 255, 255), (20, 20, 20)), ((240, 250, 245), (20, 20, 20)), ((90, 50, 20), (250, 250, 250))],
}


def page(number: int, lines: int = 3, scheme: str = "white") -> np.ndarray:
    """Slide `number` with so many of its lines, BGR."""
    colours = SCHEMES[scheme]
    paper, ink = colours[number % len(colours)]
    image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    image[:] = paper
    image[:24] = (40, 60, 200)
    title, words = LESSONS[number % len(LESSONS)]
    font = cv2.FontFace("uni")
    _, image = cv2.putText(image, title, (80, 130), ink, font, 60, 700)
    for row, line in enumerate(words[:lines]):
        _, image = cv2.putText(image, line, (110, 260 + row * 110), ink, font, 36, 400)
    return np.asarray(image)


def with_pointer(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    out = image.copy()
    x, y = int(rng.integers(20, WIDTH - 40)), int(rng.integers(40, HEIGHT - 40))
    cv2.fillPoly(out, [np.array([[x, y], [x, y + 30], [x + 20, y + 22]])], (10, 10, 10))
    return out


def with_film(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    out = image.copy()
    coarse = rng.integers(0, 256, (10, 16, 3), np.uint8)
    out[400:660, 820:1236] = cv2.resize(coarse, (416, 260), interpolation=cv2.INTER_LINEAR)
    return out


@dataclass(frozen=True)
class Sample:
    """One look at the slides."""

    t_s: float
    grey: np.ndarray
    shown: int
    """Which slide is up, counted from 1 each time one comes up."""


def lesson(order: list[int], scheme: str, seed: int, stands_s: float = 12.0, every_s: float = 0.5) -> list[Sample]:
    """Slides in this order; each grows in three steps, with a pointer, every fourth with a film."""
    rng = np.random.default_rng(seed)
    steps = round(stands_s / every_s)
    out: list[Sample] = []
    for turn, number in enumerate(order):
        built = [page(number, lines, scheme) for lines in (1, 2, 3)]
        for step in range(steps):
            image = with_pointer(built[step * 3 // steps], rng)
            if turn % 4 == 3:
                image = with_film(image, rng)
            grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
            out.append(Sample(len(out) * every_s, np.asarray(grey), turn + 1))
    return out
