"""A process that finds faces: a picture comes in, boxes go out, nothing is kept.

python -m agent.capture.facechild FOLDER LEAST_SCORE

Down its stdin come pictures, each a header (width, height) and BGR bytes; up its stdout goes one JSON line each.
It is a process of its own, because it works at a lower priority than the lesson, and may die without harm to it.
"""

import json
import os
import signal
import struct
import sys
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from agent.platform import lower_priority
from models.centerface import FaceDetector
from models.manifest import ModelsTrouble

SIZE = struct.Struct("<HH")
"""Width and height of the picture that follows, in pixels."""
NICENESS = 5
"""Below the lesson's threads, above those who observe: without a look the whole picture is frosted."""


def serve(stdin: BinaryIO, stdout: BinaryIO, folder: Path, score: float) -> int:
    """Answer pictures until the other end is gone; the exit code."""

    def tell(**told: object) -> None:
        stdout.write(json.dumps(told).encode() + b"\n")
        stdout.flush()

    try:
        detector = FaceDetector(folder)
    except ModelsTrouble as error:
        tell(trouble=str(error))
        return 1
    # The first run sets memory up and takes longer than those that follow.
    detector.faces(np.zeros((2, 2, 3), np.uint8))
    tell(ready=True)
    while len(head := stdin.read(SIZE.size)) == SIZE.size:
        wide, high = SIZE.unpack(head)
        pixels = stdin.read(wide * high * 3)
        if len(pixels) < wide * high * 3:
            break
        faces = detector.faces(np.frombuffer(pixels, np.uint8).reshape(high, wide, 3), score)
        shares = faces.boxes / np.asarray([wide, high, wide, high], np.float32)
        tell(boxes=shares.round(5).tolist())
    return 0


def main() -> int:
    """Run as a process of its own."""
    # A service stop reaches the whole group; this process ends with the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    lower_priority(NICENESS)
    cv2.setNumThreads(1)
    # Whatever a library prints must not get between the lines: from here on, print goes to stderr.
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        return serve(sys.stdin.buffer, lines, Path(sys.argv[1]), float(sys.argv[2]))
    except BrokenPipeError:
        return 3


if __name__ == "__main__":
    sys.exit(main())
