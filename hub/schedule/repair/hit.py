"""Who is hit by a disruption: what of a plan cannot stay as it was."""

from collections.abc import Collection
from dataclasses import dataclass

from hub.schedule.chosen import chosen_of
from hub.schedule.compiled import Compiled
from hub.schedule.plan import Plan
from hub.schedule.repair.residual import Residual


@dataclass(frozen=True, slots=True)
class Hit:
    """A plan after a disruption: what is left of it, and who has to be looked after."""

    left: Residual
    """Everybody who can stay as they were; nothing is used beyond what there is."""
    requests: tuple[int, ...]
    """The requests that were served and cannot stay so, in the file's order."""
    crowded: tuple[int, ...]
    """Requests that stay, but could as well give way to one that was hit: they use what there was too little of."""


def who_is_hit(compiled: Compiled, plan: Plan, fixed: Collection[int]) -> Hit:
    """Take out of a plan what no longer holds.

    Args:
        compiled: the problem, after the disruption.
        plan: the plan before it.
        fixed: requests that give way last, where there is too little for all.
    """
    chosen = chosen_of(compiled, plan)
    left = Residual(compiled, chosen)
    for lesson, option in enumerate(left.option):
        if option >= 0 and not left.listeners[lesson]:
            left.close(lesson)
    numbers = {request.id: number for number, request in enumerate(compiled.district.requests)}
    served = {numbers[one.request] for one in plan.served if one.request in numbers}
    crowded = _relieve(compiled, left, frozenset(fixed))
    hit = sorted(number for number in served if left.candidate[number] < 0)
    return Hit(left, tuple(hit), tuple(sorted(crowded - set(hit))))


def _relieve(compiled: Compiled, left: Residual, fixed: frozenset[int]) -> set[int]:
    """Let go until nothing is used beyond what there is: whoever costs least first. Returns all who might have gone."""
    crowded: set[int] = set()
    while over := left.overloaded():
        holders = left.holders()
        best: tuple[tuple[int, ...], str, int] | None = None
        for kind, number in sorted({one for resource in over for one in holders[resource]}):
            candidates = [left.candidate[number]] if kind == "request" else left.listeners[number]
            requests = [int(compiled.candidate_request[one]) for one in candidates]
            crowded |= set(requests)
            costs = (
                sum(one in fixed for one in requests),
                sum(compiled.district.requests[one].weight for one in requests),
                -sum((kind, number) in holders[resource] for resource in over),
                number,
            )
            if best is None or (costs, kind, number) < best:
                best = (costs, kind, number)
        if best is None:
            break
        _, kind, number = best
        if kind == "request":
            left.drop(left.candidate[number])
        else:
            left.close(number)
    return crowded
