"""Pictures with a known number of real faces: the portrait that ships with scikit-image, at seat size."""

import cv2
import numpy as np
from skimage import data

ROOM = 96


def classroom(rows: int, columns: int, size: int = 60, width: int = 640, height: int = 384) -> np.ndarray:
    """`rows` x `columns` heads of about `size` / 2 pixels before a plain wall, BGR."""
    portrait = data.astronaut()[0:256, 96:352, ::-1]
    seat = cv2.resize(portrait, (size, size), interpolation=cv2.INTER_AREA)
    picture = np.full((height, width, 3), 127, np.uint8)
    step_x, step_y = width // columns, height // rows
    for row in range(rows):
        for column in range(columns):
            left = column * step_x + (step_x - size) // 2
            top = row * step_y + (step_y - size) // 2
            picture[top : top + size, left : left + size] = seat
    return picture


def faceless(rows: int, columns: int, size: int = 76, width: int = 640, height: int = 384) -> np.ndarray:
    """`rows` x `columns` of the whole portrait, the face painted over: as somebody who shows none, BGR."""
    portrait = np.ascontiguousarray(data.astronaut()[:, :, ::-1])
    cv2.ellipse(portrait, (222, 115), (50, 62), 0, 0, 360, (30, 40, 60), -1)
    seat = cv2.resize(portrait, (size, size), interpolation=cv2.INTER_AREA)
    picture = np.full((height, width, 3), 127, np.uint8)
    for row in range(rows):
        for column in range(columns):
            top = row * (height // rows) + (height // rows - size) // 2
            left = column * (width // columns) + (width // columns - size) // 2
            picture[top : top + size, left : left + size] = seat
    return picture
