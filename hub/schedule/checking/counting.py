"""What a plan is worth, goal by goal, counted from the facts."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from hub.schedule.checking.known import Known
from hub.schedule.checking.pairs import common_minutes
from hub.schedule.plan import Held, Plan, Score, Served
from hub.schedule.slots import Slot
from hub.schedule.wants import Lesson, Request, Wish

FREE_SHARE = 5
"""An under-resourced school may have one in so many of its requests unmet before it costs."""


class Counting:
    """Counts what a plan is worth.

    Args:
        known: the district.
        held: by lesson.
        served: by request; each is met by a lesson that the district has, or is an open class.
    """

    def __init__(self, known: Known, held: Mapping[str, Held], served: Mapping[str, Served]) -> None:
        self._known = known
        self._goals = known.district.goals
        self._held = held
        self._served = served

    def score(self, before: Plan | None) -> Score:
        """Points by goal; with a plan before, also what it costs that not all is as in it."""
        points: Counter[str] = Counter()
        for request_id, served in self._served.items():
            self._count(self._known.requests[request_id], served, points)
        points["opened"] = -self._goals.opened * len(self._held)
        points["fairness"] = -self._unfairness()
        points["wishes"] = self._wishes()
        points["kept"] = -self._goals.kept * self._changed(before) if before is not None else 0
        return Score(**points)

    def _count(self, request: Request, served: Served, points: Counter[str]) -> None:
        goals, home = self._goals, self._known.home(request)
        points["served"] += goals.served * request.weight
        if served.lesson is None:
            minutes = common_minutes(home, served.time, home, served.time)
        else:
            lesson = self._known.lessons[served.lesson]
            lead = self._known.lead_school(lesson)
            held = self._held.get(served.lesson)
            minutes = common_minutes(lead, held.time, home, served.time) if held is not None else 0
            if lead.community == home.community and home.community:
                points["community"] += goals.community
            points["units"] -= goals.unit * abs(lesson.unit - request.unit)
        points["minutes"] -= goals.minute * max(0, goals.full_minutes - minutes)

    def _unfairness(self) -> int:
        asked: dict[str, list[str]] = defaultdict(list)
        of_school: dict[str, list[str]] = defaultdict(list)
        for request in self._known.district.requests:
            home = self._known.home(request)
            if request.school_class is not None:
                asked[request.school_class].append(request.id)
            if home.under_resourced:
                of_school[home.id].append(request.id)
        cost = 0
        for requests in asked.values():
            cost += self._goals.second_unmet * max(0, self._unmet(requests) - 1)
        for requests in of_school.values():
            cost += self._goals.school_unmet * max(0, self._unmet(requests) - len(requests) // FREE_SHARE)
        return cost

    def _unmet(self, requests: list[str]) -> int:
        return sum(one not in self._served for one in requests)

    def _wishes(self) -> int:
        return sum(wish.points for wish in self._known.district.wishes if self._true(wish))

    def _true(self, wish: Wish) -> bool:
        if wish.request is None:
            held = self._held.get(wish.lesson or "")
            return held is not None and _fits(wish.time, held.time)
        served = self._served.get(wish.request)
        if served is None or not _fits(wish.time, served.time):
            return False
        wanted = (wish.lesson, wish.teacher, wish.lead_school)
        if served.lesson is None:
            return wanted == (None, None, None)
        lesson: Lesson = self._known.lessons[served.lesson]
        there = (lesson.id, lesson.teacher, self._known.lead_school(lesson).id)
        return all(one in {None, other} for one, other in zip(wanted, there, strict=True))

    def _changed(self, before: Plan) -> int:
        """Requests that were served before and are not served now by the same lesson at the same times."""
        was_held = {one.lesson: one.time for one in before.held}
        changed = 0
        for was in {one.request: one for one in before.served}.values():
            if was.request not in self._known.requests:
                continue
            now = self._served.get(was.request)
            if now is None or (now.lesson, now.time) != (was.lesson, was.time):
                changed += 1
            elif now.lesson is not None:
                held = self._held.get(now.lesson)
                changed += held is None or held.time != was_held.get(now.lesson)
        return changed


def _fits(wished: Slot | None, time: Slot) -> bool:
    return wished is None or wished == time
