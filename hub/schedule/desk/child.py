"""The process in which a draft is solved: `python -m hub.schedule.desk.child`, told its job on standard input.

It tells on standard output how far it has come and, at the end, the plan; `stop` has it answer with the best so far.
Whatever else is written by the libraries in it goes to standard error. It works behind everything else on the machine,
and ends when its standard input does: none outlives the hub.
"""

import contextlib
import os
import signal
import sys
import threading
from typing import TextIO

from hub.platform import step_back
from hub.schedule.desk.job import Job, Refused, Solved, Told
from hub.schedule.errors import ScheduleRefused

STOP = "stop\n"


def main() -> None:
    """Read the job, solve it, tell the plan."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the hub, who ends us in order
    step_back()
    with _said() as said:
        job = Job.model_validate_json(sys.stdin.readline())
        stopping = threading.Event()
        threading.Thread(target=_listen, args=(stopping,), name="desk.hub", daemon=True).start()
        _tell(said, _solved(job, said, stopping))
    # Not the usual way out: the thread above waits in a read that nothing ends.
    os._exit(0)


def _solved(job: Job, said: TextIO, stopping: threading.Event) -> Solved | Refused:
    from hub.schedule.solve.solver import Progress, solve  # noqa: PLC0415  loads the compiler; what is wrong is told

    def tell(progress: Progress) -> None:
        _tell(said, Told(**progress.told()))

    try:
        plan = solve(
            job.district,
            seed=job.seed,
            work=job.work,
            seconds=job.seconds,
            before=job.before,
            start=job.start,
            on_progress=tell,
            stop=stopping.is_set,
        )
    except ScheduleRefused as refused:
        return Refused(words=str(refused))
    return Solved(plan=plan)


def _listen(stopping: threading.Event) -> None:
    while line := sys.stdin.readline():
        if line == STOP:
            stopping.set()
    os._exit(1)  # whoever asked is gone


def _said() -> TextIO:
    """Standard output, kept from everybody else in this process."""
    mine = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return mine


def _tell(said: TextIO, line: Told | Solved | Refused) -> None:
    said.write(line.model_dump_json() + "\n")
    said.flush()


if __name__ == "__main__":
    main()
