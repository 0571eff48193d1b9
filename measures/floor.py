"""Who has the floor in a session: the rooms' own voices on one timeline, one voice at a time.

Rule, at each moment: unknown if any room is unknown; silence if nobody speaks in any room; the lead teacher if she
speaks, because the lesson is hers and what is said elsewhere meanwhile is an aside (it counts in its own room's
figures); the voice of the one room in which somebody speaks; else several.
"""

from collections.abc import Sequence

from measures.crosstalk import OwnVoices
from measures.figure import Ground, Reason, ground
from measures.overlay import Piece, overlay
from measures.speech import HOP_S
from measures.voices import TINY_S, Role, Span, Voice, coverage, mean_confidence, meets, tidied

LEAST_S = 0.5
"""A voice shorter than this, in seconds, takes no turn: a cough, a chair, the seam between two speakers."""


def session_floor(rooms: Sequence[OwnVoices]) -> tuple[Span, ...]:
    """Who has the floor, as tidied spans; holes are unknown. Confidence is the least of the spans it comes from."""
    roles = [one.role for one in rooms]
    spans = [
        Span(piece.start_s, piece.seconds, _holder(piece, roles), _least(piece))
        for piece in overlay([one.spans for one in rooms])
        if piece.known
    ]
    return tidied(spans, float("-inf"), float("inf"))


def session_ground(
    floor: Sequence[Span], start_s: float, end_s: float, *, missing: Reason | None = None, interval_s: float = HOP_S
) -> Ground:
    """What the figures of a session stand on: the time in which all its rooms are known.

    Args:
        floor: as of `session_floor`.
        start_s: beginning of the stretch, in session time.
        end_s: its end.
        missing: why nothing can be said of the session, if so.
        interval_s: sampling interval of the detector of voices.
    """
    return ground(coverage(floor, start_s, end_s), interval_s, end_s - start_s, mean_confidence(floor), missing)


def steady(spans: Sequence[Span], least_s: float = LEAST_S) -> tuple[Span, ...]:
    """Take out voices shorter than `least_s`.

    One that follows another speaker at once belongs to that speaker; one that leads into another at once
    belongs to the one it leads into; one that stands alone is silence. Takes and returns tidied spans.
    """
    out: list[Span] = []
    for at, span in enumerate(spans):
        if not span.voiced or span.seconds >= least_s - TINY_S:
            out.append(span)
            continue
        before = out[-1] if out and meets(out[-1], span) else None
        after = spans[at + 1] if at + 1 < len(spans) and meets(span, spans[at + 1]) else None
        beside = [one.voice for one in (before, after) if one is not None and one.voiced]
        out.append(Span(span.start_s, span.seconds, beside[0] if beside else Voice.SILENCE, span.confidence))
    return tidied(out, float("-inf"), float("inf"))


def _holder(piece: Piece, roles: Sequence[Role]) -> Voice:
    speaking = [
        (role, one.voice) for role, one in zip(roles, piece.spans, strict=True) if one is not None and one.voiced
    ]
    if not speaking:
        return Voice.SILENCE
    if (Role.LEAD, Voice.TEACHER) in speaking:
        return Voice.TEACHER
    return speaking[0][1] if len(speaking) == 1 else Voice.SEVERAL


def _least(piece: Piece) -> float | None:
    told = [one.confidence for one in piece.spans if one is not None and one.confidence is not None]
    return min(told) if len(told) == len(piece.spans) else None
