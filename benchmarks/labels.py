"""Labels and pictures of a folder that somebody else made: read, or refused with what to do."""

import json
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from agent.capture.frame import Frame
from agent.observe.feed import Packer, PictureTrack
from agent.observe.wire import unpacked_picture
from benchmarks.measured import LabelsUnreadable

CHANNELS: dict[PictureTrack, int] = {"camera": 3, "slides": 1}


def read_json(path: Path, holds: str) -> Any:
    """What a JSON file says.

    Args:
        path: the file.
        holds: what it is to hold, in words.

    Raises:
        LabelsUnreadable: it is not there, or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise LabelsUnreadable(f"{path} is not there: it holds {holds}; docs/researcher.md has an example") from error
    except json.JSONDecodeError as error:
        raise LabelsUnreadable(f"{path}, line {error.lineno}, column {error.colno}: not JSON: {error.msg}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise LabelsUnreadable(f"{path} cannot be read: {error}; it must be UTF-8 text") from error


def read_picture(path: Path, labels: Path) -> np.ndarray:
    """A labelled picture in BGR, shape (height, width, 3).

    Raises:
        LabelsUnreadable: it is not there, or no picture.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LabelsUnreadable(
            f"{labels} names {path.name}, and {path} cannot be read ({error.strerror}): "
            "put the picture there, or take it out of the labels"
        ) from error
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    if picture is None:
        raise LabelsUnreadable(f"{path} is no picture that can be read: save it again as JPEG or PNG")
    return np.asarray(picture, np.uint8)


def as_observed(packer: Packer, track: PictureTrack, bgr: np.ndarray) -> np.ndarray:
    """The picture as the observing process gets it: shrunk to the size of its track, and grey if it is a slide."""
    frame = Frame(av.VideoFrame.from_ndarray(np.ascontiguousarray(bgr), "bgr24"), 0)
    return unpacked_picture(packer.message((track, frame)).payload, CHANNELS[track])
