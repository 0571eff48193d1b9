"""How many slides were shown, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass

INTERVAL_S = 0.5
"""Default sampling interval, in seconds; a slide that stands for less than two samples is not counted."""


@dataclass(frozen=True, slots=True)
class SlideShown:
    """A slide that came up."""

    t_s: float
    index: int
    """From 1, one more each time another slide comes up; going back counts too."""


@dataclass(frozen=True, slots=True)
class SlideStretch:
    """How long one slide stood."""

    index: int
    start_s: float
    seconds: float


def slide_count(shown: Sequence[SlideShown]) -> int:
    """Number of times a slide came up, the first included.

    Formula: the number of observations. Not the highest index: where the observing process was replaced
    in mid-lesson, indices may have begun again.
    """
    return len(shown)


def slide_stretches(shown: Sequence[SlideShown], end_s: float) -> list[SlideStretch]:
    """How long each slide stood, until the next or until `end_s`, in order of time.

    Formula: start of the next - own start; resolution is the sampling interval (`INTERVAL_S`).
    """
    ordered = sorted(shown, key=lambda one: one.t_s)
    ends = [*(one.t_s for one in ordered), end_s][1:]
    return [SlideStretch(one.index, one.t_s, max(0.0, end - one.t_s)) for one, end in zip(ordered, ends, strict=True)]
