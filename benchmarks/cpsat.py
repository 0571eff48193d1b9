"""CP-SAT as a peer of the planner: the same problem, by default settings, from nothing or from greedy's plan.

Runs in a process of its own (benchmarks/planning_run.py): OR-Tools and HiGHS may not load in one (or-tools#5246).
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from hub.schedule.chosen import Chosen
from hub.schedule.compiled import Compiled

WORKERS = 2


@dataclass(frozen=True, slots=True)
class Found:
    """What CP-SAT found in its time."""

    chosen: Chosen | None
    bound: float
    seconds: float
    """Of its solver alone, building the model aside."""
    proven: bool


def cpsat(compiled: Compiled, seconds: float, workers: int = WORKERS, start: Chosen | None = None) -> Found:
    """Solve with CP-SAT.

    Args:
        compiled: the problem.
        seconds: how long it may take, building the model aside.
        workers: its threads.
        start: a plan as a hint to begin from.
    """
    model = cp_model.CpModel()
    options = [model.new_bool_var("") for _ in compiled.options]
    candidates = [model.new_bool_var("") for _ in compiled.candidate_gain]
    _add_choices(compiled, model, options, candidates)
    _add_meetings(compiled, model, options, candidates)
    _add_resources(compiled, model, options, candidates)
    costs = list(_group_costs(compiled, model, candidates))
    worth = [
        cp_model.LinearExpr.weighted_sum(options, compiled.option_gain.tolist()),
        cp_model.LinearExpr.weighted_sum(candidates, compiled.candidate_gain.tolist()),
        *(-cost for cost in costs),
    ]
    if start is not None:
        _hint(compiled, model, start, options, candidates, costs)
    model.maximize(cp_model.LinearExpr.sum(worth) - compiled.kept)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = workers
    status = solver.solve(model)
    chosen = None
    if status in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        chosen = Chosen(
            _taken(solver, options, compiled.lesson_start), _taken(solver, candidates, compiled.request_start)
        )
    return Found(chosen, solver.best_objective_bound, solver.wall_time, status == cp_model.OPTIMAL)


def _add_choices(compiled, model, options, candidates) -> None:
    for lesson in range(len(compiled.lesson_fan)):
        model.add_at_most_one(options[slice(*compiled.lesson_start[lesson : lesson + 2])])
    for request, must in enumerate(compiled.request_must):
        ways = candidates[slice(*compiled.request_start[request : request + 2])]
        if must:
            model.add_exactly_one(ways)
        else:
            model.add_at_most_one(ways)


def _add_meetings(compiled, model, options, candidates) -> None:
    """Whoever is served by an option needs it taken, and it serves no more than it may."""
    masks = compiled.request_mask[compiled.candidate_request]
    served = defaultdict(list)
    for row, option in enumerate(compiled.candidate_option):
        if option >= 0:
            model.add_implication(candidates[row], options[option])
            served[int(option)].append(row)
    for option, rows in served.items():
        fan = int(compiled.lesson_fan[compiled.options[option].lesson])
        for parity in (0, 1):
            here = [candidates[row] for row in rows if masks[row] >> parity & 1]
            if len(here) > fan:
                model.add(sum(here) <= fan * options[option])


def _add_resources(compiled, model, options, candidates) -> None:
    users = defaultdict(list)
    for variables, places, start, use, units in (
        (options, range(len(options)), compiled.option_use_start, compiled.option_use, compiled.option_units),
        (candidates, compiled.candidate_place, compiled.place_use_start, compiled.place_use, compiled.place_units),
    ):
        for variable, place in zip(variables, places, strict=True):
            for entry in range(start[place], start[place + 1]):
                users[int(use[entry])].append((variable, int(units[entry])))
    for resource, pairs in users.items():
        capacity = int(compiled.capacity[resource])
        if all(units == 1 for _, units in pairs) and capacity == 1:
            model.add_at_most_one(variable for variable, _ in pairs)
        elif sum(units for _, units in pairs) > capacity:
            model.add(sum(units * variable for variable, units in pairs) <= capacity)


def _group_costs(compiled, model, candidates):
    """One variable a group, above each line of its convex cost."""
    for group in range(len(compiled.group_start) - 1):
        members = compiled.group_member[slice(*compiled.group_start[group : group + 2])]
        costs = compiled.group_cost[slice(*compiled.group_cost_start[group : group + 2])].tolist()
        ways = [way for one in members for way in candidates[slice(*compiled.request_start[one : one + 2])]]
        unmet = len(members) - sum(ways)
        cost = model.new_int_var(costs[0], costs[-1], "")
        for step, price in sorted({(at, costs[at + 1] - costs[at]) for at in range(len(costs) - 1)}):
            if step == 0 or price != costs[step] - costs[step - 1]:
                model.add(cost >= costs[step] + price * (unmet - step))
        yield cost


def _hint(compiled, model, start, options, candidates, costs) -> None:
    """Begin from a plan: every variable gets its value, or CP-SAT lets go of it."""
    for variables, taken in ((options, start.option), (candidates, start.candidate)):
        rows = set(taken[taken >= 0].tolist())
        for row, variable in enumerate(variables):
            model.add_hint(variable, row in rows)
    for group, cost in enumerate(costs):
        members = compiled.group_member[slice(*compiled.group_start[group : group + 2])]
        unmet = int((start.candidate[members] < 0).sum())
        model.add_hint(cost, int(compiled.group_cost[compiled.group_cost_start[group] + unmet]))


def _taken(solver, variables, starts):
    taken = np.full(len(starts) - 1, -1, np.int32)
    for owner in range(len(taken)):
        for row in range(starts[owner], starts[owner + 1]):
            if solver.boolean_value(variables[row]):
                taken[owner] = row
    return taken
