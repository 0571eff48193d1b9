"""Pieces of an SVG drawing. Every text that comes from outside is escaped here, and only here."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from unicodedata import east_asian_width

from markupsafe import Markup, escape

Point = tuple[float, float]

NARROW = 0.56
"""Width of a Latin sign, in font sizes; a Chinese one is as wide as it is high."""


def num(value: float) -> str:
    """A coordinate, to the hundredth.

    >>> num(3.0), num(2.3456), num(-0.001)
    ('3', '2.35', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def drawing(name: str, size: tuple[float, float], title: str, told: str, body: Iterable[str]) -> Markup:
    """A whole drawing with its title, and in words what it shows, for who cannot see it.

    Args:
        name: of the drawing; unlike any other on the page.
        size: width and height of the view box.
        title: what it is.
        told: what it shows.
        body: its shapes, made by the functions below.
    """
    width, height = map(num, size)
    head = (
        f'<svg viewBox="0 0 {width} {height}" class="plot {name.rstrip("0123456789-")}" role="img" '
        f'aria-labelledby="{name}-title {name}-told">'
    )
    words = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-told">{escape(told)}</desc>'
    # Shapes are numbers and classes of ours; text has been escaped where it was made.
    return Markup(head + words + "".join(body) + "</svg>")  # noqa: S704


def rect(x: float, y: float, width: float, height: float, kind: str, more: str = "") -> str:
    """A rectangle of a class; classes begin with `p-`, so that no other style of the page is meant."""
    return f'<rect class="p-{kind}" x="{num(x)}" y="{num(y)}" width="{num(width)}" height="{num(height)}"{more}/>'


def line(start: Point, end: Point, kind: str) -> str:
    """A line of a class."""
    (x1, y1), (x2, y2) = start, end
    return f'<line class="p-{kind}" x1="{num(x1)}" y1="{num(y1)}" x2="{num(x2)}" y2="{num(y2)}"/>'


def path(points: Sequence[Point], kind: str, *, closed: bool = False) -> str:
    """Straight lines from point to point; nothing without a point."""
    if not points:
        return ""
    steps = "L".join(f"{num(x)} {num(y)}" for x, y in points)
    return f'<path class="p-{kind}" d="M{steps}{"Z" if closed else ""}"/>'


def bars(spans: Iterable[tuple[float, float]], y: float, height: float, kind: str) -> str:
    """Rectangles of one height side by side, from and to these places, as one shape."""
    steps = "".join(f"M{num(x)} {num(y)}H{num(upto)}v{num(height)}H{num(x)}Z" for x, upto in spans)
    return f'<path class="p-{kind}" d="{steps}"/>' if steps else ""


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Words; `anchor` is start, middle or end."""
    return f'<text class="p-{kind}" x="{num(x)}" y="{num(y)}" text-anchor="{anchor}">{escape(words)}</text>'


def hatching(name: str) -> str:
    """The pattern for what is unknown: fine slanting lines, to be named by `url(#name)`."""
    return (
        f'<defs><pattern id="{name}" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect class="p-hatch-ground" width="5" height="5"/>'
        '<line class="p-hatch" x1="0" y1="0" x2="0" y2="5"/></pattern></defs>'
    )


def fitted(words: str, width: float, font: float) -> str:
    """Words cut to about `width`, with an ellipsis where they were cut; empty where not even one sign fits.

    >>> fitted("分数的意义", 40, 10), fitted("分数", 40, 10), fitted("abcdefghij", 40, 10), fitted("abc", 9, 10)
    ('分数的…', '分数', 'abcde…', '')
    """
    ends = list(accumulate(font * (1 if east_asian_width(sign) in "WF" else NARROW) for sign in words))
    if not ends or ends[-1] <= width:
        return words
    kept = bisect_right(ends, width - font)  # the ellipsis is as wide as a Chinese sign
    return f"{words[:kept]}…" if kept else ""
