"""Which of the words on a slide are its title: large, high up, in words; pure.

A page number, a school's name at the foot, a date and a formula are not, however large. The rules
were made on the rehearsal's seven pages and one half of the rendered decks of the tests, and are
reported on the other half (tests/agent/observe/test_ocr.py); slides of real schools were not here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

TEXT_LIMIT: Final = 1000
"""Most characters of a slide's text that are kept."""
TITLE_LIMIT: Final = 80
FOOT: Final = 0.88
"""Below this part of the picture's height stands the foot."""
HIGH: Final = 0.3
"""Down to here a line stands as high as a title does; further down its weight falls."""
LOW_WEIGHT: Final = 0.4
"""Weight of a line at the lower edge."""
FORMULA_WEIGHT: Final = 0.4
LEAST_WORDS: Final = 0.6
"""Least share of a line's signs that are letters; with fewer it is a formula."""
LEAST_CONFIDENCE: Final = 0.5
SAME_ROW: Final = 0.6
"""Lines of which so much of the height is shared stand in one row."""
SAME_SIZE: Final = 0.75
"""Lines whose heights are in this ratio or nearer are written in one size."""
NUMBER = re.compile(
    r"^(第?\s*\d+\s*[页頁/／|-]?\s*(\d+\s*[页頁]?)?|page\s*\d+.*|\d{4}[年./-].*|https?:.*|www\..*)$", re.IGNORECASE
)
FORMULA = re.compile(r"[=＝+＋×÷√∠≤≥<>≈]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text that was read; measures in shares of the picture's height (left and width: of its width)."""

    text: str
    left: float
    top: float
    width: float
    height: float
    confidence: float
    """Of the recognition, 0 to 1."""

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height


@dataclass(frozen=True, slots=True)
class Title:
    """What a slide is about, as far as its title says."""

    text: str
    confidence: float
    """0 to 1: how well it was read, times how clearly it stands out; a score, not a probability."""


def guessed_title(lines: Sequence[Line]) -> Title | None:
    """The title among a slide's lines; None where no line can be one.

    Formula: the row with the largest height x weight of its place (1 down to 30 % of the picture, then
    falling to 0.4) x 0.4 if it is a formula. Its confidence is that of the recognition times
    1 - second / (2 x best), so that of two rows that are as good as each other none is told for sure.

    Source: our own.
    """
    rows = _rows([line for line in lines if _may_be(line)])
    ranked = sorted(rows, key=_weight, reverse=True)
    if not ranked:
        return None
    best = ranked[0]
    second = _weight(ranked[1]) / _weight(best) if len(ranked) > 1 else 0.0
    text = best.text
    follow = next((row for row in rows if _goes_on(best, row)), None)
    if follow is not None:
        text = _spaced(text, follow.text)
        others = [_weight(row) for row in ranked if row not in (best, follow)]
        second = max(others) / _weight(best) if others else 0.0
    return Title(text[:TITLE_LIMIT], round(best.confidence * (1 - second / 2), 3))


def page_text(lines: Sequence[Line], limit: int = TEXT_LIMIT) -> str:
    """All lines in the order of reading, one a row, cut at `limit` characters."""
    ordered = sorted(_rows(list(lines)), key=lambda row: (row.top + row.height / 2, row.left))
    return "\n".join(row.text for row in ordered)[:limit]


def _may_be(line: Line) -> bool:
    words = sum(one.isalpha() for one in line.text)
    wide = any(_is_wide(one) for one in line.text)
    return (
        line.confidence >= LEAST_CONFIDENCE
        and words >= (2 if wide else 3)
        and line.top + line.height / 2 < FOOT
        and not NUMBER.match(line.text.strip())
    )


def _weight(row: Line) -> float:
    middle = row.top + row.height / 2
    place = 1.0 if middle <= HIGH else 1.0 - (1.0 - LOW_WEIGHT) * (middle - HIGH) / (1.0 - HIGH)
    return row.height * place * (FORMULA_WEIGHT if _is_formula(row.text) else 1.0)


def _is_formula(text: str) -> bool:
    signs = [one for one in text if not one.isspace()]
    words = sum(one.isalpha() for one in signs)
    return words < LEAST_WORDS * len(signs) or (bool(FORMULA.search(text)) and words < 8)


def _rows(lines: list[Line]) -> list[Line]:
    """Lines side by side in one size, joined: a detector cuts at wide spaces."""
    rows: list[Line] = []
    for line in sorted(lines, key=lambda one: (one.left, one.top)):
        before = next((row for row in reversed(rows) if _beside(row, line)), None)
        if before is None:
            rows.append(line)
            continue
        # As large as most of it is written.
        height = (before.height * before.width + line.height * line.width) / (before.width + line.width)
        rows[rows.index(before)] = Line(
            _spaced(before.text, line.text),
            before.left,
            min(before.top, line.top),
            max(before.left + before.width, line.left + line.width) - before.left,
            height,
            min(before.confidence, line.confidence),
        )
    return rows


def _beside(row: Line, line: Line) -> bool:
    shared = min(row.bottom, line.bottom) - max(row.top, line.top)
    low, high = sorted((row.height, line.height))
    gap = line.left - (row.left + row.width)
    return shared >= SAME_ROW * low and low >= SAME_SIZE * high and -0.02 <= gap <= high


def _goes_on(title: Line, row: Line) -> bool:
    """Whether `row` is the second line of a title that was too long for one."""
    gap = row.top - title.bottom
    low, high = sorted((row.height, title.height))
    return row is not title and title.width > 0.55 and low >= 0.88 * high and -0.2 * low <= gap <= 0.6 * low


def _spaced(first: str, second: str) -> str:
    """Two pieces of text as one; Chinese has no spaces."""
    return first + second if _is_wide(first[-1:]) and _is_wide(second[:1]) else f"{first} {second}"


def _is_wide(sign: str) -> bool:
    return "\u2e80" <= sign <= "\u9fff" or "\uff00" <= sign <= "\uffef" or "\u3000" <= sign <= "\u303f"
