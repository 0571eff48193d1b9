"""How many people: a median, or unknown where too little was seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

WINDOW_S = 60.0
"""A count is told over a minute, because single pictures miss who looks away."""
INTERVAL_S = 1.0
"""Default sampling interval, in seconds."""
COVERAGE = 0.8
"""Least share of samples that must be known; under it the count is unknown (observe research, section 6)."""
LEAST = 5
"""Least number of known samples."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How many were counted at a moment; None where it could not be said."""

    t_s: float
    count: int | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many people over a stretch of time."""

    median: float | None
    """None where unknown."""
    coverage: float
    """Share of the samples there should have been that are known, 0 to 1."""
    interval_s: float
    """Sampling interval, in seconds."""

    @property
    def known(self) -> bool:
        """Whether enough was seen to say."""
        return self.median is not None


def people_count(samples: Sequence[Sample], seconds: float, interval_s: float = INTERVAL_S) -> Count:
    """Median count over a stretch of time.

    Formula: median of the known counts, if coverage = known / (seconds / interval) >= 0.8 and known >= 5,
    else unknown. A stretch shorter than five samples asks for as many as fit, and at least one.

    Args:
        samples: within the stretch, in any order.
        seconds: length of the stretch.
        interval_s: time between samples.

    Raises:
        ValueError: `interval_s` is not positive or `seconds` is negative.

    Source: our own; the median of a minute is robust to single pictures in which heads are turned away.
    """
    if interval_s <= 0 or seconds < 0:
        raise ValueError(f"cannot count over {seconds} s every {interval_s} s")
    known = [sample.count for sample in samples if sample.count is not None]
    due = max(1.0, seconds / interval_s)
    coverage = min(1.0, len(known) / due)
    enough = coverage >= COVERAGE and len(known) >= min(LEAST, int(due))
    return Count(float(median(known)) if enough and known else None, coverage, interval_s)


def counts_by_minute(
    samples: Sequence[Sample], start_s: float, end_s: float, interval_s: float = INTERVAL_S
) -> list[Count]:
    """`people_count` of each window of 60 s from `start_s` to `end_s`; the last one may be shorter."""
    out = []
    at = start_s
    while at < end_s:
        upto = min(at + WINDOW_S, end_s)
        out.append(people_count([one for one in samples if at <= one.t_s < upto], upto - at, interval_s))
        at = upto
    return out


def typical_count(samples: Sequence[Sample], start_s: float, end_s: float, interval_s: float = INTERVAL_S) -> Count:
    """The count of a whole lesson: the median of its known minutes, unknown if fewer than 80 % are known.

    Formula: median over minutes of `people_count`, each minute weighing the same; coverage is the mean
    of the minutes'.
    """
    minutes = counts_by_minute(samples, start_s, end_s, interval_s)
    known = [one.median for one in minutes if one.median is not None]
    coverage = sum(one.coverage for one in minutes) / len(minutes) if minutes else 0.0
    enough = bool(known) and len(known) >= COVERAGE * len(minutes)
    return Count(float(median(known)) if enough else None, coverage, interval_s)
