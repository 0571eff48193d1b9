"""Pictures with a known number of people, as a researcher has them: FOLDER/people with coco.json.

The people are one portrait, the public-domain one that ships with scikit-image, at the sizes that seats have, mirrored,
turned a little, lighter and darker, before photographs without people. It is one face, from the front: real classes
are more varied, and so are the errors there.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from skimage import data

WIDTH, HEIGHT = 1280, 720
MOST = 40
PORTRAIT = (slice(0, 256), slice(96, 352))
"""Head and shoulders, of the photograph of 512 x 512."""
FACE = (78.0, 58.0, 174.0, 176.0)
"""Left, top, right, bottom of the face in the portrait, in pixels, from brow to chin."""
BACKGROUNDS = ("coffee", "brick", "grass", "gravel", "rocket", "chelsea", "coins", "page", "hubble_deep_field")
"""Photographs of scikit-image in which there is nobody."""


@dataclass(frozen=True)
class Known:
    """A picture and what is in it."""

    picture: np.ndarray
    """BGR, shape (720, 1280, 3)."""
    people: list[tuple[float, float, float, float]]
    """Left, top, width, height of each, in pixels."""
    faces: list[tuple[float, float, float, float]]
    """The same of each face that is not painted over."""


def background(rng: np.random.Generator) -> np.ndarray:
    """A part of a photograph without people, BGR."""
    image = np.asarray(getattr(data, BACKGROUNDS[rng.integers(len(BACKGROUNDS))])())
    image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR if image.ndim == 2 else cv2.COLOR_RGB2BGR)
    high, wide = image.shape[:2]
    scale = max(WIDTH / wide, HEIGHT / high) * rng.uniform(1.0, 1.6)
    image = cv2.resize(image, (round(wide * scale) + 1, round(high * scale) + 1), interpolation=cv2.INTER_CUBIC)
    top, left = rng.integers(image.shape[0] - HEIGHT + 1), rng.integers(image.shape[1] - WIDTH + 1)
    return np.ascontiguousarray(image[top : top + HEIGHT, left : left + WIDTH])


def seated(rng: np.random.Generator, count: int, painted: float = 0.0) -> Known:
    """A picture with `count` people in rows, those in front larger; a share of them with the face painted over."""
    picture = background(rng)
    people, faces = [], []
    rows = max(1, round((count / 2) ** 0.5))
    columns = max(3, -(-count // rows))
    deep = HEIGHT / rows
    cells = rng.permutation(rows * columns)[:count]
    for cell in np.sort(cells):
        row, column = divmod(int(cell), columns)
        nearness = (row + 1) / rows if rows > 1 else rng.uniform(0.4, 1)
        most = min(WIDTH / columns, deep, 300)
        size = int(most * (0.6 + 0.3 * nearness) * rng.uniform(0.9, 1))
        left = int(column * WIDTH / columns + rng.uniform(0, WIDTH / columns - size))
        top = int(row * deep + rng.uniform(0, deep - size))
        hidden = bool(rng.random() < painted)
        mirrored = bool(rng.random() < 0.5)
        picture[top : top + size, left : left + size] = _one(rng, size, hidden=hidden, mirrored=mirrored)
        people.append((float(left), float(top), float(size), float(size)))
        if not hidden:
            x0, y0, x1, y1 = (one * size / 256 for one in FACE)
            x0, x1 = (size - x1, size - x0) if mirrored else (x0, x1)
            faces.append((left + x0, top + y0, x1 - x0, y1 - y0))
    noise = rng.normal(0, rng.uniform(0, 6), picture.shape)
    return Known(np.clip(picture + noise, 0, 255).astype(np.uint8), people, faces)


def _one(rng: np.random.Generator, size: int, *, hidden: bool, mirrored: bool) -> np.ndarray:
    portrait = np.ascontiguousarray(data.astronaut()[:, :, ::-1])
    if hidden:
        cv2.ellipse(portrait, (222, 115), (50, 62), 0, 0, 360, (30, 40, 60), -1)
    portrait = portrait[PORTRAIT]
    turn = cv2.getRotationMatrix2D((128, 128), rng.uniform(-8, 8), 1.0)
    portrait = cv2.warpAffine(portrait, turn, (256, 256), borderMode=cv2.BORDER_REFLECT)
    portrait = portrait[:, ::-1] if mirrored else portrait
    seat = cv2.resize(np.ascontiguousarray(portrait), (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.clip(seat * rng.uniform(0.7, 1.2) + rng.uniform(-15, 15), 0, 255).astype(np.uint8)


def counts(rng: np.random.Generator, pictures: int) -> list[int]:
    """From nobody to a class of forty, evenly, in any order; the first is empty."""
    return [0, *rng.permutation(np.linspace(0, MOST, max(0, pictures - 1)).round().astype(int)).tolist()][:pictures]


def write_people(folder: Path, seed: int, pictures: int, painted: float = 0.0) -> Path:
    """Write FOLDER/people with its labels; returns FOLDER."""
    rng = np.random.default_rng(seed)
    place = folder / "people"
    place.mkdir(parents=True)
    images, annotations = [], []
    for number, count in enumerate(counts(rng, pictures), 1):
        one = seated(rng, count, painted)
        name = f"room-{number:03d}.jpg"
        cv2.imwrite(str(place / name), one.picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
        images.append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT})
        for category, boxes in ((1, one.people), (2, one.faces)):
            annotations += [{"image_id": number, "category_id": category, "bbox": list(box)} for box in boxes]
    categories = [{"id": 1, "name": "person"}, {"id": 2, "name": "face"}]
    numbered = [{"id": number, **one} for number, one in enumerate(annotations, 1)]
    told = {"images": images, "categories": categories, "annotations": numbered}
    (place / "coco.json").write_text(json.dumps(told), encoding="utf-8")
    return folder
