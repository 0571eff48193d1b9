"""Which titles are found on rendered slides (tests/pictures/slides.py).

python -m benchmarks.slides [--seed N] [--decks N]
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.measured import Measured
from benchmarks.observe_slides import measured
from tests.agent.observe.decks import HELD
from tests.pictures.slides import write_slides

TITLE = "Titles of slides: rendered decks"
SEED = 601
DECKS = 2
ROWS = (("as they are", False), ("half the size, JPEG of quality 40", True))
HEAD = "| slides | titles exact | near-equal | signs of the titles wrong | worst | CPU a slide |"


def table(seed: int = SEED, decks: int = DECKS) -> list[str]:
    """Read them, and return the table's lines, in Markdown."""
    seeds = range(seed, seed + decks)
    lines = [
        f"{len(HELD) * decks} slides each, 1280x720, the texts `HELD` of tests/agent/observe/decks.py with the seeds",
        f"{seeds.start} to {seeds.stop - 1}; the rules for titles were made on other texts, and nothing was tuned on",
        "these. One font, rendered, Chinese and English: slides of real schools vary more. Exact: but for spaces,",
        "case and width; near-equal: what chapters take as one title. In brackets the 95 % interval.",
        "",
        HEAD,
        "|---" * 6 + "|",
    ]
    for name, coarse in ROWS:
        with tempfile.TemporaryDirectory(prefix="tongtang-slides-") as folder:
            lines.append(_row(name, measured(write_slides(Path(folder), seeds, coarse=coarse))))
    return lines


def _row(name: str, figures: list[Measured]) -> str:
    exact, near, signs = figures
    cells = [
        name,
        f"{exact.value:.1%} ({exact.low:.1%} to {exact.high:.1%})",
        f"{near.value:.1%}",
        f"{signs.value:.2%}",
        f"{float(signs.worst.rsplit(' ', 1)[1]):.0%}",
        f"{exact.cpu:.2f} s",
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--decks", type=int, default=DECKS)
    asked = parser.parse_args()
    print("\n".join(table(asked.seed, asked.decks)))


if __name__ == "__main__":
    main()
