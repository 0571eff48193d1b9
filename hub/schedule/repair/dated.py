"""A repair's week on its dates: what of it is over, and whether it is too late for a way out."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

from hub.schedule.district import District
from hub.schedule.plan import Plan
from hub.schedule.repair.alternative import Alternative
from hub.schedule.repair.errors import RepairRefused
from hub.schedule.repair.names import Names
from hub.schedule.repair.world import Fixed
from hub.schedule.slots import Slot, Weeks
from hub.schedule.terms import Term


def dates_of(term: Term, week: int) -> Mapping[int, Sequence[dt.date]]:
    """By day: the dates on which its lessons of that week are held; none where it is off and not made up."""
    pattern: Weeks = "A" if week % 2 else "B"
    return {day: [one.date for one in term.held_on(pattern, day, week, week)] for day in range(1, 8)}


def over_at(term: Term, week: int, here: dt.datetime, *, onwards: bool) -> Fixed:
    """What of a week is over, or is not held because its day is off.

    Args:
        term: has the week.
        week: its number.
        here: the moment, by the clock on the district's walls.
        onwards: the plan holds in later weeks, too.

    Raises:
        RepairRefused: all of it is over, or nothing of it is held.
    """
    dates = dates_of(term, week)
    held = {date for some in dates.values() for date in some}
    if not held:
        raise RepairRefused(f"week {week} has no lessons: all of its days are off")
    if max(held) < here.date():
        raise RepairRefused(f"week {week} is past; what was held stays as it was")
    until = {day: here.strftime("%H:%M") for day, some in dates.items() if here.date() in some}
    over = frozenset(day for day, some in dates.items() if not any(date >= here.date() for date in some))
    off = frozenset(day for day, some in dates.items() if not some)
    return Fixed(until=until, days=over - off if onwards else over, onwards=onwards)


def begun_since(way: Alternative, before: Plan, district: District, then: Fixed, now: Fixed) -> bool:
    """Whether something that a way out changes has begun since it was found, where it was or where it is to be.

    What has begun stays as it was when a plan is published, so such a way would come true in parts only.

    Args:
        way: the way out.
        before: the plan that it repairs.
        district: of that plan.
        then: what was over when the way was found.
        now: what is over by now.
    """
    slots = _slots(way, (before, way.plan), Names(district))
    return any(now.over(time, begins) and not then.over(time, begins) for time, begins in slots)


def _slots(way: Alternative, plans: Iterable[Plan], names: Names) -> Iterator[tuple[Slot, str]]:
    lessons = {change.lesson for change in way.changes}
    requests = {change.request for change in way.changes}
    for plan in plans:
        for held in plan.held:
            if held.lesson in lessons:
                bells = names.lead_school(names.lessons[held.lesson]).bells
                yield held.time, bells[held.time[1] - 1].begins
        for served in plan.served:
            if served.request in requests:
                bells = names.home(names.requests[served.request]).bells
                yield served.time, bells[served.time[1] - 1].begins
