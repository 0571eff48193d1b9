"""What is asked of a lesson and a request that meet."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from hub.schedule.checking.known import WEEK_WORDS, Known, named, when
from hub.schedule.facts import School
from hub.schedule.plan import Held, Served
from hub.schedule.slots import Slot, parities
from hub.schedule.wants import Ban, Lesson, Request


def common_minutes(lead: School, lead_time: Slot, home: School, time: Slot) -> int:
    """Minutes that two slots of two schools have in common; 0 where they have none."""
    if lead_time[0] != time[0] or lead_time[1] > len(lead.bells) or time[1] > len(home.bells):
        return 0
    begins, ends = lead.bells[lead_time[1] - 1].minutes
    other_begins, other_ends = home.bells[time[1] - 1].minutes
    return max(0, min(ends, other_ends) - max(begins, other_begins))


class Pairs:
    """Judges pairs of lesson and request.

    Args:
        known: the district.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self._bans: dict[tuple[str, str], list[Ban]] = defaultdict(list)
        for ban in known.district.bans:
            for kind, one in (("request", ban.request), ("class", ban.school_class), ("school", ban.school)):
                if one is not None:
                    self._bans[kind, one].append(ban)
                    break

    def wrong(self, request: Request, served: Served, lesson: Lesson, held: Held | None) -> Iterator[str]:
        """What is wrong with a request's being served by a lesson."""
        known = self._known
        who = f"{known.request_words(request)} is served by {known.lesson_words(lesson)}"
        lead, home = known.lead_school(lesson), known.home(request)
        if lesson.mode != request.mode:
            yield f"{who}: the lesson is for {lesson.mode}, the request for {request.mode}"
        if lead.id == home.id:
            yield f"{who}: both are of one school"
        for field in ("subject", "grade", "edition"):
            offered, asked = getattr(lesson, field), getattr(request, field)
            if offered != asked:
                yield f"{who}: the lesson's {field} is {offered or 'none'}, the request's {asked or 'none'}"
        most = known.district.rules.unit_gap
        if abs(lesson.unit - request.unit) > most:
            yield f"{who}: unit {lesson.unit} and unit {request.unit} lie more than {most} apart"
        missed = set(parities(request.weeks)) - set(parities(lesson.weeks))
        if missed:
            yield f"{who}: the lesson is not held in {WEEK_WORDS[tuple(sorted(missed))]}"
        if held is None:
            yield f"{who}, which is not held"
        else:
            yield from self._times(who, lead, held, home, served)
        for ban in self._bans_on(request, home):
            if _forbids(ban, request, home, lesson, lead):
                yield f"{who}, which is banned ({_ban_words(ban)})"

    def _times(self, who: str, lead: School, held: Held, home: School, served: Served) -> Iterator[str]:
        least = self._known.district.rules.min_overlap_minutes
        minutes = common_minutes(lead, held.time, home, served.time)
        if minutes < least:
            yield (
                f"{who}: {named(lead)} {when(held.time)} and {named(home)} {when(served.time)} "
                f"have {minutes} minutes in common; {least} are needed"
            )

    def _bans_on(self, request: Request, home: School) -> Sequence[Ban]:
        return (
            *self._bans.get(("request", request.id), ()),
            *self._bans.get(("class", request.school_class or ""), ()),
            *self._bans.get(("school", home.id), ()),
        )


def _forbids(ban: Ban, request: Request, home: School, lesson: Lesson, lead: School) -> bool:
    """Whether everybody whom a ban names is there: those it does not name may be anybody."""
    there = {
        "request": request.id,
        "school_class": request.school_class,
        "school": home.id,
        "lesson": lesson.id,
        "teacher": lesson.teacher,
        "lead_school": lead.id,
    }
    return all(there[field] == one for field, one in _named_in(ban).items())


def _named_in(ban: Ban) -> dict[str, str]:
    return {field: one for field, one in ban.model_dump().items() if one is not None}


def _ban_words(ban: Ban) -> str:
    return ", ".join(f"{field.replace('_', ' ')} {one}" for field, one in _named_in(ban).items())
