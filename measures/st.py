"""S-T analysis: the sequence of teacher's and pupils' acts, Rt, Ch and the type of class."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from measures.figure import EVENTS, Figure, Reason, ground
from measures.samples import Look, looks
from measures.voices import TINY_S, Span, Voice, mean_confidence

INTERVAL_S = 30.0
"""Default sampling interval, in seconds: the one at which S-T is usually done by hand."""
TYPED_FROM_S = 10.0
"""Under this interval no type is told: Ch falls with the interval (it was 0.15 to 0.19 in question-and-answer lessons
at 3 s; observe research, section 6), so that no class could reach `DIALOGUE_CH`."""
PRACTICE_RT = 0.3
LECTURE_RT = 0.7
DIALOGUE_CH = 0.4


class ClassType(StrEnum):
    """The type of a class by Rt and Ch."""

    DIALOGUE = "dialogue"
    """对话型: Ch >= 0.4."""
    PRACTICE = "practice"
    """练习型: Rt <= 0.3."""
    LECTURE = "lecture"
    """讲授型: Rt >= 0.7."""
    MIXED = "mixed"
    """混合型: none of the others."""


@dataclass(frozen=True, slots=True)
class StAnalysis:
    """What S-T says of a stretch."""

    codes: str = field(metadata=EVENTS)
    """One letter a sample: `T`, `S`, or `?` where it is unknown."""
    rt: Figure
    ch: Figure
    type: Figure
    """A `ClassType`, or unknown."""


def class_type(rt: float, ch: float) -> ClassType:
    """The type of a class. Order of tests: dialogue, practice, lecture, mixed.

    The limits overlap: Ch >= 0.4 is possible for Rt from 0.2 to 0.8, since Ch <= 2 min(Rt, 1 - Rt) + 1/N. There
    dialogue is told first, because it says more: for Rt = 0.75 and Ch = 0.4 nearly each act of a pupil stands alone
    between two of the teacher, which is question and answer. Rt alone would call the same lesson a lecture.

    Source: limits as given with S-T analysis (observe research, section 6); the order is our own.
    """
    if ch >= DIALOGUE_CH - TINY_S:
        return ClassType.DIALOGUE
    if rt <= PRACTICE_RT + TINY_S:
        return ClassType.PRACTICE
    if rt >= LECTURE_RT - TINY_S:
        return ClassType.LECTURE
    return ClassType.MIXED


def code_of(look: Look) -> str:
    """`T` if the teacher has at least half of what is known of the look, else `S`; `?` if too little is known.

    S is all that is not the teacher talking: pupils, several voices, and silence, in which pupils read, write or
    think. A teacher who writes on the board without a word, T by the book, is S here: it is not heard.
    """
    if not look.known:
        return "?"
    return "T" if look.seconds[Voice.TEACHER] >= sum(look.seconds.values()) / 2 - TINY_S else "S"


def st_analysis(
    spans: Sequence[Span],
    start_s: float,
    end_s: float,
    interval_s: float = INTERVAL_S,
    *,
    missing: Reason | None = None,
) -> StAnalysis:
    """S-T analysis of a stretch.

    Formula: over the N samples that are known, in order: Rt = N_T / N; g = number of runs of equal code;
    Ch = (g - 1) / N. Unknown samples are left out of N and end no run, so Ch is a lower bound where there are some.
    Always Ch <= 2 min(Rt, 1 - Rt) + 1/N. Rt and Ch hold for their interval only.

    Args:
        spans: tidied; who has the floor.
        start_s: beginning of the stretch, in session time.
        end_s: its end.
        interval_s: sampling interval, in seconds; see `measures.samples.looks`.
        missing: why nothing can be said, if so.

    Source: S-T analysis (Fujita, as adopted in China by Fu Derong); formulas in the observe research, section 6.
    """
    codes = "".join(code_of(one) for one in looks(spans, start_s, end_s, interval_s))
    known = codes.replace("?", "")
    n = len(known)
    base = ground(
        n / len(codes) if codes else 0.0, interval_s, len(codes) * interval_s, mean_confidence(spans), missing
    )
    if not n:
        nothing = base.figure(None, "share", reason=Reason.COVERAGE, count=0)
        return StAnalysis(codes, nothing, nothing, base.figure(None, "type", reason=Reason.COVERAGE, count=0))
    rt = known.count("T") / n
    ch = sum(a != b for a, b in pairwise(known)) / n
    untyped = Reason.INTERVAL if interval_s < TYPED_FROM_S else None
    return StAnalysis(
        codes,
        base.figure(rt, "share", count=n),
        base.figure(ch, "share", count=n),
        base.figure(class_type(rt, ch).value, "type", reason=untyped, count=n),
    )
