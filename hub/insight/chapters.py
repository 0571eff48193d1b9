"""The chapters of a lesson as its rooms' packages tell them; pure."""

from collections.abc import Sequence
from typing import Any

from contract.observation import Observation
from contract.session import Role, SessionOrder
from hub.archive.times import moment
from hub.insight.packages import RoomPackage
from measures.chapters import SNAP_S, Chapter, Mark, TitledSlide, chapters

VERSION = 1
"""Of these rules: what was derived by others is derived again."""
TITLE_SIGNS = 200
"""Longest title of a chapter, in signs."""


def lesson_chapters(order: SessionOrder, packages: Sequence[RoomPackage]) -> list[Chapter]:
    """Cut a lesson into chapters: by the slides of the lead room and the marks of every room's teacher.

    Where two rooms mark one step of the lesson (within `measures.chapters.SNAP_S`), the lead teacher's mark counts,
    then that of the room that the order names first. What has no title is called after the session, until there is
    a plan with units. Each moment is in session time, in step with the pictures (`hub.archive.times.moment`);
    slides and marks after the end are left out, the slide that stands at the beginning counts from there.

    Args:
        order: the session as it was last ordered.
        packages: of its rooms, in any order; others are left out.

    Returns:
        Chapters in order that follow each other without a hole, from 0 to the end of the lesson.
    """
    here = {one.manifest.room: one for one in packages if one.manifest.session == order.session}
    slides: list[TitledSlide] = []
    marks: list[Mark] = []
    for room in sorted(order.rooms, key=lambda room: room.role is not Role.LEAD):
        package = here.get(room.room)
        if package is None:
            continue
        if room.role is Role.LEAD:
            slides = [_slide(line, package) for line in package.lines if line.kind == "slide"]
        told = [_mark(line, package) for line in package.lines if line.kind == "mark"]
        marks += [one for one in told if all(abs(one.t_s - other.t_s) > SNAP_S for other in marks)]
    return chapters(slides, marks, order.seconds, unit=plain_title(order.title))


def plain_title(title: Any) -> str:
    r"""A title in one line of printable signs, cut at `TITLE_SIGNS`; empty where it is no text or nothing is left.

    >>> plain_title(" 17.1　勾股定理\n(二)\x00 "), plain_title(None)
    ('17.1 勾股定理 (二)', '')
    """
    if not isinstance(title, str):
        return ""
    signs = "".join(sign for sign in " ".join(title.split()) if sign.isprintable())
    return signs.strip()[:TITLE_SIGNS].strip()


def _slide(line: Observation, package: RoomPackage) -> TitledSlide:
    title = plain_title(line.value.get("title"))
    confidence = _share(line.value.get("title_confidence")) if title else None
    return TitledSlide(moment(line, package.manifest), title or None, confidence)


def _mark(line: Observation, package: RoomPackage) -> Mark:
    t = moment(line, package.manifest)
    # Who marks the beginning a few seconds before the hour means the lesson's.
    return Mark(0.0 if -SNAP_S <= t < 0 else t, plain_title(line.value.get("title")))


def _share(told: Any) -> float | None:
    """A number from 0 to 1; None where it is none."""
    number = isinstance(told, int | float) and not isinstance(told, bool)
    return float(told) if number and 0 <= told <= 1 else None
