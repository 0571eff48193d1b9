"""How a lesson that runs goes, as its lead room tells it every few seconds."""

from typing import Annotated, Any

from pydantic import Field, FiniteFloat, ValidationError

from contract.model import Message, RoomId, SessionId
from contract.telemetry import Word

KIND = "lesson.insight"
STALE_S = 90.0
"""What was said longer ago than this, in seconds, is not how the lesson goes now."""

Share = Annotated[float, Field(ge=0, le=1)]


class InsightFigure(Message):
    """One figure, as `measures` tells it: known, or unknown with the reason."""

    value: FiniteFloat | None = None
    unit: Word = Field("", description="`share` or `s`.")
    coverage: Share = Field(0.0, description="Share of the time that is known.")
    interval_s: FiniteFloat = Field(0.0, description="Sampling interval of what it is made of, in seconds.")
    confidence: Share | None = None
    count: int | None = Field(None, description="How many events it is made of.")
    reason: Word = Field("", description="Why it is unknown; empty where it is known.")


class InsightFigures(Message):
    """The few figures that are told while a lesson runs."""

    talk_share: InsightFigure = Field(description="The lead teacher's share of all talk.")
    far_share: InsightFigure = Field(description="The far pupils' share of all pupils' talk.")
    longest_wait: InsightFigure = Field(
        description="Longest wait after the teacher's word until a pupil's, in seconds."
    )
    far_rooms: InsightFigure | None = Field(None, description="The receiving rooms' share of all talk.")


class LessonInsight(Message):
    """Data of a `lesson.insight` row."""

    session: SessionId
    room: RoomId = Field(description="Who says it.")
    t: FiniteFloat = Field(description="Session time at which it was said, in seconds.")
    start_t: FiniteFloat = Field(0.0, description="What is measured begins here: ten minutes before its end.")
    end_t: FiniteFloat = Field(0.0, description="And ends here.")
    figures: InsightFigures


def insight_of(rows: list[dict[str, Any]], session: str, room: str, now_t: float) -> LessonInsight | None:
    """What a room said last of a session; None where it said nothing lately.

    Args:
        rows: the newest telemetry of its device, newest first.
        session: which session.
        room: the room that says it.
        now_t: session time now, in seconds.
    """
    for row in rows:
        if row["kind"] != KIND:
            continue
        try:
            told = LessonInsight.model_validate(row["data"])
        except ValidationError:
            return None  # an agent of another version
        here = (told.session, told.room) == (session, room)
        return told if here and now_t - told.t <= STALE_S else None
    return None
