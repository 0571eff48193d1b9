"""A timeline looked at every so often: what each look sees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from measures.voices import TINY_S, Span, Voice

LOOK_S = 3.0
"""How long one look lasts, in seconds: what FIAS takes as one act of teaching. A shorter interval looks all of it."""
SEEN = 0.5
"""Least share of a look that must be known for it to be coded."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look sees."""

    at_s: float
    """The middle of the interval it stands for."""
    seconds: Mapping[Voice, float]
    """How long each voice held the look."""
    known: bool
    """Whether enough of it is known to be coded."""


def looks(spans: Sequence[Span], start_s: float, end_s: float, interval_s: float) -> list[Look]:
    """Cut [start_s, end_s) into whole intervals and look at the middle of each, for `LOOK_S` or all of it if shorter.

    What is left at the end and fills no interval is not looked at.

    Args:
        spans: tidied.
        start_s: beginning of the first interval.
        end_s: nothing after it is looked at.
        interval_s: sampling interval, in seconds.

    Raises:
        ValueError: `interval_s` is not positive.

    Source: momentary time sampling; the look is lengthened from a moment to `LOOK_S`, so that a breath is no silence.
    """
    if interval_s <= 0:
        raise ValueError(f"cannot sample every {interval_s} s")
    half = min(interval_s, LOOK_S) / 2
    out: list[Look] = []
    first = 0
    for number in range(int((end_s - start_s) / interval_s + TINY_S)):
        middle = start_s + (number + 0.5) * interval_s
        while first < len(spans) and spans[first].end_s <= middle - half:
            first += 1
        seen = dict.fromkeys(Voice, 0.0)
        for at in range(first, len(spans)):
            span = spans[at]
            if span.start_s >= middle + half:
                break
            seen[span.voice] += max(0.0, min(span.end_s, middle + half) - max(span.start_s, middle - half))
        out.append(Look(middle, seen, sum(seen.values()) >= SEEN * 2 * half - TINY_S))
    return out
