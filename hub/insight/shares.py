"""What each room has of the lesson's turns and answers."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from measures.answers import Kind
from measures.figure import Figure, Reason
from measures.lesson import LessonMeasures, RoomMeasures
from measures.turns import SpokenTurn
from measures.voices import Party, Role
from measures.waits import LEAST


def room_shares(measures: LessonMeasures, room: RoomMeasures) -> dict[str, Any]:
    """Turns of the room's teacher and pupils, and its answers.

    Formulas: those of `measures.turns` and `measures.answers`, counted in this room alone; each is known where the
    session's figure of the same party is. The wait before an answer is the time from the teacher's last word, who
    may stand in another room, to the pupil's first; 0 where the pupil began under it. Its median needs five answers.

    Args:
        measures: of the lesson.
        room: one of its rooms.
    """
    lead = room.role is Role.LEAD
    teacher = Party.LEAD_TEACHER if lead else Party.LOCAL_TEACHER
    pupils = Party.LEAD_PUPILS if lead else Party.FAR_PUPILS
    answers = [one for one in measures.answers.answers if one.room == room.room and one.kind is Kind.SINGLE]
    # A room that was left out is in none of the session's figures.
    number = measures.answers.by_room.get(room.room) or measures.turns.by_party[pupils].number
    waits = [one.wait_s for one in answers]
    chorus = measures.answers.chorus_by_room.get(room.room) or number
    told = {
        "teacher": _turns(measures, room, teacher),
        "pupils": _turns(measures, room, pupils),
        "answers": number.to_json(),
        "chorus": chorus.to_json(),
        "wait": _like(number, median(waits) if len(waits) >= LEAST else None, "s", len(waits), LEAST),
        "longest_wait": _like(number, max(waits, default=None), "s", len(waits), 1),
    }
    return told if room.left_out else _known_itself(told)


def _known_itself(told: dict[str, Any]) -> dict[str, Any]:
    """A room that was listened to lacks nothing itself: what is missing for these figures is another room."""
    if told.get("reason") == Reason.COVERAGE.value:
        return told | {"reason": Reason.CROSS_TALK.value}
    return {name: _known_itself(one) if isinstance(one, dict) else one for name, one in told.items()}


def _turns(measures: LessonMeasures, room: RoomMeasures, party: Party) -> dict[str, Any]:
    turns: Sequence[SpokenTurn] = [one for one in measures.turns.turns if one.room == room.room and one.party is party]
    base = measures.turns.by_party[party].number
    number = None if room.left_out else float(len(turns))
    return {
        "number": _like(base, number, "count"),
        "longest": _like(base, max((one.seconds for one in turns), default=None), "s", len(turns), 1),
    }


def _like(base: Figure, value: float | None, unit: str, count: int | None = None, least: int = 0) -> dict[str, Any]:
    """A figure of one room, known where `base`, the session's, is; `least` events are asked for."""
    told = base.to_json() | {"unit": unit}
    told.pop("count", None)
    if count is not None:
        told["count"] = count
    if base.reason is None and value is None:
        told["reason"] = ("too-few" if count else "none-seen") if least else "coverage"
    told["value"] = round(value, 4) if value is not None and base.known else None
    return told
