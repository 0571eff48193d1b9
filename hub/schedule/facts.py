"""What a district has: schools with their bells and lines, rooms, teachers, classes."""

from typing import Self

from pydantic import Field, model_validator

from hub.schedule.slots import Bell, Id, Part, Slot, Tags, Window, bells_in_order

LEAD = "lead"
"""Equipment of a room from which a lesson can be taught: every lead lesson needs it."""
RECEIVING = "receiving"
"""Equipment of a room in which a class can follow: every class that listens needs it. Observers do not."""


class UplinkLimit(Window):
    """A stretch in which a school's line carries less than usual."""

    uplink: int = Field(ge=0, description="Units that the line carries then.")


class School(Part):
    """One school."""

    id: Id
    name: str
    community: str = Field("", description="Community of schools (共同体); schools of one are paired first.")
    bells: tuple[Bell, ...] = Field(min_length=1, max_length=20, description="Periods of a day, in order.")
    uplink: int = Field(100, ge=0, description="Units that the school's line carries at once.")
    uplink_limits: tuple[UplinkLimit, ...] = ()
    closed: tuple[Window, ...] = Field((), description="When the school holds and follows no lesson.")
    under_resourced: bool = Field(False, description="Whether the school counts as under-resourced (薄弱校).")

    @model_validator(mode="after")
    def _bells_in_order(self) -> Self:
        bells_in_order(self.bells)
        return self


class Room(Part):
    """One dual-teacher room (双师教室)."""

    id: Id
    school: Id
    name: str = ""
    equipment: Tags = Field(
        frozenset({RECEIVING}), description="What the room has: `lead`, `receiving`, and whatever lessons ask for."
    )
    seats: int | None = Field(None, ge=1, description="Pupils it seats; none where nobody said.")
    down: tuple[Window, ...] = Field((), description="Maintenance, faults: when it cannot be used.")


class Teacher(Part):
    """A teacher of one school, who leads, assists or observes."""

    id: Id
    school: Id
    name: str = ""
    away: tuple[Window, ...] = Field((), description="When the teacher can do neither.")
    most_a_day: int = Field(2, ge=1, description="Lead lessons on one day, at most.")


class SchoolClass(Part):
    """A class that listens (行政班)."""

    id: Id
    school: Id
    name: str = ""
    size: int | None = Field(None, ge=1, description="Pupils; none where nobody said.")
    away: tuple[Window, ...] = ()


def uplink_at(school: School, parity: int, time: Slot) -> int:
    """Units that a school's line carries in one slot."""
    return min([school.uplink, *(limit.uplink for limit in school.uplink_limits if limit.covers(parity, *time))])
