"""Simulated annealing, compiled: what every model of it shares.

A model brings a NamedTuple of arrays (the facts, and the answer that changes), a jitted function that makes one move
and returns what it gained, one that undoes it, and this loop, in its own module (numba keeps compiled code only of
functions that stand in a module, so the loop cannot be handed its functions):

    class Model(NamedTuple):
        facts: Ints
        now: Ints                              # the answer as it stands
        kept: Kept                             # the best answer, beside what differs from it
        journal: Journal                       # what the move has done so far

    @jitted
    def change(model, item, to):               # the one place where the answer changes
        note(model.journal, CHANGED, item, model.now[item])
        touch(model.kept, item)
        model.now[item] = to

    @jitted
    def undo(model):
        for row in range(model.journal.length[0] - 1, -1, -1):
            model.now[model.journal.rows[row, 1]] = model.journal.rows[row, 2]

    @jitted
    def run(model, walk):
        while going(walk):                     # counts the move, cools
            model.journal.length[0] = 0
            gain = move(model, walk.random)    # draws with `below` and `unit`
            if not takes(walk, gain):
                undo(model)
            elif is_best(walk):
                keep(model.kept, model.now)

    walk = started(seed, points)
    anneal(walk, lambda: run(model, walk), work=1_000_000, hot=600, cold=20, stop=stop)
    model.kept.best                            # the best answer; walk.points[BEST], its points

A model whose moves are simple may work out the gain first, and carry a move out only where it is taken. Points are
whole numbers, more is better: a penalty counts as negative points.

The same seed and the same work give the same answer, byte for byte, however busy the machine is: the temperature
follows the work spent and not the clock, and slicing the work does not change it.

Source: S. Kirkpatrick, C. Gelatt, M. Vecchi, Optimization by Simulated Annealing, Science 220 (1983).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hub.schedule.solve.jit import jitted

SLICE = 20_000
"""Moves between two looks at whether to stop."""
COOL_EVERY = 64
"""Moves between two temperatures."""
ENDLESS = 2**62
"""More moves than anybody can wait for."""
SPENT, UNTIL, TOTAL = 0, 1, 2
HOT, COLD, NOW = 0, 1, 2
POINTS, BEST = 0, 1

_A, _B, _C, _HALF = np.uint64(12), np.uint64(25), np.uint64(27), np.uint64(32)
_TIMES = np.uint64(0x2545F4914F6CDD1D)
_UNIT = 1.0 / 2**53
_SHORT = np.uint64(11)


class Walk(NamedTuple):
    """One run of the search, whatever it searches."""

    random: NDArray[np.uint64]
    """(1,) state of the generator."""
    work: NDArray[np.int64]
    """(3,) moves SPENT, moves granted UNTIL the next look, moves in TOTAL."""
    heat: NDArray[np.float64]
    """(3,) temperature in points: HOT at first, COLD at last, NOW."""
    points: NDArray[np.int64]
    """(2,) POINTS of the answer as it stands, and of the BEST."""


class Journal(NamedTuple):
    """What a move has done, so that it can be undone from the last row to the first."""

    rows: NDArray[np.int32]
    """(row, 3) what was done, to what, and what was there."""
    length: NDArray[np.int64]
    """(1,) rows that count."""


class Kept(NamedTuple):
    """The best answer, an integer an item; taking over a better one costs only what has changed since."""

    best: NDArray[np.int32]
    """(item,)"""
    touched: NDArray[np.bool_]
    """(item,) whether it may differ from the answer as it stands."""
    which: NDArray[np.int32]
    """(item,) those that may."""
    length: NDArray[np.int64]
    """(1,) how many."""


def started(seed: int, points: int) -> Walk:
    """A run that has not spent anything.

    Args:
        seed: any whole number.
        points: of the answer that it begins with.
    """
    return Walk(
        random=np.array([_scattered(seed)], np.uint64),
        work=np.zeros(3, np.int64),
        heat=np.zeros(3, np.float64),
        points=np.array([points, points], np.int64),
    )


def new_journal(most: int) -> Journal:
    """A journal for moves of at most so many rows."""
    return Journal(np.zeros((most, 3), np.int32), np.zeros(1, np.int64))


def keeping(answer: NDArray[np.int32]) -> Kept:
    """The answer that stands is the best so far."""
    size = len(answer)
    return Kept(answer.copy(), np.zeros(size, np.bool_), np.zeros(size, np.int32), np.zeros(1, np.int64))


def anneal(
    walk: Walk,
    run: Callable[[], None],
    *,
    work: int,
    hot: float,
    cold: float,
    stop: Callable[[], bool] = lambda: False,
    pace: Callable[[int], int] | None = None,
) -> None:
    """Spend the work, or less where `stop` says so; the best answer counts at any time.

    Args:
        walk: where the run stands.
        run: the model's loop; returns where `going` is false.
        work: moves in all.
        hot: the loss, in points, that is taken with probability 1/e at first.
        cold: and at last; the temperature falls by the same factor with every move.
        stop: asked every `SLICE` moves.
        pace: asked then, too: how many moves there will be in all, for so many that have been made. For whoever counts
            in seconds, and can tell only on the way; the answer then depends on the machine.
    """
    walk.work[:] = 0, 0, min(work, ENDLESS)
    walk.heat[:] = hot, cold, hot
    while walk.work[SPENT] < walk.work[TOTAL] and not stop():
        walk.work[UNTIL] = min(walk.work[TOTAL], walk.work[SPENT] + SLICE)
        run()
        if pace is not None:
            walk.work[TOTAL] = min(pace(int(walk.work[SPENT])), ENDLESS)


@jitted
def going(walk: Walk) -> bool:
    """Whether there is work left for a move; counts it, and cools."""
    spent = walk.work[SPENT]
    if spent >= walk.work[UNTIL]:
        return False
    if spent % COOL_EVERY == 0:
        walk.heat[NOW] = walk.heat[HOT] * (walk.heat[COLD] / walk.heat[HOT]) ** (spent / walk.work[TOTAL])
    walk.work[SPENT] = spent + 1
    return True


@jitted
def takes(walk: Walk, gain: int) -> bool:
    """Whether the answer after a move is gone on from; counts its points where it is."""
    if gain < 0 and gain <= walk.heat[NOW] * math.log(1.0 - unit(walk.random)):
        return False
    walk.points[POINTS] += gain
    return True


@jitted
def is_best(walk: Walk) -> bool:
    """Whether the answer that stands is better than any before; then it is the one to beat."""
    if walk.points[POINTS] <= walk.points[BEST]:
        return False
    walk.points[BEST] = walk.points[POINTS]
    return True


@jitted
def draw(random: NDArray[np.uint64]) -> np.uint64:
    """64 bits.

    Source: S. Vigna, An Experimental Exploration of Marsaglia's xorshift Generators, Scrambled (2016), xorshift64*.
    """
    state = random[0]
    state ^= state >> _A
    state ^= state << _B
    state ^= state >> _C
    random[0] = state
    drawn: np.uint64 = state * _TIMES
    return drawn


@jitted
def below(random: NDArray[np.uint64], count: int) -> np.int64:
    """A whole number from 0 to `count` - 1; `count` is under 2**31."""
    return np.int64(((draw(random) >> _HALF) * np.uint64(count)) >> _HALF)


@jitted
def unit(random: NDArray[np.uint64]) -> float:
    """A number from 0 to 1, 1 excluded."""
    return np.float64(draw(random) >> _SHORT) * _UNIT


@jitted
def note(journal: Journal, done: int, to: int, was: int) -> None:
    """Write down what was done, to what, and what was there.

    Raises:
        IndexError: the move does more than the journal was made for.
    """
    row = journal.length[0]
    if row >= len(journal.rows):
        raise IndexError("the journal is full")
    journal.rows[row, 0] = done
    journal.rows[row, 1] = to
    journal.rows[row, 2] = was
    journal.length[0] = row + 1


@jitted
def touch(kept: Kept, item: int) -> None:
    """Say that an item changes."""
    if not kept.touched[item]:
        kept.touched[item] = True
        kept.which[kept.length[0]] = item
        kept.length[0] += 1


@jitted
def keep(kept: Kept, answer: NDArray[np.int32]) -> None:
    """The answer as it stands is the best: take over what was touched."""
    for row in range(kept.length[0]):
        item = kept.which[row]
        kept.best[item] = answer[item]
        kept.touched[item] = False
    kept.length[0] = 0


def _scattered(seed: int) -> int:
    """A state of the generator, never 0, far from that of the seeds nearby.

    Source: G. Steele, D. Lea, C. Flood, Fast Splittable Pseudorandom Number Generators (2014), SplitMix64.
    """
    mask = 2**64 - 1
    mixed = (seed * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) & mask
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & mask
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & mask
    return (mixed ^ (mixed >> 31)) or 1
