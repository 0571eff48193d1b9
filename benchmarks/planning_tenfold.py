"""The week's plan at ten times the first district: the plan in two minutes, a bound with its proof on disk.

python -m benchmarks.planning_tenfold [--seconds T] [--proof FILE]
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.planning import NAMES, WAYS, District, gap, plan_cell, run

TITLE = "The week's plan at ten times the size: 370 schools, 8,000 requests"
DISTRICT = District(requests=8000, seed=1, tenfold=True)
SECONDS = 120.0


def table(seconds: float = SECONDS, proof: Path | None = None) -> list[str]:
    """Plan, prove the bound, and return the table's lines, in Markdown."""
    with tempfile.TemporaryDirectory(prefix="tongtang-plan-") as folder:
        found = run("bound", DISTRICT, proof=proof or Path(folder) / "proof.npz")
    lines = [
        "370 schools, 1,890 rooms, 8,000 requests, seed 1. The bound is by decomposition: at prices for what is",
        "scarce, every request and every lesson decides alone. Its proof is the prices, in a file of",
        f"{found['bytes'] / 1e6:.1f} MB (not kept: `python -m benchmarks.planning_tenfold --proof FILE`).",
        f"{found['candidates']:,} candidates; bound {found['points']:,} points, found in {found['seconds']:.0f} s,",
        f"read from the file and multiplied out in {found['verifying']:.1f} s ({found['verified']:,} points);",
        f"{found['peak_mib']:.0f} MiB.",
        "",
        "| planner | seconds | points | gap (served; peak of memory) | at most 3 % |",
        "|---" * 5 + "|",
    ]
    for way in WAYS:
        told = run(way, DISTRICT, seconds)
        points = f"{told['points']:,}" if told["points"] is not None else "none"
        close = told["points"] is not None and gap(told, found["points"]) <= 0.03
        cells = [
            NAMES[way],
            f"{told['seconds']:.1f}",
            points,
            plan_cell(told, found["points"]),
            "yes" if close else "no",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--proof", type=Path, help="keep the proof here")
    asked = parser.parse_args()
    print("\n".join(table(asked.seconds, asked.proof.resolve() if asked.proof else None)))


if __name__ == "__main__":
    main()
