"""Where are people, also from behind: MoveNet multipose, decoded for any number of people.

Source: MoveNet.MultiPose, Google (2021), after Zhou et al., "Objects as Points" (2019). The net says for
each cell of 4 x 4 pixels how likely a person's middle lies in it, how large that person is and about where
its 17 keypoints are; and for each keypoint how likely one lies in the cell, and where in it. The published
graph decodes six people; this follows it for all of them at once, with two changes: how near a keypoint must
be to where it is guessed grows with the person (in the published graph with the picture, and in a crowd that
reaches the neighbours'), and people without a head are left out.

The net runs in 32-bit floats. In 8-bit integers (static, per channel, the heads in floats) it takes 48 ms instead of
78, and keypoints shift by 5 % of the shoulders' width at the median, 21 % at the 90th percentile; but calibrated on
made pictures, since no package brings classrooms, it sees 21 people in 12 pictures without any, where the floats see
10. For 3 % of a core that is not worth it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.centerface import best_apart
from models.manifest import load_manifest
from models.session import open_session

WIDTH: Final = 640
HEIGHT: Final = 384
CELL: Final = 4
"""Pixels of a cell's side."""
KEYPOINTS: Final = 17
"""COCO's: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles; left before right."""
HEAD: Final = slice(0, 5)
"""Nose, eyes and ears."""
SCORE: Final = 0.12
"""Least score of a person's middle. 93.5 % of 833 labelled pupils in 40 classroom pictures were found with
it at 960 x 544 and 94.8 % at 1280 x 736, before people without a head are left out; not measured at 640 x 384."""
HEAD_SCORE: Final = 0.127
"""Least score of the best keypoint of a head; the published graph leaves keypoints under it out of a pose."""
OVERLAP: Final = 0.55
"""Boxes that share more of their area than this are one person."""
SAME_HEAD: Final = 0.25
"""Heads nearer to one another than this share of the narrower box's width are one head: the lesser person is a
ghost, made of the other's body."""
MOST: Final = 150
"""People looked at in one picture, best first; bounds the time that a picture can take."""
REACH: Final = 0.12
"""Half a keypoint's window, as a share of the box's longer side."""
LEAST_REACH: Final = 3
"""Cells; the window is never smaller."""
MOST_REACH: Final = 12
"""Cells; nor larger."""

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class People:
    """People of one picture, best first."""

    boxes: FloatArray
    """Left, top, right, bottom in pixels of the picture given, shape (people, 4)."""
    scores: FloatArray
    """Of the middle, 0 to 1, shape (people,)."""
    keypoints: FloatArray
    """Across, down in pixels of the picture given, and score 0 to 1; shape (people, 17, 3)."""

    @property
    def heads(self) -> FloatArray:
        """Where each head is, across and down: the mean of its keypoints by their scores; shape (people, 2)."""
        return heads(self.keypoints)


@dataclass(frozen=True, slots=True)
class Heads:
    """What the net says of one picture, in cells; the first axis is down before across wherever both occur."""

    center: FloatArray
    """Logit of a person's middle, shape (rows, columns)."""
    size: FloatArray
    """Height and width of the person, shape (2, rows, columns)."""
    shift: FloatArray
    """Of the box's middle from the cell, shape (2, rows, columns)."""
    regression: FloatArray
    """Of each keypoint from the person's cell, shape (34, rows, columns)."""
    heat: FloatArray
    """Logit of each keypoint, shape (17, rows, columns)."""
    offset: FloatArray
    """Of each keypoint from its cell, shape (34, rows, columns)."""


class PoseDetector:
    """Finds people in a picture; keeps nothing of it.

    Raises:
        ModelUnusable: when it is made and the file is missing or corrupt.
    """

    def __init__(self, folder: Path) -> None:
        shapes = {"image": (1, HEIGHT, WIDTH, 3)}
        self._session = open_session(load_manifest().find("movenet-multipose"), folder, shapes)
        self._canvas = np.zeros((1, HEIGHT, WIDTH, 3), np.uint8)

    def people(self, bgr: NDArray[np.uint8], score: float = SCORE) -> People:
        """Find people.

        Args:
            bgr: a picture of any size, shape (height, width, 3); it is fitted into 640 x 384
                with its proportions kept.
            score: least score of a person's middle.
        """
        high, wide = bgr.shape[:2]
        scale = min(WIDTH / wide, HEIGHT / high)
        if scale != 1.0:
            size = (max(1, round(wide * scale)), max(1, round(high * scale)))
            bgr = np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
        self._canvas[:] = 0
        self._canvas[0, : bgr.shape[0], : bgr.shape[1]] = bgr[:, :, ::-1]
        names = ["center", "size", "shift", "regression", "heat", "offset"]
        center, *others = self._session.run(names, {"image": self._canvas})
        found = with_heads(decode(Heads(center[0, 0], *(one[0] for one in others)), score))
        to_pixels = np.float32(CELL / scale)
        boxes = np.clip(found.boxes * to_pixels, 0, np.asarray([wide, high, wide, high], np.float32))
        keypoints = found.keypoints * np.asarray([to_pixels, to_pixels, 1], np.float32)
        return People(boxes, found.scores, keypoints)


def decode(said: Heads, score: float = SCORE) -> People:
    """People of a picture, in cells; boxes that share too much of their area are one person."""
    row, column, scores = peaks(said.center, score)
    high, wide = np.maximum(said.size[:, row, column], 0)
    down, across = said.shift[:, row, column] + np.stack([row, column])
    sides = (across - wide / 2, down - high / 2, across + wide / 2, down + high / 2)
    boxes = np.stack(sides, axis=1).astype(np.float32)
    kept = best_apart(boxes, scores, OVERLAP)
    row, column, boxes = row[kept], column[kept], boxes[kept]
    guess = said.regression[:, row, column].T.reshape(-1, KEYPOINTS, 2) + np.stack([row, column], axis=1)[:, None]
    longer = np.maximum(high[kept], wide[kept])
    reach = np.clip((REACH * longer).astype(np.intp), LEAST_REACH, MOST_REACH)
    points = np.zeros((len(kept), KEYPOINTS, 3), np.float32)
    for one in np.unique(reach):  # as many windows of one size at once as there are
        which = reach == one
        points[which] = keypoints_near(said, guess[which], int(one))
    return People(boxes, scores[kept], points)


def peaks(center: FloatArray, score: float, most: int = MOST) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatArray]:
    """Rows, columns and scores of the cells at or above `score` that no neighbour exceeds, best first."""
    logit = np.float32(np.log(score / (1 - score)))
    highest = np.asarray(cv2.dilate(center, np.ones((3, 3), np.uint8)), np.float32)
    row, column = np.nonzero((center >= highest) & (center >= logit))
    best = np.argsort(-center[row, column], kind="stable")[:most]
    row, column = row[best], column[best]
    return row, column, sigmoid(center[row, column])


def keypoints_near(said: Heads, guess: FloatArray, reach: int) -> FloatArray:
    """Keypoints near where they are guessed to be: the best of heat times nearness in a window, and its offset.

    Nearness is exp(-d^2 / 2 s^2) with d the distance in cells and s two thirds of `reach`.

    Args:
        said: what the net says.
        guess: down and across in cells, shape (people, 17, 2).
        reach: half the window, in cells.

    Returns:
        Across, down and score, shape (people, 17, 3); score 0, at the guess, where the window lies outside.
    """
    rows, columns = said.center.shape
    from_middle = np.arange(-reach, reach + 1)
    middle = np.rint(guess).astype(np.intp)
    cells = middle[..., None] + from_middle  # (people, 17, 2, window)
    within = (cells >= 0) & (cells < np.asarray([rows, columns])[:, None])
    near = np.exp(-((cells - guess[..., None]) ** 2) * (9 / (8 * reach**2))) * within
    at = np.clip(cells, 0, np.asarray([rows - 1, columns - 1])[:, None])
    down, across = at[:, :, 0, :, None], at[:, :, 1, None, :]
    which = np.arange(KEYPOINTS)[None, :, None, None]
    heat = sigmoid(said.heat[which, down, across])
    worth = heat * near[:, :, 0, :, None] * near[:, :, 1, None, :]
    best = worth.reshape(*worth.shape[:2], -1).argmax(axis=2)
    person, point = np.indices(best.shape)
    in_window = np.unravel_index(best, worth.shape[2:])
    row, column = at[person, point, 0, in_window[0]], at[person, point, 1, in_window[1]]
    seen = worth[person, point, in_window[0], in_window[1]] > 0
    spot = np.where(seen[..., None], np.stack([row, column], axis=2), 0)
    exact = np.stack([said.offset[2 * point + axis, spot[..., 0], spot[..., 1]] for axis in (0, 1)], axis=2) + spot
    place = np.where(seen[..., None], exact, np.clip(guess, 0, [rows - 1, columns - 1]))
    scores = np.where(seen, heat[person, point, in_window[0], in_window[1]], 0)
    return np.concatenate([place[..., ::-1], scores[..., None]], axis=2).astype(np.float32)


def with_heads(people: People) -> People:
    """Those who have a head of their own; legs and skirts under a desk look like a small person without one."""
    best = people.keypoints[:, HEAD, 2].max(axis=1, initial=0)
    has = np.nonzero(best >= HEAD_SCORE)[0]
    where, wide = heads(people.keypoints), people.boxes[:, 2] - people.boxes[:, 0]
    kept: list[int] = []
    for one in has:
        apart = np.hypot(*(where[kept] - where[one]).T) if kept else np.zeros(0)
        if np.all(apart >= SAME_HEAD * np.minimum(wide[kept], wide[one])):
            kept.append(int(one))
    return People(people.boxes[kept], people.scores[kept], people.keypoints[kept])


def heads(keypoints: FloatArray) -> FloatArray:
    """Mean place of nose, eyes and ears by their scores: shape (people, 17, 3) to (people, 2)."""
    weight = keypoints[:, HEAD, 2, None] + np.float32(1e-6)
    return np.asarray((keypoints[:, HEAD, :2] * weight).sum(axis=1) / weight.sum(axis=1), np.float32)


def sigmoid(logits: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)), without a warning for large x."""
    return np.asarray(0.5 * (1 + np.tanh(logits / 2)), np.float32)
