"""`tongtang plan solve`: plans a district's week."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from hub.cli_options import JsonOption, refused
from hub.cli_plan_options import (
    BeforeOption,
    DistrictArgument,
    OutOption,
    SeedOption,
    district_from,
    plan_from,
    tell,
    worth,
    worth_words,
    writable,
    written,
)
from hub.schedule.errors import PinsUnmet, PlanBroken, ScheduleRefused

if TYPE_CHECKING:
    from hub.schedule.solve.progress import Progress

COMPILED_AT_ONCE_S = 3.0
"""Compiling that takes longer is worth telling: it is the first time on a machine, or the code cannot be kept."""


def solve(
    district: DistrictArgument,
    out: OutOption,
    seconds: Annotated[
        float,
        typer.Option(
            "--seconds", min=0.1, max=86_400, help="How long it takes, from the district to the checked plan."
        ),
    ] = 10.0,
    work: Annotated[
        int | None,
        typer.Option(
            "--work",
            min=1,
            max=10**12,
            help="Search so many moves instead of so long: the same seed then gives the same plan on any machine.",
            show_default=False,
        ),
    ] = None,
    seed: SeedOption = 1,
    before: BeforeOption = None,
    start: Annotated[
        Path | None,
        typer.Option("--start", metavar="PLAN", help="A plan to go on from.", show_default=False),
    ] = None,
    *,
    prove: Annotated[bool, typer.Option("--bound/--no-bound", help="Seek a bound that no plan can exceed.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Plan a week: a first plan at once, then better ones as long as it may. Ctrl-C ends it with the best so far.

    The plan is checked before it is written, and shown goal by goal with a bound that no plan can exceed. The first
    run on a machine compiles the search, which takes some seconds more. Ends with 1 where no plan serves all that is
    pinned.

    Examples:
      tongtang plan solve district.json --seconds 10 --out plan.json
      tongtang plan solve district.json --work 5000000 --seed 3 --out plan.json --json
      tongtang plan solve district.json --before last-week.json --out plan.json
    """
    writable(out)
    facts, so_far, begin = district_from(district), plan_from(before), plan_from(start)
    from hub.schedule.solve.solver import solve as plan_week  # noqa: PLC0415  loads the compiler: --help needs none

    begun = time.monotonic()
    compiling = _Compiling()
    try:
        with _stopped_by_hand() as stop, _shown(quiet=as_json) as show:
            plan = plan_week(
                facts,
                seed=seed,
                work=work,
                seconds=None if work is not None else seconds,
                before=so_far,
                start=begin,
                on_progress=lambda progress: show(compiling.seen(progress)),
                stop=stop,
                prove=prove,
            )
    except KeyboardInterrupt:
        typer.echo(f"ended by hand; {out} was not written", err=True)
        _leave(130)
    except (PinsUnmet, PlanBroken) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except ScheduleRefused as error:
        raise refused(str(error)) from error
    written(out, plan.save)
    took = round(time.monotonic() - begun, 3)
    answer = {
        "out": str(out),
        "seconds": took,
        "compiling_seconds": round(compiling.seconds, 3),
        "stopped": stop(),
        "seed": seed,
        "work": work,
        **worth(facts, plan, plan.score),
    }
    words = f"{out}: {worth_words(answer)}\n{_time_words(took, compiling.seconds, stopped=stop())}"
    tell(answer, words, as_json=as_json)
    if stop():
        _leave(0)


def _leave(code: int) -> NoReturn:
    """End the process at once: the usual way out would wait for HiGHS, which may be at work on what nobody wants."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class _Compiling:
    """How long the search was compiled: next to nothing, but for the first time on a machine."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._begun: float | None = None

    def seen(self, progress: "Progress") -> "Progress":
        """Look at how far the planner has come, and hand it on."""
        if progress.phase == "compiling":
            self._begun = progress.seconds
        elif self._begun is not None:
            self.seconds, self._begun = progress.seconds - self._begun, None
        return progress


@contextmanager
def _stopped_by_hand() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks for the best so far; pressed again it ends the command."""
    asked = threading.Event()

    def ask(_number: int, _frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    was = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, was)


@contextmanager
def _shown(*, quiet: bool) -> Iterator[Callable[["Progress"], None]]:
    """How far it has come, in one line that is overwritten; nothing where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield lambda _progress: None
        return
    from rich.console import Console  # noqa: PLC0415  only where somebody looks

    with Console(stderr=True).status("reading") as status:
        yield lambda progress: status.update(_line(progress))


def _time_words(took: float, compiling: float, *, stopped: bool) -> str:
    words = f"{took:.1f} s in all"
    if compiling >= COMPILED_AT_ONCE_S:
        words += f", {compiling:.1f} s of them to compile the search, as the first time on a machine"
    return words + (", stopped by hand" if stopped else "")


def _line(progress: "Progress") -> str:
    words = f"{progress.seconds:5.1f} s  {progress.phase}"
    if progress.phase == "compiling":
        words += " the search (the first time on a machine this takes a while)"
    if progress.points is not None:
        words += f"  {progress.points:,} points, {progress.served} served"
    if progress.bound:
        words += f", at most {1 - (progress.points or 0) / progress.bound:.2%} below the best"
    return words
