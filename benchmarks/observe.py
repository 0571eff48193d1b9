"""How good the analytics are on labelled data of your own.

python benchmarks/observe.py FOLDER [--json]

Reads whichever of these are there and prints the error of each measure with its 95 % interval (bootstrap over the
files), the worst file, and the CPU it took:

    FOLDER/speech/*.wav or *.flac, with *.rttm: speakers `teacher` and `student`, or any for speech and non-speech
    FOLDER/people/*.jpg, with coco.json: COCO boxes of the categories person, head or face
    FOLDER/slides/*.png, with titles.json: {"slide-1.png": "its title", ...}

What people do (hands raised, standing, heads up) has a gate of its own: tongtang models gate --figures FILE.
Nothing is written and nothing leaves the machine. Exit code 2: nothing to measure, or labels that cannot be read.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

from agent.observe.ocr import OcrUnusable
from benchmarks import observe_people, observe_slides, observe_speech
from benchmarks.measured import LabelsUnreadable, Measured
from models.manifest import ModelsTrouble

PARTS: dict[str, Callable[[Path], list[Measured]]] = {
    "speech": observe_speech.measured,
    "people": observe_people.measured,
    "slides": observe_slides.measured,
}
"""Each part by the folder that holds its data."""


def words(one: Measured) -> str:
    interval = "one file, no interval" if one.low is None else f"95 % {one.low:.3f} to {one.high:.3f}"
    cost = f"{one.cpu or 0.0:.2%} of a core" if one.part == "speech" else f"{one.cpu or 0.0:.2f} s a picture"
    cpu = "" if one.cpu is None else f"; CPU {cost}"
    return f"{one.part}: {one.what}: {one.value:.3f} ({interval}; {one.files} files; worst {one.worst}{cpu})"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print JSON instead of words")
    asked = parser.parse_args(arguments)
    try:
        results = [one for name, part in PARTS.items() if (asked.folder / name).is_dir() for one in part(asked.folder)]
    except (LabelsUnreadable, ModelsTrouble, OcrUnusable) as trouble:
        print(trouble, file=sys.stderr)
        return 2
    if not results:
        print(f"nothing to measure in {asked.folder}: it needs {', '.join(PARTS)} with labels", file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps([dataclasses.asdict(one) for one in results], ensure_ascii=False, indent=2))
    else:
        print("\n".join(words(one) for one in results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
