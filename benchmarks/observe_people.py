"""People against labels: FOLDER/people, pictures with COCO annotations beside them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.observe.feed import Packer
from agent.observe.people import PeoplePart
from benchmarks.labels import as_observed, read_json, read_picture
from benchmarks.listening import installed
from benchmarks.measured import LabelsUnreadable, Measured, over_files
from models.centerface import FaceDetector, Faces
from models.movenet import PoseDetector

LABELS = "coco.json"
COUNTED = ("person", "head", "face")
"""What a person is labelled as; the first of these that the file labels is what is counted."""
MET = 0.5
"""Least share of their union that two boxes have in common if they are of one face."""


class Strict(BaseModel):
    """COCO has more fields than are needed here."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Image(Strict):
    """A picture."""

    id: int | str
    file_name: str = Field(min_length=1)


class Category(Strict):
    """What a box is around."""

    id: int | str
    name: str


class Annotation(Strict):
    """A box."""

    image_id: int | str
    category_id: int | str
    bbox: tuple[float, float, float, float]
    """Left, top, width, height in pixels."""
    iscrowd: int = 0


class Coco(Strict):
    """The file."""

    images: tuple[Image, ...]
    categories: tuple[Category, ...]
    annotations: tuple[Annotation, ...]


@dataclass
class Labelled:
    """One picture and what is in it."""

    path: Path
    people: int = 0
    faces: list[tuple[float, float, float, float]] = field(default_factory=list)
    """Left, top, right, bottom in pixels."""


@dataclass(frozen=True)
class Seen:
    """One picture as it was observed."""

    name: str
    people: int
    told: int | None
    """None: unknown, as of a picture that shows no room."""
    faces: int
    found: int
    met: int
    """Of the faces found, those that are labelled."""


class Noted:
    """The agent's detector of faces, which also keeps what it last found."""

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self.last: Faces | None = None

    def faces(self, bgr: np.ndarray) -> Faces:
        self.last = self._detector.faces(bgr)
        return self.last


def measured(folder: Path) -> list[Measured]:
    """Compare how many people are counted in FOLDER/people with its labels, each picture by itself.

    Pictures without labels are left out. A picture is brought to the size in which the agent looks at it, and counted
    by the agent's own part, faces and people without one. Boxes of faces are compared where faces are labelled.

    Raises:
        LabelsUnreadable: labels or pictures are not what they should be.
        ModelUnusable: a model is not installed.
    """
    labelled, boxes = read_coco(folder / "people" / LABELS)
    noted = Noted(FaceDetector(installed()))
    bodies, packer = PoseDetector(installed()), Packer()
    cpu_s = 0.0
    seen = []
    for one in labelled:
        bgr = read_picture(one.path, folder / "people" / LABELS)
        began = time.process_time()
        small = as_observed(packer, "camera", bgr)
        noted.last = None
        told = PeoplePart(noted, bodies).update(small, 0)[0].value["count"]  # anew: nothing is remembered
        cpu_s += time.process_time() - began
        found = noted.last.boxes if noted.last is not None else np.zeros((0, 4), np.float32)
        scale = bgr.shape[1] / small.shape[1], bgr.shape[0] / small.shape[0]
        met = matched(found * np.array([*scale, *scale]), np.array(one.faces).reshape(-1, 4))
        seen.append(Seen(one.path.name, one.people, told, len(one.faces), len(found), met))
    return figures(seen, cpu_s / len(seen), boxes=boxes)


def figures(seen: Sequence[Seen], cpu: float | None, *, boxes: bool) -> list[Measured]:
    """What is told of pictures that were observed.

    Args:
        seen: the pictures.
        cpu: CPU-seconds of one.
        boxes: whether faces are labelled.
    """
    known = [(one.name, one.told - one.people) for one in seen if one.told is not None]
    out = []
    unknown = [(one.name, float(one.told is None), 1.0) for one in seen]
    if len(known) < len(seen):
        out.append(over_files("people", "pictures of which nothing is told: share", unknown, cpu))
    if known:
        error = [(name, float(abs(off)), 1.0) for name, off in known]
        bias = [(name, float(off), 1.0) for name, off in known]
        exact = [(name, float(off == 0), 1.0) for name, off in known]
        out.append(over_files("people", "count: off by, people a picture", error, cpu))
        out.append(over_files("people", "count: told less true, people a picture", bias, worse=abs))
        out.append(over_files("people", "count: share of the pictures that are exact", exact, worse=_less))
    if boxes:
        right = [(one.name, one.met / one.found, float(one.found)) for one in seen if one.found]
        recall = [(one.name, one.met / one.faces, float(one.faces)) for one in seen if one.faces]
        what = f"at an overlap of {MET}"
        out += [over_files("people", f"faces found that are labelled {what}: share", right, worse=_less)] * bool(right)
        out += [over_files("people", f"labelled faces found {what}: share", recall, worse=_less)] * bool(recall)
    return out


def read_coco(path: Path) -> tuple[list[Labelled], bool]:
    """The pictures that a COCO file labels, by name; and whether faces are labelled.

    Raises:
        LabelsUnreadable: with what is wrong, and what to do.
    """
    raw = read_json(path, "COCO annotations of the pictures beside it")
    try:
        coco = Coco.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise LabelsUnreadable(
            f"{path}: not COCO: {where}: {first['msg']}; docs/researcher.md has an example"
        ) from error
    names = {one.id: one.name.strip().casefold() for one in coco.categories}
    if not set(COUNTED) & set(names.values()):
        there = ", ".join(sorted(names.values())) or "none"
        raise LabelsUnreadable(f"{path}: no category is called {', '.join(COUNTED)}; there is {there}")
    pictures = {one.id: Labelled(path.parent / one.file_name) for one in coco.images}
    if not pictures:
        raise LabelsUnreadable(f"{path}: labels no picture: list the pictures under images")
    if len({one.path for one in pictures.values()}) < len(coco.images):
        raise LabelsUnreadable(f"{path}: two pictures have one id, or one file_name: each picture stands there once")
    used = {names.get(one.category_id) for one in coco.annotations}
    counted = next((name for name in COUNTED if name in used), None)
    for number, one in enumerate(coco.annotations):
        _add(one, pictures, names, counted, f"{path}: annotation {number + 1}")
    return sorted(pictures.values(), key=lambda one: one.path), "face" in used


def _add(
    one: Annotation, pictures: dict[int | str, Labelled], names: dict[int | str, str], counted: str | None, where: str
) -> None:
    if one.image_id not in pictures:
        raise LabelsUnreadable(f"{where} is for the picture {one.image_id}, which is not among the images")
    if one.category_id not in names:
        raise LabelsUnreadable(f"{where} is of the category {one.category_id}, which is not among the categories")
    name = names[one.category_id]
    left, top, wide, high = one.bbox
    if name in COUNTED and not (wide > 0 and high > 0):
        raise LabelsUnreadable(f"{where}: its bbox {list(one.bbox)} has no size; it is left, top, width, height")
    if name == counted and one.iscrowd:
        raise LabelsUnreadable(f"{where} is a crowd, of which nobody knows how many it is: draw a box for each person")
    picture = pictures[one.image_id]
    picture.people += name == counted
    if name == "face":
        picture.faces.append((left, top, left + wide, top + high))


def matched(found: np.ndarray, true: np.ndarray) -> int:
    """How many boxes found, best first, are of a true one; each of these counts once.

    Args:
        found: left, top, right, bottom, shape (found, 4).
        true: the same, shape (true, 4).
    """
    left = np.ones(len(true), bool)
    met = 0
    for box in found:
        shared = np.where(left, _overlap(box, true), 0.0) if len(true) else np.zeros(1)
        if shared.max() >= MET:
            left[int(shared.argmax())] = False
            met += 1
    return met


def _overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of a box with others, shape (others,)."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.clip(sides, 0, None).prod(axis=1)
    area = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(axis=1)
    return shared / (area - shared)


def _less(value: float) -> float:
    return -value
