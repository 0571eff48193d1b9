"""Solves drafts in processes of their own, beside the hub: begun, followed, stopped, and done without when they die."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from hub.schedule.desk.errors import SolveRefused
from hub.schedule.desk.job import LINE, Job, Refused, Solved, Told
from hub.schedule.plan import Plan

PROGRAM = (sys.executable, "-m", "hub.schedule.desk.child")
WHERE = Path(__file__).parents[3]
"""Where the process is started: the hub may have been started in any folder."""
COMPILE_S = 180.0
"""A process may take this long beyond its seconds, to read the district and, once, to compile what it runs."""
WORK_S = 3_600.0
"""How long one may take whose work is counted in moves."""
END_WAIT_S = 5.0
STOP = b"stop\n"
REMEMBERED = 64
"""Drafts whose last solving is remembered."""

log = logging.getLogger("hub.plan")


class SolveState(StrEnum):
    """Where the solving of a draft stands."""

    RUNNING = "running"
    """A process searches."""
    STOPPING = "stopping"
    """It was asked to answer with the best plan so far."""
    DONE = "done"
    """The draft has the plan that was found."""
    FAILED = "failed"
    """There is no new plan; the draft is as it was, and the words say why."""


OVER = frozenset({SolveState.DONE, SolveState.FAILED})


@dataclass(frozen=True, slots=True)
class Solving:
    """How far the solving of one draft has come."""

    state: SolveState
    began: float
    """In seconds of hub UTC."""
    seconds: float | None
    """How long it may search; None where its work is counted in moves."""
    words: str = ""
    """Why it failed."""
    told: Told | None = None
    """What the process said last."""


class Solver:
    """At most one process a draft, and so many in all. Thread-safe.

    Args:
        most: processes at a time.
        now: hub UTC in seconds.
        on_change: is told the draft whose solving went on; from any thread.
        program: what is run; another one in tests.
        compiled: where compiled code is kept between runs, unless NUMBA_CACHE_DIR says; None leaves it to the
            user's cache, which a service may not have.
    """

    def __init__(
        self,
        most: int,
        now: Callable[[], float],
        on_change: Callable[[str], None] = lambda _: None,
        program: Sequence[str] = PROGRAM,
        compiled: Path | None = None,
    ) -> None:
        self._most = most
        self._now = now
        self._on_change = on_change
        self._program = tuple(program)
        self._compiled = compiled
        self._lock = threading.Lock()
        self._solvings: dict[str, Solving] = {}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._told: set[str] = set()
        """Drafts whose process has its job: only then may it be told more."""

    def start(self, draft: str, job: Job, taken: Callable[[Plan], str]) -> Solving:
        """Begin to solve a draft.

        Args:
            draft: its id.
            job: what is to be solved.
            taken: is handed the plan, on a thread of ours; returns why it cannot be kept, or an empty text.

        Raises:
            SolveRefused: the draft is being solved, so many are already, or no process can be started.
        """
        with self._lock:
            if draft in self._children:
                raise SolveRefused("this draft is being solved; wait for it, or stop it first")
            if len(self._children) >= self._most:
                busy = ", ".join(sorted(self._children))
                raise SolveRefused(f"as many drafts are being solved as may be at a time ({busy}); wait, or stop one")
            try:
                child = subprocess.Popen(
                    self._program,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    cwd=WHERE,
                    env=_environment(self._compiled),
                )
            except OSError as error:
                raise SolveRefused(f"no process can be started to solve it: {error.strerror}") from error
            self._children[draft] = child
            self._forget_some()
            self._solvings[draft] = solving = Solving(SolveState.RUNNING, self._now(), job.seconds)
            work = (draft, child, job, taken)
            self._threads[draft] = thread = threading.Thread(target=self._run, args=work, name=f"hub.solve.{draft}")
        thread.start()
        return solving

    def stop(self, draft: str) -> Solving:
        """Have a draft's solving end with the best plan so far; where it is over, nothing happens.

        Raises:
            SolveRefused: nobody has begun to solve it since the hub was started.
        """
        with self._lock:
            solving = self._solvings.get(draft)
            if solving is None:
                raise SolveRefused("this draft is not being solved")
            child = self._children.get(draft)
            if child is None:
                return solving
            self._solvings[draft] = solving = replace(solving, state=SolveState.STOPPING)
            told = draft in self._told
        if told:  # else it is said right after the job
            _write(child, STOP)
        return solving

    def progress(self, draft: str) -> Solving | None:
        """How far a draft's solving has come, or how it ended; None where nobody has begun one."""
        with self._lock:
            return self._solvings.get(draft)

    def running(self, draft: str) -> bool:
        """Whether a process solves this draft."""
        with self._lock:
            return draft in self._children

    def close(self) -> None:
        """Kill every process: what they have not told is lost, and the drafts are as they were."""
        with self._lock:
            children, threads = list(self._children.values()), list(self._threads.values())
        for child in children:
            child.kill()
        for thread in threads:
            thread.join(END_WAIT_S)

    def _run(self, draft: str, child: subprocess.Popen[bytes], job: Job, taken: Callable[[Plan], str]) -> None:
        too_long = threading.Event()

        def cut() -> None:
            too_long.set()
            child.kill()

        limit = threading.Timer((job.seconds or WORK_S) + COMPILE_S, cut)
        limit.daemon = True
        limit.start()
        try:
            words = self._followed(draft, child, job, taken)
        except Exception:
            log.exception("what solves %s could not be followed", draft)
            words = "the hub could not follow the process that solves it; its log says why"
            child.kill()
        finally:
            limit.cancel()
            _write(child, b"", close=True)
        code = child.wait()
        if child.stdout is not None:
            child.stdout.close()
        if words is None:
            words = _ended(code, too_long=too_long.is_set())
        state = SolveState.FAILED if words else SolveState.DONE
        if words:
            log.warning("%s was not solved: %s", draft, words)
        with self._lock:
            del self._children[draft], self._threads[draft]
            self._told.discard(draft)
            self._solvings[draft] = replace(self._solvings[draft], state=state, words=words)
        self._on_change(draft)

    def _followed(
        self, draft: str, child: subprocess.Popen[bytes], job: Job, taken: Callable[[Plan], str]
    ) -> str | None:
        """Why there is no new plan; empty where there is one, None where the process ended without a word."""
        _write(child, job.model_dump_json(exclude_defaults=True).encode() + b"\n")
        with self._lock:
            self._told.add(draft)
            stopping = self._solvings[draft].state is SolveState.STOPPING
        if stopping:
            _write(child, STOP)
        assert child.stdout is not None  # noqa: S101  asked for above
        for line in _lines(child.stdout):
            match line:
                case Told():
                    with self._lock:
                        self._solvings[draft] = replace(self._solvings[draft], told=line)
                    self._on_change(draft)
                case Solved():
                    return taken(line.plan)
                case Refused():
                    return line.words
        return None

    def _forget_some(self) -> None:
        over = [one for one, solving in self._solvings.items() if solving.state in OVER]
        for one in over[: max(0, len(self._solvings) - REMEMBERED)]:
            del self._solvings[one]


def _lines(told: IO[bytes]) -> Iterator[Told | Solved | Refused]:
    for line in told:
        try:
            yield LINE.validate_json(line)
        except ValidationError:
            log.warning("the process that solves a draft said what nobody knows: %.200r", line)


def _ended(code: int, *, too_long: bool) -> str:
    if too_long:
        return "the process that solved it did not end in time and was stopped; the draft is as it was"
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return f"the process that solved it was killed ({name}); the draft is as it was"
    return f"the process that solved it ended with {code} and no plan; the hub's log says why; the draft is as it was"


def _write(child: subprocess.Popen[bytes], line: bytes, *, close: bool = False) -> None:
    assert child.stdin is not None  # noqa: S101  asked for above
    try:
        child.stdin.write(line)
        child.stdin.flush()
        if close:
            child.stdin.close()
    except (OSError, ValueError):  # it is gone, or done
        log.debug("a process that solves a draft heard nothing more")


def _environment(compiled: Path | None) -> dict[str, str]:
    """Ours, on one thread: the hub needs the other cores."""
    kept = {"NUMBA_CACHE_DIR": str(compiled)} if compiled is not None else {}
    return {**kept, **os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
