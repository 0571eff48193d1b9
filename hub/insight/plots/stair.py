"""The S-T diagram: a stair that goes right where the teacher acts and up where the pupils do.

Source: S-T analysis (Fujita), as it is drawn in China: T along x, S along y, one step an interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from hub.insight.plots.svg import Point, drawing, line, path, rect, text

SIZE = 360.0
LEFT = 46.0
BOTTOM = 316.0
RIGHT = 350.0
TOP = 12.0
ROUND_MIN = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 720, 1440)


@dataclass(frozen=True, slots=True)
class StairWords:
    """The words of the drawing."""

    title: str
    told: str
    teacher: str
    pupils: str


def stair_points(codes: str) -> list[list[Point]]:
    """Corners of the stair, in samples: (teacher's, pupils'), one run of lines between two unknown stretches.

    A sample that is unknown goes nowhere: the stair breaks, and goes on from where it was.

    >>> stair_points("TTS?T")
    [[(0, 0), (2, 0), (2, 1)], [(2, 1), (3, 1)]]
    """
    runs: list[list[Point]] = [[(0, 0)]]
    before = ""
    for code in codes:
        x, y = runs[-1][-1]
        if code not in "TS":
            if len(runs[-1]) > 1:
                runs.append([(x, y)])
            before = code
            continue
        after: Point = (x + 1, y) if code == "T" else (x, y + 1)
        if code == before and len(runs[-1]) > 1:
            runs[-1][-1] = after
        else:
            runs[-1].append(after)
        before = code
    return runs if len(runs[-1]) > 1 or len(runs) == 1 else runs[:-1]


def stair(codes: str, interval_s: float, words: StairWords, name: str = "stair") -> Markup:
    """The drawing, both axes in minutes and to one scale.

    Args:
        codes: one letter a sample: `T`, `S` or `?`.
        interval_s: sampling interval, in seconds.
        words: what stands on it.
        name: of the drawing, unlike any other on the page.
    """
    minutes = interval_s / 60
    longest = max(codes.count("T"), codes.count("S"), 1) * minutes
    whole = _round_up(longest)
    scale = (RIGHT - LEFT) / whole

    def at(point: Point) -> Point:
        return LEFT + point[0] * minutes * scale, BOTTOM - point[1] * minutes * scale

    top = BOTTOM - whole * scale
    body = [rect(LEFT, top, RIGHT - LEFT, BOTTOM - top, "frame"), line((LEFT, BOTTOM), (RIGHT, top), "even")]
    body += _ticks(whole, scale)
    runs = stair_points(codes)
    body += [path([at(one) for one in run], "stair-line") for run in runs]
    body += [_break(at(after[0])) for after in runs[1:]]
    body.append(text((LEFT + RIGHT) / 2, SIZE - 8, words.teacher, "axis-name", "middle"))
    body.append(
        f'<g transform="rotate(-90 12 {(TOP + BOTTOM) / 2:.0f})">'
        + text(12, (TOP + BOTTOM) / 2, words.pupils, "axis-name", "middle")
        + "</g>"
    )
    return drawing(name, (SIZE, SIZE), words.title, words.told, body)


def _ticks(whole: float, scale: float) -> list[str]:
    step = next(one for one in ROUND_MIN if whole / one <= 6)
    out = []
    for minute in range(0, int(whole) + 1, step):
        x, y = LEFT + minute * scale, BOTTOM - minute * scale
        out.append(line((x, BOTTOM), (x, BOTTOM + 4), "axis"))
        out.append(text(x, BOTTOM + 17, str(minute), "tick", "middle"))
        out.append(line((LEFT - 4, y), (LEFT, y), "axis"))
        out.append(text(LEFT - 7, y + 4, str(minute), "tick", "end"))
    return out


def _break(point: Point) -> str:
    """A small ring where samples are unknown."""
    x, y = point
    return f'<circle class="p-break" cx="{x:.2f}" cy="{y:.2f}" r="4"/>'


def _round_up(minutes: float) -> float:
    """To a number of minutes whose ticks are round."""
    step = next((one for one in ROUND_MIN if minutes / one <= 6), ROUND_MIN[-1])
    return float(step * -(-minutes // step))


def unknown_samples(codes: Sequence[str]) -> int:
    """How many samples are unknown."""
    return sum(one not in "TS" for one in codes)
