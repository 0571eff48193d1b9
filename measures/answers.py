"""Pupils' answers, room by room, and the far room's share of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from measures.crosstalk import OwnVoices
from measures.figure import EVENTS, Figure, Ground, Reason
from measures.turns import SpokenTurn, spoken_turns
from measures.voices import PUPILS, TEACHERS, TINY_S, Party, Role

WITHIN_S = 30.0
"""Pupils who begin later than this after the last word, in seconds, answer nobody (`measures.waits.MOST_S`)."""
LEAST = 5
"""The far room's share needs this many answers in all."""


class Kind(StrEnum):
    """Who answers."""

    SINGLE = "single"
    """One pupil, or one after another with no teacher between."""
    CHORUS = "chorus"
    """Several voices at once right after a teacher."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    room: str
    kind: Kind
    start_s: float
    end_s: float
    asked_by: Party
    """The teacher who spoke last before it."""
    wait_s: float
    """From the teacher's last word; 0 where the pupil began under it."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of a stretch."""

    answers: tuple[Answer, ...] = field(metadata=EVENTS)
    """In order of their start."""
    by_room: Mapping[str, Figure]
    """Number of answers of single pupils, by room."""
    chorus_by_room: Mapping[str, Figure]
    """Number of answers in chorus, by room."""
    far_share: Figure
    """Answers of single pupils in receiving rooms / in all rooms."""
    far_share_of_lead: Figure
    """The same, of the answers to the lead teacher only."""
    since_far_s: float | None
    """Seconds from the end of the far rooms' last answer, of either kind, to the end of the stretch.

    None where there is none, or it is not known.
    """


def pupil_answers(rooms: Sequence[OwnVoices]) -> list[Answer]:
    """Find answers among the turns of a session.

    Rule: an answer is what the pupils of one room say between a teacher's turn and the next turn of any teacher, if

    - it is their own: what came out of the loudspeaker is no longer in the rooms' voices (`measures.crosstalk`);
    - it begins at most `WITHIN_S` after the last word before it, and a chain of such words leads back to a teacher:
      a far pupil may answer after a lead pupil did, and that is an answer of each room;
    - the teacher yields: a pupil's turn that ends while the teacher still speaks is a murmur under it.

    Several voices right after a teacher, with nobody between, are an answer in chorus; elsewhere they are group work.
    What the pupils of one room say on, alone or several, before a teacher speaks again, is the same answer.
    Two pupils who answer one after the other are one answer, because pupils are not told apart.

    Source: our own; the teacher's turn before and the pupil's after are two of the three moves of Sinclair and
    Coulthard (1975), initiation and response.
    """
    out: list[Answer] = []
    teacher: SpokenTurn | None = None
    upto = 0.0
    open_: set[str] = set()
    first_end = inf  # of the answers since the teacher's turn
    for turn in spoken_turns(rooms):
        if turn.party in TEACHERS:
            teacher = _later(teacher, turn)
            upto = max(upto, turn.end_s)
            open_.clear()
            first_end = inf
            continue
        if teacher is None or turn.end_s <= teacher.end_s + TINY_S:
            continue
        if turn.start_s - upto > WITHIN_S + TINY_S:
            teacher = None
            continue
        single = turn.party in PUPILS
        if turn.room not in open_ and (single or turn.start_s < first_end):
            open_.add(turn.room)
            first_end = min(first_end, turn.end_s)
            kind = Kind.SINGLE if single else Kind.CHORUS
            wait = max(0.0, turn.start_s - teacher.end_s)
            out.append(Answer(turn.room, kind, turn.start_s, turn.end_s, teacher.party, wait))
        elif turn.room in open_:
            _lengthen(out, turn)
        upto = max(upto, turn.end_s)
    return out


def answers_of(rooms: Sequence[OwnVoices], base: Ground, end_s: float, missing: Mapping[Party, Reason]) -> Answers:
    """How many answers each room gives, and the far rooms' share.

    Formula: far share = single answers in receiving rooms / single answers in all rooms; needs five answers in all and
    a receiving room that was listened to. A share of 0 is a value: the far class was never heard.

    Args:
        rooms: the rooms' own voices.
        base: what the figures stand on.
        end_s: end of the stretch, in session time.
        missing: parties that cannot be known, and why.

    Source: our own; the share a class would have by its size is not known here, so none is called right.
    """
    found = pupil_answers(rooms)
    single = [one for one in found if one.kind is Kind.SINGLE]
    far = {room.room for room in rooms if room.role is Role.RECEIVING}
    why = missing.get(Party.FAR_PUPILS) or missing.get(Party.LEAD_PUPILS)
    of_room = {room.room: missing.get(Party.FAR_PUPILS if room.room in far else Party.LEAD_PUPILS) for room in rooms}
    last = max((one.end_s for one in found if one.room in far), default=None)
    return Answers(
        tuple(found),
        _by_room(single, of_room, base),
        _by_room([one for one in found if one.kind is Kind.CHORUS], of_room, base),
        _far_share(single, far, base, why),
        _far_share([one for one in single if one.asked_by is Party.LEAD_TEACHER], far, base, why),
        None if last is None or base.reason or why else end_s - last,
    )


def _later(teacher: SpokenTurn | None, turn: SpokenTurn) -> SpokenTurn:
    """Whose word was last when two teachers speak: the one who ends later."""
    return turn if teacher is None or turn.end_s >= teacher.end_s else teacher


def _lengthen(answers: list[Answer], turn: SpokenTurn) -> None:
    at = next(at for at in range(len(answers) - 1, -1, -1) if answers[at].room == turn.room)
    one = answers[at]
    answers[at] = Answer(one.room, one.kind, one.start_s, max(one.end_s, turn.end_s), one.asked_by, one.wait_s)


def _by_room(answers: Sequence[Answer], rooms: Mapping[str, Reason | None], base: Ground) -> dict[str, Figure]:
    return {
        room: base.figure(float(sum(one.room == room for one in answers)), "count", reason=why)
        for room, why in rooms.items()
    }


def _far_share(answers: Sequence[Answer], far: set[str], base: Ground, why: Reason | None) -> Figure:
    n = len(answers)
    few = None if n >= LEAST else Reason.TOO_FEW if n else Reason.NONE_SEEN
    share = sum(one.room in far for one in answers) / n if n else None
    return base.figure(share, "share", reason=why or few, count=n)
