"""All rooms of a lesson side by side on one time axis: who speaks, slides, marks, chapters, and what is not known.

Each room has a lane of three rows, teacher above, pupils in the middle, several below, so that who speaks is told by
place and not by colour. White is silence, hatched is unknown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from hub.insight.plots.axis import TimeAxis
from hub.insight.plots.svg import bars, drawing, fitted, hatching, line, path, rect, text

WIDTH = 820.0
LEFT = 142.0
RIGHT = 812.0
FONT = 12.0
ROW = 13.0
"""Height of one row of a lane."""
STEP = 15.0
"""From row to row."""
LANE = 3 * STEP
UNDER = 18.0
"""Below a lane, for slides, marks and what was not recorded."""
BETWEEN = 10.0
TOP = 26.0
"""Above the lanes, for the chapters."""
THIN = 0.6
"""A shorter bar is drawn so wide, or nobody sees it; closer bars of one row join."""
VOICES = ("teacher", "student", "several")


@dataclass(frozen=True, slots=True)
class Lane:
    """One room."""

    name: str
    under: str
    """Its role, or why nothing is known of it."""
    voices: Mapping[str, Sequence[tuple[float, float]]]
    """By voice, silence among them: begin and length, in seconds."""
    slides: Sequence[float] = ()
    """When another slide came up, in seconds."""
    marks: Sequence[float] = ()
    gaps: Sequence[tuple[float, float]] = ()
    """What was not recorded: begin and length, in seconds."""


@dataclass(frozen=True, slots=True)
class TimelineWords:
    """The words of the drawing."""

    title: str
    told: str
    """What it shows, in words."""
    rows: tuple[str, str, str] = ("T", "S", "*")
    chapters: str = ""
    ticks: Mapping[int, str] = field(default_factory=dict)
    """How moments on the axis are written."""


def timeline(
    lanes: Sequence[Lane], chapters: Sequence[tuple[float, float, str]], seconds: float, words: TimelineWords, name: str
) -> Markup:
    """The drawing.

    Args:
        lanes: the rooms, from above.
        chapters: begin, length and title, in order.
        seconds: length of the lesson.
        words: what stands on it.
        name: of the drawing, unlike any other on the page.
    """
    axis = TimeAxis(seconds, LEFT, RIGHT)
    height = TOP + len(lanes) * (LANE + UNDER + BETWEEN)
    body = [hatching(f"{name}-hatch")]
    body += _chapters(chapters, axis, words.chapters, height)
    for at, lane in enumerate(lanes):
        body += _lane(lane, TOP + at * (LANE + UNDER + BETWEEN), axis, words, f"{name}-hatch")
    body += _axis(axis, height, words.ticks)
    return drawing(name, (WIDTH, height + 22), words.title, words.told, body)


def unknown(spans: Iterable[tuple[float, float]], seconds: float) -> list[tuple[float, float]]:
    """Begin and length of what no span covers, from 0 to `seconds`; of spans in any order."""
    out = []
    at = 0.0
    for start, length in sorted(spans):
        if start > at:
            out.append((at, min(start, seconds) - at))
        at = max(at, start + length)
        if at >= seconds:
            return out
    return [*out, (at, seconds - at)] if seconds > at else out


def drawn(spans: Iterable[tuple[float, float]], axis: TimeAxis) -> list[tuple[float, float]]:
    """From where to where bars are drawn: none thinner than `THIN`, and those that would touch are one."""
    out: list[tuple[float, float]] = []
    for start, length in sorted(spans):
        left, right = axis.between(start, length)
        right = max(right, left + THIN)
        if out and left - out[-1][1] < THIN / 2:
            out[-1] = out[-1][0], max(right, out[-1][1])
        else:
            out.append((left, right))
    return out


def _lane(lane: Lane, top: float, axis: TimeAxis, words: TimelineWords, hatch: str) -> list[str]:
    every = [one for spans in lane.voices.values() for one in spans]
    holes = drawn(unknown(every, axis.seconds), axis)
    out = [
        text(0, top + 16, fitted(lane.name, LEFT - 24, FONT), "lane-name"),
        text(0, top + 32, fitted(lane.under, LEFT - 24, 10.5), "lane-under"),
        rect(LEFT, top, RIGHT - LEFT, LANE, "lane"),
        *(rect(x, top, upto - x, LANE, "unknown", f' fill="url(#{hatch})"') for x, upto in holes),
    ]
    for at, voice in enumerate(VOICES):
        y = top + at * STEP + 1
        out.append(text(LEFT - 5, y + 10.5, words.rows[at], "row-name", "end"))
        out.append(bars(drawn(lane.voices.get(voice, ()), axis), y, ROW, f"voice-{voice}"))
    out.append(bars(drawn(lane.gaps, axis), top + LANE + 1, 3, "gap"))
    return out + _slides(lane, top + LANE, axis)


def _slides(lane: Lane, top: float, axis: TimeAxis) -> list[str]:
    out = []
    free = 0.0  # no number is written before this place
    for number, t in enumerate(lane.slides, 1):
        x = axis.x(t)
        out.append(line((x, top + 1), (x, top + 8), "slide"))
        told = str(number)
        if x >= free:
            out.append(text(x, top + 17, told, "slide-number", "middle" if x > LEFT + 5 else "start"))
            free = x + 6.5 * len(told) + 6
    for t in lane.marks:
        x = axis.x(t)
        out.append(path([(x, top - 2), (x - 4.5, top + 7), (x + 4.5, top + 7)], "mark", closed=True))
    return out


def _chapters(chapters: Sequence[tuple[float, float, str]], axis: TimeAxis, words: str, height: float) -> list[str]:
    out = [text(0, 15, words, "lane-under")] if chapters else []
    for number, (start, length, title) in enumerate(chapters, 1):
        left, right = axis.between(start, length)
        out.append(rect(left, 2, max(right - left, THIN), 18, "chapter"))
        out.append(text(left + 3, 15, fitted(f"{number} {title}", right - left - 4, 10.5), "chapter-name"))
        if number > 1:
            out.append(line((left, 20), (left, height), "chapter-line"))
    return out


def _axis(axis: TimeAxis, y: float, told: Mapping[int, str]) -> list[str]:
    out = [line((LEFT, y), (RIGHT, y), "axis")]
    for t in axis.ticks():
        x = axis.x(t)
        out.append(line((x, y), (x, y + 4), "axis"))
        anchor = "end" if x > RIGHT - 12 else "middle"
        out.append(text(x, y + 16, told.get(t, str(t)), "tick", anchor))
    return out
