"""The requests of a plan as a list: which are served and how, which are not."""

from pydantic import BaseModel, ConfigDict, Field

from hub.schedule.desk.book import Book
from hub.schedule.slots import Slot, Weeks


class RequestLine(BaseModel):
    """One request. Names are what people say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request: str
    mode: str
    school: str = Field(description="Id of the school that asks.")
    school_name: str
    who: str = Field(description="The class, or those who watch.")
    subject: str
    grade: int
    edition: str
    unit: int
    weeks: Weeks
    weight: int
    pinned: bool
    served: bool
    time: Slot | None = Field(description="Weekday and period in its own school's bells; null where it is not served.")
    room: str
    room_even: str
    assistant: str
    lesson: str | None = Field(description="The lead lesson; null where there is none.")
    teacher: str = Field(description="The lead teacher.")
    lead_school: str = Field(description="Name of the lead school.")
    lead_time: Slot | None = Field(description="In the lead school's bells.")


def requests_of(
    book: Book, *, served: bool | None = None, school: str = "", subject: str = "", words: str = ""
) -> list[RequestLine]:
    """Requests in the district's order.

    Args:
        book: the plan.
        served: those that are, or are not; None for all.
        school: of this school alone, by its id.
        subject: in this subject alone.
        words: whose id, class, teacher or school holds all of these words.
    """
    pinned = {pin.request for pin in book.district.pins}
    wanted = words.casefold().split()
    found = []
    for asked in book.district.requests:
        if served is not None and (asked.id in book.served) != served:
            continue
        if (school and book.home(asked.id) != school) or (subject and asked.subject != subject):
            continue
        line = _line(book, asked.id, pinned=asked.id in pinned)
        text = (
            f"{line.request} {line.school_name} {line.who} {line.subject} {line.teacher} {line.lead_school}".casefold()
        )
        if all(word in text for word in wanted):
            found.append(line)
    return found


def _line(book: Book, request: str, *, pinned: bool) -> RequestLine:
    asked, home = book.requests[request], book.home(request)
    served = book.served.get(request)
    lesson = book.lessons[served.lesson] if served is not None and served.lesson is not None else None
    held = book.held.get(lesson.id) if lesson is not None else None
    return RequestLine(
        request=request,
        mode=asked.mode,
        school=home,
        school_name=book.school_name(home),
        who=book.who_asks(request),
        subject=asked.subject,
        grade=asked.grade,
        edition=asked.edition,
        unit=asked.unit,
        weeks=asked.weeks,
        weight=asked.weight,
        pinned=pinned,
        served=served is not None,
        time=served.time if served is not None else None,
        room=book.room_name(served.room) if served is not None else "",
        room_even=book.room_name(served.room_even) if served is not None and served.room_even else "",
        assistant=book.teacher_name(served.assistant) if served is not None and served.assistant else "",
        lesson=lesson.id if lesson is not None else None,
        teacher=book.teacher_name(lesson.teacher) if lesson is not None else "",
        lead_school=book.school_name(book.lead_school(lesson.id)) if lesson is not None else "",
        lead_time=held.time if held is not None else None,
    )
