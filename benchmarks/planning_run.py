"""One run of one way to plan, in a process of its own, so that its memory is its own; benchmarks/planning.py asks.

python -m benchmarks.planning_run WAY --requests N --seed S [--tenfold] [--fixed] [--seconds T] [--proof FILE]

Prints one line of JSON.
"""

import argparse
import json
import resource
import time
from pathlib import Path

from hub.schedule.check import check
from hub.schedule.chosen import Chosen, plan_of
from hub.schedule.compiled import Compiled
from hub.schedule.compiling import compile_district
from hub.schedule.district import District
from hub.schedule.generate import generate, planted
from hub.schedule.plan import Plan, Score

SCHOOLS, ROOMS = 37, 189
"""The first district; tenfold, ten times both."""


def district(requests: int, seed: int, *, tenfold: bool = False, fixed: bool = False) -> District:
    """A made-up district; `fixed`: every lesson at the one time that the hidden plan gives it."""
    times = 10 if tenfold else 1
    if not fixed:
        return generate(SCHOOLS * times, ROOMS * times, requests, seed)
    made, plan = planted(SCHOOLS * times, ROOMS * times, requests, seed)
    held = {one.lesson: one.time for one in plan.held}
    lessons = (one.model_copy(update={"times": (held.get(one.id, one.times[0]),)}) for one in made.lessons)
    return made.model_copy(update={"lessons": tuple(lessons)})


def ours(made: District, seconds: float) -> dict:
    from hub.schedule.solve.solver import solve  # noqa: PLC0415 - no way loads the solvers of another

    begun = time.perf_counter()
    plan = solve(made, seed=1, seconds=seconds)
    return _judged(made, plan) | {"seconds": time.perf_counter() - begun, "claimed": plan.bound}


def by_greedy(made: District) -> dict:
    from hub.schedule.solve.greedy import greedy  # noqa: PLC0415 - no way loads the solvers of another

    compiled = compile_district(made)
    begun = time.perf_counter()
    chosen = greedy(compiled)
    return {"seconds": time.perf_counter() - begun} | _judged(made, _plan(compiled, chosen))


def by_cpsat(made: District, seconds: float, *, hinted: bool = False) -> dict:
    from benchmarks.cpsat import cpsat  # noqa: PLC0415 - no way loads the solvers of another
    from hub.schedule.solve.greedy import greedy  # noqa: PLC0415 - no way loads the solvers of another

    compiled = compile_district(made)
    start = greedy(compiled) if hinted else None
    found = cpsat(compiled, seconds, start=start)
    judged = _judged(made, _plan(compiled, found.chosen)) if found.chosen is not None else {"points": None}
    return judged | {"seconds": found.seconds, "claimed": found.bound, "proven": found.proven}


def by_bound(made: District, proof: Path) -> dict:
    """The bound, and what its proof proves when it is read from its file again."""
    from hub.schedule.solve.bound import bound, verify_bound  # noqa: PLC0415 - no way loads the solvers of another

    compiled = compile_district(made)
    begun = time.perf_counter()
    found = bound(compiled)
    sought = time.perf_counter() - begun
    found.save(compiled, proof)
    begun = time.perf_counter()
    verified = verify_bound(compiled, proof)
    return {
        "points": found.points,
        "verified": verified,
        "seconds": sought,
        "verifying": time.perf_counter() - begun,
        "bytes": proof.stat().st_size,
        "candidates": len(compiled.candidate_gain),
    }


def _plan(compiled: Compiled, chosen: Chosen) -> Plan:
    return plan_of(compiled, chosen, Score())


def _judged(made: District, plan: Plan) -> dict:
    """What the independent checker says."""
    checked = check(made, plan)
    return {
        "points": checked.score.total,
        "served": len(plan.served),
        "violations": len(checked.violations),
        "proven": plan.bound is not None and plan.bound == checked.score.total,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", choices=["ours", "greedy", "cpsat", "hinted", "bound"])
    parser.add_argument("--requests", type=int, default=800)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tenfold", action="store_true")
    parser.add_argument("--fixed", action="store_true")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--proof", type=Path, default=Path("proof.npz"))
    asked = parser.parse_args()
    made = district(asked.requests, asked.seed, tenfold=asked.tenfold, fixed=asked.fixed)
    told = {
        "ours": lambda: ours(made, asked.seconds),
        "greedy": lambda: by_greedy(made),
        "cpsat": lambda: by_cpsat(made, asked.seconds),
        "hinted": lambda: by_cpsat(made, asked.seconds, hinted=True),
        "bound": lambda: by_bound(made, asked.proof),
    }[asked.way]()
    print(json.dumps(told | {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
