"""Exact answers to the packing problem, or to a part of it, by HiGHS."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hub.schedule.chosen import Chosen, points
from hub.schedule.compiled import Compiled
from hub.schedule.solve.program import Program, Scope, program
from hub.schedule.solve.rows import gathered

SLACK = 1e-4
"""How far below a whole number a bound of HiGHS may lie that means this number: its sums are rounded."""
ASKED_EVERY_S = 0.1
"""How often it is asked whether anybody still waits for HiGHS."""

Stop = Callable[[], bool]
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Polished:
    """An answer, and whether it is the best."""

    chosen: Chosen
    proven: bool
    """Nothing in the scope is worth more."""


@dataclass(frozen=True, slots=True)
class Solved:
    """What HiGHS made of a program."""

    values: NDArray[np.float64] | None
    """(column,) its best solution; None where it found none."""
    bound: float
    """No solution is worth more, constant included; infinite where it knows none."""


def solved(
    wanted: Program, *, seconds: float | None = None, nodes: int | None = None, stop: Stop | None = None
) -> Solved:
    """The best that HiGHS finds.

    Args:
        wanted: the program.
        seconds: when to stop, by the clock: the answer then depends on the machine.
        nodes: when to stop, by nodes of the search tree: the same answer everywhere.
        stop: asked often; once it says yes there is no answer. HiGHS cannot be stopped: it goes on in a thread for
            which nobody waits until the process ends. Python waits then, unless it is left by `os._exit`.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - slow to import

    if not len(wanted.gain):
        fits = bool((wanted.most >= 0).all())
        return Solved(np.zeros(0) if fits else None, float(wanted.constant))
    options: dict[str, float] = {"mip_rel_gap": 0.0}
    if seconds is not None:
        options["time_limit"] = seconds
    if nodes is not None:
        options["node_limit"] = nodes
    found = _unless(
        stop,
        lambda: milp(
            -wanted.gain.astype(float),
            constraints=LinearConstraint(wanted.rows.astype(float), -np.inf, wanted.most.astype(float)),
            bounds=Bounds(0, wanted.upper.astype(float)),
            integrality=np.ones(len(wanted.gain)),
            options=options,
        ),
    )
    if found is None:
        return Solved(None, np.inf)
    known = found.mip_dual_bound is not None and np.isfinite(found.mip_dual_bound)
    return Solved(found.x, wanted.constant - found.mip_dual_bound if known else np.inf)


def fixed_times(compiled: Compiled) -> bool:
    """Whether the timetable has set the time of every lesson: then `polish` finds and proves the best plan."""
    return bool((np.diff(compiled.lesson_start) <= 1).all())


def polish(
    compiled: Compiled,
    chosen: Chosen,
    *,
    seconds: float | None = None,
    nodes: int | None = None,
    stop: Stop | None = None,
    openings: bool = False,
) -> Polished:
    """Pair anew, at the times at which lessons are held; lessons may also be given up.

    Args:
        compiled: the problem.
        chosen: an answer that holds.
        seconds: as for `solved`.
        nodes: as for `solved`.
        stop: as for `solved`.
        openings: lessons that are not held may be, at any of their times. Slower.

    Returns:
        An answer at least as good; proven where no other has these times and is better. Where the times of
        all lessons are fixed (`fixed_times`), that is the best plan there is.
    """
    options = np.zeros(len(compiled.options), np.bool_)
    if openings or fixed_times(compiled):
        closed = np.flatnonzero(chosen.option < 0)
        options[gathered(compiled.lesson_start, closed)[1]] = True
    options[chosen.option[chosen.option >= 0]] = True
    scope = Scope(options, np.ones(len(compiled.request_mask), np.bool_), chosen)
    return within(compiled, scope, seconds=seconds, nodes=nodes, stop=stop)


def within(
    compiled: Compiled,
    scope: Scope,
    *,
    seconds: float | None = None,
    nodes: int | None = None,
    stop: Stop | None = None,
) -> Polished:
    """The best answer of a scope, or the one that there was where HiGHS has none that is better; as for `solved`."""
    wanted = program(compiled, scope)
    answer = solved(wanted, seconds=seconds, nodes=nodes, stop=stop)
    best = scope.chosen
    if answer.values is not None:
        other = wanted.chosen(answer.values)
        if worth(compiled, other) > worth(compiled, best) and holds(compiled, other):
            best = other
    return Polished(best, proven=holds(compiled, best) and answer.bound < points(compiled, best) + 1 - SLACK)


def worth(compiled: Compiled, chosen: Chosen) -> tuple[int, int]:
    """What answers are compared by: pinned requests that are served, then points."""
    return int((chosen.candidate[compiled.request_must] >= 0).sum()), points(compiled, chosen)


def holds(compiled: Compiled, chosen: Chosen) -> bool:
    """Whether an answer is one: nothing is used beyond what there is, and whoever has to be is served."""
    taken = chosen.option[chosen.option >= 0]
    served = chosen.candidate[chosen.candidate >= 0]
    left = compiled.capacity.astype(np.int64)
    _, use = gathered(compiled.option_use_start, taken)
    np.subtract.at(left, compiled.option_use[use], compiled.option_units[use])
    _, use = gathered(compiled.place_use_start, compiled.candidate_place[served])
    np.subtract.at(left, compiled.place_use[use], compiled.place_units[use])
    used = np.unique(compiled.option_use[gathered(compiled.option_use_start, taken)[1]])
    used = np.union1d(used, compiled.place_use[use])
    by = compiled.candidate_option[served]
    lessons = np.repeat(np.arange(len(compiled.lesson_fan)), np.diff(compiled.lesson_start))
    led = by >= 0
    if (left[used] < 0).any() or not np.isin(by[led], taken).all():
        return False
    for parity in (0, 1):
        here = led & ((compiled.request_mask[compiled.candidate_request[served]] >> parity & 1) == 1)
        if (np.bincount(lessons[by[here]], minlength=len(compiled.lesson_fan)) > compiled.lesson_fan).any():
            return False
    return bool((chosen.candidate[compiled.request_must] >= 0).all())


def _unless(stop: Stop | None, work: Callable[[], _Answer]) -> _Answer | None:
    """What some work gives; None where somebody says stop first. Without `stop`, it is simply done."""
    if stop is None:
        return work()
    if stop():
        return None
    done: Future[_Answer] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001  raised again where it is waited for
            done.set_exception(error)

    threading.Thread(target=run, name="plan.highs").start()
    while not stop():
        with suppress(TimeoutError):
            return done.result(ASKED_EVERY_S)
    return None
