"""One picture of the room's camera as others would get it, with masks, seats and board drawn in: to place them by.

Masks and the face blur lie over it as they do in a lesson. There is no way to see what is below them.
"""

import os
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from time import monotonic_ns

import cv2
import numpy as np

from agent.area import Corner, outline
from agent.capture.faceblur import FaceBlurred
from agent.capture.frame import Frame
from agent.capture.lettering import write
from agent.capture.picture import Bytes
from agent.capture.sources import RoomSources, SourceSpec, open_room
from agent.classroom import PictureLimits
from agent.masking import room_masks
from agent.settings import AgentSettings

ORDERED = (1280, 720)
"""The picture that an order asks for where it does not say otherwise."""
SETTLES_S = 2.0
"""A camera finds its exposure in about so long, in seconds."""
WAITS_S = 15.0
"""For a first picture, and for faces to be looked for, in seconds."""
AWAY_S = 3.0
"""For a camera that was said to be away, in seconds."""
MASK, CLEAR, SEATS, BOARD = (60, 60, 255), (80, 220, 80), (255, 190, 60), (60, 220, 255)
"""Colours of the outlines, BGR."""


class PreviewRefused(Exception):
    """There is no picture; the message says what to do."""


def preview(settings: AgentSettings, spec: SourceSpec, path: Path) -> tuple[str, ...]:
    """Write the picture to `path`, as PNG; what went less well, in words.

    Raises:
        PreviewRefused: the camera gives no picture, or the file cannot be written.
    """
    told: list[str] = []
    video = settings.video
    limits = PictureLimits(video.width_max, video.height_max, video.fps_max, video.bitrate_max)
    room = open_room(
        spec,
        size=limits.size(ORDERED),
        fps=min(25, video.fps_max),
        seed=settings.sources.seed,
        has_slides=False,
        masks=room_masks(settings),
        on_trouble=told.append,
    )
    image = _picture(room, told)
    draw(image, settings)
    whole, data = cv2.imencode(".png", image)
    if not whole:
        raise PreviewRefused(f"the picture cannot be made into {path}")
    try:
        # The account's own file: a classroom is in it.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data.tobytes())
    except OSError as error:
        raise PreviewRefused(f"{path} cannot be written: {error.strerror}; name another: --preview FILE.png") from error
    return tuple(dict.fromkeys(told))


def _picture(room: RoomSources, told: Sequence[str]) -> Bytes:
    """A picture once exposure has settled and faces were looked for; BGR."""
    stop = threading.Event()
    try:
        with closing(_frames(room, stop)) as frames:
            frame = _settled(room, frames, told)
    finally:
        stop.set()
        room.close()
    if frame is None:
        words = "; ".join(told) or "the camera shows nothing"
        raise PreviewRefused(words.removesuffix("; a stand-in is sent and it is tried again until it is back"))
    return np.ascontiguousarray(frame.picture.to_ndarray(format="bgr24"), np.uint8)


def _frames(room: RoomSources, stop: threading.Event) -> Generator[Frame, None, None]:
    yield from room.camera.frames(stop)


def _settled(room: RoomSources, frames: Iterator[Frame], told: Sequence[str]) -> Frame | None:
    """The first picture that is good enough; the last one where faces are never found; None where there is none."""
    began, first_ns, shown = monotonic_ns(), 0, None
    for frame in frames:
        now = monotonic_ns()
        if frame.stand_in:
            first_ns = 0
            if told and now - began >= AWAY_S * 1e9:
                break
        else:
            first_ns, shown = first_ns or now, frame
            blurred = isinstance(room.camera, FaceBlurred) and not room.camera.looked
            if now - first_ns >= SETTLES_S * 1e9 and not blurred:
                return frame
        if now - began >= WAITS_S * 1e9:
            break
    return shown


def draw(image: Bytes, settings: AgentSettings) -> None:
    """Draw areas and a ruler into a picture, in place; BGR."""
    masks, observe = settings.masks, settings.observe
    _ruler(image)
    _area(image, outline(observe.seats), SEATS, "座位 seats")
    if observe.board is not None:
        _area(image, outline(observe.board), BOARD, "黑板 board")
    for number, area in enumerate(masks.clear, 1):
        _area(image, outline(area), CLEAR, f"不模糊 clear {number}")
    for number, area in enumerate(masks.camera, 1):
        _area(image, outline(area), MASK, f"遮挡 mask {number}")


def _area(image: Bytes, corners: Sequence[Corner], colour: tuple[int, int, int], words: str) -> None:
    height, width = image.shape[:2]
    polygon = np.asarray(corners, np.float64) * (width - 1, height - 1)
    cv2.polylines(image, [np.round(polygon).astype(np.int32)], isClosed=True, color=colour, thickness=2)
    size = max(12, height // 36)
    left, top = polygon[np.lexsort((polygon[:, 0], polygon[:, 1]))[0]]
    at = (int(min(left + size / 2, width - 9 * size)), int(min(top + 1.5 * size, height - size)))
    write(image, words, (at[0] + 1, at[1] + 1), size, (0, 0, 0), weight=700)
    write(image, words, at, size, colour, weight=700)


def _ruler(image: Bytes) -> None:
    """Tenths of width and height along the upper and left edge."""
    height, width = image.shape[:2]
    size = max(10, height // 48)
    for tenth in range(1, 10):
        x, y = round(tenth / 10 * (width - 1)), round(tenth / 10 * (height - 1))
        for end in ((x, 0), (x, size)), ((0, y), (size, y)):
            cv2.line(image, end[0], end[1], (0, 0, 0), 3)
            cv2.line(image, end[0], end[1], (255, 255, 255), 1)
        for at in ((x, 2 * size), (size + 2, y + size // 3)):
            write(image, f"0.{tenth}", (at[0] + 1, at[1] + 1), size, (0, 0, 0))
            write(image, f"0.{tenth}", at, size, (255, 255, 255))
