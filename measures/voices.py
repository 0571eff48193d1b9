"""Who is heard in a room, as spans on the session's timeline; and such spans put in order.

Unknown is what no span covers: nobody listened there. Silence is a span of its own.
"""

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

JITTER_S = 0.05
"""Holes and contradictions shorter than this, in seconds, are rounding: they belong to the span before."""
TINY_S = 1e-6
"""Times closer than this, in seconds, are the same."""


class Voice(StrEnum):
    """Who is heard in one room."""

    TEACHER = "teacher"
    """The teacher who stands in this room, alone."""
    STUDENT = "student"
    """One voice that is not this room's teacher."""
    SEVERAL = "several"
    """Several voices at once: an answer in chorus, group work, an overlap."""
    SILENCE = "silence"
    """Listened, and nobody spoke."""


class Role(StrEnum):
    """What a room does in a session; the values are those of `contract.session.Role`."""

    LEAD = "lead"
    """The lesson is taught from here."""
    RECEIVING = "receiving"
    """The far class sits here with its own teacher."""


class Party(StrEnum):
    """Who speaks in a session of two or more rooms, told apart by room and role."""

    LEAD_TEACHER = "lead_teacher"
    LOCAL_TEACHER = "local_teacher"
    """The teacher in a receiving room."""
    LEAD_PUPILS = "lead_pupils"
    FAR_PUPILS = "far_pupils"
    """The pupils of the receiving rooms."""
    SEVERAL = "several"
    """Several voices at once in one room, whichever room it is."""


TEACHERS = frozenset({Party.LEAD_TEACHER, Party.LOCAL_TEACHER})
PUPILS = frozenset({Party.LEAD_PUPILS, Party.FAR_PUPILS})


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch in which one voice, or none, is heard; in session time."""

    start_s: float
    seconds: float
    voice: Voice
    confidence: float | None = None
    """0 to 1; None where it was not told."""

    @property
    def end_s(self) -> float:
        """When it ends, in seconds; rounded, so that a span ends exactly where the next one begins."""
        return round(self.start_s + self.seconds, 6)

    @property
    def voiced(self) -> bool:
        """Whether anybody speaks."""
        return self.voice is not Voice.SILENCE


@dataclass(frozen=True, slots=True)
class RoomVoices:
    """What was heard in one room: spans in order, not overlapping; holes between them are unknown."""

    room: str
    role: Role
    spans: Sequence[Span]


def party_of(role: Role, voice: Voice) -> Party | None:
    """Who a voice in a room of this role is; None for silence."""
    if voice is Voice.SILENCE:
        return None
    if voice is Voice.SEVERAL:
        return Party.SEVERAL
    if role is Role.LEAD:
        return Party.LEAD_TEACHER if voice is Voice.TEACHER else Party.LEAD_PUPILS
    return Party.LOCAL_TEACHER if voice is Voice.TEACHER else Party.FAR_PUPILS


def tidied(spans: Iterable[Span], start_s: float, end_s: float) -> tuple[Span, ...]:
    """Put spans in order: inside [start_s, end_s), not overlapping, neighbours of one voice joined.

    - Spans without length, or with times that are not finite, are left out.
    - Where two spans claim the same moment for different voices (the clock stepped backwards, a process was
      replaced), nobody knows which is right: the moment becomes a hole, which is unknown. Claims of the same voice
      are one; the lower confidence holds.
    - Holes shorter than `JITTER_S` are closed by the span before them; times are rounded to the millisecond.
    - Confidence of joined spans is their mean weighted by length; None if any of it is None.

    The result is the same whatever the order of the spans and into however many pieces each was cut.
    """
    kept = [
        Span(max(one.start_s, start_s), min(one.end_s, end_s) - max(one.start_s, start_s), one.voice, one.confidence)
        for one in spans
        if math.isfinite(one.start_s) and math.isfinite(one.seconds) and one.seconds > TINY_S
    ]
    ordered = sorted((one for one in kept if one.seconds > TINY_S), key=lambda one: (one.start_s, one.end_s))
    return _joined(_agreed(ordered))


def meets(before: Span, after: Span) -> bool:
    """Whether nothing lies between two spans of a tidied sequence."""
    return after.start_s - before.end_s <= TINY_S


def known_seconds(spans: Iterable[Span]) -> float:
    """Seconds that are known, silence included; of spans that are tidied."""
    return sum(one.seconds for one in spans)


def coverage(spans: Iterable[Span], start_s: float, end_s: float) -> float:
    """Share of [start_s, end_s) that is known, 0 to 1; 0 where there is no such time. Of spans that are tidied."""
    # Rounded: where four fifths are known, that is 0.8 whenever the lesson began.
    return min(1.0, round(known_seconds(spans) / (end_s - start_s), 9)) if end_s - start_s > TINY_S else 0.0


def mean_confidence(spans: Iterable[Span]) -> float | None:
    """Mean confidence weighted by length, over the spans that tell one; None where none does."""
    told = [(one.seconds, one.confidence) for one in spans if one.confidence is not None]
    weight = sum(seconds for seconds, _ in told)
    return sum(seconds * confidence for seconds, confidence in told) / weight if weight else None


def _agreed(ordered: Sequence[Span]) -> list[Span]:
    """Pieces on which all claims agree; where they do not, a hole. Takes spans in order of their start."""
    out: list[Span] = []
    open_: list[tuple[float, int, Span]] = []  # by end: what is claimed at the moment
    at = -math.inf
    for number, one in enumerate([*ordered, None]):
        upto = one.start_s if one else math.inf
        while open_ and at < upto:
            until = min(upto, open_[0][0])
            if until - at > TINY_S:
                out += _claim([span for _, _, span in open_], at, until)
            at = until
            while open_ and open_[0][0] <= at:
                heapq.heappop(open_)
        at = max(at, upto)
        if one:
            heapq.heappush(open_, (one.end_s, number, one))
    return out


def _claim(claims: Sequence[Span], start_s: float, end_s: float) -> list[Span]:
    voice = claims[0].voice
    if any(one.voice is not voice for one in claims):
        return []
    told = [one.confidence for one in claims if one.confidence is not None]
    return [Span(start_s, end_s - start_s, voice, min(told) if len(told) == len(claims) else None)]


def _joined(pieces: Iterable[Span]) -> tuple[Span, ...]:
    """Close holes that are rounding, then join neighbours of one voice."""
    out: list[Span] = []
    for piece in pieces:
        if out and piece.start_s - out[-1].end_s < JITTER_S - TINY_S:
            last = out.pop()
            if last.voice is piece.voice:
                confidence = _weighted(last, piece)
                out.append(Span(last.start_s, piece.end_s - last.start_s, piece.voice, confidence))
                continue
            out.append(Span(last.start_s, piece.start_s - last.start_s, last.voice, last.confidence))
        out.append(piece)
    return tuple(_exact(one) for one in out)


def _exact(span: Span) -> Span:
    """Times to the millisecond, as timelines tell them: sums of many pieces end where the whole does."""
    return replace(span, start_s=round(span.start_s, 3), seconds=round(span.seconds, 3))


def _weighted(a: Span, b: Span) -> float | None:
    if a.confidence is None or b.confidence is None:
        return None
    return (a.confidence * a.seconds + b.confidence * b.seconds) / (a.seconds + b.seconds)
