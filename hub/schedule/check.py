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
from hub.schedule.words import Words


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found."""

    broken: tuple[Words, ...]
    """Every rule that the plan breaks, a sentence each."""
    score: Score
    """What the plan is worth. Of a plan that breaks rules it says little."""

    @property
    def holds(self) -> bool:
        """Whether no rule is broken."""
        return not self.broken

    @property
    def violations(self) -> tuple[str, ...]:
        """What is broken, in English."""
        return tuple(one.en for one in self.broken)


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
        broken = [*self._read(), *self._alone(), *self._pins(), *self._together()]
        return Checked(tuple(broken), Counting(self._known, self._held, self._served).score(before))

    def _read(self) -> Iterator[Words]:
        """Take in what names something of the district; tell what does not."""
        known, plan = self._known, self._plan
        if plan.district and plan.district != fingerprint(known.district):
            named_one, this = plan.district[:12], fingerprint(known.district)[:12]
            yield Words(
                zh=f"这份计划是为另一份资料做的：其中写的是 {named_one}…，这里是 {this}…",
                en=f"the plan was made for another district: it names {named_one}..., this one is {this}...",
            )
        for held in plan.held:
            if held.lesson not in known.lessons:
                yield Words(
                    zh=f"排了主讲课 {held.lesson}，但资料中没有这节课",
                    en=f"lesson {held.lesson} is held, but is not in the district",
                )
            elif held.lesson in self._held:
                what = known.lesson_words(known.lessons[held.lesson])
                yield Words(zh=f"{what.zh} 排了两次", en=f"{what.en} is held twice")
            else:
                self._held[held.lesson] = held
        for served in plan.served:
            if served.request not in known.requests:
                yield Words(
                    zh=f"排了需求 {served.request}，但资料中没有这项需求",
                    en=f"request {served.request} is served, but is not in the district",
                )
            else:
                yield from self._read_served(known.requests[served.request], served)

    def _read_served(self, request: Request, served: Served) -> Iterator[Words]:
        who = self._known.request_words(request)
        if served.request in self._served:
            yield Words(zh=f"{who.zh} 排了两次", en=f"{who.en} is served twice")
        elif served.lesson is not None and served.lesson not in self._known.lessons:
            yield Words(
                zh=f"{who.zh} 听主讲课 {served.lesson}，但资料中没有这节课",
                en=f"{who.en} is served by lesson {served.lesson}, which is not in the district",
            )
        elif served.lesson is None and request.mode != "open":
            yield Words(
                zh=f"{who.zh} 没有主讲课；只有开放课不需要主讲课",
                en=f"{who.en} is served by no lesson; only an open class needs none",
            )
        elif served.lesson is not None and request.mode == "open":
            yield Words(
                zh=f"{who.zh} 听主讲课 {served.lesson}；开放课没有主讲课",
                en=f"{who.en} is served by lesson {served.lesson}; an open class has no lead lesson",
            )
        else:
            self._served[served.request] = served

    def _alone(self) -> Iterator[Words]:
        known, pairs = self._known, Pairs(self._known)
        for held in self._held.values():
            yield from lesson_alone(known, known.lessons[held.lesson], held)
        for served in self._served.values():
            request = known.requests[served.request]
            yield from request_alone(known, request, served)
            if served.lesson is not None:
                yield from pairs.wrong(request, served, known.lessons[served.lesson], self._held.get(served.lesson))

    def _pins(self) -> Iterator[Words]:
        for pin in self._known.district.pins:
            request = self._known.requests[pin.request]
            served = self._served.get(pin.request)
            if served is None:
                who = self._known.request_words(request)
                yield Words(zh=f"{who.zh} 已固定，但没有排上", en=f"{who.en} is pinned, but is not served")
            else:
                yield from self._pin(pin, request, served)

    def _pin(self, pin: Pin, request: Request, served: Served) -> Iterator[Words]:
        who = self._known.request_words(request)
        if pin.lesson is not None and served.lesson != pin.lesson:
            yield Words(
                zh=f"{who.zh} 固定听主讲课 {pin.lesson}，但排的是 {served.lesson or '无'}",
                en=f"{who.en} is pinned to lesson {pin.lesson}, but is served by {served.lesson or 'none'}",
            )
        if pin.time is not None and served.time != pin.time:
            place, time = when(pin.time), when(served.time)
            yield Words(
                zh=f"{who.zh} 固定在{place.zh}，但排在{time.zh}",
                en=f"{who.en} is pinned to its place {place.en}, but is served {time.en}",
            )
        if pin.room is not None:
            for room in sorted(set(rooms_of(served, request.weeks).values()) - {pin.room}):
                pinned_to = named(self._known.rooms[pin.room])
                yield Words(
                    zh=f"{who.zh} 固定在教室 {pinned_to}，但排在教室 {room}",
                    en=f"{who.en} is pinned to room {pinned_to}, but is in room {room}",
                )

    def _together(self) -> Iterator[Words]:
        uses = Uses(self._known)
        for held in self._held.values():
            uses.add_lesson(self._known.lessons[held.lesson], held)
        for served in self._served.values():
            uses.add_request(self._known.requests[served.request], served)
        yield from uses.wrong()
