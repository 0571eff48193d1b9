"""How many people are counted in pictures whose number of people is known (tests/pictures/people.py).

python -m benchmarks.people [--seed N] [--pictures N]
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.measured import Measured
from benchmarks.observe_people import measured
from tests.pictures.people import MOST, write_people

TITLE = "How many people: pictures with a known number"
SEED = 501
PICTURES = 42
"""One for each number from nobody to a class of forty, and an empty one more."""
ROWS = (("every face shows", 0.0), ("one face in five is painted over", 0.2))
HEAD = (
    "| people | off by, a picture | told less true | exact | worst | faces found | found and labelled | CPU a picture |"
)


def table(seed: int = SEED, pictures: int = PICTURES) -> list[str]:
    """Count, and return the table's lines, in Markdown."""
    lines = [
        f"{pictures} pictures each, 1280x720, nobody to {MOST} people in rows before photographs without people; seed",
        f"{seed}, which nobody looked at. It is one face, the portrait that ships with scikit-image, at the sizes of",
        "seats. Nothing was tuned on these pictures; the least score of a person without a face was chosen on other",
        "pictures of the same painted portrait, and that of a face on classroom pictures. Each picture goes the way of",
        "the agent's: fitted into 640x384, faces, then bodies. In brackets the 95 % interval (over pictures).",
        "Real classes have more than one face, heads that are turned and covered: errors there are larger.",
        "",
        HEAD,
        "|---" * 8 + "|",
    ]
    for name, painted in ROWS:
        with tempfile.TemporaryDirectory(prefix="tongtang-people-") as folder:
            lines.append(_row(name, measured(write_people(Path(folder), seed, pictures, painted))))
    return lines


def _row(name: str, figures: list[Measured]) -> str:
    off, bias, exact, right, recall = figures
    cells = [
        name,
        f"{off.value:.2f} ({off.low:.2f} to {off.high:.2f})",
        f"{bias.value:+.2f} ({bias.low:+.2f} to {bias.high:+.2f})",
        f"{exact.value:.0%}",
        off.worst.rsplit(" ", 1)[1].removesuffix(".000"),
        f"{recall.value:.1%}",
        f"{right.value:.1%}",
        f"{off.cpu:.2f} s",
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    asked = parser.parse_args()
    print("\n".join(table(asked.seed, asked.pictures)))


if __name__ == "__main__":
    main()
