"""The ways out of a disruption.

What was hit is placed in what is left free with nobody else moved; whoever finds no room there may get it from a few
others who move; a lesson may be postponed, a teacher replaced; or what was hit is let go. Each way is a whole plan
that the checker has passed, with what it changes for whom. Requests that were not served before stay so: a repair
is no new plan.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from hub.schedule.check import check
from hub.schedule.chosen import Chosen, plan_of
from hub.schedule.district import District
from hub.schedule.errors import PlanWrong
from hub.schedule.plan import Plan, Score
from hub.schedule.repair.alternative import Alternative, AlternativeKind
from hub.schedule.repair.changes import Before, changes_of, summary
from hub.schedule.repair.disrupted import disrupted
from hub.schedule.repair.disruption import Disruption, LessonExtended, RoomDown, Substitute, TeacherSick
from hub.schedule.repair.filling import filled
from hub.schedule.repair.hit import Hit
from hub.schedule.repair.moving import moved_few, neighbours
from hub.schedule.repair.near import carried
from hub.schedule.repair.rest import rest_of
from hub.schedule.repair.substitutes import substitutes
from hub.schedule.repair.week import in_week, plan_in_week
from hub.schedule.repair.world import Fixed, World

MOST_ALTERNATIVES = 4


def replan(
    district: District,
    plan: Plan,
    disruption: Disruption,
    *,
    fixed: Fixed | None = None,
    most_moved: int = 3,
    seconds: float = 1.0,
) -> tuple[Alternative, ...]:
    """The ways out of a disruption, the best first.

    Args:
        district: the facts before it, of every week.
        plan: a plan of every week that holds for them.
        disruption: what happened; with a `week`, what is repaired is one week of that kind alone.
        fixed: what must not be touched, beside whatever is pinned.
        most_moved: sessions that were not hit and yet may move, at most.
        seconds: when one of the programs is given up, by the clock. What decides is work, which is the same
            everywhere; only a machine that is far too busy for it gives up earlier.

    Returns:
        At least one, up to four; distinct plans. Fewest lost first, then fewest sessions moved, then the highest score.

    Raises:
        hub.schedule.errors.DisruptionWrong: the disruption names what is not there.
        PlanWrong: the plan did not hold before, either.
    """
    return _Repair(district, plan, disruption, fixed or Fixed(), most_moved, seconds).alternatives()


def facts_of(district: District, plan: Plan, alternative: Alternative) -> District:
    """The district that the plan of an alternative answers.

    Args:
        district: as `replan` was given it.
        plan: as `replan` was given it.
        alternative: one of its answers.
    """
    if alternative.week is not None:
        district, plan = in_week(district, alternative.week), plan_in_week(plan, district, alternative.week)
    for one in alternative.facts:
        district = disrupted(district, one, plan)
    return without_pins(district, alternative.unpinned)


def without_pins(district: District, requests: Collection[str]) -> District:
    """The district with the pins of some requests given up."""
    if not requests:
        return district
    return district.model_copy(update={"pins": tuple(pin for pin in district.pins if pin.request not in requests)})


class _Repair:
    def __init__(
        self, district: District, plan: Plan, disruption: Disruption, fixed: Fixed, most_moved: int, seconds: float
    ) -> None:
        if disruption.week is not None:
            district, plan = in_week(district, disruption.week), plan_in_week(plan, district, disruption.week)
        self._before = Before(district, plan)
        self._facts = disrupted(district, disruption, plan)
        if not fixed.onwards:
            disruption = rest_of(disruption, fixed.over, self._before.names)
            self._facts = disrupted(district, disruption, plan)
        self._disruption = disruption
        self._most_moved = most_moved
        self._seconds = seconds
        lessons = fixed.lessons | ({disruption.lesson} if isinstance(disruption, LessonExtended) else set())
        self._fixed = replace(fixed, lessons=frozenset(lessons))
        self._found: list[Alternative] = []
        self._wrong: list[str] = []

    def alternatives(self) -> tuple[Alternative, ...]:
        """As `replan` tells."""
        still = World(self._before, self._facts, self._fixed, self._seconds)
        if still.hit.requests:
            self._ways(still)
        else:
            self._add("keep", still, still.hit.left.chosen)
        if not self._found:
            words = "; ".join(self._wrong[:3])
            raise PlanWrong(f"the plan breaks rules that have nothing to do with what happened: {words}")
        self._found.sort(key=lambda one: (self._weight(one.lost), one.sessions_moved, -one.score.total))
        return tuple(self._found[:MOST_ALTERNATIVES])

    def _ways(self, still: "World") -> None:
        world = still.with_free(still.free)
        stays = filled(world.compiled, world.hit.left, world.free, world.may)
        self._add("nobody-moves", world, stays)
        self._add_substitutes(world)
        movers = neighbours(world.compiled, stays, world.free, world.fixed_requests, self._most_moved, world.may)
        if movers.requests or movers.lessons:
            wider = still.with_free((*still.free, *movers.requests))
            start = carried(stays, world.compiled, wider.compiled)
            few = moved_few(wider.compiled, start, world.free, movers, self._most_moved, wider.may)
            if few is not start:
                self._add("some-move", wider, few)
        self._add("postpone", world, filled(world.compiled, world.hit.left, world.free, world.own_lessons()))
        self._add("cancel", world, world.hit.left.chosen)

    def _add_substitutes(self, world: "World") -> None:
        if not isinstance(self._disruption, TeacherSick):
            return
        named = {self._facts.requests[one].id for one in world.hit.requests}
        who = substitutes(self._facts, self._before.plan, self._disruption, named, world.fixed_lessons)
        if not who:
            return
        facts = self._facts
        for one in who:
            facts = disrupted(facts, one)
        other = World(self._before, facts, self._fixed, self._seconds, world.free)
        stays = filled(other.compiled, other.hit.left, other.free, other.may)
        self._add("substitute", other, stays, who, world.hit)

    def _roomed(self, world: World, facts: District, chosen: Chosen) -> Plan | None:
        """The plan in which whatever is fixed keeps its room; None where too few rooms are left for the others.

        Where rooms themselves are lost, somebody who is fixed may need the room of another who is: then those who are
        merely pinned change rooms, and in the end those who are running, for none of them has to be lost by it.
        """
        gives_way = isinstance(self._disruption, RoomDown | LessonExtended)
        keeping = (world.fixed_requests, world.running, frozenset[int]()) if gives_way else (world.fixed_requests,)
        for kept in keeping:
            roomed = replace(world.roomed(chosen, kept), district=facts)
            try:
                return plan_of(roomed, chosen, Score(), self._before.plan)
            except PlanWrong:
                continue
        return None

    def _weight(self, requests: Collection[str]) -> int:
        return sum(self._before.names.requests[one].weight for one in requests)

    def _add(
        self,
        kind: AlternativeKind,
        world: "World",
        chosen: Chosen,
        who: Sequence[Substitute] = (),
        hit: Hit | None = None,
    ) -> None:
        """Make an alternative of an answer, if it holds and is not there yet."""
        numbers = sorted({*world.hit.requests, *(hit.requests if hit is not None else ())})
        served = chosen.candidate >= 0
        requests = world.facts.requests
        unpinned = tuple(one.request for one in world.facts.pins if not served[world.numbers[one.request]])
        facts = without_pins(world.facts, unpinned)
        plan = self._roomed(world, facts, chosen)
        if plan is None:
            return
        if any(one.plan.held == plan.held and one.plan.served == plan.served for one in self._found):
            return
        checked = check(facts, plan, self._before.plan)
        if checked.violations:
            self._wrong += checked.violations
            return
        moved = world.moved(chosen, set(numbers))
        sessions = world.sessions(moved, chosen)
        placed = tuple(requests[one].id for one in numbers if served[one])
        lost = tuple(requests[one].id for one in numbers if not served[one])
        alternative = Alternative(
            kind=kind,
            words=summary(kind, len(placed), len(lost), sessions, len(who)),
            week=self._disruption.week,
            facts=(self._disruption, *who),
            unpinned=unpinned,
            plan=plan.model_copy(update={"score": checked.score}),
            score=checked.score,
            hit=tuple(requests[one].id for one in numbers),
            placed=placed,
            lost=lost,
            moved=tuple(requests[one].id for one in moved),
            sessions_moved=sessions,
        )
        changes = changes_of(self._before, facts, alternative)
        self._found.append(alternative.model_copy(update={"changes": changes}))
