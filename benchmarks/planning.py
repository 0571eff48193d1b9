"""The week's plan at the size of the first district: how far from the best each planner stays in ten seconds.

python -m benchmarks.planning [--seconds T]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

TITLE = "The week's plan: gap to a verified bound, ours beside greedy and CP-SAT"
REQUESTS = (600, 800, 1000)
SEEDS = (1, 2, 3)
SECONDS = 10.0
WAYS = ("greedy", "cpsat", "hinted", "ours")
NAMES = {"greedy": "greedy", "cpsat": "CP-SAT", "hinted": "CP-SAT from greedy's plan", "ours": "ours"}


@dataclass(frozen=True, slots=True)
class District:
    """Which made-up district is planned."""

    requests: int
    seed: int
    tenfold: bool = False
    fixed: bool = False

    @property
    def arguments(self) -> list[str]:
        flags = [f"--{flag}" for flag in ("tenfold", "fixed") if getattr(self, flag)]
        return ["--requests", str(self.requests), "--seed", str(self.seed), *flags]


def run(way: str, district: District, seconds: float = SECONDS, proof: Path | None = None) -> dict:
    """Plan in a process of its own, and return what it told.

    Raises:
        subprocess.CalledProcessError: it failed; what it wrote stands above.
    """
    command = [sys.executable, "-m", "benchmarks.planning_run", way, *district.arguments, "--seconds", str(seconds)]
    command += ["--proof", str(proof)] if proof is not None else []
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=Path(__file__).parents[1])
    return json.loads(done.stdout.splitlines()[-1])


def bounded(district: District) -> dict:
    """The district's bound, with a proof that was written, read again and multiplied out."""
    with tempfile.TemporaryDirectory(prefix="tongtang-plan-") as folder:
        told = run("bound", district, proof=Path(folder) / "proof.npz")
    if told["verified"] > told["points"]:
        raise ValueError(f"the proof proves {told['verified']} points, not {told['points']}")
    return told


def table(seconds: float = SECONDS) -> list[str]:
    """Plan them all, repair and explain one plan, and return the table's lines, in Markdown."""
    from benchmarks import planning_repair  # noqa: PLC0415 - the other benchmarks need no solver

    lines = [
        "37 schools, 189 rooms, made up for a seed (`tongtang plan generate`). *Bound*: no plan is worth more; it",
        "comes with prices of all that is scarce, which are written to a file, read again and multiplied out in whole",
        "numbers. *Gap*: how far below the bound a plan stays, so at most that far from the best; in brackets the",
        "requests served and the peak of memory. Every plan went through the independent checker.",
        f"CP-SAT (OR-Tools): default settings, 2 workers, {seconds:.0f} s beside building its model;",
        f"ours: {seconds:.0f} s beside reading the district. One process each, one after the other.",
        "",
        "| requests | seed | candidates | bound | proven in | " + " | ".join(NAMES[way] for way in WAYS) + " |",
        "|---" * (5 + len(WAYS)) + "|",
    ]
    gaps: dict[str, list[float]] = {way: [] for way in WAYS}
    for requests in REQUESTS:
        for seed in SEEDS:
            district = District(requests, seed)
            found = bounded(district)
            cells = [f"{requests:,}", f"{seed}", *_bound_cells(found)]
            for way in WAYS:
                told = run(way, district, seconds)
                if told["points"] is not None:
                    gaps[way].append(gap(told, found["points"]))
                cells.append(plan_cell(told, found["points"]))
            lines.append(_row(cells))
    mid = [f"{mean(gaps[way]):.2%}, worst {max(gaps[way]):.2%}" if gaps[way] else "no plan" for way in WAYS]
    lines.append(_row(["all", "", "", "", "", *mid]))
    return [*lines, "", *fixed(seconds), "", *planning_repair.lines()]


def fixed(seconds: float) -> list[str]:
    """The same with every lesson at one time, as where the lead schools' timetables stand."""
    lines = [
        "Times fixed (every lesson at the one time that the hidden plan gives it): whether the best plan is proven.",
        "",
        "| requests | seed | ours | CP-SAT |",
        "|---" * 4 + "|",
    ]
    for requests in REQUESTS:
        for seed in SEEDS:
            district = District(requests, seed, fixed=True)
            told = [run(way, district, seconds) for way in ("ours", "cpsat")]
            lines.append(_row([f"{requests:,}", f"{seed}", *(_proven_cell(one) for one in told)]))
    return lines


def gap(told: dict, bound: int) -> float:
    """How far a plan stays below a bound, as a share of it."""
    return 1 - told["points"] / bound


def plan_cell(told: dict, bound: int) -> str:
    """A plan's gap, requests served and memory."""
    if told["points"] is None:
        return "no plan"
    if told["violations"]:
        return f"breaks {told['violations']} rules"
    return f"{gap(told, bound):.2%} ({told['served']:,}; {told['peak_mib']:.0f} MiB)"


def _bound_cells(found: dict) -> list[str]:
    return [f"{found['candidates']:,}", f"{found['points']:,}", f"{found['seconds']:.1f} s"]


def _proven_cell(told: dict) -> str:
    if told["points"] is None:
        return "no plan"
    return f"{told['points']:,}, {'proven' if told['proven'] else 'not proven'}, {told['seconds']:.1f} s"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    print("\n".join(table(parser.parse_args().seconds)))


if __name__ == "__main__":
    main()
