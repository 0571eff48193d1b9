"""Rendered decks with known titles, and lessons with known changes; drawn with the project's own lettering.

The texts are in two halves: CHOSEN for whoever sets a threshold, HELD to report on. One font only
(the one that OpenCV carries), nothing photographed: real slides are more varied than these.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from agent.capture.lettering import write

WIDTH, HEIGHT = 1280, 720
Page = tuple[str, tuple[str, ...]]

CHOSEN: tuple[Page, ...] = (
    (
        "第三课 勾股定理",
        ("直角三角形两直角边的平方和等于斜边的平方", "即 a²+b²=c²，其中 c 为斜边", "例：已知 a=3，b=4，求 c"),
    ),
    ("光合作用", ("绿色植物利用光能，将二氧化碳和水转化为有机物", "反应场所：叶绿体", "影响因素：光照强度、温度")),
    ("春晓 孟浩然", ("春眠不觉晓，处处闻啼鸟。", "夜来风雨声，花落知多少。", "思考：诗人表达了怎样的情感？")),
    (
        "Unit 5 My Family",
        ("This is my father. He is a doctor.", "Who is that man? He's my uncle.", "Practice in pairs"),
    ),
    ("牛顿第二定律", ("物体加速度的大小跟作用力成正比", "公式：F=ma", "质量为2kg的物体受到10N的力，求加速度")),
    ("鸦片战争", ("1840年，英国发动侵华战争", "1842年签订《南京条约》", "课后思考：战争带来了哪些影响？")),
    ("What time is it?", ("It's a quarter past seven.", "I get up at half past six.", "Listen and repeat")),
    ("圆的周长", ("圆的周长与直径的比是一个常数", "C = πd = 2πr", "动手量一量：你的杯口周长是多少？")),
    ("天气与气候", ("天气是短时间的大气状况", "气候是长时间的平均状况", "本地属于温带季风气候")),
    ("The Water Cycle", ("Water evaporates from seas and lakes.", "Clouds form when vapour cools.", "Rain returns it")),
)
HELD: tuple[Page, ...] = (
    ("二次函数的图像", ("y = ax² + bx + c 的图像是抛物线", "a>0 时开口向上，a<0 时开口向下", "对称轴与顶点坐标")),
    ("细胞的结构", ("动物细胞：细胞膜、细胞质、细胞核", "植物细胞还有细胞壁、叶绿体和液泡", "观察：洋葱表皮细胞")),
    ("静夜思 李白", ("床前明月光，疑是地上霜。", "举头望明月，低头思故乡。", "说一说：月亮让你想起什么？")),
    (
        "Past Simple Tense",
        ("I visited my grandparents last week.", "She did not watch TV yesterday.", "Did you finish it?"),
    ),
    ("欧姆定律", ("导体中的电流与电压成正比，与电阻成反比", "I = U / R", "电阻 10Ω，电压 3V，电流是多少？")),
    ("丝绸之路", ("公元前138年，张骞出使西域", "商队把丝绸带到地中海沿岸", "找一找：地图上的敦煌在哪里？")),
    (
        "How can we save water?",
        ("Turn off the tap while brushing.", "Use rain water for the plants.", "Discuss in groups"),
    ),
    ("平行四边形的面积", ("沿高剪开，可以拼成一个长方形", "S = ah", "底 8 厘米，高 5 厘米，面积是多少？")),
    ("地球的自转", ("自西向东，一周约 24 小时", "昼夜交替由此产生", "为什么不同地方的时间不同？")),
    ("Healthy Food", ("Eat more fruit and vegetables.", "Too much sugar is bad for teeth.", "Make a menu for one day")),
    ("分数的加减法", ("同分母：分母不变，分子相加减", "异分母：先通分", "1/2 + 1/3 = 5/6")),
    ("化学反应的速率", ("浓度越大，反应越快", "温度升高，反应加快", "催化剂改变速率，自身不变")),
)
PAPERS = (
    ((255, 255, 255), (30, 30, 30)),
    ((236, 248, 250), (60, 40, 20)),
    ((74, 44, 22), (245, 245, 245)),
    ((40, 70, 40), (225, 240, 245)),
)
LAYOUTS = ("left", "band", "centre", "cover")


@dataclass(frozen=True)
class Drawn:
    """One slide as it grows."""

    title: str
    words: str
    """All that stands on it when it is whole, furniture left out."""
    steps: tuple[np.ndarray, ...]
    """BGR, shape (720, 1280, 3), from the title alone to the whole page."""


def drawn(page: Page, number: int, rng: np.random.Generator) -> Drawn:
    """A slide in one of the layouts, with what school slides have around: a school's name, a page number, a subject."""
    title, lines = page
    paper, ink = PAPERS[rng.integers(len(PAPERS))]
    layout = LAYOUTS[rng.integers(len(LAYOUTS))]
    image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    image[:] = paper
    size, small = int(rng.integers(44, 72)), int(rng.integers(26, 36))
    soft = tuple(int((a + b) / 2) for a, b in zip(paper, ink, strict=True))
    left, top, step = 70, 120, small * 2 + int(rng.integers(10, 40))
    title_ink = ink
    if layout == "band":
        image[:104] = (150, 80, 20)
        size, top, title_ink = min(size, 56), 72, (255, 255, 255)
    elif layout == "cover":
        size, top = int(rng.integers(84, 110)), 300
        write(image, "八年级 下册", (640, 170), 34, soft, align="centre")
    middle = layout in {"centre", "cover"}
    write(
        image, title, (640 if middle else left, top), size, title_ink, weight=700, align="centre" if middle else "left"
    )
    write(image, "石桥小学 双师课堂", (40, 702), 20, soft)
    write(image, f"{number} / 24", (1240, 702), 20, soft, align="right")
    if layout != "cover" and rng.random() < 0.5:
        write(image, "2026 年秋季 · 第 7 周", (1240, 36), 20, title_ink if layout == "band" else soft, align="right")
    steps = [image.copy()]
    at = top + size // 2 + step
    for line in lines:
        write(image, line, (640 if middle else left + 40, at), small, ink, align="centre" if middle else "left")
        at += step
        steps.append(image.copy())
    if rng.random() < 0.4 and layout in {"left", "band"}:
        cv2.rectangle(image, (800, 430), (1180, 640), (90, 160, 220), -1)
        cv2.circle(image, (930, 530), 70, (60, 60, 200), -1, cv2.LINE_AA)
        steps.append(image.copy())
    return Drawn(title, "".join((title, *lines)), tuple(steps))


def pointed(image: np.ndarray, at: tuple[int, int]) -> np.ndarray:
    """With a mouse pointer."""
    out = image.copy()
    x, y = at
    corners = np.array([[x, y], [x, y + 30], [x + 20, y + 22]])
    cv2.fillPoly(out, [corners], (250, 250, 250))
    cv2.polylines(out, [corners], isClosed=True, color=(10, 10, 10), thickness=2)
    return out


@dataclass(frozen=True)
class Film:
    """A film that plays in the page."""

    left: int
    top: int
    width: int
    height: int
    seed: int

    def put(self, image: np.ndarray, look: int) -> np.ndarray:
        """One of its pictures: soft patches that drift, and cut to others every few seconds."""
        rng = np.random.default_rng((self.seed, look // 9))
        coarse = rng.integers(20, 230, (7, 12, 3)).astype(np.uint8)
        coarse = np.roll(coarse, look % 9, axis=1)
        out = image.copy()
        part = cv2.resize(coarse, (self.width, self.height), interpolation=cv2.INTER_CUBIC)
        out[self.top : self.top + self.height, self.left : self.left + self.width] = part
        return out


@dataclass
class Lesson:
    """Looks at the slides, and what is true of them."""

    changes_s: list[float] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)

    def looks(self, pages: tuple[Page, ...], seed: int, slides: int = 14, every_s: float = 0.5) -> Iterator[np.ndarray]:
        """BGR pictures, one every `every_s`; writes down the changes as they come.

        Lines come one by one; the pointer wanders, rests or is away; each third slide or so has a film of a
        seventh to three fifths of the page, which begins with it or later and may stop; some slides fade in;
        some are earlier ones again.
        """
        rng = np.random.default_rng(seed)
        decks = [drawn(page, number + 1, rng) for number, page in enumerate(pages)]
        look, shown, before = 0, -1, None
        for _ in range(slides):
            number = int(rng.integers(len(decks)))
            shown = (number + 1) % len(decks) if number == shown else number
            one = decks[shown]
            stands = int(rng.integers(8, 50))
            film = self._film(rng) if rng.random() < 0.35 else None
            begins, ends = int(rng.choice([0, 6])), int(rng.choice([stands, max(10, stands - 12)]))
            fades = int(rng.integers(1, 4)) if before is not None and rng.random() < 0.25 else 0
            pointer = rng.choice(["wanders", "rests", "away"])
            rest = (int(rng.integers(20, 1240)), int(rng.integers(20, 680)))
            self.changes_s.append((look + fades) * every_s)
            self.titles.append(one.title)
            for step in range(fades):
                mixed = before * (1 - (step + 1) / (fades + 1)) + one.steps[0] * ((step + 1) / (fades + 1))
                look += 1
                yield mixed.astype(np.uint8)
            for at in range(stands):
                built = min(len(one.steps) - 1, at * 2 * len(one.steps) // stands)
                image = one.steps[built]
                if film is not None and at >= begins:
                    image = film.put(image, min(at, ends))
                if pointer != "away":
                    where = rest if pointer == "rests" else (int(rng.integers(20, 1240)), int(rng.integers(20, 680)))
                    image = pointed(image, where)
                before = image.astype(np.float32)
                look += 1
                yield image

    @staticmethod
    def _film(rng: np.random.Generator) -> Film:
        width = int(rng.integers(480, 1100))
        height = int(rng.integers(270, 480))
        left, top = int(rng.integers(0, 1280 - width)), int(rng.integers(150, 680 - height))
        return Film(left, top, width, height, int(rng.integers(1000)))


def matched(found_s: list[float], true_s: list[float], within_s: float) -> int:
    """How many of the found times are of a true one, each of which counts once."""
    left = list(true_s)
    hits = 0
    for at in found_s:
        near = min(left, key=lambda one: abs(one - at), default=None)
        if near is not None and abs(near - at) <= within_s:
            left.remove(near)
            hits += 1
    return hits
