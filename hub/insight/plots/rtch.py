"""The Rt-Ch diagram: where a lesson lies among the types of class, and how surely.

The limits are those of `measures.st`. No lesson lies outside the triangle: Ch <= 2 min(Rt, 1 - Rt).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from hub.insight.plots.svg import Point, drawing, line, num, path, text
from measures.st import DIALOGUE_CH, LECTURE_RT, PRACTICE_RT, ClassType

SIZE = 360.0
LEFT = 46.0
RIGHT = 350.0
TOP = 12.0
BOTTOM = 316.0
NAMES_AT: Mapping[ClassType, Point] = {
    ClassType.DIALOGUE: (0.5, 0.66),
    ClassType.PRACTICE: (0.19, 0.12),
    ClassType.LECTURE: (0.81, 0.12),
    ClassType.MIXED: (0.5, 0.12),
}
CAP = 4.0


@dataclass(frozen=True, slots=True)
class RtCh:
    """A lesson's point, and between what it may lie."""

    rt: float
    ch: float
    rt_between: tuple[float, float]
    ch_between: tuple[float, float]


@dataclass(frozen=True, slots=True)
class RtChWords:
    """The words of the drawing."""

    title: str
    told: str
    types: Mapping[ClassType, str]
    here: str
    """Written at the point."""


def place(rt: float, ch: float) -> Point:
    """Where Rt and Ch, each 0 to 1, lie in the drawing.

    >>> place(0, 0), place(1, 1)
    ((46.0, 316.0), (350.0, 12.0))
    """
    return LEFT + rt * (RIGHT - LEFT), BOTTOM - ch * (BOTTOM - TOP)


def rt_ch(lesson: RtCh | None, words: RtChWords, name: str = "rtch") -> Markup:
    """The drawing; without a lesson's point where that is unknown."""
    body = [path([place(0, 0), place(0.5, 1), place(1, 0)], "triangle", closed=True)]
    body.append(line(place(DIALOGUE_CH / 2, DIALOGUE_CH), place(1 - DIALOGUE_CH / 2, DIALOGUE_CH), "limit"))
    body += [line(place(rt, 0), place(rt, DIALOGUE_CH), "limit") for rt in (PRACTICE_RT, LECTURE_RT)]
    body += [text(*place(*NAMES_AT[one]), words.types[one], "type-name", "middle") for one in ClassType]
    body += _axes()
    if lesson is not None:
        body += _point(lesson, words.here)
    return drawing(name, (SIZE, SIZE), words.title, words.told, body)


def _axes() -> list[str]:
    out = [line(place(0, 0), place(1, 0), "axis"), line(place(0, 0), place(0, 1), "axis")]
    for tenth in (0.0, PRACTICE_RT, 0.5, LECTURE_RT, 1.0):
        x, y = place(tenth, 0)
        out += [line((x, y), (x, y + 4), "axis"), text(x, y + 17, num(tenth), "tick", "middle")]
    for tenth in (0.0, DIALOGUE_CH, 1.0):
        x, y = place(0, tenth)
        out += [line((x - 4, y), (x, y), "axis"), text(x - 7, y + 4, num(tenth), "tick", "end")]
    out.append(text((LEFT + RIGHT) / 2, SIZE - 8, "Rt", "axis-name", "middle"))
    out.append(text(12, (TOP + BOTTOM) / 2, "Ch", "axis-name", "middle"))
    return out


def _point(lesson: RtCh, words: str) -> list[str]:
    x, y = place(lesson.rt, lesson.ch)
    left, right = (place(one, 0)[0] for one in lesson.rt_between)
    low, high = (place(0, one)[1] for one in lesson.ch_between)
    out = [line((left, y), (right, y), "error"), line((x, low), (x, high), "error")]
    out += [line((end, y - CAP), (end, y + CAP), "error") for end in (left, right)]
    out += [line((x - CAP, end), (x + CAP, end), "error") for end in (low, high)]
    out.append(f'<circle class="p-point" cx="{num(x)}" cy="{num(y)}" r="5"/>')
    side = "end" if x > (LEFT + RIGHT) / 2 else "start"
    out.append(text(x + (-8 if side == "end" else 8), y - 9, words, "here", side))
    return out
