"""Which of two rooms a voice comes from that both report: the one whose edges come first."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise

from measures.overlay import Piece
from measures.voices import JITTER_S, TINY_S, Span, meets

ECHO_S = 1.0
"""An echo begins and ends at most this much after its source, in seconds: delay of the link and decay of the room."""
TIE_S = 0.03
"""Edges closer than this, in seconds, do not say which came first: a hop of the detector of speech."""


class Source(Enum):
    """Which of two rooms a voice comes from that both report."""

    A = auto()
    """The first room: the other hears it."""
    B = auto()
    """The second."""
    BOTH = auto()
    """Two voices, one in each room."""
    UNKNOWN = auto()
    """One voice, and nothing says in which room."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Where a room's voices begin out of silence and end in it: edges that are heard, not decided by a label."""

    starts: frozenset[float]
    ends: frozenset[float]

    @classmethod
    def of(cls, spans: Sequence[Span], made: Sequence[float]) -> "Edges":
        """Firm edges of a room's tidied spans, without those that were `made` by a cut, which are given in order."""
        pairs = [(one, following) for one, following in pairwise(spans) if meets(one, following)]
        starts = {after.start_s for before, after in pairs if not before.voiced and after.voiced}
        ends = {before.end_s for before, after in pairs if before.voiced and not after.voiced}
        return cls(*(frozenset(one for one in edges if not among(made, one)) for edges in (starts, ends)))


def source_of(piece: Piece, made: Sequence[float], firm: tuple[Edges, Edges], tie_s: float) -> Source:
    """Where a piece comes from in which both report voice, by rule 4 of `measures.crosstalk`.

    `made` are edges in order that earlier rules cut, which say nothing; `firm` are the firm edges of both rooms;
    edges closer than `tie_s` say nothing.
    """
    a, b = piece.spans
    if a is None or b is None:
        return Source.UNKNOWN
    starts, ends = a.start_s - b.start_s, a.end_s - b.end_s
    told = [] if among(made, a.start_s, b.start_s) else [starts]
    told += [] if among(made, a.end_s, b.end_s) else [ends]
    if not told:
        return Source.UNKNOWN
    sure = [starts] if a.start_s in firm[0].starts and b.start_s in firm[1].starts else []
    sure += [ends] if a.end_s in firm[0].ends and b.end_s in firm[1].ends else []
    near = _near(sure) or _near(told)
    if not near:
        return _inside(starts, ends)
    clear = [one for one in near if abs(one) > tie_s + TINY_S]
    if not clear or min(clear) < 0 < max(clear):
        return Source.UNKNOWN
    return Source.B if clear[0] > 0 else Source.A


def _inside(starts: float, ends: float) -> Source:
    """Which room's span holds the other's; edges that are equal but for rounding lie inside."""
    if starts >= -TINY_S and ends <= TINY_S:
        return Source.B
    return Source.A if starts <= TINY_S and ends >= -TINY_S else Source.BOTH


def _near(edges: Sequence[float]) -> list[float]:
    return [one for one in edges if abs(one) <= ECHO_S + TINY_S]


def among(made: Sequence[float], *edges: float) -> bool:
    """Whether any of the edges is one of those that were made, which are given in order."""
    near = JITTER_S - TINY_S
    return any(bisect_right(made, edge - near) < bisect_left(made, edge + near) for edge in edges)


def possible(source: Source, *, a_hears: bool, b_hears: bool) -> Source:
    """What rule 4 says, held against which room hears the other: a room that does not hear reports its own."""
    if source is Source.UNKNOWN and a_hears is not b_hears:
        return Source.B if a_hears else Source.A
    heard = {Source.A: b_hears, Source.B: a_hears, Source.UNKNOWN: a_hears and b_hears, Source.BOTH: True}
    return source if heard[source] else Source.BOTH
