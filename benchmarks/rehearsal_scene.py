"""What the rooms of the rehearsal show and say: seats with faces, somebody who walks, and speech.

The built-in rehearsal draws its people; to a net they have no faces. Here each seat shows the portrait that comes
with scikit-image, mirrored for every second one, leaning and nodding by a few pixels; somebody walks along the
board. Nothing is written to a disk.
"""

import math
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from agent.capture.frame import BLOCK_SAMPLES, SOUND_RATE_HZ
from agent.capture.picture import from_bgr, planes

Picture = NDArray[np.uint8]
WIDTH, HEIGHT = 1280, 720
ROWS, COLUMNS = 4, 8
SEAT = 104
"""Pixels of a portrait's side: a head of about 50, 25 where it is looked at."""
TOP = 260
"""Above this is the board, and whoever walks there."""
POSES, NOISES = 10, 3
POSE_TICKS = 10
"""Pictures for which the seats keep a pose: 0.4 s."""
NOISE = 1.6
WALK_S = 20.0
"""Along the board and back."""
LOOP_S = 60
PAUSES_S = {True: 1.5, False: 9.0}
"""Between two utterances, of a lead room and of one that receives."""


def _portrait(side: int, *, mirrored: bool = False) -> Picture:
    face = data.astronaut()[0:256, 96:352, ::-1]
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small[:, ::-1] if mirrored else small)


class SeatedScene:
    """A classroom of 32 portraits and somebody at the board, drawn for any moment."""

    def __init__(self, size: tuple[int, int], name: str, seed: int) -> None:
        if size != (WIDTH, HEIGHT):
            raise ValueError(f"the room is drawn at {WIDTH}x{HEIGHT}, not at {size}")
        del name
        rng = np.random.default_rng(seed)
        wall = np.full((HEIGHT, WIDTH, 3), 127, np.uint8)
        wall[20 : TOP - 30, 40 : WIDTH - 40] = (70, 92, 60)
        seats = (_portrait(SEAT), _portrait(SEAT, mirrored=True))
        at = np.zeros((ROWS, COLUMNS, 2), int)
        self._rooms: list[Picture] = []
        for _ in range(POSES):
            moved = rng.random((ROWS, COLUMNS)) < 0.25
            at[moved] = np.clip(at[moved] + rng.integers(-4, 5, (int(moved.sum()), 2)), -8, 8)
            room = wall.copy()
            for row in range(ROWS):
                for column in range(COLUMNS):
                    x = column * 158 + 36 + at[row, column, 0]
                    y = TOP + row * 115 - 2 + at[row, column, 1]
                    x, y = int(np.clip(x, 0, WIDTH - SEAT)), int(np.clip(y, 0, HEIGHT - SEAT))
                    room[y : y + SEAT, x : x + SEAT] = seats[(row + column) % 2]
            for _ in range(NOISES):
                noisy = room + rng.normal(0, NOISE, room.shape)
                self._rooms.append(from_bgr(np.clip(noisy, 0, 255).astype(np.uint8)))
        self._walker = planes(from_bgr(_portrait(200)), 200, 200)

    def draw(self, seconds: float, tick: int, page: int) -> Picture:
        """The room `seconds` after its start, picture number `tick`, as a fresh I420 buffer."""
        del page
        pose = tick // POSE_TICKS % POSES
        buffer: Picture = self._rooms[pose * NOISES + tick % NOISES].copy()
        along = 0.5 - 0.5 * math.cos(2 * math.pi * seconds / WALK_S)
        left = round((60 + along * (WIDTH - 320)) / 2) * 2
        for plane, walker, scale in zip(planes(buffer, WIDTH, HEIGHT), self._walker, (1, 2, 2), strict=True):
            x, y = left // scale, 40 // scale
            plane[y : y + 200 // scale, x : x + 200 // scale] = walker
        return buffer


def spoken(folder: Path, *, lead: bool) -> NDArray[np.int16]:
    """A minute of real speech with pauses, int16 at 48 kHz, whole blocks.

    `folder` holds `librispeech/teachers` and `librispeech/students`; it is handed out beside the project.

    Raises:
        FileNotFoundError: there is none.
    """
    from tests.models.recordings import sound  # noqa: PLC0415 - the tests' reader of sound; needs the project's tests

    who = folder / "librispeech" / ("teachers" if lead else "students")
    paths = sorted(who.rglob("*.flac"))
    if not paths:
        raise FileNotFoundError(f"no recorded speech in {who}")
    out = np.zeros(LOOP_S * SOUND_RATE_HZ // BLOCK_SAMPLES * BLOCK_SAMPLES, np.int16)
    at = SOUND_RATE_HZ // 2
    for path in cycle(paths):
        samples = sound(path, SOUND_RATE_HZ)
        if at + len(samples) > len(out):
            return out
        out[at : at + len(samples)] = samples
        at += len(samples) + round(PAUSES_S[lead] * SOUND_RATE_HZ)
    return out
