"""The planner: a first answer at once, then a better one as long as it may; what it emits was checked.

Counted in moves (`work`), the same seed gives the same plan on any machine, however busy: the solvers behind it are
then stopped by their own steps, too, and never by the clock. Counted in seconds, it takes what the machine gives.
"""

import time
from collections.abc import Callable

import numpy as np

from hub.schedule.check import check
from hub.schedule.chosen import Chosen, chosen_of, plan_of, points
from hub.schedule.compiling import compile_district
from hub.schedule.district import District
from hub.schedule.errors import PinsUnmet, PlanBroken
from hub.schedule.plan import Plan, Score
from hub.schedule.solve.bound import bound
from hub.schedule.solve.engine import ENDLESS, SPENT
from hub.schedule.solve.greedy import greedy, nothing
from hub.schedule.solve.milp import fixed_times, polish, within, worth
from hub.schedule.solve.neighbourhood import improved
from hub.schedule.solve.program import Scope
from hub.schedule.solve.progress import TELL_EVERY_S, Allowance, Progress
from hub.schedule.solve.rows import owners
from hub.schedule.solve.search import Search, with_wishes

__all__ = ["Progress", "solve"]

SECONDS = 10.0
"""How long it searches where nobody says."""
BOUND_SHARE, SEARCH_SHARE, POLISH_SHARE = 0.25, 0.8, 0.9
"""Which share of the seconds is spent, at most, when the bound, the search and the pairing at the times found are done;
the rest goes to neighbourhoods. In a district that HiGHS cannot pair as a whole, all goes to the search."""
PINS_SHARES = 0.25, 0.5
"""And when HiGHS has tried to serve all that is pinned, in one way and in another, where greedy does not."""
LONGEST_S = 30.0
"""One answer of HiGHS may take so long, however long the whole may: neighbourhoods bring more."""
SEARCHED_WHOLE = 2_000
"""Candidates up to which HiGHS may prove a district's best plan within seconds, and is asked for it."""
EMITTING = 0.4
"""Giving out rooms and checking takes at most about so much of the time that reading the district takes."""
NODES = 500
"""Nodes of HiGHS's tree for pairing at the times found, where the work is counted."""
LEAST_STEPS, MOST_STEPS = 50, 1_500
"""Steps of the bound, where the work is counted: ten for as many moves as there are candidates, within these."""
MOVES_A_ROUND = 100_000
"""Moves for which there is one neighbourhood, where the work is counted."""
POLISHABLE = 25_000
"""Candidates up to which HiGHS pairs a whole district anew; beyond, it may not return in minutes."""


def solve(
    district: District,
    *,
    seed: int = 1,
    work: int | None = None,
    seconds: float | None = None,
    before: Plan | None = None,
    start: Plan | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
    prove: bool = True,
) -> Plan:
    """Plan a week.

    Args:
        district: what is planned.
        seed: another number searches another way.
        work: how many moves the search makes; then no clock has a say in the plan.
        seconds: how long it takes, where no work is said; `SECONDS` where neither is. Compiling the search, the first
            time on a machine, comes on top.
        before: the plan that counts so far; keeping to it is worth points.
        start: a plan to go on from; `before`, where there is one, otherwise.
        on_progress: told how far it has come.
        stop: asked often; the best plan so far is returned soon after it says yes.
        prove: whether a bound is sought, too.

    Raises:
        PinsUnmet: no plan serves all that is pinned, or none was found.
        PlanBroken: the plan that was found breaks a rule: a mistake in the planner.
        DistrictWrong: rooms are asked for in more ways than can be planned.
    """
    allowance = Allowance(None if work is not None else SECONDS if seconds is None else seconds, stop)
    solving = _Solving(district, before, seed, allowance, on_progress or (lambda _progress: None))
    solving.begin(start or before)
    if not solving.pair_at_fixed_times():
        solving.search_on(work or 0, prove=prove)
    return solving.plan()


class _Solving:
    def __init__(
        self,
        district: District,
        before: Plan | None,
        seed: int,
        allowance: Allowance,
        tell: Callable[[Progress], None],
    ) -> None:
        self._district = district
        self._before = before
        self._seed = seed
        self._allowance = allowance
        self._tell = tell
        self._told_at = -TELL_EVERY_S
        self._phase = "reading"
        self._work = 0
        self._bound: float | None = None
        self._proof = ""
        self._say(Progress("reading", 0.0))
        self._compiled = compile_district(district, before)
        self._best = nothing(self._compiled)
        allowance.keep_back(EMITTING * allowance.elapsed())

    def begin(self, start: Plan | None) -> None:
        """A first answer, with all that is pinned in it."""
        begin = chosen_of(self._compiled, start) if start is not None else nothing(self._compiled)
        self._best = greedy(self._compiled, begin)
        pinned = self._compiled.request_must
        if self._best.candidate[pinned].min(initial=0) < 0:
            self._best = greedy(self._compiled, self._pinned_in(begin))
        self._enter("greedy")

    def pair_at_fixed_times(self) -> bool:
        """Where the timetable sets all times, HiGHS finds and proves the best plan; whether it did."""
        if not fixed_times(self._compiled) or not self._is_small() or self._allowance.over():
            return False
        self._enter("polish")
        polished = polish(
            self._compiled,
            self._best,
            seconds=self._clocked(0.5),
            nodes=self._counted(NODES),
            stop=self._allowance.stopped,
        )
        self._best = polished.chosen
        if polished.proven:
            self._bound, self._proof = float(points(self._compiled, self._best)), "HiGHS, with the times fixed"
        return polished.proven

    def search_on(self, work: int, *, prove: bool) -> None:
        """Bound, search, pair anew, neighbourhoods."""
        if self._done():
            return
        self._enter("compiling")
        begun = time.monotonic()
        Search(self._compiled, self._best, self._seed).anneal(1)
        self._allowance.give(time.monotonic() - begun)
        if prove:
            self._enter("bound")
            steps = 10 * work // max(1, len(self._compiled.candidate_gain))
            found = bound(
                self._compiled,
                seconds=self._clocked(BOUND_SHARE),
                steps=MOST_STEPS if self._allowance.timed else min(MOST_STEPS, max(LEAST_STEPS, steps)),
                tree=len(self._compiled.candidate_gain) <= SEARCHED_WHOLE,
                stop=self._allowance.stopped,
            )
            self._bound, self._proof = float(found.points), found.proof
        self._enter("search")
        self._anneal(work)
        self._enter("polish")
        if not self._is_small() or self._done():
            return
        stop = self._allowance.stopped
        seconds, nodes = self._clocked(POLISH_SHARE), self._counted(NODES)
        self._best = polish(self._compiled, self._best, seconds=seconds, nodes=nodes, stop=stop).chosen
        self._enter("polish")
        rounds = 2**31 if self._allowance.timed else work // MOVES_A_ROUND
        self._best = improved(self._compiled, self._best, seed=self._seed, rounds=rounds, stop=self._done, abandon=stop)

    def plan(self) -> Plan:
        """The plan, checked."""
        self._enter("checking")
        unmet = np.flatnonzero(self._compiled.request_must & (self._best.candidate < 0))
        if len(unmet):
            raise PinsUnmet([self._district.requests[request].id for request in unmet])
        plan = plan_of(self._compiled, self._best, Score(), self._before, self._bound, self._proof)
        checked = check(self._district, plan, self._before)
        if checked.violations:
            raise PlanBroken(checked.violations)
        counted = points(self._compiled, self._best)
        if checked.score.total != counted:
            raise PlanBroken((f"it is worth {checked.score.total} points, and was taken to be worth {counted}",))
        return plan.model_copy(update={"score": checked.score})

    def _pinned_in(self, begin: Chosen) -> Chosen:
        """All that is pinned served, where that can be, and what there was besides: it may not all fit.

        Whoever is pinned and served stays so, if the others can be served then.
        """
        must = self._compiled.request_must
        found = nothing(self._compiled)
        for share, kept in zip(PINS_SHARES, (self._pinned_of(self._best), nothing(self._compiled)), strict=True):
            times_open = (kept.option < 0)[owners(self._compiled.lesson_start)]
            scope = Scope(times_open, must & (kept.candidate < 0), kept)
            seconds, stop = self._clocked(share), self._allowance.stopped
            found = within(self._compiled, scope, seconds=seconds, nodes=NODES, stop=stop).chosen
            if (found.candidate[must] >= 0).all():
                break
        return Chosen(
            np.where(found.option < 0, begin.option, found.option), np.where(must, found.candidate, begin.candidate)
        )

    def _pinned_of(self, chosen: Chosen) -> Chosen:
        """What of an answer is pinned, and the lessons for it."""
        candidate = np.where(self._compiled.request_must, chosen.candidate, -1).astype(np.int32)
        option = np.full_like(chosen.option, -1)
        taken = self._compiled.candidate_option[candidate[candidate >= 0]]
        taken = taken[taken >= 0]
        option[owners(self._compiled.lesson_start)[taken]] = taken
        return Chosen(option, candidate)

    def _anneal(self, work: int) -> None:
        search = Search(self._compiled, self._best, self._seed)
        allowance = self._allowance
        begun = time.monotonic()
        share = SEARCH_SHARE if self._is_small() else 1.0
        granted = allowance.left(share)

        def pace(spent: int) -> int:
            expected = spent * granted / max(1e-6, time.monotonic() - begun)
            return max(spent, int(min(expected, ENDLESS)))

        def stop() -> bool:
            self._work = int(search.walk.work[SPENT])
            if time.monotonic() - self._told_at >= TELL_EVERY_S:
                self._best = max(self._best, search.best(), key=lambda one: worth(self._compiled, one))
                self._enter("search")
            return allowance.over(share) or self._is_proven()

        if allowance.timed:
            search.anneal(ENDLESS, stop=stop, pace=pace)
        else:
            search.anneal(work, stop=stop)
        self._work = int(search.walk.work[SPENT])
        self._best = with_wishes(self._compiled, search.best(), self._best)

    def _done(self) -> bool:
        return self._allowance.over() or self._is_proven()

    def _is_small(self) -> bool:
        return len(self._compiled.candidate_gain) <= POLISHABLE

    def _is_proven(self) -> bool:
        return self._bound is not None and points(self._compiled, self._best) >= self._bound

    def _clocked(self, share: float) -> float | None:
        return min(LONGEST_S, max(0.01, self._allowance.left(share))) if self._allowance.timed else None

    def _counted(self, nodes: int) -> int | None:
        return None if self._allowance.timed else nodes

    def _enter(self, phase: str) -> None:
        self._say(
            Progress(
                phase,
                self._allowance.elapsed(),
                self._work,
                points(self._compiled, self._best),
                int((self._best.candidate >= 0).sum()),
                self._bound,
            )
        )

    def _say(self, progress: Progress) -> None:
        self._told_at = time.monotonic()
        self._tell(progress)
