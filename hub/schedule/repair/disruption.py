"""What can happen to a plan.

Times are a school's own, as in the district's file. A disruption with a `week` is about one dated week alone: what
counts of the date is whether its week is odd (A) or even (B), and the district and the plan are looked at as they are
in that kind of week (`hub.schedule.repair.week`). The repaired plan is then one for that week alone, to be published
in place of the usual one; from the week after, the usual plan holds again. Without a `week` it holds from now on.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from hub.schedule.slots import Id, Part, Slot, Window

WeekKind = Literal["A", "B"]
"""Whether a dated week is odd (单周) or even (双周)."""


class _Disruption(Part):
    week: WeekKind | None = Field(None, description="The kind of the one week it is about; none: from now on.")


class TeacherSick(_Disruption):
    """A teacher can neither lead, assist nor observe (教师请假)."""

    kind: Literal["teacher-sick"] = "teacher-sick"
    teacher: Id
    windows: tuple[Window, ...] = Field(min_length=1)


class RoomDown(_Disruption):
    """A room cannot be used (教室故障)."""

    kind: Literal["room-down"] = "room-down"
    room: Id
    windows: tuple[Window, ...] = Field(min_length=1)


class ClassSwap(_Disruption):
    """Two slots of a class change places (调课), or the class is away in one.

    What may be served in the one may now be served in the other: `times` of the class's requests are exchanged.
    """

    kind: Literal["class-swap"] = "class-swap"
    school_class: Id
    first: Slot
    second: Slot | None = Field(None, description="The slot it changes places with; none: the class is away.")

    @model_validator(mode="after")
    def _two_slots(self) -> Self:
        if self.first == self.second:
            raise ValueError("a slot cannot change places with itself")
        return self


class Substitute(_Disruption):
    """Another teacher takes a lesson, or stands in the room as a request's assistant (代课)."""

    kind: Literal["substitute"] = "substitute"
    teacher: Id = Field(description="Who steps in; of the same school.")
    lesson: Id | None = Field(None, description="The lesson that is taken over, or")
    request: Id | None = Field(None, description="the request whose assistant is replaced.")

    @model_validator(mode="after")
    def _for_one(self) -> Self:
        if (self.lesson is None) == (self.request is None):
            raise ValueError("a substitute takes either a lesson or an assistant's place at a request")
        return self


class UplinkHalved(_Disruption):
    """A school's line carries half of what it carries otherwise (上行减半)."""

    kind: Literal["uplink-halved"] = "uplink-halved"
    school: Id
    windows: tuple[Window, ...] = Field(min_length=1)


class SchoolClosed(_Disruption):
    """A school holds and follows no lesson (停课)."""

    kind: Literal["school-closed"] = "school-closed"
    school: Id
    windows: tuple[Window, ...] = Field(min_length=1)


class LessonExtended(_Disruption):
    """A lesson runs on after its bell (拖堂): whoever follows in its rooms or with its people has to wait.

    The lesson itself is running, and does not move.
    """

    kind: Literal["lesson-extended"] = "lesson-extended"
    lesson: Id
    minutes: int = Field(20, ge=1, le=120, description="How long it runs on after the lead school's bell.")


Disruption = TeacherSick | RoomDown | ClassSwap | Substitute | UplinkHalved | SchoolClosed | LessonExtended
AnyDisruption = Annotated[Disruption, Field(discriminator="kind")]
DISRUPTION: TypeAdapter[Disruption] = TypeAdapter(AnyDisruption)
"""Reads a disruption from a file or a request, by its `kind`."""
