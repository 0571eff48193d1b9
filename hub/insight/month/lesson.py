"""The few figures of one lesson that a month report is made of, taken from its lesson report."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from contract.model import RoomId, SessionId
from hub.insight.report import Standing
from hub.session.views import View

VERSION = 1
"""Of these figures: another version is derived anew."""


class RoomFigures(View):
    """One room of a lesson; None is unknown."""

    room: RoomId
    answers: float | None = Field(None, description="Answers of single pupils.")
    wait_s: float | None = Field(None, description="Median wait before an answer, in seconds.")
    people: float | None = Field(None, description="Median number of people in the room.")


class LessonFigures(View):
    """One lesson; None is unknown."""

    session: SessionId
    teachers_share: float | None = Field(None, description="The teachers' share of all talk.")
    far_share: float | None = Field(None, description="The far pupils' share of all pupils' talk.")
    monologue_s: float | None = Field(None, description="The longest turn of one teacher, in seconds.")
    rt: float | None = Field(None, description="Share of the teacher's actions (S-T).")
    ch: float | None = Field(None, description="Share of changes between teacher and pupils (S-T).")
    type: str | None = Field(None, description="Class type by Rt and Ch.")
    rooms: tuple[RoomFigures, ...] = ()

    def of_room(self, room: str) -> RoomFigures | None:
        """One room's, or None."""
        return next((one for one in self.rooms if one.room == room), None)


def lesson_figures(report: Mapping[str, Any]) -> LessonFigures:
    """The figures of a lesson report; all unknown where it tells nothing."""
    if not Standing(report["standing"]).tells:
        return LessonFigures(session=report["session"])
    measures = report["measures"]
    return LessonFigures(
        session=report["session"],
        teachers_share=_value(measures["talk"]["teachers"]),
        far_share=_value(measures["talk"]["far_of_pupils"]),
        monologue_s=_value(measures["turns"]["monologue"]),
        rt=_value(measures["st"]["rt"]),
        ch=_value(measures["st"]["ch"]),
        type=measures["st"]["type"]["value"],
        rooms=tuple(
            RoomFigures(
                room=room["room"],
                answers=_value(room["answers"]),
                wait_s=_value(room["wait"]),
                people=room["people"]["median"],
            )
            for room in report["rooms"]
        ),
    )


def _value(figure: Mapping[str, Any]) -> float | None:
    value = figure["value"]
    return None if value is None else float(value)
