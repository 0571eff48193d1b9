"""Wait time: how long pupils have to think, before they answer and after."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from measures.figure import EVENTS, Figure, Reason, ground
from measures.floor import steady
from measures.speech import HOP_S
from measures.voices import TINY_S, Span, Voice, coverage, mean_confidence, meets

LONG_S = 3.0
"""A wait from which on answers become longer and more, in seconds (Rowe)."""
MOST_S = 30.0
"""A longer silence is work, not a wait."""
LEAST = 5
"""A typical wait needs this many."""
BINS_S = (0.0, 1.0, 3.0, 5.0, MOST_S)
"""Edges of the distribution, in seconds; the last bin includes its upper edge."""


@dataclass(frozen=True, slots=True)
class Wait:
    """One wait."""

    at_s: float
    """When it begins, in session time."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Waits:
    """The waits of one kind over a stretch."""

    waits: tuple[Wait, ...] = field(metadata=EVENTS)
    """In order of time."""
    median: Figure
    longest: Figure
    long_share: Figure
    """Share of the waits that last `LONG_S` or more."""
    number: Figure
    bins: tuple[int, ...]
    """How many waits fall between neighbouring edges of `BINS_S`."""


@dataclass(frozen=True, slots=True)
class WaitTimes:
    """Both kinds."""

    first: Waits
    """Wait time 1: the teacher has spoken, a pupil begins."""
    second: Waits
    """Wait time 2: a pupil has spoken, a teacher begins."""


def wait_times(
    spans: Sequence[Span], start_s: float, end_s: float, *, missing: Reason | None = None, interval_s: float = HOP_S
) -> WaitTimes:
    """Wait time 1 and 2 over a stretch.

    Formula: wait time 1 = start of a pupil's voice - end of the teacher's voice before it, if there is nothing but
    silence between; wait time 2 the same from pupil to teacher. No silence between is a wait of 0. A silence over
    `MOST_S` is not a wait; a hole in what is known, or several voices between, makes none. Voices shorter than
    half a second count as `measures.floor.steady` says. What is said is not known, so a wait may follow a statement
    as well as a question, and a wait that the teacher ends herself is not seen. Median and share of long ones need
    five waits. Silences shorter than the detector's own gap (`measures.speech.MIN_GAP_S`, 1 s) may be closed there
    and are then waits of 0. Times are those at which something was said in its own room, so between two rooms each
    side hears the wait longer or shorter by the delay of the link.

    Args:
        spans: tidied; who has the floor.
        start_s: beginning of the stretch, in session time.
        end_s: its end.
        missing: why nothing can be said, if so.
        interval_s: sampling interval of the detector of voices.

    Source: M. B. Rowe, Wait Time: Slowing Down May Be a Way of Speeding Up, Journal of Teacher Education 37(1), 1986.
    """
    base = ground(coverage(spans, start_s, end_s), interval_s, end_s - start_s, mean_confidence(spans), missing)
    voices = steady(spans)

    def told(before: Voice, after: Voice) -> Waits:
        waits = tuple(_between(voices, before, after))
        n = len(waits)
        few = None if n >= LEAST else Reason.TOO_FEW if n else Reason.NONE_SEEN
        long = sum(one.seconds >= LONG_S - TINY_S for one in waits)
        return Waits(
            waits,
            base.figure(median(one.seconds for one in waits) if n else None, "s", reason=few, count=n),
            base.figure(
                max((one.seconds for one in waits), default=None), "s", reason=None if n else Reason.NONE_SEEN, count=n
            ),
            base.figure(long / n if n else None, "share", reason=few, count=n),
            base.figure(float(n), "count"),
            _binned(waits),
        )

    return WaitTimes(told(Voice.TEACHER, Voice.STUDENT), told(Voice.STUDENT, Voice.TEACHER))


def _between(spans: Sequence[Span], before: Voice, after: Voice) -> list[Wait]:
    """Waits from one voice to another; of spans in which no two neighbours are both silence."""
    out: list[Wait] = []
    for at, (one, following) in enumerate(pairwise(spans)):
        if one.voice is not before or not meets(one, following):
            continue
        if following.voice is after:
            out.append(Wait(one.end_s, 0.0))
        elif not following.voiced and following.seconds <= MOST_S + TINY_S and at + 2 < len(spans):
            answer = spans[at + 2]
            if answer.voice is after and meets(following, answer):
                out.append(Wait(one.end_s, following.seconds))
    return out


def _binned(waits: Sequence[Wait]) -> tuple[int, ...]:
    return tuple(
        sum(low <= one.seconds + TINY_S < high or (high == MOST_S and one.seconds >= MOST_S - TINY_S) for one in waits)
        for low, high in pairwise(BINS_S)
    )
