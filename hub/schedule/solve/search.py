"""Local search: makes room for somebody, places who had to go elsewhere, and takes the outcome or undoes it.

One move (`hub.schedule.solve.moves`) picks a request, mostly one that nobody serves, and of two of its candidates the
one for which fewer have to go. The lesson is moved to that slot with nobody in it where it stands in another, whoever
is in the way is taken out, and then those, and requests that the lesson could serve besides, are placed as well as can
be. Annealing decides whether it stays so.
"""

from collections.abc import Callable

from hub.schedule.chosen import Chosen
from hub.schedule.compiled import Compiled
from hub.schedule.solve.engine import anneal, started
from hub.schedule.solve.greedy import greedy
from hub.schedule.solve.loading import chosen_of_items, empty_answer, facts_of, load
from hub.schedule.solve.milp import holds, worth
from hub.schedule.solve.moves import new_moving, run

HOT = 1200.0
"""Temperature at first, in points. It, `COLD` and the moves were chosen on four of the benchmark's nine districts: its
table shows them on districts that they have seen, beside five that they have not."""
COLD = 80.0
"""Temperature at last."""


class Search:
    """A search that can be watched on the way, and warmed up again from where it stands.

    Args:
        compiled: the problem.
        start: an answer to begin with; what does not fit of it is left out.
        seed: another number searches another way.
    """

    def __init__(self, compiled: Compiled, start: Chosen, seed: int) -> None:
        self._compiled = compiled
        self._facts = facts_of(compiled)
        self._answer = empty_answer(compiled, self._facts)
        self._moving = new_moving(compiled)
        self.walk = started(seed, load(compiled, self._facts, self._answer, start))

    def anneal(
        self,
        work: int,
        hot: float = HOT,
        cold: float = COLD,
        stop: Callable[[], bool] = lambda: False,
        pace: Callable[[int], int] | None = None,
    ) -> None:
        """Search on from where it stands; the arguments are those of `hub.schedule.solve.engine.anneal`."""
        if len(self._compiled.candidate_gain):
            anneal(self.walk, self._run, work=work, hot=hot, cold=cold, stop=stop, pace=pace)

    def best(self) -> Chosen:
        """The best answer so far."""
        return chosen_of_items(self._facts, self._answer.kept.best)

    def _run(self) -> None:
        run(self._facts, self._answer, self._moving, self.walk)


def improve(
    compiled: Compiled,
    start: Chosen,
    *,
    seed: int,
    work: int,
    hot: float | None = None,
    cold: float | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Chosen:
    """The best answer that the search finds; never worse than what it starts with.

    Args:
        compiled: the problem.
        start: an answer to begin with; what does not fit of it is left out.
        seed: another number searches another way.
        work: moves.
        hot: temperature at first, in points; low to stay near the start.
        cold: temperature at last.
        stop: asked now and then; the best so far is returned as soon as it says yes.
    """
    search = Search(compiled, start, seed)
    search.anneal(work, hot or HOT, cold or COLD, stop)
    return with_wishes(compiled, search.best(), start)


def with_wishes(compiled: Compiled, found: Chosen, start: Chosen) -> Chosen:
    """The best of what was found, of that with the lessons that a wish alone wants held, and of the start, if it holds.

    The search closes lessons that nobody needs. Of equals what was found comes first: how far `start` has come by then
    may be a matter of time.
    """
    answers = [found]
    if (compiled.option_gain > 0).any():
        answers.append(greedy(compiled, found))
    if holds(compiled, start):
        answers.append(start)
    return max(answers, key=lambda one: worth(compiled, one))
