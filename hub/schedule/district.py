"""What the planner is told: one district's week, as a file (docs/planning.md describes the format).

All times are a school's own: a slot is a day of the week and a period of that school's bell table, in
odd weeks (A), even weeks (B) or every week (AB). What schools share is the clock on the wall, and two slots
of two schools meet where their bells overlap for long enough.
"""

import json
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal, Protocol, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from hub.schedule.errors import DistrictWrong
from hub.schedule.facts import Room, School, SchoolClass, Teacher
from hub.schedule.slots import Part, Slot
from hub.schedule.wants import Ban, Lesson, Pin, Request, Wish

Points = Annotated[int, Field(ge=0, le=10_000)]
"""So many that a district's sums stay within 32 bits, in which the solvers count."""


class Rules(Part):
    """What must hold, in figures."""

    min_overlap_minutes: int = Field(30, ge=1, le=120, description="Shortest time that both bells have in common.")
    unit_gap: int = Field(2, ge=0, description="Units that lesson and request may lie apart.")
    lead_uplink: int = Field(2, ge=0, le=1000, description="Units of the line that a lead lesson takes.")
    listen_uplink: int = Field(1, ge=0, le=1000, description="Units that a listening room takes. Observers take none.")


class Goals(Part):
    """What is wished for, in points."""

    served: Points = Field(1000, description="A request is served, times its weight.")
    second_unmet: Points = Field(400, description="Taken off for each unmet request of a class beyond its first.")
    school_unmet: Points = Field(
        100, description="Taken off for each unmet request of an under-resourced school beyond a fifth of them."
    )
    community: Points = Field(30, description="Both schools are of one community.")
    unit: Points = Field(15, description="Taken off for each unit that they lie apart.")
    full_minutes: Points = Field(40, description="Minutes in common that are enough.")
    minute: Points = Field(1, description="Taken off for each minute short of that.")
    opened: Points = Field(8, description="Taken off for each lead lesson that is held.")
    kept: Points = Field(40, description="Taken off for each request that is not served as in the plan before.")


class District(Part):
    """One district's week: facts, what is offered, what is asked for, and what counts.

    Raises:
        pydantic.ValidationError: an id is used twice, or names what is not there.
    """

    format: Literal["tongtang-district/1"] = "tongtang-district/1"
    name: str = ""
    schools: tuple[School, ...]
    rooms: tuple[Room, ...]
    teachers: tuple[Teacher, ...]
    classes: tuple[SchoolClass, ...]
    lessons: tuple[Lesson, ...] = ()
    requests: tuple[Request, ...] = ()
    pins: tuple[Pin, ...] = ()
    bans: tuple[Ban, ...] = ()
    wishes: tuple[Wish, ...] = ()
    rules: Rules = Rules()
    goals: Goals = Goals()

    @model_validator(mode="after")
    def _names_known(self) -> Self:
        known = {
            "school": _ids("school", self.schools),
            "room": _ids("room", self.rooms),
            "teacher": _ids("teacher", self.teachers),
            "class": _ids("class", self.classes),
            "lesson": _ids("lesson", self.lessons),
            "request": _ids("request", self.requests),
        }
        for who, kind, named in _references(self):
            if named not in known[kind]:
                raise ValueError(f"{who} names {kind} {named}, which is not in the file")
        pinned = Counter(pin.request for pin in self.pins)
        twice = [request for request, times in pinned.items() if times > 1]
        if twice:
            raise ValueError(f"request {twice[0]} is pinned twice")
        return self

    @model_validator(mode="after")
    def _schools_agree(self) -> Self:
        schools = {school.id: school for school in self.schools}
        teaches_at = {teacher.id: teacher.school for teacher in self.teachers}
        for lesson in self.lessons:
            _check_times(f"lesson {lesson.id}", lesson.times, schools[teaches_at[lesson.teacher]])
        sits_at = {one.id: one.school for one in self.classes}
        asks_at: dict[str, str] = {}
        for request in self.requests:
            who = f"request {request.id}"
            first = request.observers[0] if request.observers else None
            home = sits_at[request.school_class] if request.school_class else teaches_at[first or ""]
            asks_at[request.id] = home
            _check_times(who, request.times, schools[home])
            for teacher in (*request.observers, *request.assistants):
                if teaches_at[teacher] != home:
                    raise ValueError(f"{who} is of school {home}, but teacher {teacher} is of {teaches_at[teacher]}")
        stands_at = {room.id: room.school for room in self.rooms}
        for pin in self.pins:
            home = asks_at[pin.request]
            if pin.room is not None and stands_at[pin.room] != home:
                raise ValueError(f"request {pin.request} is of school {home}; it cannot be pinned to room {pin.room}")
            if pin.time is not None:
                _check_times(f"the pin of request {pin.request}", (pin.time,), schools[home])
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            DistrictWrong: it is not there, is no JSON, or something in it is wrong; the words say where and what.
        """
        try:
            return cls.model_validate_json(path.read_bytes().removeprefix(BOM_UTF8))
        except OSError as error:
            raise DistrictWrong(f"{path} cannot be read: {error.strerror}") from error
        except ValidationError as error:
            raise DistrictWrong(f"{path} is no district file: {told(error)}") from error

    def save(self, path: Path) -> None:
        """Write a file, the same bytes on every machine; what is as by default is left out."""
        written = {"format": self.format, **self.model_dump(mode="json", exclude_defaults=True)}
        path.write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", "utf-8", newline="\n")


def told(error: ValidationError, most: int = 3) -> str:
    """The first mistakes of a file, each with the place where it stands."""
    found = error.errors(include_url=False, include_context=False)
    lines = [_mistake(each) for each in found[:most]]
    if len(found) > most:
        lines.append(f"and {len(found) - most} more")
    return "; ".join(lines)


def _mistake(error: ErrorDetails) -> str:
    where = ".".join(str(one) for one in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{where}: nobody knows such a field"
    words = error["msg"].removeprefix("Value error, ")
    if error["type"].endswith(("_mismatch", "_error")) and isinstance(error["input"], str | int | float):
        words += f", not {error['input']!r}"
    return f"{where}: {words}" if where else words


class _Named(Protocol):
    @property
    def id(self) -> str: ...


def _ids(kind: str, parts: Sequence[_Named]) -> frozenset[str]:
    counted = Counter(part.id for part in parts)
    twice = [one for one, times in counted.items() if times > 1]
    if twice:
        raise ValueError(f"{kind} {twice[0]} is there twice")
    return frozenset(counted)


def _references(district: District) -> Iterable[tuple[str, str, str]]:
    """Who names what: (in words, kind, id)."""
    for kind, parts in (("room", district.rooms), ("teacher", district.teachers), ("class", district.classes)):
        for part in parts:
            yield f"{kind} {part.id}", "school", part.school
    for lesson in district.lessons:
        yield f"lesson {lesson.id}", "teacher", lesson.teacher
    for request in district.requests:
        who = f"request {request.id}"
        if request.school_class is not None:
            yield who, "class", request.school_class
        for teacher in (*request.observers, *request.assistants):
            yield who, "teacher", teacher
    for number, one in enumerate((*district.pins, *district.bans, *district.wishes)):
        who = f"{type(one).__name__.lower()} {number}"
        for field, kind in _REFERENCES:
            named = getattr(one, field, None)
            if named is not None:
                yield who, kind, named


_REFERENCES = (
    ("request", "request"),
    ("school_class", "class"),
    ("school", "school"),
    ("lesson", "lesson"),
    ("teacher", "teacher"),
    ("lead_school", "school"),
    ("room", "room"),
)


def _check_times(who: str, times: Iterable[Slot], school: School) -> None:
    for day, period in times:
        if period > len(school.bells):
            raise ValueError(
                f"{who} names period {period} of weekday {day}; "
                f"school {school.id} has {len(school.bells)} periods a day"
            )
