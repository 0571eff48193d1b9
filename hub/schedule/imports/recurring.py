"""The days on which an event of a calendar recurs: the rules that absences and closures are written with."""

import datetime as dt
from calendar import isleap
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

HORIZON_DAYS = 366
"""A rule without an end is followed for so long."""
FARTHEST_DAYS = 3660
"""And one with an end at most."""
MOST_DAYS = 400
_DAYS = {"MO": 1, "TU": 2, "WE": 3, "TH": 4, "FR": 5, "SA": 6, "SU": 7}
_TAKEN = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST"})


def days_of(rule: Mapping[str, Any], first: dt.date) -> list[dt.date] | None:
    """The days of a rule, from the event's own on.

    Args:
        rule: RRULE's parts by name, as icalendar gives them: each a list; UNTIL as a day.
        first: day of the event.

    Returns:
        At most `MOST_DAYS`; None for a rule that is more than every so many days, weeks (on weekdays) or years.

    >>> days_of({"FREQ": ["WEEKLY"], "BYDAY": ["MO", "WE"], "COUNT": [3]}, dt.date(2026, 10, 12))
    [datetime.date(2026, 10, 12), datetime.date(2026, 10, 14), datetime.date(2026, 10, 19)]
    """
    frequency = str(_first(rule, "FREQ", "")).upper()
    interval, count = _first(rule, "INTERVAL", 1), _first(rule, "COUNT", MOST_DAYS)
    weekdays = [_DAYS.get(str(day)) for day in rule.get("BYDAY", [])]
    if frequency not in {"DAILY", "WEEKLY", "YEARLY"} or not set(rule) <= _TAKEN or None in weekdays:
        return None
    if (weekdays and frequency != "WEEKLY") or min(interval, count) < 1 or str(_first(rule, "WKST", "MO")) != "MO":
        return None
    followed = dt.timedelta(days=FARTHEST_DAYS if {"UNTIL", "COUNT"} & set(rule) else HORIZON_DAYS)
    last = min(_first(rule, "UNTIL", first + followed), first + followed)
    found = _until(last, frequency, interval, first, [day for day in weekdays if day is not None])
    return list(islice((day for day in found if first <= day <= last), min(count, MOST_DAYS)))


def _until(last: dt.date, frequency: str, interval: int, first: dt.date, weekdays: Sequence[int]) -> Iterator[dt.date]:
    """The days of a rule in order, some beyond its ends: it steps from one to the next, however far that is."""
    if frequency == "YEARLY":
        for year in range(first.year, last.year + 1, interval):
            if (first.month, first.day) != (2, 29) or isleap(year):
                yield first.replace(year=year)
        return
    begins, step, days = first, interval, [0]
    if frequency == "WEEKLY":
        begins, step = first - dt.timedelta(days=first.weekday()), 7 * interval
        days = sorted({day - 1 for day in weekdays or [first.isoweekday()]})
    for number in range(begins.toordinal(), last.toordinal() + 1, step):
        yield from (dt.date.fromordinal(number + day) for day in days)


def _first(rule: Mapping[str, Any], name: str, otherwise: Any) -> Any:
    found = rule.get(name)
    return (found[0] if isinstance(found, list) else found) if found else otherwise
