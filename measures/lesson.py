"""A lesson measured: everything that its rooms' voices say, together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from measures.answers import Answers, answers_of
from measures.crosstalk import OwnVoices, own_voices
from measures.fias import INTERVAL_S as FIAS_INTERVAL_S
from measures.fias import FiasLite, fias_lite
from measures.figure import COVERAGE, EVENTS, Figure, Reason, as_json
from measures.floor import session_floor, session_ground
from measures.speech import HOP_S
from measures.st import INTERVAL_S as ST_INTERVAL_S
from measures.st import StAnalysis, st_analysis
from measures.talk import RoomTalk, SessionTalk, room_talk, session_talk
from measures.turns import Turns, turns_of
from measures.voices import Party, Role, RoomVoices, Span, coverage, tidied
from measures.waits import WaitTimes, wait_times

RECENT_S = 600.0
"""How far back live figures look, in seconds."""
CLOCK_S = 0.1
"""With a larger error between the rooms' clocks, in seconds, they are not put on one timeline: echoes are so short."""
VERSION = 1
"""Of the JSON form."""


@dataclass(frozen=True, slots=True)
class RoomMeasures:
    """What one room's own people did."""

    room: str
    role: Role
    coverage: float
    """Share of the stretch in which the room was listened to."""
    left_out: bool
    """Whether it was heard too little to take part in the session's figures."""
    told_apart: bool
    """Whether all other rooms were listened to and the clocks agree.

    If not, `talk` may hold what came out of the loudspeaker.
    """
    loudspeaker_s: float
    """Seconds of voice that were taken to be other rooms'."""
    undecided_s: float
    """Seconds of voice of which nobody knows which room it came from."""
    teacher_known: bool
    """Whether the room's `teacher` is its own, and not the lead teacher in its loudspeaker."""
    talk: RoomTalk
    own: tuple[Span, ...] = field(metadata=EVENTS)
    """Who of the room's own people speaks when, tidied; holes are unknown."""


@dataclass(frozen=True, slots=True)
class Live:
    """The few figures that are told while a lesson runs."""

    talk_share: Figure
    """The lead teacher's share of all talk."""
    far_share: Figure
    """The far pupils' share of all pupils' talk."""
    far_rooms: Figure
    """The receiving rooms' share of all talk, whoever of them speaks; known more often than the pupils'."""
    far_answers: Figure
    """The far rooms' share of the answers."""
    longest_wait: Figure
    """Longest wait time 1, in seconds."""


@dataclass(frozen=True, slots=True)
class LessonMeasures:
    """All figures of a stretch of a session."""

    version: int
    start_s: float
    end_s: float
    rooms: tuple[RoomMeasures, ...]
    talk: SessionTalk
    st: StAnalysis
    fias: FiasLite
    waits: WaitTimes
    turns: Turns
    answers: Answers

    @property
    def live(self) -> Live:
        """The few figures that are told while the lesson runs."""
        return Live(
            self.talk.share[Party.LEAD_TEACHER],
            self.talk.far_of_pupils,
            self.talk.far_rooms,
            self.answers.far_share,
            self.waits.first.longest,
        )

    def to_json(self, *, events: bool = True) -> dict[str, Any]:
        """All of it as what JSON knows; unknown figures are null with a `reason`.

        Args:
            events: whether single turns, waits and answers and the sequence of S-T come along.
        """
        out: dict[str, Any] = as_json(self, events=events)
        return out


def measure_lesson(
    rooms: Sequence[RoomVoices],
    start_s: float,
    end_s: float,
    *,
    st_interval_s: float = ST_INTERVAL_S,
    fias_interval_s: float = FIAS_INTERVAL_S,
    hop_s: float = HOP_S,
    clock_error_s: float = 0.0,
) -> LessonMeasures:
    """Measure a stretch of a session.

    A room that is known for less than 80 % of the stretch is left out of the session's figures; those that need it are
    unknown. A receiving room that belongs to the session and was not listened to is to be handed in with no spans:
    its pupils may be heard in the lead room's loudspeaker, so the lead pupils' figures are then unknown too.
    Without the lead room nothing is said of the session, only of each room.

    Args:
        rooms: the rooms of the session, each with what was heard in it, in session time; in any order.
        start_s: beginning of the stretch, in session time.
        end_s: its end; not after `start_s` makes everything unknown.
        st_interval_s: sampling interval of S-T, in seconds.
        fias_interval_s: sampling interval of FIAS-lite, in seconds.
        hop_s: sampling interval of the detector of voices, in seconds.
        clock_error_s: bound of the error of one room's clock against another's, in seconds.

    Raises:
        ValueError: two rooms of one name, two lead rooms, or an interval that is not positive.
    """
    heard = {one.room: coverage(tidied(one.spans, start_s, end_s), start_s, end_s) for one in rooms}
    ordered = clock_error_s <= CLOCK_S
    together = [rooms] if ordered else [[one] for one in rooms]
    everywhere = [own for some in together for own in own_voices(some, start_s, end_s, clock_error_s)]
    kept = [one for one in rooms if heard[one.room] >= COVERAGE and (ordered or one.role is Role.LEAD)]
    own = everywhere if len(kept) == len(rooms) else own_voices(kept, start_s, end_s, clock_error_s)
    floor = session_floor(own)
    lost = None if any(one.role is Role.LEAD for one in own) else Reason.NO_LEAD
    missing = _missing(rooms, own, Reason.COVERAGE if ordered else Reason.CLOCK)
    base = session_ground(floor, start_s, end_s, missing=lost, interval_s=hop_s)
    rooms_told = []
    for one in everywhere:
        apart = _others_known(one.room, heard, ordered=ordered)
        rooms_told.append(_room(one, start_s, end_s, hop_s, heard=heard[one.room], told_apart=apart))
    return LessonMeasures(
        VERSION,
        start_s,
        end_s,
        tuple(rooms_told),
        session_talk(own, base, missing),
        st_analysis(floor, start_s, end_s, st_interval_s, missing=lost),
        fias_lite(floor, start_s, end_s, fias_interval_s, missing=lost),
        wait_times(floor, start_s, end_s, missing=lost, interval_s=hop_s),
        turns_of(own, base, max(0.0, end_s - start_s), missing),
        answers_of(own, base, end_s, missing),
    )


def measure_recent(
    rooms: Sequence[RoomVoices], now_s: float, recent_s: float = RECENT_S, **intervals: float
) -> LessonMeasures:
    """Measure the last `recent_s` seconds of a lesson that runs, from session time 0 on.

    Cheap enough to be made anew every few seconds: nothing before the stretch is looked at but to leave it out.
    """
    return measure_lesson(rooms, max(0.0, now_s - recent_s), now_s, **intervals)


def _missing(rooms: Sequence[RoomVoices], own: Sequence[OwnVoices], why: Reason) -> Mapping[Party, Reason]:
    """Parties that cannot be known, and why; `why` is why a room is not among those that were kept."""
    receiving = [one.room for one in rooms if one.role is Role.RECEIVING]
    far = (Party.LOCAL_TEACHER, Party.FAR_PUPILS)
    if not receiving:
        return dict.fromkeys(far, Reason.NO_ROOM)
    if not {one.room for one in own}.issuperset(receiving):
        return {**dict.fromkeys(far, why), Party.LEAD_PUPILS: Reason.CROSS_TALK}
    # Where nobody of the room spoke, it does not matter who is whom.
    mixed = any(not one.teacher_known and any(span.voiced for span in one.spans) for one in own)
    return dict.fromkeys(far, Reason.VOICES) if mixed else {}


def _others_known(room: str, heard: Mapping[str, float], *, ordered: bool) -> bool:
    others = [share for other, share in heard.items() if other != room]
    return not others or (ordered and min(others) >= COVERAGE)


def _room(
    own: OwnVoices, start_s: float, end_s: float, hop_s: float, *, heard: float, told_apart: bool
) -> RoomMeasures:
    return RoomMeasures(
        own.room,
        own.role,
        heard,
        heard < COVERAGE,
        told_apart,
        own.loudspeaker_s,
        own.undecided_s,
        own.teacher_known,
        room_talk(own.spans, start_s, end_s, hop_s),
        own.spans,
    )
