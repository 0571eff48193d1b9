"""Timelines as bad days make them: holes, clocks that step forward and back, stretches told twice, odd spans."""

import math

import numpy as np
from hypothesis import strategies as st

from measures.voices import Role, RoomVoices, Span, Voice
from tests.measures.lectures import lesson

LENGTH_S = 240.0
PARTS = st.lists(
    st.tuples(
        st.sampled_from([*Voice] * 5 + [None]),
        st.integers(20, 30_000).map(lambda ms: ms / 1000),
        st.none() | st.integers(0, 100).map(lambda percent: percent / 100),
    ),
    max_size=25,
)
STEPS = st.lists(st.tuples(st.integers(0, 25), st.integers(-5_000, 5_000).map(lambda ms: ms / 1000)), max_size=3)
ODD = st.sampled_from(
    [
        Span(math.nan, 3.0, Voice.TEACHER),
        Span(5.0, math.inf, Voice.STUDENT),
        Span(-math.inf, 3.0, Voice.SILENCE),
        Span(20.0, 0.0, Voice.STUDENT, 0.5),
        Span(30.0, -4.0, Voice.TEACHER),
        Span(-80.0, 60.0, Voice.TEACHER),
        Span(1e9, 10.0, Voice.SEVERAL, 1.0),
    ]
)


@st.composite
def stretches(draw) -> list[Span]:
    """Spans one after another, with holes, from about the lesson's beginning on; the clock steps now and then."""
    out: list[Span] = []
    at = draw(st.integers(-3_000, 1_000)) / 1000
    steps = dict(draw(STEPS)) if draw(st.booleans()) else {}
    for number, (voice, seconds, confidence) in enumerate(draw(PARTS)):
        at = round(at + steps.get(number, 0.0), 3)
        if voice is not None:
            out.append(Span(at, seconds, voice, confidence))
        at = round(at + seconds, 3)
    if at < LENGTH_S and draw(st.integers(0, 3)):  # else most lessons would be known for too short a time to be told
        out.append(Span(at, round(LENGTH_S + 1 - at, 3), draw(st.sampled_from(Voice)), 0.5))
    return out


rooms = st.tuples(stretches(), stretches()).map(
    lambda both: [RoomVoices("lead", Role.LEAD, both[0]), RoomVoices("far", Role.RECEIVING, both[1])]
)
"""A lead room and a far room."""
odd_rooms = st.tuples(stretches(), st.lists(ODD, max_size=4), stretches(), st.booleans()).map(
    lambda told: [
        RoomVoices("lead", Role.LEAD, [*told[0], *told[1]]),
        RoomVoices("far", Role.RECEIVING, [*told[1], *(told[0] if told[3] else told[2])]),
    ]
)
"""The same with spans that cannot be; in some lessons both rooms say the same."""


def broken(seed: int) -> list[RoomVoices]:
    """A synthetic lesson whose rooms were deaf for some stretches, and whose clocks stepped once or not at all."""
    rng = np.random.default_rng(seed)
    out = []
    for room in lesson(seed, questions=14, gated=bool(rng.random() < 0.5)).rooms:
        deaf = [(at, at + rng.uniform(0.01, 12)) for at in rng.uniform(0, LENGTH_S, rng.integers(4))]
        kept = [one for one in room.spans if not any(a < one.end_s and one.start_s < b for a, b in deaf)]
        at, by = rng.uniform(0, LENGTH_S), round(float(rng.choice([0, 0, -8, -0.3, 0.02, 0.4, 5])), 3)
        spans = [
            Span(
                round(one.start_s + (by if one.start_s > at else 0), 3),
                round(one.seconds, 3),
                one.voice,
                round(rng.random(), 2) if rng.random() < 0.8 else None,
            )
            for one in kept
        ]
        out.append(RoomVoices(room.room, room.role, spans))
    return out


lectures = st.integers(0, 1_000_000).map(broken)


def known_s(told: list[Span], start: float, end: float) -> float:
    """Seconds of [start, end) that are claimed by anybody, by the millisecond: no more can be known."""
    claimed = bytearray(round((end - start) * 1000))
    for one in told:
        if math.isfinite(one.start_s) and math.isfinite(one.seconds):
            first = min(max(0, math.floor((one.start_s - start) * 1000)), len(claimed))
            last = min(max(0, math.ceil((one.end_s - start) * 1000)), len(claimed))
            claimed[first : max(first, last)] = b"\1" * max(0, last - first)
    return sum(claimed) / 1000
