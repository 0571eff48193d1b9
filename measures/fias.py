"""FIAS-lite: the interaction matrix over who speaks, without what is said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from measures.figure import Figure, Reason, ground
from measures.samples import Look, looks
from measures.voices import TINY_S, Span, Voice, mean_confidence

INTERVAL_S = 3.0
"""Sampling interval of FIAS, in seconds."""
CODES = (Voice.TEACHER, Voice.STUDENT, Voice.SILENCE, Voice.SEVERAL)
"""Order of the rows and columns of the matrix."""
DOUBTFUL = (Voice.STUDENT, Voice.TEACHER, Voice.SEVERAL, Voice.SILENCE)
"""Who is coded where two hold a look equally long: pupils before the teacher, a clear voice before a mixture, silence
last. FIAS takes in doubt the category farthest from lecturing, but never silence."""


@dataclass(frozen=True, slots=True)
class FiasLite:
    """The matrix and what follows from it."""

    matrix: tuple[tuple[int, ...], ...]
    """Pairs of samples that follow each other, shape (4, 4): row = the former's code, column = the latter's, in the
    order of `CODES`."""
    share: Mapping[Voice, Figure]
    """Of the samples that are known; the four add up to 1."""
    steady: Figure
    """Diagonal / all pairs: how often what is going on goes on (steady state ratio)."""
    taken_up: Figure
    """Of the teacher's acts that end, the share that pupils follow, one or several."""


def fias_code(look: Look) -> Voice | None:
    """Who has most of a look; None if too little of it is known."""
    if not look.known:
        return None
    most = max(look.seconds.values())
    return next(one for one in DOUBTFUL if look.seconds[one] >= most - TINY_S)


def fias_lite(
    spans: Sequence[Span],
    start_s: float,
    end_s: float,
    interval_s: float = INTERVAL_S,
    *,
    missing: Reason | None = None,
) -> FiasLite:
    """The matrix of Flanders' interaction analysis over teacher, student, silence and several.

    Formula: each interval takes the code that has most of it; N_c samples of code c out of N known ones, share of c =
    N_c / N; matrix[i][j] = number of neighbouring known samples coded i, then j; a pair across an unknown sample is
    none. Steady state ratio = sum of the diagonal / sum of the matrix. Taken up = T followed by S or several / T
    followed by anything but T.

    The categories 1 to 7 of what a teacher does, and 8 and 9 of pupils, need words; they are not made here.
    Unlike by hand, no 10 is put before the first sample and after the last.

    Args:
        spans: tidied; who has the floor.
        start_s: beginning of the stretch, in session time.
        end_s: its end.
        interval_s: sampling interval, in seconds.
        missing: why nothing can be said, if so.

    Source: N. Flanders, Analyzing Teaching Behavior, 1970; reduced as in the observe research, section 6.
    """
    codes = [fias_code(one) for one in looks(spans, start_s, end_s, interval_s)]
    known = [one for one in codes if one is not None]
    n = len(known)
    base = ground(
        n / len(codes) if codes else 0.0, interval_s, len(codes) * interval_s, mean_confidence(spans), missing
    )
    counts = [[0] * len(CODES) for _ in CODES]
    for before, after in pairwise(codes):
        if before is not None and after is not None:
            counts[CODES.index(before)][CODES.index(after)] += 1
    pairs = sum(map(sum, counts))
    left = sum(counts[0]) - counts[0][0]
    followed = counts[0][CODES.index(Voice.STUDENT)] + counts[0][CODES.index(Voice.SEVERAL)]
    steady = sum(row[at] for at, row in enumerate(counts)) / pairs if pairs else None
    none = None if n else Reason.COVERAGE
    return FiasLite(
        tuple(map(tuple, counts)),
        {one: base.figure(known.count(one) / n if n else None, "share", reason=none, count=n) for one in CODES},
        base.figure(steady, "share", reason=None if pairs else Reason.NONE_SEEN, count=pairs),
        base.figure(followed / left if left else None, "share", reason=None if left else Reason.NONE_SEEN, count=left),
    )
