"""What a list of chapters must be, to be kept as an operator edited it; pure."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.insight.chapters import TITLE_SIGNS
from hub.insight.errors import ChaptersUnfit, Unfit
from hub.store.chapters import ChapterRow
from measures.chapters import Chapter

EDITED = "edited"
"""Source of a chapter that an operator began or named."""
CHAPTERS_MOST = 200


@dataclass(frozen=True, slots=True)
class NewChapter:
    """One chapter as it is to be: it lasts until the next one, or until the lesson's end."""

    start: float
    """Session time, in seconds."""
    title: str | None
    """None where nobody knows it."""


def derived(found: Iterable[Chapter]) -> tuple[ChapterRow, ...]:
    """Chapters as rows, to the millisecond."""
    rows = {
        round(one.start_s, 3): ChapterRow(
            round(one.start_s, 3),
            round(one.seconds, 3),
            one.title,
            one.source.value,
            None if one.confidence is None else round(one.confidence, 3),
        )
        for one in found
    }
    return tuple(rows.values())


def edited(new: Sequence[NewChapter], seconds: float, before: Iterable[ChapterRow]) -> tuple[ChapterRow, ...]:
    """The rows of an edited list, each until the next; what was not touched keeps its source and its confidence.

    Args:
        new: the whole list.
        seconds: length of the lesson.
        before: the list that was looked at.

    Raises:
        ChaptersUnfit: it is not a list of chapters from the lesson's beginning to its end; the words name the row.
    """
    if not new:
        raise ChaptersUnfit(Unfit.NONE, "a lesson has at least one chapter; DELETE goes back to the derived ones")
    if len(new) > CHAPTERS_MOST:
        raise ChaptersUnfit(Unfit.MANY, f"a lesson has at most {CHAPTERS_MOST} chapters, these are {len(new)}")
    starts = [one.start if not math.isfinite(one.start) else round(one.start, 3) for one in new]
    titles = [_title(one.title, row) for row, one in enumerate(new, 1)]
    _check(starts, seconds)
    kept = {(one.start, one.title): one for one in before}
    rows = []
    for start, end, title in zip(starts, [*starts[1:], seconds], titles, strict=True):
        old = kept.get((start, title))
        source, confidence = (old.source, old.confidence) if old else (EDITED, None)
        rows.append(ChapterRow(start, round(end - start, 3), title, source, confidence))
    return tuple(rows)


def fitted(rows: Sequence[ChapterRow], seconds: float) -> tuple[ChapterRow, ...]:
    """Rows of a lesson that is `seconds` long by now: a lesson that is ended early is shorter than it was."""
    inside = [one for one in rows if one.start < seconds]
    ends = [*(one.start for one in inside[1:]), seconds]
    return tuple(
        ChapterRow(one.start, round(end - one.start, 3), one.title, one.source, one.confidence)
        for one, end in zip(inside, ends, strict=True)
    )


def _title(title: str | None, row: int) -> str | None:
    if title is None:
        return None
    plain = " ".join(title.split())
    if not plain:
        raise ChaptersUnfit(Unfit.TITLE, "the title is empty; give it one, or null where nobody knows it", row)
    if len(plain) > TITLE_SIGNS:
        raise ChaptersUnfit(Unfit.TITLE, f"the title has {len(plain)} signs; at most {TITLE_SIGNS} are kept", row)
    if not plain.isprintable():
        raise ChaptersUnfit(Unfit.TITLE, "the title holds signs that nobody can see", row)
    return plain


def _check(starts: Sequence[float], seconds: float) -> None:
    for row, start in enumerate(starts, 1):
        if not 0 <= start < seconds:
            raise ChaptersUnfit(Unfit.OUTSIDE, f"it begins at {start:g} s, and the lesson lasts {seconds:g} s", row)
    if starts[0] != 0:
        raise ChaptersUnfit(Unfit.FIRST, f"the first chapter begins with the lesson, at 0 s, not at {starts[0]:g} s", 1)
    for row, (one, after) in enumerate(itertools.pairwise(starts), 2):
        if after <= one:
            raise ChaptersUnfit(
                Unfit.ORDER, f"it begins at {after:g} s, and the one before it not earlier: {one:g} s", row
            )
