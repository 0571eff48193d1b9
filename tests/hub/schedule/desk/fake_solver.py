"""Stands in for the solving process: `python -m ... HOW [PLAN]`, speaks as the real one does."""

import os
import sys
from pathlib import Path

from hub.schedule.desk.job import Job, Refused, Solved, Told
from hub.schedule.plan import Plan


def tell(line):
    print(line.model_dump_json(), flush=True)


if __name__ == "__main__":
    how = sys.argv[1]
    job = Job.model_validate_json(sys.stdin.readline())
    print("a library says something", flush=True)
    tell(Told(elapsed_s=0.1, points=os.getpid(), served=len(job.district.requests), stage="greedy"))
    if how == "die":
        sys.exit(3)
    if how == "refuse":
        tell(Refused(words="request q-1 is pinned where nothing can be"))
    if how == "wait" and sys.stdin.readline() == "":
        sys.exit(1)
    if how in {"answer", "wait"}:
        tell(Solved(plan=Plan.load(Path(sys.argv[2]))))
