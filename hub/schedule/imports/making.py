"""What one row says of one fact, for each table whose rows stand for themselves."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from hub.schedule.imports.building import Building, Draft
from hub.schedule.imports.cells import grade_in
from hub.schedule.imports.mistakes import CellWrong, Where
from hub.schedule.imports.names import made_id
from hub.schedule.register.kinds import Kind
from hub.schedule.register.words import Words, words


class RowLike(Protocol):
    """A row that was read (`rows.Row`)."""

    @property
    def values(self) -> Mapping[str, Any]:
        """By field; None for an empty cell."""

    @property
    def where(self) -> Where:
        """The row."""

    @property
    def titles(self) -> Mapping[str, str]:
        """The header over each field."""


class RowWrong(ValueError):
    """A row's cells are good each, and do not go together."""

    def __init__(self, field: str, what: Words) -> None:
        super().__init__(what.told("en"))
        self.field = field
        self.what = what


Maker = Callable[[RowLike, Building], Draft]


def draft(row: RowLike, kind: Kind, fact: str, values: Mapping[str, Any], *without: str) -> Draft:
    """A draft of a row's values."""
    kept = {name: value for name, value in values.items() if name not in {"id", *without}}
    return Draft(kind, fact, kept, row.where, row.titles)


def _term(row: RowLike, building: Building) -> Draft:
    named = row.values.get("name") or str(row.values["first_day"])
    return draft(row, Kind.TERM, _id(row, building, Kind.TERM, named), row.values)


def _school(row: RowLike, building: Building) -> Draft:
    return draft(row, Kind.SCHOOL, _id(row, building, Kind.SCHOOL, row.values["name"]), row.values)


def _of_school(kind: Kind) -> Maker:
    """Rooms, teachers: told apart by school and name where they have no id."""

    def make(row: RowLike, building: Building) -> Draft:
        return draft(row, kind, _id(row, building, kind, row.values["name"]), row.values)

    return make


def _class(row: RowLike, building: Building) -> Draft:
    values = dict(row.values)
    if values.get("grade") is None and (found := grade_in(values["name"])) is not None:
        values["grade"] = found
    return draft(row, Kind.CLASS, _id(row, building, Kind.CLASS, values["name"]), values)


def _id(row: RowLike, building: Building, kind: Kind, name: str) -> str:
    school = str(row.values.get("school") or "")
    try:
        fact = building.names.new_id(kind, row.values.get("id"), name, school, (school, name))
    except CellWrong as error:
        raise RowWrong("name", error.what) from error
    there = building.value(kind, fact, "school")
    if school and there is not None and there != school and not building.drafted(kind, fact):
        moved = words("row.moved", kind=words(f"kind.{kind}"), id=fact, there=str(there), here=school)
        building.note(row.where, moved)
    return fact


def _lesson(row: RowLike, building: Building) -> Draft:
    values = {name: value for name, value in row.values.items() if name != "school"}
    parts = _parts(values, "teacher", "subject", "grade", "title", "mode", "weeks")
    return draft(row, Kind.LESSON, building.names.new_id(Kind.LESSON, values.get("id"), "", "", parts), values)


def _request(row: RowLike, building: Building) -> Draft:
    values = {name: value for name, value in row.values.items() if name != "school"}
    mode = values.get("mode") or "delivery"
    if mode == "master" and (values.get("school_class") or not values.get("observers")):
        raise RowWrong("observers" if not values.get("observers") else "school_class", words("row.master"))
    if mode != "master" and (not values.get("school_class") or values.get("observers")):
        raise RowWrong("school_class" if not values.get("school_class") else "observers", words("row.no_class"))
    parts = _parts(values, "school_class", "subject", "mode", "weeks", "observers")
    fact = building.names.new_id(Kind.REQUEST, values.get("id"), "", "", parts)
    school_class = values.get("school_class")
    grade = values.get("grade") or (building.value(Kind.CLASS, school_class, "grade") if school_class else None)
    if grade is None:
        raise RowWrong("grade", words("row.no_grade"))
    return draft(row, Kind.REQUEST, fact, values)


def _progress(row: RowLike, _building: Building) -> Draft:
    values = dict(row.values)
    if values.get("lesson"):
        if values.get("school_class") or values.get("grade"):
            raise RowWrong("lesson", words("row.progress_whose"))
        values.update(school=None, grade=None, school_class=None, subject=None)
    elif values.get("school_class"):
        values.update(school=None, grade=None)  # the class has both
    elif not (values.get("school") and values.get("grade")):
        raise RowWrong("school_class", words("row.progress_whose"))
    if not values.get("lesson") and not values.get("subject"):
        raise RowWrong("subject", words("cell.needed"))
    if values.get("edition") is None and values.get("unit") is None:
        raise RowWrong("unit", words("row.progress_what"))
    parts = _parts(values, "lesson", "school_class", "school", "grade", "subject", "week")
    return draft(row, Kind.PROGRESS, made_id(Kind.PROGRESS, *parts), values)


def _pin(row: RowLike, _building: Building) -> Draft:
    request = row.values["request"]
    return draft(row, Kind.PIN, request, {**row.values, "request": request})


def _ban(row: RowLike, building: Building) -> Draft:
    values = row.values
    if not any(values.get(name) for name in ("request", "school_class", "school")):
        raise RowWrong("school", words("row.ban_who"))
    if not any(values.get(name) for name in ("lesson", "teacher", "lead_school")):
        raise RowWrong("teacher", words("row.ban_whom"))
    parts = _parts(values, "request", "school_class", "school", "lesson", "teacher", "lead_school")
    return draft(row, Kind.BAN, building.names.new_id(Kind.BAN, values.get("id"), "", "", parts), values)


def _wish(row: RowLike, building: Building) -> Draft:
    values = row.values
    if not values.get("request") and not values.get("lesson"):
        raise RowWrong("request", words("row.wish_whose"))
    if not values.get("request") and (values.get("teacher") or values.get("lead_school")):
        raise RowWrong("request", words("row.wish_request"))
    parts = _parts(values, "request", "lesson", "time", "teacher", "lead_school")
    return draft(row, Kind.WISH, building.names.new_id(Kind.WISH, values.get("id"), "", "", parts), values)


def _closure(row: RowLike, building: Building) -> Draft:
    values = dict(row.values)
    named = {of: values.pop(name, None) for of, name in _CLOSED.items()}
    school = values.pop("school", None)
    said = [of for of, who in named.items() if who]
    if len(said) > 1:
        raise RowWrong(_CLOSED[said[1]], words("row.closure_two"))
    of, who = (said[0], named[said[0]]) if said else ("school", school) if school else ("district", None)
    values.update(of=of, who=who)
    _stretch(values)
    parts = [of, who or "", *_parts(values, *_WHEN)]
    return draft(row, Kind.CLOSURE, building.names.new_id(Kind.CLOSURE, values.get("id"), "", "", parts), values)


def _limit(row: RowLike, building: Building) -> Draft:
    values = dict(row.values)
    _stretch(values)
    parts = [values["school"], *_parts(values, *_WHEN)]
    return draft(row, Kind.LIMIT, building.names.new_id(Kind.LIMIT, values.get("id"), "", "", parts), values)


def _stretch(values: dict[str, Any]) -> None:
    """Hold days, dates and periods against each other; one date alone is a day."""
    day, begins, ends = (values.get(name) for name in ("day", "begins", "ends"))
    if begins is not None and ends is None:
        ends = values["ends"] = begins
    if day is not None and begins is not None:
        raise RowWrong("day", words("row.day_or_dates"))
    if day is None and begins is None:
        raise RowWrong("begins", words("row.day_or_dates"))
    if begins is not None and ends < begins:
        raise RowWrong("ends", words("row.ends_before", ends=str(ends), begins=str(begins)))
    first, last = values.get("first") or 1, values.get("last") or 20
    if last < first:
        raise RowWrong("last", words("row.last_before_first", first=first, last=last))


def _parts(values: Mapping[str, Any], *fields: str) -> list[Any]:
    """What tells a row without an id from others: the same whether a default is written out or left empty."""
    return [values[name] if values.get(name) is not None else _DEFAULTS.get(name, "") for name in fields]


_DEFAULTS: Mapping[str, Any] = {"weeks": "AB", "mode": "delivery", "week": 1, "first": 1, "last": 20}
_CLOSED = {"room": "room", "teacher": "teacher", "class": "school_class"}
_WHEN = ("day", "weeks", "begins", "ends", "first", "last")

MAKERS: Mapping[str, Maker] = {
    "terms": _term,
    "schools": _school,
    "rooms": _of_school(Kind.ROOM),
    "teachers": _of_school(Kind.TEACHER),
    "classes": _class,
    "lessons": _lesson,
    "requests": _request,
    "progress": _progress,
    "pins": _pin,
    "bans": _ban,
    "wishes": _wish,
    "closures": _closure,
    "limits": _limit,
}
