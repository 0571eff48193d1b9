"""How many faces the face blur leaves bare, on made-up moving pictures of a class (benchmarks/crowd.py).

python -m benchmarks.faceblur [--tune] [--sequences N]

Looks are taken as in a lesson: the newest picture at most every half second, told `LOOK_TAKES_S` later. `--tune`
uses the faces and backgrounds on which `agent.capture.faces.CAUTION` was chosen.
"""

import argparse
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.capture.facefinder import LOOK_EACH_S, Shrink
from agent.capture.faces import CAUTION, Boxes, Caution, FaceCover, Look
from agent.capture.frost import Cells, grid, small
from agent.capture.picture import Bytes, framed
from benchmarks.crowd import FPS, HEIGHT, LABEL_STEP, WIDTH, Act, Crowd, Part
from models.centerface import FaceDetector
from models.manifest import models_folder

TITLE = "Face blur: faces left bare"
SEQUENCES = 9
LOOK_TAKES_S = 0.2
"""From the picture to what was found in it: three times what it takes on the machine that measured this."""
BARE = 0.25
"""A face is bare when more than this share of it is not covered."""
WHOLE = 0.5
"""A face of which less than this is in view is not counted."""
SIZES = ((0, 24), (24, 32), (32, 48), (48, 90))
"""Heights of a head in pixels of 720p, from and below."""
HARDER = (("in a dark room, a fifth of the light", 0.2, 1.0), ("heads of 15 to 50 pixels", 1.0, 0.6))
"""Words, light and scale of rooms beyond what it is meant for."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One sequence, looked at once, judged as often as wanted."""

    smalls: list[Bytes]
    labels: list[NDArray[np.uint8]]
    people: list[tuple[int, Act]]
    """Size and act of number 1, 2, ..."""
    looks: dict[int, tuple[Boxes, NDArray[np.float32]]]
    """By the number of the picture."""


@dataclass
class Tally:
    """What came of it."""

    faces: Counter[object] = field(default_factory=Counter)
    """Faces in pictures, by size and by act."""
    bare: Counter[object] = field(default_factory=Counter)
    """The same of those left bare."""
    longest_s: float = 0.0
    """For which one face stayed bare at a stretch, at the longest."""
    covered: list[float] = field(default_factory=list)
    """Share of each picture that was covered."""

    @property
    def share(self) -> float:
        """Of faces in pictures that were bare."""
        return self.bare["all"] / max(1, self.faces["all"])


def watched(crowd: Crowd, detector: FaceDetector, each: int, least: float) -> Watched:
    """Watch a sequence; look at every so many-th picture for faces of a score of at least `least`."""
    one = Watched([], [], [(person.size, person.act) for person in crowd.people], {})
    shrink = Shrink()
    for number, moment in enumerate(crowd.moments()):
        one.smalls.append(small(moment.buffer, (WIDTH, HEIGHT)))
        one.labels.append(moment.labels)
        if number % each == 0:
            bgr = shrink.put(framed(moment.buffer))
            faces = detector.faces(bgr, least)
            sides = np.asarray([*bgr.shape[1::-1], *bgr.shape[1::-1]], np.float32)
            one.looks[number] = (faces.boxes / sides, faces.scores)
    return one


def judge(sequences: Iterable[Watched], caution: Caution = CAUTION, look_each_s: float = LOOK_EACH_S) -> Tally:
    """Cover each sequence from its first look on, and count what stays bare."""
    tally = Tally()
    for one in sequences:
        _judge(one, caution, math.ceil(look_each_s * FPS), math.ceil(LOOK_TAKES_S * FPS), tally)
    return tally


def _judge(one: Watched, caution: Caution, each: int, takes: int, tally: Tally) -> None:
    cover = FaceCover(grid((WIDTH, HEIGHT)), (), caution)
    bare_for: Counter[int] = Counter()
    for number, labels in enumerate(one.labels):
        looked = number - takes
        if looked >= 0 and looked % each == 0:
            boxes, scores = one.looks[looked]
            cover.take(Look(_ns(looked), one.smalls[looked], boxes[scores >= caution.score]))
        if number < takes:
            continue  # everything is covered, which is no merit
        cells = cover.cells(one.smalls[number], _ns(number))
        tally.covered.append(float(cells.mean()))
        for person, bare in _bare(labels, cells, one.people):
            size, act = one.people[person - 1]
            kinds = ("all", act, next(span for span in SIZES if span[0] <= size < span[1]))
            tally.faces.update(kinds)
            bare_for[person] = bare_for[person] + 1 if bare else 0
            if bare:
                tally.bare.update(kinds)
                tally.longest_s = max(tally.longest_s, bare_for[person] / FPS)


def _ns(number: int) -> int:
    return number * 1_000_000_000 // FPS


def _bare(labels: NDArray[np.uint8], cells: Cells, people: list[tuple[int, Act]]) -> Iterable[tuple[int, bool]]:
    """Who shows enough of a face to count, and whether it is bare."""
    rows, columns = labels.shape
    row, column = (np.arange(pixels) * cells.shape[at] // pixels for at, pixels in enumerate((rows, columns)))
    seen = np.bincount(labels.ravel(), minlength=len(people) + 1)
    shown = np.bincount(labels[~cells[row][:, column]], minlength=len(people) + 1)
    for person, (size, _) in enumerate(people, 1):
        whole = math.pi * 0.38 * 0.46 * (size / LABEL_STEP) ** 2
        if seen[person] >= WHOLE * 0.7 * whole:  # 0.7: a head that is turned shows less
            yield person, bool(shown[person] > BARE * seen[person])


def table(sequences: int = SEQUENCES, part: Part = Part.REPORT) -> list[str]:
    detector = FaceDetector(models_folder())
    tally = _tally(detector, part, sequences)
    lines = [
        f"{sequences} sequences of 12 s, {len(tally.covered)} pictures with {tally.faces['all']} faces in them,",
        "heads of 24 to 84 pixels of 720p; faces and backgrounds on which nothing was chosen. A face is bare when more",
        "than a quarter of it shows.",
        "",
        "| faces | in pictures | left bare |",
        "|---|---|---|",
    ]
    named: list[tuple[str, object]] = [("all", "all")]
    named += [(f"{low} to {high - 1} pixels", (low, high)) for low, high in SIZES[1:]]
    named += [(f"who {act.value}", act) for act in Act]
    lines += [_line(words, tally, kind) for words, kind in named]
    few = max(1, sequences // 3)
    for words, light, scale in HARDER:
        lines.append(_line(f"{words} ({few} sequences)", _tally(detector, part, few, light, scale), "all"))
    return [
        *lines,
        "",
        f"Longest stretch for which one face was bare: {tally.longest_s:.1f} s.",
        f"Covered of the picture in the mean: {np.mean(tally.covered):.0%}.",
    ]


def _tally(detector: FaceDetector, part: Part, sequences: int, light: float = 1.0, scale: float = 1.0) -> Tally:
    each = math.ceil(LOOK_EACH_S * FPS)
    crowds = (Crowd(part, seed, light=light, scale=scale) for seed in range(sequences))
    return judge(watched(crowd, detector, each, CAUTION.score) for crowd in crowds)


def _line(words: str, tally: Tally, kind: object) -> str:
    return f"| {words} | {tally.faces[kind]} | {tally.bare[kind] / max(1, tally.faces[kind]):.2%} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--sequences", type=int, default=SEQUENCES)
    given = parser.parse_args()
    print("\n".join(table(given.sequences, Part.TUNE if given.tune else Part.REPORT)))
