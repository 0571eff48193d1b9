"""Slides against labels: FOLDER/slides, pictures with their titles beside them."""

import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.observe.feed import Packer
from agent.observe.ocr import OcrUnusable, SlideReader
from agent.observe.reading import SETTLED_S, ReadingPart
from benchmarks.labels import as_observed, read_json, read_picture
from benchmarks.measured import LabelsUnreadable, Measured, over_files
from measures.chapters import near_equal

LABELS = "titles.json"
LOOK_S = 0.5
"""The agent looks at the slides twice a second."""


@dataclass(frozen=True)
class Read:
    """One slide as it was read."""

    name: str
    title: str
    """What it is called; empty: it has no title."""
    told: str
    """What was told; empty: no title."""


def measured(folder: Path) -> list[Measured]:
    """Compare the titles that are guessed of the slides in FOLDER/slides with their labels, each slide by itself.

    Slides without labels are left out. A slide is brought to the size in which the agent looks at it, stands until the
    agent's own part reads it, and is read by that.

    Raises:
        LabelsUnreadable: labels or pictures are not what they should be.
        OcrUnusable: slides cannot be read here.
    """
    labels = folder / "slides" / LABELS
    titles = read_titles(labels)
    reader, packer = SlideReader(), Packer()
    cpu_s = 0.0
    rows = []
    for name, title in sorted(titles.items()):
        bgr = read_picture(folder / "slides" / name, labels)
        began = time.process_time()
        told = title_of(reader, as_observed(packer, "slides", bgr))
        cpu_s += time.process_time() - began
        rows.append(Read(name, title, told))
    return figures(rows, cpu_s / len(rows))


def figures(read: Sequence[Read], cpu: float | None) -> list[Measured]:
    """What is told of slides that were read; `cpu` is CPU-seconds of one."""
    exact = [(one.name, float(plain(one.told) == plain(one.title)), 1.0) for one in read]
    near = [(one.name, float(_near(one)), 1.0) for one in read]
    signs = [
        (one.name, edits(plain(one.title), plain(one.told)) / len(plain(one.title)), float(len(plain(one.title))))
        for one in read
        if plain(one.title)
    ]
    out = [
        over_files("slides", "titles that are exact: share", exact, cpu, worse=_less),
        over_files("slides", "titles that are near-equal, as chapters take them: share", near, worse=_less),
    ]
    return [*out, *([over_files("slides", "titles: share of the signs that are wrong", signs)] if signs else [])]


def read_titles(path: Path) -> dict[str, str]:
    """The title of each slide by its file.

    Raises:
        LabelsUnreadable: with what is wrong, and what to do.
    """
    raw = read_json(path, "the title of each slide beside it")
    if not isinstance(raw, dict) or not raw:
        raise LabelsUnreadable(f'{path}: must be {{"slide-1.png": "its title", ...}}, with at least one slide')
    for name, title in raw.items():
        if title is not None and not isinstance(title, str):
            raise LabelsUnreadable(f"{path}: the title of {name} must be text, or null where it has none: {title!r}")
    return {name: title or "" for name, title in raw.items()}


def title_of(reader: SlideReader, grey: np.ndarray) -> str:
    """The title that the agent tells of a page that comes up and stays, empty where it tells none.

    Raises:
        OcrUnusable: it cannot be read.
    """
    troubles: list[str] = []
    part = ReadingPart(reader, troubles.append)
    found = []
    for look in range(round(SETTLED_S / LOOK_S) + 3):
        found += part.update(grey, round(look * LOOK_S * 1e9))
        while part.busy:
            found += part.step()
    if troubles:
        raise OcrUnusable(troubles[0])
    return next((str(one.value["title"] or "") for one in [*found, *part.flush()]), "")


def plain(text: str) -> str:
    """Without spaces, case, and the difference between full and half width."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def edits(one: str, other: str) -> int:
    """Least number of signs to insert, delete or replace to make one of the other (Levenshtein, 1966).

    >>> edits("光合作用", "光台作用力")
    2
    """
    row = list(range(len(other) + 1))
    for at, sign in enumerate(one, 1):
        before, row[0] = row[0], at
        for number, there in enumerate(other, 1):
            before, row[number] = row[number], min(row[number] + 1, row[number - 1] + 1, before + (sign != there))
    return row[-1]


def _near(one: Read) -> bool:
    return near_equal(one.told, one.title) if one.told and one.title else one.told == one.title


def _less(value: float) -> float:
    return -value
