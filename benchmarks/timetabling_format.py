"""Files of curriculum-based course timetabling as the second timetabling competition has them (ITC-2007, track 3).

An instance (`.ctt`) is a head of seven lines, four sections (courses, rooms, curricula, unavailable times) and
`END.`; fields are parted by blanks or tabs. A solution has one line for each lecture: course, room, day, period.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn, TypeVar

HEAD = ("Name", "Courses", "Rooms", "Days", "Periods_per_day", "Curricula", "Constraints")
SECTIONS = ("COURSES", "ROOMS", "CURRICULA", "UNAVAILABILITY_CONSTRAINTS")
COUNTED = dict(zip(SECTIONS, ("Courses", "Rooms", "Curricula", "Constraints"), strict=True))
"""Which line of the head says how many lines a section has."""


class TimetableUnreadable(Exception):
    """A file breaks its format; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Course:
    """Something that is taught some times a week, by one teacher, to the same students."""

    id: str
    teacher: str
    lectures: int
    """How many lectures a week it has."""
    min_days: int
    """Over how many days they should be spread at least."""
    students: int


@dataclass(frozen=True, slots=True)
class Room:
    """A room and how many students it seats."""

    id: str
    capacity: int


@dataclass(frozen=True, slots=True)
class Curriculum:
    """Courses with students in common: no two of their lectures at once, and few holes between them."""

    id: str
    courses: tuple[str, ...]


class Ban(NamedTuple):
    """A course cannot be taught then; days and periods count from 0."""

    course: str
    day: int
    period: int


@dataclass(frozen=True, slots=True)
class Instance:
    """One week to be planned."""

    name: str
    days: int
    periods: int
    """Periods a day."""
    courses: tuple[Course, ...]
    rooms: tuple[Room, ...]
    curricula: tuple[Curriculum, ...]
    bans: tuple[Ban, ...]


Made = TypeVar("Made", Course, Room, Curriculum)


class Lecture(NamedTuple):
    """One lecture where a solution puts it; days and periods count from 0."""

    course: str
    room: str
    day: int
    period: int


@dataclass(frozen=True, slots=True)
class _Line:
    file: str
    number: int
    fields: tuple[str, ...]

    def wrong(self, what: str) -> NoReturn:
        raise TimetableUnreadable(f"{self.file}, line {self.number}: {what}")

    def count(self, field: int, what: str, least: int = 0, below: int | None = None) -> int:
        text = self.fields[field]
        value = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1
        if value < least or (below is not None and value >= below):
            bound = f"{least} or more" if below is None else f"{least} to {below - 1}"
            self.wrong(f"{what} must be a whole number, {bound}, not {text!r}")
        return value

    def known(self, field: int, what: str, ids: Sequence[str] | set[str]) -> str:
        if self.fields[field] not in ids:
            self.wrong(f"no {what} is called {self.fields[field]!r}")
        return self.fields[field]


def _lines(text: str, file: str) -> Iterator[_Line]:
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        if line.strip():
            yield _Line(file, number, tuple(line.split()))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as trouble:
        raise TimetableUnreadable(f"{path}: cannot be read: {trouble.strerror}") from trouble
    except UnicodeDecodeError as trouble:
        raise TimetableUnreadable(f"{path}: is not text in UTF-8") from trouble


def _head(lines: Iterator[_Line], file: str) -> tuple[str, dict[str, int], _Line]:
    """The name, the numbers of the head, and the line that follows it."""
    name, numbers = "", dict[str, int]()
    for line in lines:
        key = line.fields[0].removesuffix(":")
        if key in SECTIONS:
            missing = [one for one in HEAD[1:] if one not in numbers]
            if missing:
                line.wrong(f"the head does not say {', '.join(missing)}")
            return name, numbers, line
        if key not in HEAD:
            line.wrong(f"{line.fields[0]!r} is none of {', '.join(HEAD)}")
        if key == "Name":
            name = " ".join(line.fields[1:])
            continue
        if key in numbers or len(line.fields) != 2:
            line.wrong(f"{key} must be said once, with one number")
        numbers[key] = line.count(1, key, 1 if key in {"Days", "Periods_per_day"} else 0)
    raise TimetableUnreadable(f"{file}: ends before its sections; it needs {', '.join(SECTIONS)}")


def _sections(lines: Iterator[_Line], first: _Line, numbers: dict[str, int]) -> dict[str, list[_Line]]:
    """The lines of each section, as many as the head says."""
    found: dict[str, list[_Line]] = {}
    line: _Line = first
    section = ""
    for line in (first, *lines):
        key = line.fields[0]
        if key == "END.":
            break
        if len(line.fields) == 1:
            section = key.removesuffix(":")
            if section not in SECTIONS or section in found:
                line.wrong(f"section {section!r} is {'there twice' if section in found else 'unknown'}")
            found[section] = []
        else:
            found[section].append(line)
    else:
        line.wrong("the file ends without END.")
    for section, counted in COUNTED.items():
        if len(found.get(section, ())) != numbers[counted]:
            line.wrong(f"section {section} has {len(found.get(section, ()))} lines; the head says {numbers[counted]}")
    return found


def _made(lines: list[_Line], what: str, make: Callable[[_Line], Made]) -> tuple[Made, ...]:
    made: dict[str, Made] = {}
    for line in lines:
        if line.fields[0] in made:
            line.wrong(f"{what} {line.fields[0]!r} is there twice")
        made[line.fields[0]] = make(line)
    return tuple(made.values())


def _course(line: _Line) -> Course:
    if len(line.fields) != 5:
        line.wrong("a course has five fields: id, teacher, lectures, least days, students")
    return Course(
        line.fields[0],
        line.fields[1],
        line.count(2, "lectures", 1),
        line.count(3, "least days"),
        line.count(4, "students"),
    )


def _room(line: _Line) -> Room:
    if len(line.fields) != 2:
        line.wrong("a room has two fields: id, capacity")
    return Room(line.fields[0], line.count(1, "capacity"))


def parsed(text: str, file: str) -> Instance:
    """An instance from its text.

    Args:
        text: of a `.ctt` file; either line end, blanks or tabs.
        file: what messages call it.

    Raises:
        TimetableUnreadable: the text breaks the format; file, line and what is wrong.
    """
    lines = _lines(text, file)
    name, numbers, first = _head(lines, file)
    sections = _sections(lines, first, numbers)
    courses = _made(sections["COURSES"], "course", _course)
    ids = {one.id for one in courses}

    def curriculum(line: _Line) -> Curriculum:
        if len(line.fields) < 2 or line.count(1, "courses") != len(line.fields) - 2:
            line.wrong("a curriculum has its id, the number of its courses and as many courses")
        members = tuple(line.known(field, "course", ids) for field in range(2, len(line.fields)))
        if len(set(members)) != len(members):
            line.wrong("a course is there twice")
        return Curriculum(line.fields[0], members)

    def ban(line: _Line) -> Ban:
        if len(line.fields) != 3:
            line.wrong("an unavailability has three fields: course, day, period")
        day = line.count(1, "day", below=numbers["Days"])
        return Ban(line.known(0, "course", ids), day, line.count(2, "period", below=numbers["Periods_per_day"]))

    return Instance(
        name=name,
        days=numbers["Days"],
        periods=numbers["Periods_per_day"],
        courses=courses,
        rooms=_made(sections["ROOMS"], "room", _room),
        curricula=_made(sections["CURRICULA"], "curriculum", curriculum),
        bans=tuple(ban(line) for line in sections["UNAVAILABILITY_CONSTRAINTS"]),
    )


def read_instance(path: Path) -> Instance:
    """An instance from its file.

    Raises:
        TimetableUnreadable: the file cannot be read or breaks the format.
    """
    return parsed(_text(path), str(path))


def instance_text(instance: Instance) -> str:
    """An instance as the text of a `.ctt` file."""
    numbers = (
        len(instance.courses),
        len(instance.rooms),
        instance.days,
        instance.periods,
        len(instance.curricula),
        len(instance.bans),
    )
    head = [f"Name: {instance.name}", *(f"{key}: {value}" for key, value in zip(HEAD[1:], numbers, strict=True))]
    courses = [f"{one.id} {one.teacher} {one.lectures} {one.min_days} {one.students}" for one in instance.courses]
    rooms = [f"{one.id}\t{one.capacity}" for one in instance.rooms]
    curricula = [f"{one.id} {len(one.courses)} {' '.join(one.courses)}" for one in instance.curricula]
    bans = [f"{one.course} {one.day} {one.period}" for one in instance.bans]
    bodies = zip(SECTIONS, (courses, rooms, curricula, bans), strict=True)
    return "\n\n".join(["\n".join(head), *("\n".join([f"{name}:", *body]) for name, body in bodies), "END.\n"])


def solution_text(lectures: Sequence[Lecture]) -> str:
    """A solution as the competition's validator reads it: course, room, day, period."""
    return "".join(f"{one.course} {one.room} {one.day} {one.period}\n" for one in lectures)


def read_solution(path: Path, instance: Instance) -> tuple[Lecture, ...]:
    """A solution from its file. Whether it is a good one, or one at all, is not looked at.

    Raises:
        TimetableUnreadable: the file cannot be read, or a line names what the instance has not.
    """
    courses = {one.id for one in instance.courses}
    rooms = {one.id for one in instance.rooms}
    read = []
    for line in _lines(_text(path), str(path)):
        if len(line.fields) != 4:
            line.wrong("a lecture has four fields: course, room, day, period")
        course, room = line.known(0, "course", courses), line.known(1, "room", rooms)
        day = line.count(2, "day", below=instance.days)
        read.append(Lecture(course, room, day, line.count(3, "period", below=instance.periods)))
    return tuple(read)
