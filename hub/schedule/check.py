"""The independent checker: whether a plan holds, and what it is worth, counted from the facts alone.

It shares no code with the solvers beyond the files themselves, so that a mistake in how they see a district cannot
hide in it. Every plan that a solver emits goes through it, and so can the plan of any other solver.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hub.schedule.checking.alone import lesson_alone, request_alone, rooms_of
from hub.schedule.checking.counting import Counting
from hub.schedule.checking.known import Known, named, when
from hub.schedule.checking.pairs import Pairs
from hub.schedule.checking.together import Uses
from hub.schedule.district import District
from hub.schedule.plan import Held, Plan, Score, Served, fingerprint
from hub.schedule.wants import Pin, Request


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found."""

    violations: tuple[str, ...]
    """Every rule that the plan breaks, a sentence each."""
    score: Score
    """What the plan is worth. Of a plan that breaks rules it says little."""

    @property
    def holds(self) -> bool:
        """Whether no rule is broken."""
        return not self.violations


def check(district: District, plan: Plan, before: Plan | None = None) -> Checked:
    """Check a plan.

    Args:
        district: what it was made for.
        plan: the plan. A lesson may be held although nobody follows it: that costs its opening, and breaks no rule.
            Its own `score` and `bound` are not looked at.
        before: the plan so far, where changes are to be counted.
    """
    return _Check(district, plan).run(before)


class _Check:
    def __init__(self, district: District, plan: Plan) -> None:
        self._known = Known(district)
        self._plan = plan
        self._held: dict[str, Held] = {}
        self._served: dict[str, Served] = {}

    def run(self, before: Plan | None) -> Checked:
        violations = [*self._read(), *self._alone(), *self._pins(), *self._together()]
        return Checked(tuple(violations), Counting(self._known, self._held, self._served).score(before))

    def _read(self) -> Iterator[str]:
        """Take in what names something of the district; tell what does not."""
        known, plan = self._known, self._plan
        if plan.district and plan.district != fingerprint(known.district):
            yield (
                f"the plan was made for another district: it names {plan.district[:12]}..., "
                f"this one is {fingerprint(known.district)[:12]}..."
            )
        for held in plan.held:
            if held.lesson not in known.lessons:
                yield f"lesson {held.lesson} is held, but is not in the district"
            elif held.lesson in self._held:
                yield f"{known.lesson_words(known.lessons[held.lesson])} is held twice"
            else:
                self._held[held.lesson] = held
        for served in plan.served:
            if served.request not in known.requests:
                yield f"request {served.request} is served, but is not in the district"
            else:
                yield from self._read_served(known.requests[served.request], served)

    def _read_served(self, request: Request, served: Served) -> Iterator[str]:
        who = self._known.request_words(request)
        if served.request in self._served:
            yield f"{who} is served twice"
        elif served.lesson is not None and served.lesson not in self._known.lessons:
            yield f"{who} is served by lesson {served.lesson}, which is not in the district"
        elif served.lesson is None and request.mode != "open":
            yield f"{who} is served by no lesson; only an open class needs none"
        elif served.lesson is not None and request.mode == "open":
            yield f"{who} is served by lesson {served.lesson}; an open class has no lead lesson"
        else:
            self._served[served.request] = served

    def _alone(self) -> Iterator[str]:
        known, pairs = self._known, Pairs(self._known)
        for held in self._held.values():
            yield from lesson_alone(known, known.lessons[held.lesson], held)
        for served in self._served.values():
            request = known.requests[served.request]
            yield from request_alone(known, request, served)
            if served.lesson is not None:
                yield from pairs.wrong(request, served, known.lessons[served.lesson], self._held.get(served.lesson))

    def _pins(self) -> Iterator[str]:
        for pin in self._known.district.pins:
            request = self._known.requests[pin.request]
            served = self._served.get(pin.request)
            if served is None:
                yield f"{self._known.request_words(request)} is pinned, but is not served"
            else:
                yield from self._pin(pin, request, served)

    def _pin(self, pin: Pin, request: Request, served: Served) -> Iterator[str]:
        who = self._known.request_words(request)
        if pin.lesson is not None and served.lesson != pin.lesson:
            yield f"{who} is pinned to lesson {pin.lesson}, but is served by {served.lesson or 'none'}"
        if pin.time is not None and served.time != pin.time:
            yield f"{who} is pinned to its place {when(pin.time)}, but is served {when(served.time)}"
        if pin.room is not None:
            for room in sorted(set(rooms_of(served, request.weeks).values()) - {pin.room}):
                pinned_to = named(self._known.rooms[pin.room])
                yield f"{who} is pinned to room {pinned_to}, but is in room {room}"

    def _together(self) -> Iterator[str]:
        uses = Uses(self._known)
        for held in self._held.values():
            uses.add_lesson(self._known.lessons[held.lesson], held)
        for served in self._served.values():
            uses.add_request(self._known.requests[served.request], served)
        yield from uses.wrong()
