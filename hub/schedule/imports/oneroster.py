"""OneRoster 1.2 CSV: schools, terms, classes and teachers; docs/planning.md says what of it is taken."""

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from hub.schedule.imports.building import Building, Draft
from hub.schedule.imports.cells import grade_in, label, quoted, several
from hub.schedule.imports.mistakes import CellWrong
from hub.schedule.imports.names import made_id
from hub.schedule.imports.roster_files import Line, LineWrong, roster_lines
from hub.schedule.register.kinds import Kind
from hub.schedule.register.words import words

TERM_TYPES = frozenset({"term", "semester"})
GONE = "tobedeleted"
MOST_WEEKS = 60
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_WESTERN = re.compile(r"[A-Za-z .'-]+")


def read_oneroster(data: bytes, parts: Mapping[str, bytes], file: str, building: Building, most_rows: int) -> None:
    """Take what a roster says.

    Args:
        data: a zip archive; looked at where there are no `parts`.
        parts: a folder's files by name.
        file: the archive's or the folder's name.
        building: takes it.
        most_rows: bounds what an archive may have unpacked.

    Raises:
        FileWrong: it is no archive, too large, or has no manifest.
    """
    _Roster(roster_lines(data, parts, file, building, most_rows), building).take()


class _Roster:
    """Turns the lines of every file into what they say of facts."""

    def __init__(self, lines: Mapping[str, Sequence[Line]], building: Building) -> None:
        self._lines = lines
        self._building = building
        self._schools: dict[str, str] = {}
        """Ids of schools by their sourced id."""
        self._others: set[str] = set()
        """Sourced ids of organisations that are no schools."""
        self._subjects: dict[str, list[str]] = {}
        """Of courses."""
        self._teaches_at: dict[str, str] = {}
        """Sourced id of a school, by that of a teacher."""
        self._taught: dict[str, list[str]] = defaultdict(list)
        """Subjects by sourced id of a teacher."""
        self._sizes: Counter[str] = Counter()
        """Pupils by sourced id of a class."""

    def take(self) -> None:
        """All of it, what is named before what names it."""
        self._each("orgs.csv", self._org)
        self._each("academicSessions.csv", self._session)
        self._each("courses.csv", self._course)
        courses = {line.word("sourcedId"): line.word("courseSourcedId") for line in self._rows("classes.csv")}
        for line in self._rows("enrollments.csv"):
            self._enrolment(line, courses)
        homerooms = any(line.word("classType") == "homeroom" for line in self._rows("classes.csv"))
        self._each("classes.csv", lambda line: self._class(line, homerooms=homerooms))
        for line in self._rows("roles.csv"):
            if line.word("role") == "teacher":
                self._teaches_at.setdefault(line.word("userSourcedId"), line.word("orgSourcedId"))
        self._each("users.csv", self._user)
        for part, kind in (("orgs.csv", Kind.SCHOOL), ("classes.csv", Kind.CLASS), ("users.csv", Kind.TEACHER)):
            if self._lines.get(part):
                self._building.covers(kind)
        self._building.formats.append("oneroster")

    def _rows(self, part: str) -> Iterator[Line]:
        """Lines that are not on their way out: those are taken away where `replace` is said."""
        return (line for line in self._lines.get(part, ()) if line.word("status") != GONE)

    def _each(self, part: str, read: Callable[[Line], None]) -> None:
        for line in self._rows(part):
            self._building.rows += 1
            with self._telling():
                read(line)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except LineWrong as error:
            self._building.mistake(error.where, error.what)

    def _org(self, line: Line) -> None:
        sourced = line.need("sourcedId")
        if line.word("type") != "school":
            self._others.add(sourced.casefold())
            return
        name = line.need("name")
        school = self._fact(Kind.SCHOOL, sourced, name, "")
        self._schools[sourced.casefold()] = school
        self._building.add(Draft(Kind.SCHOOL, school, {"name": name}, line.where(), {"name": "name"}))

    def _session(self, line: Line) -> None:
        if line.word("type") not in TERM_TYPES:
            return
        sourced, name = line.need("sourcedId"), line.need("title")
        begins, ends = line.date("startDate"), line.date("endDate")
        if ends < begins:
            wrong = CellWrong(words("row.ends_before", ends=str(ends), begins=str(begins)))
            raise LineWrong(line.where("endDate"), wrong)
        monday = begins - dt.timedelta(days=begins.weekday())
        weeks = (ends - monday).days // 7 + 1
        if weeks > MOST_WEEKS:
            raise LineWrong(line.where("endDate"), CellWrong(words("roster.long_term", weeks=weeks, most=MOST_WEEKS)))
        term = self._fact(Kind.TERM, sourced, name, "")
        dates = [monday + dt.timedelta(days=number) for number in range(7 * weeks)]
        outside = {date: "" for date in dates if not begins <= date <= ends}  # of its first week and its last
        off = self._building.days_off_with(term, outside)
        fields = {"name": name, "first_day": monday, "weeks": weeks, "days_off": off}
        self._building.add(Draft(Kind.TERM, term, fields, line.where()))

    def _course(self, line: Line) -> None:
        said = several(line.get("subjects")) or [line.need("title")]
        self._subjects[line.word("sourcedId")] = [label(one) for one in said]

    def _enrolment(self, line: Line, courses: Mapping[str, str]) -> None:
        of, user = line.word("classSourcedId"), line.word("userSourcedId")
        if line.word("role") == "student":
            self._sizes[of] += 1
        elif line.word("role") == "teacher":
            fresh = [one for one in self._subjects.get(courses.get(of, ""), ()) if one not in self._taught[user]]
            self._taught[user] += fresh

    def _class(self, line: Line, *, homerooms: bool) -> None:
        if homerooms and line.word("classType") != "homeroom":
            return
        sourced, name = line.need("sourcedId"), line.need("title")
        school = self._school(line, "schoolSourcedId", line.need("schoolSourcedId"))
        if school is None:
            return
        fields: dict[str, object] = {"school": school, "name": name}
        grade = self._grade(line) or grade_in(name)
        if grade is not None:
            fields["grade"] = grade
        if self._sizes[line.word("sourcedId")]:
            fields["size"] = self._sizes[line.word("sourcedId")]
        self._building.add(Draft(Kind.CLASS, self._fact(Kind.CLASS, sourced, name, school), fields, line.where()))

    def _grade(self, line: Line) -> int | None:
        """The first of the class's grades that is one of ours: 01 to 12."""
        found = re.match(r"\s*0?(\d{1,2})\b", line.get("grades"))
        return int(found[1]) if found and 1 <= int(found[1]) <= 12 else None

    def _user(self, line: Line) -> None:
        key = line.word("sourcedId")
        org = self._teaches_at.get(key)
        if org is None and line.word("role") != "teacher":
            return
        sourced, family, given = line.need("sourcedId"), line.get("familyName"), line.get("givenName")
        name = f"{given} {family}" if _WESTERN.fullmatch(f"{given}{family}") else f"{family}{given}"
        if not name.strip():
            line.need("familyName")
        at = org or line.word("primaryOrgSourcedId") or line.word("orgSourcedIds").split(",")[0].strip()
        school = self._school(line, "sourcedId" if org else "primaryOrgSourcedId", at)
        if school is None:
            return
        fields: dict[str, object] = {"school": school, "name": name.strip()}
        if self._taught[key]:
            fields["subjects"] = self._taught[key]
        teacher = self._fact(Kind.TEACHER, sourced, name, school)
        self._building.add(Draft(Kind.TEACHER, teacher, fields, line.where()))

    def _school(self, line: Line, column: str, sourced: str) -> str | None:
        """The school of a sourced id; None for an organisation that is none."""
        key = sourced.casefold()
        if key in self._others:
            return None
        known = self._schools.get(key)
        if known is None and self._building.names.has(Kind.SCHOOL, sourced):
            known = sourced
        if known is None:
            told = words("cell.unknown", kind=words("kind.school"), found=quoted(sourced))
            raise LineWrong(line.where(column), CellWrong(told))
        return known

    def _fact(self, kind: Kind, sourced: str, name: str, school: str) -> str:
        """The id of what a sourced id stands for: its own where it can be one, else that of what has the name."""
        fact = sourced if _ID.fullmatch(sourced) else made_id(kind, sourced)
        if self._building.names.has(kind, fact):
            return fact
        called = self._building.names.called(kind, name, school)
        taken = called is not None and not self._building.drafted(kind, called)
        return called if called is not None and taken else fact
