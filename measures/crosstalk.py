"""Which of what a room hears is its own people, and which is the other room in its loudspeaker.

Both rooms of a session hear each other: what is said in one arrives in the other late (coding, network, jitter buffer:
some hundred milliseconds, measured per lesson in the package) and quieter, and its microphone hears it again. Counted
as it stands, the lead teacher would speak in every room, and a far class that is forgotten would look busy.

The rule, for two rooms on one session timeline (a lead room before a receiving room, then receiving rooms by pairs):

1. *Does this room hear the other?* Of the time in which the other speaks, the share in which this room reports voice.
   Under `HEARD` its loudspeaker does not reach its microphone, or the detector knows what is played and leaves it out:
   what it reports is its own, but for voices under `REMNANT_S` that lie under the other's speech and slipped through.
   How well a receiving room hears is judged by the lead teacher's time, how well the lead room hears by the rest.
   With less than `ENOUGH_S` to judge by, it is taken to hear: a voice counted twice is worse than an aside lost.
2. *The lead teacher* is known in her own room by her microphone or her voice, and through a loudspeaker she is somebody
   else. So where the lead room says `teacher`, she speaks there, and what a receiving room reports meanwhile is she.
3. *A local teacher* likewise: where the lead room says `student` and the receiving room `teacher`, it is the local
   teacher, and the lead room hears a loudspeaker.
4. *Anything else* is decided by time: of two spans that overlap, the source is the one whose edges come first. Only
   edges within `ECHO_S` of each other are compared, because further apart they are not the two ends of one
   delay; and edges at silence before edges where one label follows another, which are where the detector put them.
   If they disagree or are closer than `TIE_S`, nobody knows which room spoke: a hole in both. If no edge is near,
   a span inside the other is what was heard of it; spans that merely cross are two voices.
5. *The tail:* a voice that goes on when the source of an echo has ended is still echo if it ends within `ECHO_S`;
   if it lasts longer it is an own voice, which began under the echo. So is what is left between two such cuts for
   less than `ECHO_S`: a silence that the detector closed.

A receiving room whose `teacher` is mostly the lead teacher (`OWN`) has taken her loudspeaker for its dominant voice:
then its own teacher and pupils bear one label, and nobody knows which of them speaks (`OwnVoices.teacher_known`).

Loudspeaker time becomes silence of the room's own people. What this cannot see: an own voice that stays wholly under
the other room's speech in a room that hears its loudspeaker. Source: our own; Span has no level, so "quieter" is used
only by the detector of voices.

Measured on synthetic lessons (tests/measures/lectures.py: echo 0.15 to 0.45 s late, edges that jitter by 0.05 s).
`ECHO_S`, `TIE_S` and the remnants' limits were chosen on seeds 0 to 11; on seeds 100 to 119, with 953 answers:

| detector | answers found in their room | invented | lead teacher's talk share | far pupils' share of pupils' talk |
|---|---|---|---|---|
| reports its loudspeaker as voices (17 of 20 lessons, 807 answers) | 94.2 % | 5 | 0.005 (0.013) | 0.016 (0.031) |
| knows what is played; bits of 30 % of turns slip through | 100 % | 0 | 0.0003 (0.001) | 0.001 (0.008) |
| the first, 2 % of turns mislabelled | 92.4 % | 8 | 0.011 (0.054) | 0.025 (0.075) |
| the second, 2 % of turns mislabelled | 98.2 % | 9 | 0.012 (0.047) | 0.031 (0.135) |

Errors are means, in brackets those of the worst lesson. In 3 of the 20 lessons of the first detector the far room took
the lead teacher for its own; all were found out, and who spoke in the far room is unknown there. Without any rule the
first detector's far pupils' share would be wrong by 0.38 (0.80). Not measured on recordings of two rooms.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from measures.overlay import Piece, overlay
from measures.source import ECHO_S, TIE_S, Edges, Source, among, possible, source_of
from measures.voices import JITTER_S, TINY_S, Role, RoomVoices, Span, Voice, tidied

HEARD = 0.2
"""Least share of the other room's speech that a room must report for its loudspeaker to count as heard."""
ENOUGH_S = 10.0
"""Least seconds of the other room's speech to judge that by."""
OWN = 0.5
"""From this share on of a room's `teacher` that is the lead teacher in its loudspeaker, the label is hers."""
REMNANT_S = 2.0
"""In a room that does not hear the other, a shorter voice under the other's is what slipped through, in seconds;"""
REMNANT_LATE_S = 0.6
"""it ends at most this much after the other, in seconds."""

Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class OwnVoices:
    """What the people in a room said, without what came out of its loudspeaker."""

    room: str
    role: Role
    spans: Spans
    """Tidied. Loudspeaker time is silence; a hole is unknown."""
    loudspeaker_s: float = 0.0
    """Seconds that were taken to be other rooms' voices."""
    undecided_s: float = 0.0
    """Seconds in which nobody knows which room spoke; holes in `spans`."""
    teacher_known: bool = True
    """Whether the room's `teacher` is its own.

    A detector that takes the voice that speaks most takes the lead teacher, if her loudspeaker speaks most; then
    the room's own teacher and pupils all are `student`.
    """


def own_voices(
    rooms: Sequence[RoomVoices], start_s: float, end_s: float, clock_error_s: float = 0.0
) -> tuple[OwnVoices, ...]:
    """Tell each room's own people from its loudspeaker, by the rule above.

    Args:
        rooms: what was heard in each room.
        start_s: beginning of the stretch, in session time.
        end_s: its end.
        clock_error_s: bound of the error of one room's clock against another's; edges closer than that say nothing.

    Returns:
        One a room, in the order given.

    Raises:
        ValueError: two rooms of one name, or two lead rooms.
    """
    if len({one.room for one in rooms}) < len(rooms):
        raise ValueError(f"two rooms have one name among {[one.room for one in rooms]}")
    if sum(one.role is Role.LEAD for one in rooms) > 1:
        raise ValueError("a session has one lead room")
    own = [OwnVoices(one.room, one.role, tidied(one.spans, start_s, end_s)) for one in rooms]
    order = sorted(range(len(own)), key=lambda at: own[at].role is not Role.LEAD)
    for first, second in combinations(order, 2):
        own[first], own[second] = _settled(own[first], own[second], max(TIE_S, clock_error_s))
    return tuple(own)


def _settled(a: OwnVoices, b: OwnVoices, tie_s: float) -> tuple[OwnVoices, OwnVoices]:
    """Settle two rooms; `a` is the lead room if either is."""
    by_teacher = a.role is Role.LEAD
    b_hears = _hears(overlay([a.spans, b.spans]), 0, _is_teacher if by_teacher else _is_voiced)
    cut: list[Piece] = []
    if by_teacher and b_hears:
        cut = _with_tails(b.spans, [one for one in _both(a, b) if _voice(one, 0) is Voice.TEACHER])
        b = replace(_silenced(b, cut), teacher_known=_own_teacher(b.spans, cut))
    if not b_hears:
        b = _silenced(b, _remnants(b.spans, a.spans))
    # Where the lead teacher speaks, her room's voice is no sign that it hears the other.
    rest = [one for one in overlay([a.spans, b.spans]) if not (by_teacher and _voice(one, 0) is Voice.TEACHER)]
    a_hears = _hears(rest, 1, _is_voiced)
    if not a_hears:
        a = _silenced(a, _remnants(a.spans, b.spans))
    if by_teacher and a_hears:
        pairs = [(one, _voice(one, 0), _voice(one, 1)) for one in rest]
        local = [one for one, here, there in pairs if here is Voice.STUDENT and there is Voice.TEACHER]
        local = _with_tails(a.spans, local)
        a = _silenced(a, local)
        cut += local
    left = [one for one in _both(a, b) if not (by_teacher and _voice(one, 0) is Voice.TEACHER)]
    made = sorted({edge for one in cut for edge in (one.start_s, one.end_s)})
    firm = Edges.of(a.spans, made), Edges.of(b.spans, made)
    judged = [(one, possible(source_of(one, made, firm, tie_s), a_hears=a_hears, b_hears=b_hears)) for one in left]
    tied = [one for one, source in judged if source is Source.UNKNOWN]
    in_a = _with_tails(a.spans, [one for one, source in judged if source is Source.B])
    in_b = _with_tails(b.spans, [one for one, source in judged if source is Source.A])
    a, b = _holed(_silenced(a, in_a), tied), _holed(_silenced(b, in_b), tied)
    cut += [*in_a, *in_b, *tied]
    return (_cleared(a, cut) if a_hears else a), (_cleared(b, cut) if b_hears else b)


def _own_teacher(spans: Spans, echoes: Sequence[Piece]) -> bool:
    """Whether most of what a room calls its teacher is not the other room; nothing called so is not wrong."""
    called = sum(one.seconds for one in spans if one.voice is Voice.TEACHER)
    heard = sum(one.seconds for one in echoes if _voice(one, 1) is Voice.TEACHER)
    return heard < OWN * called - TINY_S or called < ENOUGH_S - TINY_S


def _remnants(spans: Spans, source: Spans) -> list[Piece]:
    """Short voices that begin and end while the other room speaks, in a room that hardly hears it."""
    speaks: list[list[float]] = []
    for one in source:
        if not one.voiced:
            continue
        if speaks and one.start_s - speaks[-1][1] <= TINY_S:
            speaks[-1][1] = one.end_s
        else:
            speaks.append([one.start_s, one.end_s])
    out = []
    for one in spans:
        at = bisect_left(speaks, one.start_s, key=lambda two: two[0]) - 1
        short = one.voiced and one.seconds < REMNANT_S - TINY_S
        if short and at >= 0 and one.start_s < speaks[at][1] and one.end_s <= speaks[at][1] + REMNANT_LATE_S + TINY_S:
            out.append(Piece(one.start_s, one.end_s, (one,)))
    return out


def _both(a: OwnVoices, b: OwnVoices) -> list[Piece]:
    return [one for one in overlay([a.spans, b.spans]) if one.voiced]


def _voice(piece: Piece, at: int) -> Voice | None:
    span = piece.spans[at]
    return span.voice if span else None


def _is_teacher(span: Span) -> bool:
    return span.voice is Voice.TEACHER


def _is_voiced(span: Span) -> bool:
    return span.voiced


def _hears(pieces: Iterable[Piece], speaker: int, speaks: Callable[[Span], bool]) -> bool:
    """Whether the other of two rooms reports voice often enough while `speaker` speaks."""
    due = heard = 0.0
    for piece in pieces:
        said, other = piece.spans[speaker], piece.spans[1 - speaker]
        if said is not None and other is not None and speaks(said):
            due += piece.seconds
            heard += piece.seconds if other.voiced else 0.0
    return due < ENOUGH_S - TINY_S or heard >= HEARD * due - TINY_S


def _silenced(room: OwnVoices, pieces: Sequence[Piece]) -> OwnVoices:
    """Turn the room's voice in these pieces into silence."""
    if not pieces:
        return room
    quiet = [(one.start_s, one.end_s) for one in pieces]
    spans, seconds = _without(room.spans, quiet, keep_silence=True)
    return replace(room, spans=spans, loudspeaker_s=room.loudspeaker_s + seconds)


def _holed(room: OwnVoices, pieces: Sequence[Piece]) -> OwnVoices:
    """Forget the room's voice in these pieces."""
    if not pieces:
        return room
    spans, seconds = _without(room.spans, [(one.start_s, one.end_s) for one in pieces], keep_silence=False)
    return replace(room, spans=spans, undecided_s=room.undecided_s + seconds)


def _with_tails(spans: Spans, echoes: Sequence[Piece]) -> list[Piece]:
    """Echoes in a room that has these spans, each up to where it dies away."""
    return [replace(one, end_s=_tail(spans, one.end_s)) for one in echoes]


def _cleared(room: OwnVoices, cut: Sequence[Piece]) -> OwnVoices:
    """Turn what is left of voices between two cuts into silence, if it is no longer than an echo's delay."""
    before, after = sorted({one.end_s for one in cut}), sorted({one.start_s for one in cut})
    left = [
        Piece(one.start_s, one.end_s, (one,))
        for one in room.spans
        if one.voiced and one.seconds <= ECHO_S + TINY_S and among(before, one.start_s) and among(after, one.end_s)
    ]
    return _silenced(room, left)


def _tail(spans: Sequence[Span], end_s: float) -> float:
    """Where an echo ends whose source ended at `end_s`: with the last voice that goes on from there and ends soon."""
    upto = end_s
    for span in spans[bisect_right(spans, end_s - TINY_S, key=lambda one: one.end_s) :]:
        if span.start_s > upto + TINY_S or not span.voiced or span.end_s > end_s + ECHO_S + TINY_S:
            break
        upto = max(upto, span.end_s)
    return upto


def _without(spans: Sequence[Span], cuts: Sequence[tuple[float, float]], *, keep_silence: bool) -> tuple[Spans, float]:
    """Take the voices inside the cuts out; what was voice there becomes silence or a hole."""
    out: list[Span] = []
    taken = 0.0
    wide = [(_sliver(spans, start), end) for start, end in cuts]
    mask = tidied([Span(start, end - start, Voice.SEVERAL) for start, end in wide], float("-inf"), float("inf"))
    for piece in overlay([spans, mask]):
        span, cut = piece.spans
        if span is None:
            continue
        inside = cut is not None and span.voiced
        taken += piece.seconds if inside else 0.0
        if not inside or keep_silence:
            voice = Voice.SILENCE if inside else span.voice
            out.append(Span(piece.start_s, piece.seconds, voice, span.confidence))
    return tidied(out, float("-inf"), float("inf")), taken


def _sliver(spans: Sequence[Span], start_s: float) -> float:
    """Where a cut begins: with the voice it cuts into, if only a sliver of that would be left before it."""
    at = bisect_right(spans, start_s, key=lambda one: one.start_s) - 1
    near = at >= 0 and spans[at].voiced and start_s - spans[at].start_s < JITTER_S - TINY_S
    return spans[at].start_s if near else start_s
