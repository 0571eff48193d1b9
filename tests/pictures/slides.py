"""Rendered slides with their titles, as a researcher has them: FOLDER/slides with titles.json."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from tests.agent.observe.decks import HELD, Page, drawn


def write_slides(folder: Path, seeds: Sequence[int], pages: Sequence[Page] = HELD, *, coarse: bool = False) -> Path:
    """Write FOLDER/slides with its labels, each page once a seed; returns FOLDER.

    Args:
        folder: where to.
        seeds: each gives the pages other layouts, colours and sizes.
        pages: title and lines of each.
        coarse: as a screen comes through a poor link: half the size and coarsely packed, and back.
    """
    place = folder / "slides"
    place.mkdir(parents=True)
    titles = {}
    for seed in seeds:
        rng = np.random.default_rng(seed)
        for number, page in enumerate(pages, 1):
            slide = drawn(page, number, rng)
            name = f"deck-{seed}-{number:02d}.png"
            picture = slide.steps[-1]
            cv2.imwrite(str(place / name), _coarse(picture) if coarse else picture)
            titles[name] = slide.title
    (place / "titles.json").write_text(json.dumps(titles, ensure_ascii=False), encoding="utf-8")
    return folder


def _coarse(picture: np.ndarray) -> np.ndarray:
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
    high, wide = picture.shape[:2]
    return cv2.resize(cv2.imdecode(packed, cv2.IMREAD_COLOR), (wide, high), interpolation=cv2.INTER_LINEAR)
