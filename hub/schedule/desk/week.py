"""A plan's week as one school, room, teacher or class sees it, in its own periods."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.schedule.desk.book import Book
from hub.schedule.desk.errors import DeskRefused
from hub.schedule.plan import Held, Served
from hub.schedule.slots import Weeks

Of = Literal["school", "room", "teacher", "class"]
"""Whose week it is."""


class Side(StrEnum):
    """What is done at this end."""

    LEAD = "lead"
    """The lesson is taught from here (主讲)."""
    RECEIVING = "receiving"
    """A class follows from here (听课)."""
    WATCHING = "watching"
    """Teachers watch from here (观摩)."""
    OPEN = "open"
    """The room is booked for a recorded lesson (开放课)."""


class WeekEntry(BaseModel):
    """One thing in one slot. Names are what people say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    side: Side
    day: int = Field(description="Weekday, Monday is 1.")
    period: int = Field(description="Period of the school's own bell table, from 1.")
    begins: str = Field(description="HH:MM.")
    ends: str = Field(description="HH:MM.")
    weeks: Weeks = Field(description="Every week (AB), odd weeks (A) or even weeks (B).")
    lesson: str | None = Field(description="Id of the lead lesson; none for an open class.")
    request: str | None = Field(description="Id of the request; none on the lead side.")
    subject: str
    grade: int
    title: str
    teacher: str = Field(description="The lead teacher; empty for an open class.")
    assistant: str = Field(description="The local teacher; empty on the lead side or where nobody is named.")
    who: str = Field(description="The class that follows, or those who watch; empty on the lead side.")
    school: str
    room: str
    room_even: str = Field(description="The room in even weeks, where it is another.")
    others: tuple[str, ...] = Field(description="Who is at the other end: each school with its class or room.")


def week_of(book: Book, of: Of, who: str) -> list[WeekEntry]:
    """What somebody has in a week, in the order of days and periods.

    Args:
        book: the plan.
        of: what `who` is.
        who: its id.

    Raises:
        DeskRefused: the plan knows nobody of that id.
    """
    known = {"school": book.schools, "room": book.rooms, "teacher": book.teachers, "class": book.classes}[of]
    if who not in known:
        raise DeskRefused(f"this plan knows no {of} {who[:80]}")
    entries = [*_leading(book, of, who), *_following(book, of, who)]
    return sorted(entries, key=lambda one: (one.day, one.period, one.side, one.room, one.lesson or "", one.who))


def _leading(book: Book, of: Of, who: str) -> Iterator[WeekEntry]:
    for one in book.held.values():
        lesson = book.lessons[one.lesson]
        school = book.lead_school(one.lesson)
        if not (
            (of == "school" and school == who)
            or (of == "room" and who in {one.room, one.room_even})
            or (of == "teacher" and lesson.teacher == who)
        ):
            continue
        day, period = one.time
        bell = book.schools[school].bells[period - 1]
        yield WeekEntry(
            side=Side.LEAD,
            day=day,
            period=period,
            begins=bell.begins,
            ends=bell.ends,
            weeks=_weeks(lesson.weeks, one, who) if of == "room" else lesson.weeks,
            lesson=one.lesson,
            request=None,
            subject=lesson.subject,
            grade=lesson.grade,
            title=lesson.title,
            teacher=book.teacher_name(lesson.teacher),
            assistant="",
            who="",
            school=book.school_name(school),
            room=book.room_name(one.room),
            room_even=book.room_name(one.room_even) if one.room_even else "",
            others=tuple(
                f"{book.school_name(book.home(each.request))} {book.who_asks(each.request)}"
                for each in book.followers.get(one.lesson, ())
            ),
        )


def _following(book: Book, of: Of, who: str) -> Iterator[WeekEntry]:
    for one in book.served.values():
        asked = book.requests[one.request]
        school = book.home(one.request)
        if not (
            (of == "school" and school == who)
            or (of == "room" and who in {one.room, one.room_even})
            or (of == "teacher" and (one.assistant == who or who in asked.observers))
            or (of == "class" and asked.school_class == who)
        ):
            continue
        day, period = one.time
        bell = book.schools[school].bells[period - 1]
        lesson = book.lessons[one.lesson] if one.lesson is not None else None
        side = Side.OPEN if lesson is None else Side.WATCHING if asked.mode == "master" else Side.RECEIVING
        yield WeekEntry(
            side=side,
            day=day,
            period=period,
            begins=bell.begins,
            ends=bell.ends,
            weeks=_weeks(asked.weeks, one, who) if of == "room" else asked.weeks,
            lesson=one.lesson,
            request=one.request,
            subject=asked.subject,
            grade=asked.grade,
            title=lesson.title if lesson is not None else "",
            teacher=book.teacher_name(lesson.teacher) if lesson is not None else "",
            assistant=book.teacher_name(one.assistant) if one.assistant else "",
            who=book.who_asks(one.request),
            school=book.school_name(school),
            room=book.room_name(one.room),
            room_even=book.room_name(one.room_even) if one.room_even else "",
            others=(_lead_end(book, lesson.id),) if lesson is not None else (),
        )


def _weeks(weeks: Weeks, one: Held | Served, room: str) -> Weeks:
    """The weeks in which it is in this room."""
    if one.room_even is None or one.room_even == one.room:
        return weeks
    return "A" if one.room == room else "B"


def _lead_end(book: Book, lesson: str) -> str:
    held = book.held.get(lesson)
    school = book.school_name(book.lead_school(lesson))
    return f"{school} {book.room_name(held.room)}" if held is not None else school
