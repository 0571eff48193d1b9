"""Tables whose rows make up one fact together: bells, timetables, the calendar of a term, rules and goals.

Where one row of a group is wrong, the group is: a bell table with a hole in it would count its periods wrongly. What
the file says takes the place of all that was known of it. Rows that are `broken` have some of their values.

Of bells and timetables a table says which there are; a term's calendar, rules and goals are a part of theirs alone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hub.schedule.imports.building import Building, Draft
from hub.schedule.imports.making import RowLike
from hub.schedule.imports.mistakes import Where
from hub.schedule.register.kinds import Kind
from hub.schedule.register.words import words

Values = Mapping[str, Any]
Grouped = Callable[[Sequence[RowLike], Sequence[Values], Building], None]


def _bells(rows: Sequence[RowLike], broken: Sequence[Values], building: Building) -> None:
    building.covers(Kind.BELLS)
    for school, group in _by(rows, broken, "school").items():
        bells: dict[int, RowLike] = {}
        good = True
        for row in group:
            period = row.values["period"]
            if period in bells:
                building.mistake(
                    at(row, "period"), words("row.period_twice", period=period, row=bells[period].where.row)
                )
                good = False
            bells.setdefault(period, row)
        missing = [number for number in range(1, max(bells) + 1) if number not in bells]
        if missing:
            building.mistake(at(group[-1], "period"), words("row.period_missing", period=missing[0]))
        if good and not missing and _in_order([bells[number] for number in sorted(bells)], building):
            values = [
                {"begins": bells[number].values["begins"], "ends": bells[number].values["ends"]}
                for number in sorted(bells)
            ]
            first = group[0]
            fields = {"school": school, "bells": values}
            building.add(Draft(Kind.BELLS, str(school), fields, first.where, first.titles))


def _in_order(rows: Sequence[RowLike], building: Building) -> bool:
    before = ""
    for row in rows:
        begins, ends = row.values["begins"], row.values["ends"]
        if ends <= begins:
            building.mistake(at(row, "ends"), words("row.bell_ends", begins=begins, ends=ends))
            return False
        if begins < before:
            building.mistake(at(row, "begins"), words("row.bell_begins", begins=begins, before=before))
            return False
        before = ends
    return True


def _timetables(rows: Sequence[RowLike], broken: Sequence[Values], building: Building) -> None:
    building.covers(Kind.TIMETABLE)
    for school_class, group in _by(rows, broken, "school_class").items():
        taken: dict[tuple[int, int, str], RowLike] = {}
        entries = []
        good = True
        for row in group:
            values = row.values
            weeks = values.get("weeks") or "AB"
            for parity in weeks:
                key = (values["day"], values["period"], parity)
                if key in taken:
                    building.mistake(at(row, "period"), words("row.slot_twice", row=taken[key].where.row))
                    good = False
                    break
                taken[key] = row
            entry = {"day": values["day"], "period": values["period"], "subject": values["subject"], "weeks": weeks}
            entries.append({**entry, "teacher": values.get("teacher")})
        if good:
            first = group[0]
            entries.sort(key=lambda one: (one["day"], one["period"], one["weeks"]))
            fields = {"school": first.values["school"], "entries": entries}
            building.add(Draft(Kind.TIMETABLE, str(school_class), fields, first.where, first.titles))


def _calendar(rows: Sequence[RowLike], broken: Sequence[Values], building: Building) -> None:
    for term, group in _by(rows, broken, "term").items():
        fields: dict[str, list[Any]] = {"days_off": [], "make_ups": [], "uncounted": []}
        good = True
        for row in group:
            values = row.values
            date, said = values["date"], values.get("words") or ""
            if values["what"] == "off":
                fields["days_off"].append({"date": date, "words": said})
            elif values["what"] == "uncounted":
                fields["uncounted"].append(date)
            elif values.get("as_day") is None or (values.get("as_week") is None) == (values.get("weeks") is None):
                building.mistake(at(row, "as_day"), words("row.make_up"))
                good = False
            else:
                as_day = {"day": values["as_day"], "week": values.get("as_week"), "weeks": values.get("weeks")}
                fields["make_ups"].append({"date": date, "words": said, **as_day})
        if good:
            first = group[0]
            columns = {**first.titles, **dict.fromkeys(fields, first.titles["date"])}
            places = {str(row.values["date"]): at(row, "date") for row in group}
            building.change(Draft(Kind.TERM, str(term), fields, first.where, columns, places))


def _rules(rows: Sequence[RowLike], _broken: Sequence[Values], building: Building) -> None:
    """Rules and goals that are not named stay as they are."""
    first: dict[tuple[Kind, str], RowLike] = {}
    for row in rows:
        kind, name = row.values["setting"]
        if (kind, name) in first:
            there = first[kind, name].where.row
            building.mistake(at(row, "setting"), words("row.setting_twice", name=name, row=there))
        first.setdefault((kind, name), row)
        titles = {**row.titles, name: row.titles["value"]}
        building.change(Draft(kind, "district", {name: row.values["value"]}, row.where, titles))


def at(row: RowLike, field: str) -> Where:
    """The place of one field of a row."""
    return Where(row.where.file, row.where.sheet, row.where.row, row.titles.get(field, ""))


def _by(rows: Iterable[RowLike], broken: Iterable[Values], field: str) -> Mapping[object, list[RowLike]]:
    """The groups of which every row is good."""
    bad = {values.get(field) for values in broken}
    found: dict[object, list[RowLike]] = defaultdict(list)
    for row in rows:
        if row.values[field] not in bad:
            found[row.values[field]].append(row)
    return found


GROUPED: Mapping[str, Grouped] = {"bells": _bells, "timetables": _timetables, "calendar": _calendar, "rules": _rules}
