"""Rooms for the tests, written as scripts: `T10 -2 S4.5 M1 ?3` is ten seconds of the teacher, two of silence, ...

`M` is several voices, `?` is not listened to.
"""

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import strategies as st

from measures.voices import Role, RoomVoices, Span, Voice

LETTERS = {"T": Voice.TEACHER, "S": Voice.STUDENT, "M": Voice.SEVERAL, "-": Voice.SILENCE}


def spans(script: str, start: float = 0.0, confidence: float | None = None) -> list[Span]:
    out = []
    for word in script.split():
        seconds = float(word[1:])
        if word[0] != "?":
            out.append(Span(start, seconds, LETTERS[word[0]], confidence))
        start += seconds
    return out


def lead(script: str, name: str = "lead") -> RoomVoices:
    return RoomVoices(name, Role.LEAD, spans(script))


def far(script: str, name: str = "far") -> RoomVoices:
    return RoomVoices(name, Role.RECEIVING, spans(script))


def script_of(tidy: Iterable[Span]) -> str:
    """The other way round, to the hundredth of a second."""
    letters = {voice: letter for letter, voice in LETTERS.items()}
    out, at = [], 0.0
    for one in tidy:
        if one.start_s - at > 0.005:
            out.append(f"?{round(one.start_s - at, 2):g}")
        out.append(f"{letters[one.voice]}{round(one.seconds, 2):g}")
        at = one.end_s
    return " ".join(out)


def voices_between(rooms: Iterable[tuple[str, float, float]], until: float) -> list[Span]:
    """Voices as (letter, start, end) with silence wherever there is none, from 0 to `until`."""
    out: list[Span] = []
    at = 0.0
    for letter, start, end in sorted(rooms, key=lambda one: one[1]):
        if start > at:
            out.append(Span(at, start - at, Voice.SILENCE))
        out.append(Span(start, end - start, LETTERS[letter]))
        at = end
    return [*out, Span(at, until - at, Voice.SILENCE)] if until > at else out


lengths = st.integers(1, 400).map(lambda tenths: tenths / 10)
lessons = st.lists(st.tuples(st.sampled_from("TSM-?"), lengths), max_size=16).map(
    lambda words: spans(" ".join(f"{letter}{seconds}" for letter, seconds in words))
)
"""A room's spans: neighbours may have one voice, and there may be holes."""


def pieces(room: list[Span], cuts: list[float]) -> list[Span]:
    """The same, each span cut at the fractions of its length."""
    out = []
    for span in room:
        at = [0.0, *sorted(cuts), 1.0]
        out += [
            Span(span.start_s + span.seconds * low, span.seconds * (high - low), span.voice, span.confidence)
            for low, high in pairwise(at)
        ]
    return out
