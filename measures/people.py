"""How many people and where: medians and shares, or unknown where too little was seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from measures.cadence import Cadence

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
    samples: Sequence[Sample], start_s: float, end_s: float, interval_s: float | Cadence = INTERVAL_S
) -> list[Count]:
    """`people_count` of each window of 60 s from `start_s` to `end_s`; the last one may be shorter.

    Each is held against the looks that were due in it, where `interval_s` is a cadence that changed.
    """
    out = []
    at = start_s
    while at < end_s:
        upto = min(at + WINDOW_S, end_s)
        every_s = interval_s.interval_s(at, upto) if isinstance(interval_s, Cadence) else interval_s
        out.append(people_count([one for one in samples if at <= one.t_s < upto], upto - at, every_s))
        at = upto
    return out


def typical_count(
    samples: Sequence[Sample], start_s: float, end_s: float, interval_s: float | Cadence = INTERVAL_S
) -> Count:
    """The count of a whole lesson: the median of its known minutes, unknown if fewer than 80 % are known.

    Formula: median over minutes of `people_count`, each minute weighing the same; coverage is the mean
    of the minutes'.
    """
    minutes = counts_by_minute(samples, start_s, end_s, interval_s)
    known = [one.median for one in minutes if one.median is not None]
    coverage = sum(one.coverage for one in minutes) / len(minutes) if minutes else 0.0
    enough = bool(known) and len(known) >= COVERAGE * len(minutes)
    every_s = interval_s.interval_s(start_s, end_s) if isinstance(interval_s, Cadence) else interval_s
    return Count(float(median(known)) if enough else None, coverage, every_s)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of the people present, as far as they could be assessed."""

    share: float | None
    """0 to 1; None where unknown."""
    coverage: float
    """Assessed of those present, 0 to 1."""


def rate(count: int, assessed: int, present: int) -> Rate:
    """Share of the assessed to whom something applies, such as heads that are up.

    Formula: count / assessed, if coverage = assessed / present >= 0.8 and assessed >= 5, else unknown. Whether
    what was counted is accurate enough to be told at all is asked before (models.gate).

    Args:
        count: people to whom it applies.
        assessed: people of whom it could be told.
        present: people there; fewer than the assessed where a detector missed some.

    Raises:
        ValueError: more apply than were assessed, or a number is negative.

    Source: our own; the bounds are those of the observe research, section 6.
    """
    if not 0 <= count <= assessed or present < 0:
        raise ValueError(f"{count} of {assessed} assessed of {present} present")
    coverage = min(1.0, assessed / present) if present else float(assessed > 0)
    enough = assessed >= LEAST and coverage >= COVERAGE
    return Rate(count / assessed if enough else None, coverage)


@dataclass(frozen=True, slots=True)
class SeatMinute:
    """Which cells of the seats held a head, over about a minute."""

    start_s: float
    seconds: float
    known: int
    """Pictures that could be read."""
    shares: tuple[tuple[float, ...], ...] | None
    """By row from the top: share of the known pictures in which the cell held a head. None where unknown."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Which cells of the seats were taken, over a stretch of time."""

    shares: tuple[tuple[float, ...], ...] | None
    """By row from the top, 0 to 1; None where unknown."""
    coverage: float
    """Share of the pictures there should have been that are known, 0 to 1."""
    interval_s: float
    """Sampling interval, in seconds."""


def seat_occupancy(
    minutes: Sequence[SeatMinute], start_s: float, end_s: float, interval_s: float = INTERVAL_S
) -> Occupancy:
    """How much of the time each cell of the seats was taken, from `start_s` to `end_s`.

    Formula: mean over the minutes of each cell's share, weighted by the pictures known in them, if coverage =
    known pictures / (seconds / interval) >= 0.8, else unknown. A minute counts where it begins in the stretch.

    Raises:
        ValueError: `interval_s` is not positive, or the grids are not of one size.

    Source: our own. A cell holds one to a few seats on purpose: this is about the room, not about a pupil.
    """
    if interval_s <= 0:
        raise ValueError(f"cannot sum up seats every {interval_s} s")
    within = [one for one in minutes if start_s <= one.start_s < end_s and one.shares is not None and one.known]
    known = sum(one.known for one in within)
    coverage = min(1.0, known / max(1.0, (end_s - start_s) / interval_s))
    grids = [(one.known, one.shares) for one in within if one.shares is not None]
    if not grids or coverage < COVERAGE:
        return Occupancy(None, coverage, interval_s)
    if len({tuple(len(row) for row in grid) for _, grid in grids}) > 1:
        raise ValueError("the grids of the seats are not of one size")
    shares = tuple(
        tuple(sum(weight * grid[row][column] for weight, grid in grids) / known for column in range(len(cells)))
        for row, cells in enumerate(grids[0][1])
    )
    return Occupancy(shares, coverage, interval_s)


BOARD_INTERVAL_S = 4.0
"""Default time between two looks at the board, in seconds."""
PATROL_S = 12.0
"""An absence from the board shorter than this, in seconds, is no patrol: three looks."""


@dataclass(frozen=True, slots=True)
class BoardSample:
    """One look at the board."""

    t_s: float
    people: int | None
    """How many stand there; None where nothing could be seen."""
    position: float | None
    """Along the board, 0 left in the picture to 1; None where nobody stands there."""


@dataclass(frozen=True, slots=True)
class BoardTrack:
    """What the person at the board did, over a stretch of time."""

    share: float | None
    """Share of the looks with somebody at the board; None where unknown, and then all below is None too."""
    middle: float | None
    """Median position, 0 to 1; None also where nobody stood there."""
    spread: float | None
    """Distance between the 10th and the 90th percentile of the positions, 0 to 1."""
    travelled: float | None
    """Sum of the way between looks that follow one another, in widths of the board: a lower bound."""
    patrols: int | None
    """Absences of 12 s and more between two times at the board."""
    patrol_s: float | None
    """Their length together, in seconds."""
    coverage: float
    """Share of the looks there should have been that are known, 0 to 1."""
    interval_s: float
    """Sampling interval, in seconds."""


def board_track(
    samples: Sequence[BoardSample], start_s: float, end_s: float, interval_s: float = BOARD_INTERVAL_S
) -> BoardTrack:
    """Position along the board and patrols, from `start_s` to `end_s`.

    Formulas: share = looks with somebody / known looks; travelled = sum of |difference| of two looks at most
    1.5 intervals apart, both with somebody; a patrol = looks without anybody, each at most 1.5 intervals after
    the one before, between two looks with somebody, at least 12 s from the one to the other. Unknown under a
    coverage of 0.8 or five known looks.

    Who is away from the board may walk among the pupils, sit, or be out of the picture; nobody is recognised,
    so a pupil who comes to the board ends a patrol.

    Raises:
        ValueError: `interval_s` is not positive.

    Source: our own, after the track and patrol figures that tenders ask for (observe research, section 6).
    """
    if interval_s <= 0:
        raise ValueError(f"cannot follow the board every {interval_s} s")
    looks = sorted((one for one in samples if start_s <= one.t_s < end_s), key=lambda one: one.t_s)
    known = [one for one in looks if one.people is not None]
    coverage = min(1.0, len(known) / max(1.0, (end_s - start_s) / interval_s))
    if coverage < COVERAGE or len(known) < LEAST:
        return BoardTrack(None, None, None, None, None, None, coverage, interval_s)
    there = [one for one in known if one.position is not None]
    positions = sorted(one.position for one in there if one.position is not None)
    patrols = _patrols(known, 1.5 * interval_s)
    return BoardTrack(
        share=len(there) / len(known),
        middle=float(median(positions)) if positions else None,
        spread=_percentile(positions, 0.9) - _percentile(positions, 0.1) if positions else None,
        travelled=_travelled(known, 1.5 * interval_s),
        patrols=len(patrols),
        patrol_s=sum(patrols),
        coverage=coverage,
        interval_s=interval_s,
    )


def _percentile(ordered: Sequence[float], share: float) -> float:
    """With linear interpolation between neighbours."""
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def _travelled(known: Sequence[BoardSample], most_s: float) -> float:
    return sum(
        abs(after.position - before.position)
        for before, after in pairwise(known)
        if before.position is not None and after.position is not None and after.t_s - before.t_s <= most_s
    )


def _patrols(known: Sequence[BoardSample], most_s: float) -> list[float]:
    """Lengths of the absences between two looks with somebody, in seconds; a hole in the looks ends one."""
    out = []
    there_s: float | None = None
    before_s: float | None = None
    for look in known:
        if before_s is not None and look.t_s - before_s > most_s:
            there_s = None
        if look.position is not None:
            if there_s is not None and before_s != there_s and look.t_s - there_s >= PATROL_S:
                out.append(look.t_s - there_s)
            there_s = look.t_s
        before_s = look.t_s
    return out
