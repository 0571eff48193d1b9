"""Days, periods, weeks and bells: the times of a school, and how those of two schools meet."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints, model_validator

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
"""Identifier: letters, digits, dots, hyphens and underscores. Names for people stand beside it."""
Weeks = Literal["AB", "A", "B"]
"""Every week, odd weeks (单周), even weeks (双周)."""
Day = Annotated[int, Field(ge=1, le=7)]
"""Day of the week, Monday is 1."""
Period = Annotated[int, Field(ge=1, le=20)]
"""Period of the day in the school's bell table, from 1."""
Slot = tuple[Day, Period]
Tag = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Tags = Annotated[frozenset[Tag], PlainSerializer(sorted)]
"""A set of tags; written in order, so that the same district is the same file."""
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


def parities(weeks: Weeks) -> tuple[int, ...]:
    """0 for odd weeks, 1 for even weeks: those that a pattern meets.

    >>> parities("AB"), parities("B")
    ((0, 1), (1,))
    """
    return {"AB": (0, 1), "A": (0,), "B": (1,)}[weeks]


class Part(BaseModel):
    """Base of everything in the file: a field that nobody knows is a mistake, and is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(Part):
    """A stretch of periods of one weekday, in the school's own bells."""

    day: Day
    first: Period = 1
    last: Period = 20
    weeks: Weeks = "AB"

    @model_validator(mode="after")
    def _not_backwards(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"its last period, {self.last}, lies before its first, {self.first}")
        return self

    def covers(self, parity: int, day: int, period: int) -> bool:
        """Whether a slot lies inside; `parity` as in `parities`."""
        return parity in parities(self.weeks) and self.day == day and self.first <= period <= self.last


class Bell(Part):
    """One period of a school's day."""

    begins: ClockTime = Field(description="When the period begins, HH:MM.")
    ends: ClockTime = Field(description="When the period ends, HH:MM.")

    @property
    def minutes(self) -> tuple[int, int]:
        """Begin and end, in minutes since midnight."""
        return _minutes(self.begins), _minutes(self.ends)


def bells_in_order(bells: Sequence[Bell]) -> None:
    """Hold the periods of a day against the clock.

    Raises:
        ValueError: one ends before it begins, or begins before the one before it has ended.
    """
    for number, bell in enumerate(bells, start=1):
        begins, ends = bell.minutes
        if ends <= begins:
            raise ValueError(f"period {number} ends at {bell.ends}, before it begins at {bell.begins}")
        if number > 1 and begins < bells[number - 2].minutes[1]:
            raise ValueError(f"period {number} begins at {bell.begins}, before period {number - 1} has ended")


def covered(windows: Iterable[Window], weeks: Weeks, time: Slot) -> bool:
    """Whether a slot lies inside one of the windows in any of the weeks."""
    return any(window.covers(parity, *time) for window in windows for parity in parities(weeks))


def meeting_periods(lead: Sequence[Bell], home: Sequence[Bell], least_minutes: int) -> dict[int, list[tuple[int, int]]]:
    """By period of one bell table: periods of another that overlap it for so long, and by how many minutes."""
    found: dict[int, list[tuple[int, int]]] = {}
    others = [bell.minutes for bell in home]
    for period, bell in enumerate(lead, start=1):
        begins, ends = bell.minutes
        row = []
        for other, (other_begins, other_ends) in enumerate(others, start=1):
            common = min(ends, other_ends) - max(begins, other_begins)
            if common >= least_minutes:
                row.append((other, common))
        if row:
            found[period] = row
    return found


def _minutes(clock_time: str) -> int:
    hours, minutes = clock_time.split(":")
    return int(hours) * 60 + int(minutes)
