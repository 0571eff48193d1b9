"""How good the planner's search is on a problem with published results: course timetabling (ITC-2007, track 3).

python benchmarks/timetabling.py FILE.ctt ... [--seconds 60] [--seed S] [--work N] [--out FOLDER] [--json]

Solves each file with the annealing that the planner uses (hub/schedule/solve/engine.py) and prints the penalty of the
best timetable, counted anew from the rules. --seconds measures the moves a second first, and chooses the work to fit;
with --work the answer is the same on every machine. One core. Nothing is fetched: bring the files.

Exit code 1: a timetable breaks what must hold. 2: a file that cannot be read, or written.
"""

import argparse
import dataclasses
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.timetabling_format import (
    Instance,
    Lecture,
    TimetableUnreadable,
    read_instance,
    solution_text,
)
from benchmarks.timetabling_model import timetable
from benchmarks.timetabling_moves import searched
from benchmarks.timetabling_penalty import Penalty, penalty
from benchmarks.timetabling_start import TooManyLectures, first_week

PROBE = 2_000_000
"""Moves of a short search that shows how many fit into a second; the search itself makes as many at least."""
SPARE = 0.03
"""Of the time, for what is not a move."""
LATE = 1.25
"""A search that the machine slows down ends after so many times the seconds."""
LONGEST_S = 86_400
COLUMNS = ("feasible", "penalty", "capacity", "days", "compactness", "stability", "seconds", "moves", "seed")


@dataclass(frozen=True, slots=True)
class Solved:
    """One file, and what was made of it."""

    file: str
    name: str
    feasible: bool
    penalty: Penalty
    points: int
    """All of the penalty but the hard violations."""
    start: int
    """Points of the first timetable, before the search."""
    seconds: float
    """Of the search, without reading and compiling."""
    moves: int
    seed: int
    timetable: tuple[Lecture, ...]


def solved(instance: Instance, file: str, *, seed: int, seconds: float, work: int | None = None) -> Solved:
    """The best timetable that the search finds.

    Args:
        instance: the week to be planned.
        file: where it comes from.
        seed: any whole number.
        seconds: that the search takes, about; not looked at where `work` is given.
        work: moves in all.

    Raises:
        TooManyLectures: the week has more lectures than slots.
    """
    searched(first_week(instance), seed, work=1)  # compiles
    begin = time.perf_counter()
    week = first_week(instance)
    first = penalty(instance, timetable(instance, week.slot))
    if work is None:
        probe = time.perf_counter()
        searched(first_week(instance), seed, work=PROBE)
        rate = PROBE / (time.perf_counter() - probe)
        search = time.perf_counter()
        left = seconds * (1 - SPARE) - (search - begin)
        work = max(PROBE, int(rate * left))
        moves = searched(week, seed, work=work, stop=lambda: time.perf_counter() - search > LATE * seconds)
    else:
        moves = searched(week, seed, work=work)
    took = time.perf_counter() - begin
    best = timetable(instance, week.kept.best)
    counted = penalty(instance, best)
    return Solved(
        file=file,
        name=instance.name,
        feasible=counted.hard == 0,
        penalty=counted,
        points=counted.points,
        start=first.points,
        seconds=round(took, 2),
        moves=moves,
        seed=seed,
        timetable=best,
    )


def row(one: Solved) -> tuple[str, ...]:
    parts = one.penalty
    feasible = "yes" if one.feasible else f"no: {parts.hard}"
    points = (one.points, parts.capacity, parts.min_days, parts.compactness, parts.stability)
    return (one.file, feasible, *map(str, points), f"{one.seconds:.1f}", f"{one.moves:,}", str(one.seed))


def table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in rows
    )


def as_json(one: Solved) -> dict[str, object]:
    told = dataclasses.asdict(one)
    del told["timetable"]
    return told


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {LONGEST_S:,}")
    return seconds


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE.ctt")
    parser.add_argument("--seconds", type=_seconds, default=60.0, help="for each file (60)")
    parser.add_argument("--seed", type=int, default=1, help="of the search (1)")
    parser.add_argument("--work", type=int, help="moves for each file, instead of seconds: the same answer everywhere")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="write NAME.sol for each file: course room day period"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args(arguments)
    try:
        if asked.out:
            asked.out.mkdir(parents=True, exist_ok=True)
        weeks = [(file, read_instance(file)) for file in asked.files]
        results = []
        for file, instance in weeks:
            results.append(solved(instance, file.name, seed=asked.seed, seconds=asked.seconds, work=asked.work))
            if asked.out:
                (asked.out / f"{file.stem}.sol").write_text(solution_text(results[-1].timetable), encoding="utf-8")
    except (TimetableUnreadable, TooManyLectures) as trouble:
        print(trouble, file=sys.stderr)
        return 2
    except OSError as trouble:
        print(f"{trouble.filename} cannot be written: {trouble.strerror}", file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps([as_json(one) for one in results], ensure_ascii=False, indent=2))
    else:
        print(table([("file", *COLUMNS), *map(row, results)]))
    return 0 if all(one.feasible for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
