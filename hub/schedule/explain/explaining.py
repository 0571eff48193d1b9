"""Why requests are not served, and the smallest change that would serve each."""

from collections.abc import Collection, Iterator, Sequence
from itertools import product

from pydantic import Field

from hub.schedule.district import District
from hub.schedule.explain.around import Around, around, served_with
from hub.schedule.explain.change import FactChange
from hub.schedule.explain.nearest import no_lesson
from hub.schedule.explain.obstacle import MORE_THAN_ONE, NO_CHANGE, ObstacleKind, Way
from hub.schedule.explain.occupied import Occupied
from hub.schedule.explain.offered import offered
from hub.schedule.explain.ways import Ways
from hub.schedule.plan import Held, Plan, Served, fingerprint
from hub.schedule.repair.names import Names
from hub.schedule.slots import Id, Part, Slot
from hub.schedule.wants import Request
from hub.schedule.words import Words, listed, slot_words

MOST_REASONS = 6
"""Lessons that are told of, the least hindered first."""
MOST_CHANGES = 3
"""Changes that a fix consists of, at most."""
ALIKE = 2
"""Changes that are tried for one obstacle."""
MOST_TRIES = 12
"""Changes that are tried for one request; each costs milliseconds."""


class Reason(Part):
    """Why one lesson does not serve a request, at the time at which least is in the way."""

    kinds: tuple[ObstacleKind, ...]
    lesson: Id | None = None
    time: Slot | None = Field(None, description="In the request's own school.")
    words: Words


class Fix(Part):
    """A change after which a request is served, everybody else as before; the checker has passed that plan."""

    changes: tuple[FactChange, ...] = Field(description="Empty: it can be served as things are.")
    words: Words
    held: tuple[Held, ...] = Field((), description="Lessons that are held otherwise than in the plan: new, other room.")
    served: tuple[Served, ...] = Field((), description="Requests served otherwise: this one; others in another room.")


class Explanation(Part):
    """Why one request is not served."""

    request: Id
    words: Words
    reasons: tuple[Reason, ...]
    ways: int = Field(description="Pairs of lesson and time that were looked at.")
    fix: Fix | None = None
    no_fix: Words | None = Field(None, description="Why no small change serves it.")


def explain(district: District, plan: Plan, requests: Collection[str] | None = None) -> tuple[Explanation, ...]:
    """Explain why requests are not served.

    Args:
        district: the facts.
        plan: a plan that holds for them.
        requests: ids of those that are asked about; all that are not served, if nothing is said.
    """
    explainer = _Explainer(district, plan)
    served = {one.request for one in plan.served}
    return tuple(
        explainer.explain(one)
        for one in district.requests
        if one.id not in served and (requests is None or one.id in requests)
    )


def with_fix(district: District, plan: Plan, fix: Fix) -> tuple[District, Plan]:
    """The district and the plan once a fix is made."""
    for change in fix.changes:
        district = change.applied(district)
    held = {one.lesson: one for one in (*plan.held, *fix.held)}
    served = {one.request: one for one in (*plan.served, *fix.served)}
    changed = plan.model_copy(
        update={
            "district": fingerprint(district),
            "held": tuple(held[one.id] for one in district.lessons if one.id in held),
            "served": tuple(served[one.id] for one in district.requests if one.id in served),
            "bound": None,
            "proof": "",
        }
    )
    return district, changed


class _Explainer:
    def __init__(self, district: District, plan: Plan) -> None:
        self._occupied = Occupied(district, plan)
        self._names: Names = self._occupied.names
        self._ways = Ways(self._occupied)

    def explain(self, request: Request) -> Explanation:
        what = self._names.request(request.id)
        words = Words(zh=f"{what.zh}未能安排", en=f"{what.en} is not served")
        found = list(self._ways.of(request))
        ways = sorted(found, key=lambda way: way.order)
        if ways or request.mode == "open" or self._ways.lessons(request):
            reasons = self._reasons(request, ways)
        else:
            nearest = no_lesson(self._occupied, request)
            reasons = tuple(Reason(kinds=("topic",), lesson=lesson, words=told) for lesson, told in nearest)
        fix = self._fix(request, ways) or self._fix(request, list(offered(self._occupied, self._ways, request)))
        unfixed = Words(
            zh=f"改动 {MOST_CHANGES} 处也不够，增开一节课也不行",
            en=f"no change of up to {MOST_CHANGES} facts is enough, nor is one more lesson",
        )
        return Explanation(
            request=request.id,
            words=words,
            reasons=reasons,
            ways=len(ways),
            fix=fix,
            no_fix=None if fix is not None else unfixed,
        )

    def _reasons(self, request: Request, ways: Sequence[Way]) -> tuple[Reason, ...]:
        """Of each lesson, the way in which least stands."""
        best: dict[str | None, Way] = {}
        for way in ways:
            best.setdefault(way.lesson, way)
        reasons = [self._reason(way) for way in best.values()]
        for lesson in self._ways.lessons(request):
            if lesson.id not in best:  # at no time do they have much of their bells in common
                what = self._names.lesson(lesson.id)
                words = Words(
                    zh=f"{what.zh}：两校作息没有足够的共同时间", en=f"{what.en}: the bells of both schools hardly meet"
                )
                reasons.append(Reason(kinds=("overlap",), lesson=lesson.id, words=words))
        return tuple(reasons[:MOST_REASONS])

    def _reason(self, way: Way) -> Reason:
        then = slot_words(way.time)
        what = self._names.lesson(way.lesson) if way.lesson is not None else Words(zh="公开课", en="the open class")
        zh = "；".join(one.words.zh for one in way.obstacles) or "可以安排"
        en = "; ".join(one.words.en for one in way.obstacles) or "nothing is in the way"
        return Reason(
            kinds=tuple(dict.fromkeys(one.kind for one in way.obstacles)),
            lesson=way.lesson,
            time=way.time,
            words=Words(zh=f"{what.zh}（{then.zh}）：{zh}", en=f"{what.en} ({then.en}): {en}"),
        )

    def _fix(self, request: Request, ways: Sequence[Way]) -> Fix | None:
        parts: dict[str | None, Around] = {}
        for lesson, changes in _proposals(ways):
            new = next((one.offered for one in changes if one.offered is not None), None)
            key = lesson if new is None else new.teacher
            if key not in parts:
                offer = new or (self._names.lessons[lesson] if lesson is not None else None)
                parts[key] = around(self._occupied, request, offer)
            plan = served_with(parts[key], request.id, changes)
            if plan is not None:
                return self._made(request, changes, plan)
        return None

    def _made(self, request: Request, changes: Sequence[FactChange], plan: Plan) -> Fix:
        served = next(one for one in plan.served if one.request == request.id)
        then = slot_words(served.time)
        by = Words(zh="上课", en="")
        if served.lesson is not None and served.lesson in self._names.lessons:
            what = self._names.lesson(served.lesson)
            by = Words(zh=f"听 {what.zh}", en=f" by {what.en}")
        how = listed(change.words(self._names) for change in changes)
        if not changes:
            how = Words(zh="无需改动", en="nothing has to change")
        return Fix(
            changes=tuple(changes),
            words=Words(zh=f"{how.zh}：可在{then.zh}{by.zh}", en=f"{how.en}: then it is served on {then.en}{by.en}"),
            held=tuple(one for one in plan.held if self._occupied.held.get(one.lesson) != one),
            served=tuple(one for one in plan.served if self._occupied.served.get(one.request) != one),
        )


def _proposals(ways: Sequence[Way]) -> Iterator[tuple[str | None, tuple[FactChange, ...]]]:
    """Changes that take all that is in a way out of it, the smallest first, for which lesson; none twice."""
    found: dict[tuple[str | None, tuple[FactChange, ...]], tuple[int, int]] = {}
    for number, way in enumerate(ways):
        if way.cost >= NO_CHANGE or len(way.obstacles) > MOST_CHANGES:
            continue
        for changes in product(*(one.changes[:ALIKE] for one in way.obstacles)):
            cost = sum(one.cost for one in changes) + MORE_THAN_ONE * max(0, len(changes) - 1)
            found.setdefault((way.lesson, changes), (cost, number))
    yield from sorted(found, key=lambda one: found[one])[:MOST_TRIES]
