"""Talk time and share: by voice in one room, by party over a session; and silence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from measures.crosstalk import OwnVoices
from measures.figure import Figure, Ground, Reason, ground
from measures.overlay import Piece, overlay
from measures.speech import HOP_S
from measures.voices import (
    PUPILS,
    TEACHERS,
    Party,
    Role,
    Span,
    Voice,
    coverage,
    known_seconds,
    mean_confidence,
    party_of,
)


@dataclass(frozen=True, slots=True)
class RoomTalk:
    """How long each voice was heard in one room."""

    seconds: Mapping[Voice, Figure]
    """Seconds; silence is one of them. Where the coverage is not whole, a lower bound."""
    share: Mapping[Voice, Figure]
    """Of the time that is known; the four add up to 1."""
    teacher_of_talk: Figure
    """Teacher / (teacher + student): the talk ratio."""


@dataclass(frozen=True, slots=True)
class SessionTalk:
    """How long each party spoke in a session."""

    seconds: Mapping[Party, Figure]
    share: Mapping[Party, Figure]
    """Of all talk; those that are known add up to 1 where all are."""
    teachers: Figure
    """Both teachers' share of all talk."""
    pupils: Figure
    """All pupils' share of all talk."""
    far_of_pupils: Figure
    """The far pupils' share of all pupils' talk."""
    by_room: Mapping[str, Figure]
    """Each room's share of all talk, whoever of it speaks; they add up to 1."""
    far_rooms: Figure
    """The receiving rooms' share of all talk."""
    silence: Figure
    """Share of the known time in which nobody speaks in any room."""


def room_talk(spans: Sequence[Span], start_s: float, end_s: float, interval_s: float = HOP_S) -> RoomTalk:
    """Talk time and share of one room.

    Formula: time of a voice = sum of its spans' lengths; share = time / known time, silence included, so that
    teacher + student + several + silence = 1; talk ratio = T / (T + S).

    Args:
        spans: tidied, of the room's own people.
        start_s: beginning of the stretch, in session time.
        end_s: its end.
        interval_s: sampling interval of the detector of voices.

    Source: the modes single, several and no voice of DART (Owens et al., PNAS 2017), the single voice told apart;
    talk ratio as in the observe research, section 6.
    """
    base = ground(coverage(spans, start_s, end_s), interval_s, end_s - start_s, mean_confidence(spans))
    known = known_seconds(spans)
    time = {voice: sum(one.seconds for one in spans if one.voice is voice) for voice in Voice}
    single = time[Voice.TEACHER] + time[Voice.STUDENT]
    return RoomTalk(
        {voice: base.figure(seconds, "s") for voice, seconds in time.items()},
        {voice: _share(base, seconds, known, Reason.COVERAGE) for voice, seconds in time.items()},
        _share(base, time[Voice.TEACHER], single, Reason.NO_SPEECH),
    )


def session_talk(
    rooms: Sequence[OwnVoices], base: Ground, missing: Mapping[Party, Reason] | None = None
) -> SessionTalk:
    """Talk time and share by party over all rooms.

    Formula: time of a party = length of the union of its spans over its rooms (two far rooms at once count once),
    within the time in which every room is known; share = time / sum of all parties' times. Two parties at once count
    for both, so the sum may exceed the time in which anybody speaks. Teachers and pupils are sums of such shares;
    far of pupils = far pupils / (lead pupils + far pupils). By room: time in which anybody of the room speaks / the sum
    of that over the rooms; far rooms: the sum of the receiving rooms' shares. Silence = time in which no room has voice
    / known time.

    Args:
        rooms: the rooms' own voices; those that were heard too little are to be left out.
        base: what the figures stand on (`measures.floor.session_ground`).
        missing: parties that cannot be known, and why; their talk stays in the sum, since somebody spoke.

    Source: our own union rule; shares by role as in the observe research, section 6.
    """
    roles = [room.role for room in rooms]
    time = dict.fromkeys(Party, 0.0)
    known = quiet = 0.0
    for piece in overlay([room.spans for room in rooms]):
        if not piece.known:
            continue
        speaking = _parties(piece, roles)
        known += piece.seconds
        quiet += 0.0 if speaking else piece.seconds
        for party in speaking:
            time[party] += piece.seconds
    why = dict(missing or {})
    total = sum(time.values())
    pupils = sum(time[one] for one in PUPILS)
    mixed = next((one for one in (Reason.CROSS_TALK, Reason.VOICES) if one in why.values()), None)
    by_room = {room.room: sum(one.seconds for one in room.spans if one.voiced) for room in rooms}
    everywhere = sum(by_room.values())
    far = sum(by_room[room.room] for room in rooms if room.role is Role.RECEIVING)
    absent = None if why.get(Party.FAR_PUPILS) is Reason.VOICES else why.get(Party.FAR_PUPILS)
    apart = Reason.CROSS_TALK if Reason.CROSS_TALK in why.values() else None
    return SessionTalk(
        {party: base.figure(seconds, "s", reason=why.get(party)) for party, seconds in time.items()},
        {party: _share(base, seconds, total, Reason.NO_SPEECH, why.get(party)) for party, seconds in time.items()},
        _share(base, sum(time[one] for one in TEACHERS), total, Reason.NO_SPEECH, mixed),
        _share(base, pupils, total, Reason.NO_SPEECH, mixed),
        _share(base, time[Party.FAR_PUPILS], pupils, Reason.NO_SPEECH, why.get(Party.FAR_PUPILS)),
        {room: _share(base, spoken, everywhere, Reason.NO_SPEECH, apart) for room, spoken in by_room.items()},
        _share(base, far, everywhere, Reason.NO_SPEECH, absent),
        _share(base, quiet, known, Reason.COVERAGE),
    )


def _parties(piece: Piece, roles: Sequence[Role]) -> set[Party]:
    found = {party_of(role, one.voice) for role, one in zip(roles, piece.spans, strict=True) if one is not None}
    return {one for one in found if one is not None}


def _share(base: Ground, part: float, whole: float, without: Reason, why: Reason | None = None) -> Figure:
    return base.figure(part / whole if whole > 0 else None, "share", reason=why or (None if whole > 0 else without))
