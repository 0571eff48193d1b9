"""The slides of the built-in lesson: 勾股定理, grade 8, seven pages of 1280x720."""

import functools
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from agent.capture.lettering import Colour, write
from agent.capture.picture import Bytes, from_bgr

WIDTH, HEIGHT = 1280, 720
INK: Colour = (58, 42, 32)
SOFT: Colour = (128, 112, 100)
BLUE: Colour = (178, 96, 30)
RED: Colour = (52, 62, 206)
GREEN: Colour = (96, 140, 44)
PAPER: Colour = (250, 252, 253)
PALE_BLUE: Colour = (246, 232, 214)
PALE_RED: Colour = (220, 222, 250)
PALE_GREEN: Colour = (218, 240, 220)

Points = Sequence[tuple[float, float]]


def _shape(image: Bytes, points: Points, fill: Colour | None, line: Colour, width: int = 3) -> None:
    corners = np.round(np.asarray(points, np.float64) * 16).astype(np.int32)
    if fill is not None:
        cv2.fillPoly(image, [corners], fill, cv2.LINE_AA, 4)
    cv2.polylines(image, [corners], isClosed=True, color=line, thickness=width, lineType=cv2.LINE_AA, shift=4)


def _sheet(title: str, page: int) -> Bytes:
    image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    image[:] = PAPER
    image[:92] = BLUE
    cv2.rectangle(image, (0, 92), (WIDTH, 97), (90, 190, 250), -1)
    write(image, title, (48, 62), 42, (255, 255, 255), weight=700)
    write(image, "八年级数学 · 17.1", (1232, 58), 24, (244, 226, 208), align="right")
    write(image, "县域双师课堂 · 同步一节课", (48, 696), 20, SOFT)
    write(image, f"{page} / {len(_DRAWN)}", (1232, 696), 20, SOFT, align="right")
    return image


def _lines(image: Bytes, at: tuple[int, int], lines: Sequence[tuple[str, Colour]], size_px: int, step: int) -> None:
    for row, (words, colour) in enumerate(lines):
        write(image, words, (at[0], at[1] + row * step), size_px, colour)


def _cover(page: int) -> Bytes:
    image = _sheet("人教版 八年级 下册", page)
    write(image, "勾股定理", (640, 290), 112, BLUE, weight=800, align="centre")
    write(image, "第十七章  第一节  第一课时", (640, 366), 34, SOFT, align="centre")
    cv2.rectangle(image, (250, 420), (1030, 628), PALE_BLUE, -1, cv2.LINE_AA)
    write(image, "学习目标", (290, 470), 32, BLUE, weight=700)
    _lines(
        image,
        (290, 522),
        [("① 经历探索过程，发现直角三角形三边的关系", INK), ("② 会用面积法说明 a² + b² = c²，并能简单应用", INK)],
        28,
        52,
    )
    return image


def _tiles(image: Bytes, origin: tuple[float, float], u: tuple[float, float], v: tuple[float, float], n: int) -> None:
    start, along, across = (np.asarray(point, np.float64) for point in (origin, u, v))
    for step in range(1, n):
        for fixed, run in ((along, across), (across, along)):
            a = start + fixed * step
            b = a + run * n
            ends = [tuple(int(value) for value in np.round(point * 16)) for point in (a, b)]
            cv2.line(image, ends[0], ends[1], (196, 180, 168), 1, cv2.LINE_AA, 4)


def _squares(image: Bytes, corner: tuple[float, float], unit: float) -> None:
    """The 3-4-5 triangle with the squares on its sides; `corner` is the right angle."""
    x, y = corner
    a, b = (x, y - 3 * unit), (x + 4 * unit, y)
    out = (3 * unit, -4 * unit)
    sides = (
        ([(x, y), a, (x - 3 * unit, y - 3 * unit), (x - 3 * unit, y)], PALE_RED, RED),
        ([(x, y), b, (x + 4 * unit, y + 4 * unit), (x, y + 4 * unit)], PALE_GREEN, GREEN),
        ([a, b, (b[0] + out[0], b[1] + out[1]), (a[0] + out[0], a[1] + out[1])], PALE_BLUE, BLUE),
    )
    for points, fill, line in sides:
        _shape(image, points, fill, line)
    _tiles(image, (x - 3 * unit, y - 3 * unit), (unit, 0), (0, unit), 3)
    _tiles(image, (x, y), (unit, 0), (0, unit), 4)
    _tiles(image, a, (0.8 * unit, 0.6 * unit), (0.6 * unit, -0.8 * unit), 5)
    _shape(image, [(x, y), a, b], (255, 255, 255), INK, 4)
    _shape(image, [(x, y), (x + 16, y), (x + 16, y - 16), (x, y - 16)], None, INK, 2)
    write(image, "9", (int(x - 1.5 * unit), int(y - 1.2 * unit)), 40, RED, weight=700, align="centre")
    write(image, "16", (int(x + 2 * unit), int(y + 2.3 * unit)), 40, GREEN, weight=700, align="centre")
    write(image, "25", (int(x + 3.5 * unit), int(y - 3.2 * unit)), 40, BLUE, weight=700, align="centre")


def _explore(page: int) -> Bytes:
    image = _sheet("探究一：数一数，三个正方形的面积", page)
    _squares(image, (240, 462), 48)
    _lines(
        image,
        (700, 190),
        [
            ("以直角三角形的三边为边，向外作正方形：", INK),
            ("    两条直角边上：9 与 16 个小方格", GREEN),
            ("    斜边上：25 个小方格", BLUE),
        ],
        28,
        54,
    )
    cv2.rectangle(image, (690, 344), (1210, 452), PALE_BLUE, -1)
    write(image, "9 + 16 = 25", (950, 416), 58, RED, weight=700, align="centre")
    _lines(
        image,
        (700, 520),
        [("想一想：三边 a、b、c 之间有什么关系？", INK), ("请与同桌讨论 1 分钟，再举手回答。", SOFT)],
        28,
        52,
    )
    return image


def _theorem(page: int) -> Bytes:
    image = _sheet("勾股定理", page)
    corner, up, along = (150.0, 560.0), (150.0, 260.0), (550.0, 560.0)
    _shape(image, [corner, up, along], PALE_BLUE, BLUE, 5)
    _shape(image, [(150, 560), (178, 560), (178, 532), (150, 532)], None, INK, 3)
    write(image, "a", (112, 424), 44, RED, weight=700)
    write(image, "b", (340, 612), 44, GREEN, weight=700)
    write(image, "c", (368, 396), 44, BLUE, weight=700)
    for words, at in (("C", (104, 590)), ("B", (126, 244)), ("A", (566, 584))):
        write(image, words, at, 30, INK)
    _lines(
        image,
        (660, 200),
        [("如果直角三角形的两条直角边长分别为", INK), ("a、b，斜边长为 c，那么", INK)],
        32,
        56,
    )
    cv2.rectangle(image, (660, 300), (1200, 430), PALE_RED, -1)
    write(image, "a² + b² = c²", (930, 390), 76, RED, weight=800, align="centre")
    _lines(
        image,
        (660, 500),
        [("勾：较短的直角边    股：较长的直角边", INK), ("弦：斜边", INK), ("《周髀算经》：“勾三、股四、弦五”", SOFT)],
        28,
        50,
    )
    return image


def _proof(page: int) -> Bytes:
    image = _sheet("证明：赵爽弦图", page)
    x, y, a, b = 110.0, 170.0, 150.0, 300.0
    side = a + b
    outer = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
    inner = [(x + a, y), (x + side, y + a), (x + b, y + side), (x, y + b)]
    for index, fill in enumerate((PALE_RED, PALE_GREEN, PALE_RED, PALE_GREEN)):
        _shape(image, [outer[index], inner[index], inner[index - 1]], fill, INK, 2)
    _shape(image, inner, PALE_BLUE, BLUE, 4)
    _shape(image, outer, None, INK, 3)
    write(image, "c²", (int(x + side / 2), int(y + side / 2 + 22)), 64, BLUE, weight=700, align="centre")
    for words, at, colour in (("a", (176, 158), RED), ("b", (400, 158), GREEN), ("b", (76, 320), GREEN)):
        write(image, words, at, 34, colour, weight=700)
    write(image, "a", (76, 556), 34, RED, weight=700)
    _lines(
        image,
        (660, 210),
        [
            ("大正方形的面积，用两种方法计算：", INK),
            ("    (a + b)² = a² + 2ab + b²", RED),
            ("    4 × (ab ÷ 2) + c² = 2ab + c²", GREEN),
            ("所以  a² + 2ab + b² = 2ab + c²", INK),
        ],
        32,
        66,
    )
    cv2.rectangle(image, (660, 478), (1200, 578), PALE_BLUE, -1)
    write(image, "即  a² + b² = c²", (930, 546), 52, BLUE, weight=800, align="centre")
    return image


def _example(page: int) -> Bytes:
    image = _sheet("例 1：梯子能到多高？", page)
    cv2.rectangle(image, (120, 150), (160, 590), (190, 196, 202), -1)
    for row in range(11):
        cv2.line(image, (120, 150 + row * 40), (160, 150 + row * 40), (150, 156, 164), 1)
    cv2.line(image, (90, 592), (560, 592), INK, 4, cv2.LINE_AA)
    foot, top = np.array([430.0, 590.0]), np.array([162.0, 232.0])
    for shift in (-7.0, 7.0):
        ends = [tuple(int(value) for value in point + np.array([shift, shift * 0.6])) for point in (foot, top)]
        cv2.line(image, ends[0], ends[1], (38, 104, 170), 6, cv2.LINE_AA)
    for part in np.linspace(0.06, 0.94, 12):
        middle = foot + (top - foot) * part
        cv2.line(
            image,
            (int(middle[0] - 8), int(middle[1] - 5)),
            (int(middle[0] + 8), int(middle[1] + 5)),
            (38, 104, 170),
            4,
            cv2.LINE_AA,
        )
    write(image, "5 m", (318, 396), 34, BLUE, weight=700)
    write(image, "3 m", (262, 636), 34, GREEN, weight=700)
    write(image, "? m", (186, 470), 34, RED, weight=700)
    _lines(
        image,
        (620, 180),
        [
            ("一架长 5 m 的梯子斜靠在墙上，", INK),
            ("梯脚离墙 3 m，梯顶离地面多高？", INK),
            ("解：设梯顶离地面 h m，由勾股定理得", BLUE),
            ("    h² + 3² = 5²", INK),
            ("    h² = 25 − 9 = 16", INK),
            ("    h = 4  （h > 0）", RED),
            ("答：梯顶离地面 4 m。", BLUE),
        ],
        31,
        66,
    )
    return image


def _practice(page: int) -> Bytes:
    image = _sheet("随堂练习（两个教室同时完成）", page)
    rows = (
        ("1", "直角边为 6 和 8，斜边长 c = ____", "提示：6² + 8² = 100"),
        ("2", "斜边为 13，一条直角边为 5，另一条为 ____", "提示：13² − 5² = 144"),
        ("3", "正方形对角线长 2 m，它的边长约为 ____ m", "结果保留两位小数"),
    )
    for row, (number, words, hint) in enumerate(rows):
        top = 134 + row * 138
        cv2.rectangle(image, (70, top), (1210, top + 116), PALE_GREEN if row % 2 else PALE_BLUE, -1)
        cv2.circle(image, (132, top + 58), 34, BLUE, -1, cv2.LINE_AA)
        write(image, number, (132, top + 73), 40, (255, 255, 255), weight=700, align="centre")
        write(image, words, (200, top + 54), 34, INK)
        write(image, hint, (200, top + 96), 24, SOFT)
    write(image, "时间 3 分钟，完成后举手；辅助教师巡视并拍照反馈。", (70, 612), 28, RED)
    return image


def _summary(page: int) -> Bytes:
    image = _sheet("课堂小结与作业", page)
    left = (
        ("知识", "a² + b² = c²（∠C = 90°）", RED),
        ("方法", "面积法：同一图形，两种算法", GREEN),
        ("思想", "从特殊到一般，数形结合", BLUE),
    )
    for row, (head, words, colour) in enumerate(left):
        top = 140 + row * 104
        cv2.rectangle(image, (70, top), (210, top + 78), colour, -1)
        write(image, head, (140, top + 53), 38, (255, 255, 255), weight=700, align="centre")
        write(image, words, (244, top + 53), 36, INK)
    cv2.rectangle(image, (70, 464), (1210, 640), PALE_BLUE, -1)
    write(image, "作业", (104, 514), 34, BLUE, weight=700)
    _lines(
        image,
        (104, 562),
        [("必做：课本第 28 页 习题 17.1 第 1、2、3 题", INK), ("选做：查找勾股定理的另一种证明，下节课分享", INK)],
        29,
        48,
    )
    _shape(image, [(980, 410), (980, 170), (1160, 410)], PALE_GREEN, GREEN, 4)
    _shape(image, [(980, 410), (1002, 410), (1002, 388), (980, 388)], None, INK, 2)
    return image


_DRAWN: tuple[Callable[[int], Bytes], ...] = (_cover, _explore, _theorem, _proof, _example, _practice, _summary)


@functools.cache
def images() -> tuple[Bytes, ...]:
    """The pages in order, BGR, each of shape (720, 1280, 3)."""
    return tuple(draw(page) for page, draw in enumerate(_DRAWN, start=1))


@functools.cache
def buffers() -> tuple[Bytes, ...]:
    """The pages in order, I420, each of shape (1080, 1280)."""
    return tuple(from_bgr(image) for image in images())
