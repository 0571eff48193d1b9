"""Turns of speech over a session, and the longest monologue."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from measures.crosstalk import OwnVoices
from measures.figure import EVENTS, Figure, Ground, Reason
from measures.floor import LEAST_S, steady
from measures.voices import PUPILS, TEACHERS, TINY_S, Party, Span, meets, party_of

PAUSE_S = 3.0
"""A speaker who pauses this long, in seconds, has ended: from here on it is a wait (see `measures.waits`)."""
LEAST = 5
"""A typical length needs this many turns."""


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """One turn: somebody speaks, with pauses in which nobody else does."""

    room: str
    party: Party
    start_s: float
    end_s: float
    confidence: float | None = None

    @property
    def seconds(self) -> float:
        """Its length, in seconds, pauses included; rounded, so that of two as long as each other the first is taken."""
        return round(self.end_s - self.start_s, 6)


@dataclass(frozen=True, slots=True)
class PartyTurns:
    """The turns of one party."""

    number: Figure
    median: Figure
    """Typical length, in seconds."""
    longest: Figure


@dataclass(frozen=True, slots=True)
class Turns:
    """All turns of a stretch."""

    turns: tuple[SpokenTurn, ...] = field(metadata=EVENTS)
    """In order of their start."""
    by_party: Mapping[Party, PartyTurns]
    monologue: Figure
    """Longest turn of a teacher, in seconds."""
    monologue_at_s: float | None
    """When it began, in session time; None where the monologue is unknown."""
    exchanges: Figure
    """How often a minute the word goes from a teacher to pupils or back."""


def spoken_turns(rooms: Sequence[OwnVoices], pause_s: float = PAUSE_S, least_s: float = LEAST_S) -> list[SpokenTurn]:
    """Turns of all rooms, in order of their start.

    Rule: spans of one party in one room are one turn if less than `pause_s` lies between them, all of it known, and
    nobody else speaks in it in any room. Voices shorter than `least_s` count as `measures.floor.steady` says.

    Source: the gap rule of DART (Owens et al., PNAS 2017) over two rooms; the pause is Rowe's wait.
    """
    heard = [steady(room.spans, least_s) for room in rooms]
    voiced = [[span for span in spans if span.voiced] for spans in heard]
    out: list[SpokenTurn] = []
    for number, room in enumerate(rooms):
        elsewhere = [one for other, one in enumerate(voiced) if other != number]
        out += _room_turns(room, heard[number], elsewhere, pause_s)
    return sorted(out, key=lambda one: (one.start_s, one.end_s))


def turns_of(rooms: Sequence[OwnVoices], base: Ground, seconds: float, missing: Mapping[Party, Reason]) -> Turns:
    """How many turns each party takes, how long they are, the longest monologue, and exchanges a minute.

    Formula: number, median and maximum of the turns' lengths; median needs five. Monologue = longest turn of a
    teacher, whichever. Exchanges = pairs of neighbouring turns (by start) of which one is a teacher's and the other
    pupils' / known minutes.

    Args:
        rooms: the rooms' own voices.
        base: what the figures stand on.
        seconds: length of the stretch.
        missing: parties that cannot be known, and why.

    Source: our own; the longest monologue is the usual counterpart of talk share.
    """
    turns = spoken_turns(rooms)
    monologue = max((one for one in turns if one.party in TEACHERS), key=lambda one: one.seconds, default=None)
    minutes = seconds * base.coverage / 60
    sides = [one.party in TEACHERS for one in turns if one.party in TEACHERS | PUPILS]
    swaps = sum(a is not b for a, b in pairwise(sides))
    return Turns(
        tuple(turns),
        {party: _figures([one for one in turns if one.party is party], base, missing.get(party)) for party in Party},
        base.figure(monologue.seconds if monologue else None, "s", reason=None if monologue else Reason.NONE_SEEN),
        monologue.start_s if monologue and not base.reason else None,
        base.figure(
            swaps / minutes if minutes > 0 else None, "per-minute", reason=None if minutes > 0 else Reason.EMPTY
        ),
    )


def _room_turns(
    room: OwnVoices, spans: Sequence[Span], elsewhere: Sequence[Sequence[Span]], pause_s: float
) -> list[SpokenTurn]:
    out: list[SpokenTurn] = []
    for at, span in enumerate(spans):
        party = party_of(room.role, span.voice)
        if party is None:
            continue
        turn = SpokenTurn(room.room, party, span.start_s, span.end_s, span.confidence)
        if at >= 2 and _goes_on(spans[at - 2 : at + 1], elsewhere, pause_s):
            turn = _together(out.pop(), turn)
        out.append(turn)
    return out


def _goes_on(three: Sequence[Span], elsewhere: Sequence[Sequence[Span]], pause_s: float) -> bool:
    """Whether the last of three spans goes on with what the first began."""
    first, pause, span = three
    if first.voice is not span.voice or pause.voiced or pause.seconds >= pause_s - TINY_S:
        return False
    if not (meets(first, pause) and meets(pause, span)):
        return False
    return not any(_speaks(spans, pause) for spans in elsewhere)


def _speaks(voiced: Sequence[Span], pause: Span) -> bool:
    """Whether any of these voices, in order and not overlapping, is heard in the pause."""
    at = bisect_left(voiced, pause.end_s - TINY_S, key=lambda one: one.start_s)
    return at > 0 and voiced[at - 1].end_s > pause.start_s + TINY_S


def _together(last: SpokenTurn, one: SpokenTurn) -> SpokenTurn:
    mean = None
    if last.confidence is not None and one.confidence is not None:
        mean = (last.confidence * last.seconds + one.confidence * one.seconds) / (last.seconds + one.seconds)
    return SpokenTurn(last.room, last.party, last.start_s, one.end_s, mean)


def _figures(turns: Sequence[SpokenTurn], base: Ground, why: Reason | None) -> PartyTurns:
    n = len(turns)
    lengths = [one.seconds for one in turns]
    none = why or (None if n else Reason.NONE_SEEN)
    few = none or (None if n >= LEAST else Reason.TOO_FEW)
    return PartyTurns(
        base.figure(float(n), "count", reason=why),
        base.figure(median(lengths) if n else None, "s", reason=few, count=n),
        base.figure(max(lengths, default=None), "s", reason=none, count=n),
    )
