"""What is offered and asked for: lessons, requests, pins, bans and wishes."""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from hub.schedule.slots import Id, Part, Slot, Tags, Weeks


class Topic(Part):
    """What a lesson is about; a request is served only by a lesson of the same subject, grade and edition."""

    subject: str
    grade: int = Field(ge=1, le=12)
    edition: str = Field("", description="Edition of the textbook (教材版本).")
    unit: int = Field(1, ge=0, le=99, description="Unit that is taught that week (单元进度).")


class Lesson(Topic):
    """A lesson that a lead teacher offers each week."""

    id: Id
    teacher: Id
    title: str = ""
    mode: Literal["delivery", "master"] = "delivery"
    weeks: Weeks = "AB"
    fan_out: int = Field(ge=1, le=200, description="Receiving rooms, or observing groups, at most.")
    times: tuple[Slot, ...] = Field(description="Slots of the lead school at which it can be held.")
    needs: Tags = Field(frozenset(), description="Equipment of the lead room beyond `lead`.")


def expect_listeners(mode: str, school_class: str | None, observers: Sequence[str]) -> None:
    """A request of mode `master` has observers and no class; any other a class and no observers.

    Raises:
        ValueError: it is otherwise.
    """
    if mode == "master":
        if school_class is not None or not observers:
            raise ValueError("a request to watch a master class names observers, and no class")
    elif school_class is None or observers:
        raise ValueError("a request names a class, and no observers")


class Request(Topic):
    """What one class asks for each week (需求).

    delivery: the class wants a lead lesson. master: `observers`, teachers of one school, want to watch one;
    the room needs no camera. open: a room is booked for a recorded lesson, and there is no lead lesson.
    """

    id: Id
    mode: Literal["delivery", "master", "open"] = "delivery"
    school_class: Id | None = Field(None, description="The class; none for `master`.")
    observers: tuple[Id, ...] = Field((), description="The teachers who watch; for `master` only.")
    weeks: Weeks = "AB"
    times: tuple[Slot, ...] = Field(description="Slots of its own school at which it can be served.")
    assistants: tuple[Id, ...] = Field((), description="Local teachers who may stand in the room; one of them does.")
    needs: Tags = Field(frozenset(), description="Equipment of its room beyond `receiving`.")
    weight: int = Field(1, ge=1, le=100, description="How much it counts that it is served.")

    @model_validator(mode="after")
    def _who_listens(self) -> Self:
        expect_listeners(self.mode, self.school_class, self.observers)
        return self


class Pin(Part):
    """A request that must be served, and how; what is left open, the planner chooses."""

    request: Id
    lesson: Id | None = Field(None, description="By which lesson.")
    time: Slot | None = Field(None, description="In which slot of the request's own school.")
    room: Id | None = Field(None, description="In which room of its school.")


class Ban(Part):
    """What must not be: whoever is named on one side never meets whoever is named on the other."""

    request: Id | None = None
    school_class: Id | None = None
    school: Id | None = Field(None, description="The listening school.")
    lesson: Id | None = None
    teacher: Id | None = None
    lead_school: Id | None = None

    @model_validator(mode="after")
    def _two_sides(self) -> Self:
        if all(one is None for one in (self.request, self.school_class, self.school)):
            raise ValueError("a ban names a request, a class or a school")
        if all(one is None for one in (self.lesson, self.teacher, self.lead_school)):
            raise ValueError("a ban names a lesson, a teacher or a lead school")
        return self


class Wish(Part):
    """A preference: points where it comes true; negative where it had better not."""

    points: int = Field(ge=-1000, le=1000)
    request: Id | None = Field(None, description="Whose wish it is: a request's, or")
    lesson: Id | None = Field(None, description="a lesson's. With both: that they meet.")
    time: Slot | None = Field(None, description="In this slot of the wisher's own school.")
    teacher: Id | None = Field(None, description="For a request: by this lead teacher.")
    lead_school: Id | None = Field(None, description="For a request: from this school.")

    @model_validator(mode="after")
    def _whose(self) -> Self:
        if self.request is None and self.lesson is None:
            raise ValueError("a wish names a request or a lesson")
        if self.request is None and (self.teacher is not None or self.lead_school is not None):
            raise ValueError("only a request can wish for a teacher or a school")
        return self

    def comes_true(self, lesson: Lesson | None, lead_school: str, time: Slot) -> bool:
        """For a request's wish: whether it comes true where `lesson` serves it at `time`; None for an open class."""
        if self.time not in {None, time}:
            return False
        if lesson is None:
            return self.lesson is None and self.teacher is None and self.lead_school is None
        return (
            self.lesson in {None, lesson.id}
            and self.teacher in {None, lesson.teacher}
            and self.lead_school in {None, lead_school}
        )
