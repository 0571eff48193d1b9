"""CSES 2, the exchange format of class schedules: when a class has which subject, with whom.

Source: the schema of CSES 2 (SmartTeachCN); docs/planning.md says what of it is taken.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

from hub.schedule.imports.building import Building, Draft
from hub.schedule.imports.cells import grade_in
from hub.schedule.imports.mistakes import CellWrong, Where
from hub.schedule.imports.names import made_id
from hub.schedule.imports.yaml_file import Marked, NodeWrong, read_yaml
from hub.schedule.register.kinds import Kind
from hub.schedule.register.words import words

VERSION = 2
WEEK = 7
MOST_CYCLE = 400
"""Days of a cycle, working or resting, that are looked at."""
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)")
_SUFFIX = re.compile(r"[\s_-]*的?(?:课程表|课表|日程表|时间表|timetable|schedule)$", re.IGNORECASE)


class Held(NamedTuple):
    """One lesson of a class on some days of the cycle."""

    subject: str
    begins: int
    """In minutes since midnight."""
    ends: int
    days: Sequence[int]
    """Days of the cycle, from 0."""
    at: Marked


def read_cses(data: bytes, file: str, building: Building, school: str) -> None:
    """Take what a class's schedule says.

    Args:
        data: the file.
        file: its name.
        building: takes it.
        school: whose class it is; the format does not say.

    Raises:
        FileWrong: it is no YAML.
    """
    root = read_yaml(data, file)
    if not school:
        building.mistake(Where(file), words("cses.no_school"))
        return
    before = len(building.mistakes)
    schedule = Schedule(root, building)
    if len(building.mistakes) == before:
        _Taking(schedule, file, building, school).take()


class Schedule:
    """A file held against the rules of the format; what is wrong is told, each at its place."""

    def __init__(self, root: Marked, building: Building) -> None:
        self._building = building
        self.name = ""
        self.weeks = 1
        """Weeks of the cycle: 1 or 2."""
        self.teachers: dict[str, Marked | None] = {}
        """By subject; None where nobody is named."""
        self.located: Where | None = None
        """Where a place of lessons is named first."""
        self.held: list[Held] = []
        self._work_days: list[int] = []
        with self._telling():
            version = root.need("version")
            if version.value != VERSION:
                raise NodeWrong(version.where, words("cses.version", found=str(version.value)[:20]))
            self._configure(root.need("configuration"))
        with self._telling():
            for one in root.need("subjects").entries():
                with self._telling():
                    self._add_subject(one)
        with self._telling():
            for one in root.need("schedules").entries():
                with self._telling():
                    self._add_day(one)
        self._refuse_two_at_once()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except NodeWrong as error:
            self._building.mistake(error.where, error.what)

    def _configure(self, configuration: Marked) -> None:
        self.name = configuration.need("name").text()
        cycle = configuration.need("cycle")
        counts = {name: cycle.need(f"{name}_count").integer(2, MOST_CYCLE) for name in ("work", "rest")}
        spans = cycle.need("spans")
        days: list[str] = []
        for span in spans.entries():
            activity, count = span.need("activity"), span.need("count").integer(1, MOST_CYCLE)
            if activity.value not in counts:
                raise NodeWrong(activity.where, words("cses.activity", found=str(activity.value)[:20]))
            days += [str(activity.value)] * count
        for name, count in counts.items():
            if days.count(name) != count:
                told = words("cses.spans", name=f"{name}_count", count=count, found=days.count(name))
                raise NodeWrong(spans.where, told)
        if len(days) not in {WEEK, 2 * WEEK}:
            raise NodeWrong(cycle.where, words("cses.cycle", days=len(days)))
        self.weeks = len(days) // WEEK
        self._work_days = [number for number, activity in enumerate(days) if activity == "work"]

    def _add_subject(self, subject: Marked) -> None:
        name, teacher, place = subject.need("name"), subject.get("teacher"), subject.get("location")
        if name.label() in self.teachers:
            raise NodeWrong(name.where, words("cses.subject_twice", name=name.label()))
        self.teachers[name.label()] = teacher if teacher is None or teacher.text() else None
        if place is not None and place.text():
            self.located = self.located or place.where

    def _add_day(self, schedule: Marked) -> None:
        schedule.need("name").text()
        days = []
        for one in schedule.need("enable_day").entries():
            with self._telling():
                days.append(one.integer(1, max(1, len(self._work_days))))
        for one in schedule.need("classes").entries():
            with self._telling():
                self._add_lesson(one, [self._work_days[day - 1] for day in days if self._work_days])

    def _add_lesson(self, lesson: Marked, days: Sequence[int]) -> None:
        subject = lesson.need("subject")
        if subject.label() not in self.teachers:
            raise NodeWrong(subject.where, words("cses.subject", name=subject.label()))
        begins, ends = (_minutes(lesson.need(name)) for name in ("start_time", "end_time"))
        if ends <= begins:
            at = lesson.need("end_time").where
            raise NodeWrong(at, words("row.bell_ends", begins=_clock(begins), ends=_clock(ends)))
        self.held.append(Held(subject.label(), begins, ends, days, lesson))

    def _refuse_two_at_once(self) -> None:
        by_day: dict[int, list[Held]] = defaultdict(list)
        for one in self.held:
            for day in one.days:
                for other in by_day[day]:
                    if one.begins < other.ends and other.begins < one.ends:
                        self._building.mistake(one.at.where, words("cses.two_at_once", row=other.at.where.row))
                        return
                by_day[day].append(one)


class _Taking:
    """What a good file says of the school's facts."""

    def __init__(self, schedule: Schedule, file: str, building: Building, school: str) -> None:
        self._schedule = schedule
        self._where = Where(file)
        self._building = building
        self._school = school

    def take(self) -> None:
        """Bells where the school has none, the class, its teachers, its timetable."""
        building, schedule, school = self._building, self._schedule, self._school
        bells = self._bells()
        if bells is None:
            return
        name = _SUFFIX.sub("", schedule.name) or schedule.name
        school_class = building.names.called(Kind.CLASS, name, school) or made_id(Kind.CLASS, school, name)
        if (Kind.CLASS, school_class) not in building.known and not building.drafted(Kind.CLASS, school_class):
            fields = {"school": school, "name": name, "grade": grade_in(name)}
            building.add(Draft(Kind.CLASS, school_class, fields, self._where))
            building.note(self._where, words("cses.new_class", name=name))
        entries = self._entries(bells, {subject: self._teacher(subject) for subject in schedule.teachers})
        if entries is None:
            return
        timetable: dict[str, Any] = {"school": school, "entries": entries}
        building.rows += len(schedule.held)
        building.add(Draft(Kind.TIMETABLE, school_class, timetable, self._where))
        if schedule.located is not None:
            building.note(schedule.located, words("cses.location"))
        if schedule.weeks == 2:
            building.note(self._where, words("cses.odd_first"))

    def _bells(self) -> list[tuple[int, int]] | None:
        """Periods of the school in minutes; those of the file where the school has none, None where they clash."""
        known = self._building.value(Kind.BELLS, self._school, "bells")
        if known:
            return [(_of_clock(one["begins"]), _of_clock(one["ends"])) for one in known]
        found: dict[tuple[int, int], Held] = {}
        for one in self._schedule.held:
            found.setdefault((one.begins, one.ends), one)
        bells = sorted(found)
        for before, bell in pairwise(bells):
            if bell[0] < before[1]:
                first, second = (f"{_clock(one[0])}–{_clock(one[1])}" for one in (before, bell))
                self._building.mistake(found[bell].at.where, words("cses.bells_differ", first=first, second=second))
                return None
        if not bells:
            self._building.mistake(self._where, words("cses.no_lessons"))
            return None
        fields = {
            "school": self._school,
            "bells": [{"begins": _clock(begins), "ends": _clock(ends)} for begins, ends in bells],
        }
        self._building.add(Draft(Kind.BELLS, self._school, fields, self._where))
        self._building.note(self._where, words("cses.bells_taken", count=len(bells)))
        return bells

    def _teacher(self, subject: str) -> str | None:
        node = self._schedule.teachers[subject]
        if node is None:
            return None
        building, school, name = self._building, self._school, node.text()
        try:
            known = building.names.only(Kind.TEACHER, name, school)
        except CellWrong as error:
            building.mistake(node.where, error.what)
            return None
        teacher = known or made_id(Kind.TEACHER, school, name)
        drafted = building.drafted(Kind.TEACHER, teacher)
        if (Kind.TEACHER, teacher) not in building.known:
            subjects = list(building.value(Kind.TEACHER, teacher, "subjects") or ()) if drafted else []
            subjects += [subject] if subject not in subjects else []
            building.change(
                Draft(Kind.TEACHER, teacher, {"school": school, "name": name, "subjects": subjects}, self._where)
            )
            building.names.add(Kind.TEACHER, teacher, name, school)
        return teacher

    def _entries(
        self, bells: Sequence[tuple[int, int]], teachers: Mapping[str, str | None]
    ) -> list[dict[str, Any]] | None:
        """The timetable; None where a lesson is in no period, or two are in one."""
        taken: dict[tuple[int, int, int], Held] = {}
        good = True
        for one in self._schedule.held:
            period = _period(one, bells)
            if period is None:
                told = words("cses.no_period", begins=_clock(one.begins), ends=_clock(one.ends), school=self._school)
                self._building.mistake(one.at.where, told)
                good = False
                continue
            for day in one.days:
                for parity in (day // WEEK,) if self._schedule.weeks == 2 else (0, 1):
                    key = (day % WEEK + 1, period, parity)
                    if key in taken:
                        self._building.mistake(one.at.where, words("row.slot_twice", row=taken[key].at.where.row))
                        good = False
                    taken[key] = one
        entries = []
        for (day, period, parity), one in sorted(taken.items()):
            other = taken.get((day, period, 1 - parity))
            alike = other is not None and other.subject == one.subject
            if not (alike and parity == 1):
                weeks = "AB" if alike else "AB"[parity]
                entry = {"day": day, "period": period, "subject": one.subject, "weeks": weeks}
                entries.append({**entry, "teacher": teachers[one.subject]})
        return entries if good else None


def _period(one: Held, bells: Sequence[tuple[int, int]]) -> int | None:
    """The period with which a lesson has the most in common; None where that is less than half of it."""
    common = [min(one.ends, ends) - max(one.begins, begins) for begins, ends in bells]
    best = max(range(len(bells)), key=lambda number: common[number])
    return best + 1 if 2 * common[best] >= one.ends - one.begins else None


def _minutes(node: Marked) -> int:
    """A time in minutes; one without quotes is a number of seconds by the rules of YAML."""
    if isinstance(node.value, int) and not isinstance(node.value, bool) and 0 <= node.value < 24 * 3600:
        return node.value // 60
    found = _TIME.fullmatch(node.value) if isinstance(node.value, str) else None
    if found is None:
        raise node.wrong("clock_time")
    return int(found[1]) * 60 + int(found[2])


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _of_clock(written: str) -> int:
    hours, minutes = written.split(":")
    return int(hours) * 60 + int(minutes)
