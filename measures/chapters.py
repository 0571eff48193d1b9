"""A lesson in chapters, one a knowledge point: from the slides' titles, the teacher's marks, and the plan."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import StrEnum

LEAST_S = 15.0
"""A title that stands for less than this is passed, not taught: it does not cut. A proposal, not measured."""
RETURN_S = 60.0
"""A look back at an earlier title for less than this does not cut either. A proposal, not measured."""
NEAR = 0.8
"""Titles that share so much of their signs are one (2 x matches / both lengths)."""
SNAP_S = 10.0
"""A mark and a new slide as near as this are one step of the lesson."""
PART = re.compile(
    r"[(（\[【]?\s*(?:第?\s*[0-9一二三四五六七八九十]{1,3}\s*(?:部分|课时|节)?|续|上|中|下|continued|cont\.?|part\s*\d+)\s*[)）\]】]?$"
)
"""What makes of one title several pages: （一）, (2), 续, part 2."""
TASK = re.compile(
    r"^(例|例题|练习|随堂练习|巩固练习|课堂练习|试一试|想一想|做一做|练一练|思考|讨论|小组讨论"
    r"|example|exercise|practice|discussion|think)\s*([0-9一二三四五六七八九十]|[:：.、。？?（(]|$)"
)
"""Titles of tasks: they belong to the knowledge point that they exercise."""


class ChapterSource(StrEnum):
    """Who says that a chapter begins, and what it is called."""

    MARK = "mark"
    """The teacher marked it."""
    SLIDE = "slide"
    """The title of a slide."""
    PLAN = "plan"
    """The unit of the plan; nothing else is known."""
    UNKNOWN = "unknown"
    """Nobody."""


@dataclass(frozen=True, slots=True)
class TitledSlide:
    """A slide that came up."""

    t_s: float
    title: str | None
    """None where it is not known."""
    confidence: float | None = None
    """Of the title, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The teacher said: here something new begins."""

    t_s: float
    title: str = ""
    """Empty where the teacher gave none."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One knowledge point, in the order of the lesson."""

    start_s: float
    seconds: float
    title: str | None
    """None where it is not known."""
    source: ChapterSource
    confidence: float | None
    """0 to 1: 1 for what the teacher said, that of the titles for slides; None where it is unknown."""

    @property
    def end_s(self) -> float:
        """When it ends, in seconds."""
        return self.start_s + self.seconds


def chapters(
    slides: Iterable[TitledSlide],
    marks: Iterable[Mark],
    end_s: float,
    unit: str | None = None,
    *,
    least_s: float = LEAST_S,
    return_s: float = RETURN_S,
) -> list[Chapter]:
    """Cut a lesson of `end_s` seconds into chapters that follow each other without a hole.

    Formula, step by step: each slide stands until the next. A slide without a title, or with the title
    of a task ("例 1", "Practice"), goes on with what was before it. Neighbours with near-equal titles
    join (`near_equal`). The shortest stretch under `least_s`, or under `return_s` where its title was
    there before, is given to what was before it, until there is none; so A, B for a moment, A is one
    chapter of A. Then a mark cuts wherever it lies; where a slide's cut lies within `SNAP_S` of it,
    they are one cut at the earlier of both. A chapter that begins with a mark has the mark's title, or
    that of its slide where the mark has none. What has no title at all is called after `unit`.

    A chapter's confidence is the mean of its titles', weighted by time; resolution is that of the slides
    (`measures.slides.INTERVAL_S`).

    Args:
        slides: those shown, in any order; moments outside the lesson are moved to its edges.
        marks: the teacher's, in any order; those outside the lesson are left out.
        end_s: length of the lesson.
        unit: what the plan calls the lesson's subject.
        least_s: see `LEAST_S`.
        return_s: see `RETURN_S`.

    Returns:
        Chapters in order; empty for a lesson of zero length.

    Raises:
        ValueError: `end_s` is negative.

    Source: our own.
    """
    if end_s < 0:
        raise ValueError(f"a lesson cannot last {end_s} s")
    if end_s == 0:
        return []
    found = _joined(_stretches(slides, end_s))
    while (short := _shortest(found, least_s, return_s)) is not None:
        found = _joined(_given_away(found, short))
    for mark in sorted(marks, key=lambda one: one.t_s):
        if 0 <= mark.t_s < end_s:
            found = _marked(found, mark)
    return [_named(one, unit) for one in found]


def near_equal(one: str, other: str) -> bool:
    """Whether two titles are of one knowledge point: equal but for spaces, signs, parts and some letters.

    >>> near_equal("17.1 勾股定理（一）", "17.1  勾股定理 (二)"), near_equal("光合作用", "呼吸作用")
    (True, False)
    """
    left, right = _plain(one), _plain(other)
    if not left or not right:
        return left == right
    if _numbers(left) != _numbers(right):
        return False  # 17.1 and 17.2 share all but one sign, and are two
    return left == right or SequenceMatcher(None, left, right, autojunk=False).ratio() >= NEAR


def _plain(title: str) -> str:
    text = unicodedata.normalize("NFKC", title).casefold().strip()
    text = PART.sub("", text).strip() or text
    return "".join(sign for sign in text if sign.isalnum() or sign == ".")


def _numbers(plain: str) -> list[str]:
    return re.findall(r"\d+", plain)


def _is_task(title: str) -> bool:
    return bool(TASK.match(unicodedata.normalize("NFKC", title).casefold().strip()))


def _stretches(slides: Iterable[TitledSlide], end_s: float) -> list[Chapter]:
    """What stands when, from 0 to the end; without a title where none is known."""
    shown = sorted((one for one in slides if one.t_s < end_s), key=lambda one: one.t_s)
    ends = [max(0.0, one.t_s) for one in shown[1:]] + [end_s]
    out = [Chapter(0.0, max(0.0, shown[0].t_s) if shown else end_s, None, ChapterSource.UNKNOWN, None)]
    for one, end in zip(shown, ends, strict=False):
        start = max(0.0, one.t_s)
        title = (one.title or "").strip()
        if title and not _is_task(title):
            out.append(Chapter(start, end - start, title, ChapterSource.SLIDE, one.confidence))
        else:
            out.append(Chapter(start, end - start, None, ChapterSource.UNKNOWN, None))
    return [one for one in out if one.seconds > 0]


def _joined(parts: Sequence[Chapter]) -> list[Chapter]:
    """Neighbours of one title, and those without one, joined with what was before."""
    out: list[Chapter] = []
    for part in parts:
        before = out[-1] if out else None
        if before is not None and (part.title is None or _same(before, part)):
            out[-1] = _with(before, part)
        else:
            out.append(part)
    return out


def _same(one: Chapter, other: Chapter) -> bool:
    return one.title is not None and other.title is not None and near_equal(one.title, other.title)


def _with(chapter: Chapter, part: Chapter) -> Chapter:
    """A chapter and a further part of it; its title is the one that was read best."""
    seconds = chapter.seconds + part.seconds
    if part.title is None or not _same(chapter, part):
        return replace(chapter, seconds=seconds)
    if chapter.confidence is None or part.confidence is None:
        return replace(chapter, seconds=seconds)
    mean = (chapter.confidence * chapter.seconds + part.confidence * part.seconds) / seconds
    return replace(chapter, seconds=seconds, confidence=mean)


def _shortest(found: Sequence[Chapter], least_s: float, return_s: float) -> int | None:
    """The shortest stretch that may not cut; None where all may."""
    short = []
    for index, one in enumerate(found):
        seen = any(_same(one, before) for before in found[:index])
        if len(found) > 1 and one.seconds < (max(least_s, return_s) if seen else least_s):
            short.append(index)
    return min(short, key=lambda index: found[index].seconds, default=None)


def _given_away(found: Sequence[Chapter], index: int) -> list[Chapter]:
    """The stretch at `index` given to the one before it, or the first to the second."""
    out = list(found)
    short = out.pop(index)
    if index:
        before = out[index - 1]
        out[index - 1] = replace(before, seconds=before.seconds + short.seconds)
    else:
        out[0] = replace(out[0], start_s=short.start_s, seconds=out[0].seconds + short.seconds)
    return out


def _marked(found: Sequence[Chapter], mark: Mark) -> list[Chapter]:
    """Cut at a mark, or call the chapter that begins there by it."""
    near = [
        index
        for index, one in enumerate(found)
        if abs(one.start_s - mark.t_s) <= SNAP_S and one.source is not ChapterSource.MARK
    ]
    if near:
        index = min(near, key=lambda one: abs(found[one].start_s - mark.t_s))
        start = min(found[index].start_s, mark.t_s)
        out = [*found[:index], _begun(found[index], start, mark), *found[index + 1 :]]
        if index:
            out[index - 1] = replace(out[index - 1], seconds=start - out[index - 1].start_s)
        return [one for one in out if one.seconds > 0]
    index = max(index for index, one in enumerate(found) if one.start_s <= mark.t_s)
    whole = found[index]
    first = replace(whole, seconds=mark.t_s - whole.start_s)
    out = [*found[:index], first, _begun(whole, mark.t_s, mark), *found[index + 1 :]]
    return [one for one in out if one.seconds > 0]


def _begun(chapter: Chapter, start_s: float, mark: Mark) -> Chapter:
    """The chapter as the teacher's mark begins it."""
    seconds = chapter.end_s - start_s
    title = mark.title.strip()
    if title:
        return Chapter(start_s, seconds, title, ChapterSource.MARK, 1.0)
    return replace(chapter, start_s=start_s, seconds=seconds, source=ChapterSource.MARK)


def _named(chapter: Chapter, unit: str | None) -> Chapter:
    name = (unit or "").strip()
    if chapter.title is not None or not name:
        return chapter
    source = chapter.source if chapter.source is ChapterSource.MARK else ChapterSource.PLAN
    return replace(chapter, title=name, source=source)
