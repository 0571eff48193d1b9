"""Cameras of this machine, through OpenCV: V4L2 on Linux, DirectShow on Windows."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic_ns

import av
import cv2
import numpy as np

from agent.capture.frame import Frame, SourceLost
from agent.capture.pace import NS_A_SECOND
from agent.capture.picture import Letterbox

BACKENDS = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW}
"""By `sys.platform`; elsewhere OpenCV chooses."""
V4L2_NAMES = Path("/sys/class/video4linux")


class Camera:
    """One camera; opened when its frames are read. The driver's read blocks the reading thread."""

    def __init__(self, index: int, size: tuple[int, int], fps: int) -> None:
        self.width, self.height = size
        self.fps = fps
        self._index = index

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Yield pictures as the camera gives them, at most `fps` a second.

        Raises:
            SourceLost: there is no such camera, another program uses it, or it stopped.
        """
        letterbox = Letterbox((self.width, self.height))
        period_ns = NS_A_SECOND // self.fps
        free_ns = 0
        capture = self._opened()
        try:
            while not stop.is_set():
                if not capture.grab():
                    raise SourceLost(f"camera:{self._index} stopped giving pictures; check its cable")
                mono_ns = monotonic_ns()
                # A camera that gives more than was asked for is thinned out before it is decoded.
                if mono_ns < free_ns - period_ns // 4:
                    continue
                free_ns = max(free_ns, mono_ns - period_ns) + period_ns
                whole, image = capture.retrieve()
                if whole:
                    picture = av.VideoFrame.from_ndarray(np.asarray(image, np.uint8), "bgr24")
                    yield Frame(letterbox.put(picture), mono_ns)
        except cv2.error as error:
            raise SourceLost(
                f"camera:{self._index} failed in its driver ({error.err}); unplug it and plug it"
            ) from error
        finally:
            capture.release()

    def _opened(self) -> "cv2.VideoCapture":
        if (words := missing_words(self._index)) is not None:
            raise SourceLost(words)
        capture = cv2.VideoCapture(self._index, BACKENDS.get(sys.platform, cv2.CAP_ANY))
        if not capture.isOpened():
            capture.release()
            raise SourceLost(
                f"camera:{self._index} cannot be opened; another program may be using it: close that, "
                "or choose one from `tongtang agent sources`"
            )
        # Motion JPEG first: over USB 2 few cameras reach 25 pictures of 720p a second otherwise.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self.height)
        capture.set(cv2.CAP_PROP_FPS, self.fps)
        return capture


def missing_words(index: int) -> str | None:
    """Why camera `index` cannot be there, found without opening it; None where it may be."""
    if sys.platform.startswith("linux") and not Path(f"/dev/video{index}").exists():
        return f"camera:{index} is not there; plug it in, or choose one from `tongtang agent sources`"
    return None


def camera_names(folder: Path = V4L2_NAMES) -> list[tuple[int, str]]:
    """Numbers and names of the cameras, without opening any; empty where the system does not list them.

    A camera has several entries; only the one with index 0 gives pictures, the others give its metadata.
    """
    found = []
    for entry in sorted(folder.glob("video*")):
        number = entry.name.removeprefix("video")
        if number.isdigit() and _text(entry / "index") in {"", "0"}:
            found.append((int(number), _text(entry / "name") or entry.name))
    return sorted(found)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""  # Unplugged between listing and reading, or a driver without this entry.


def lists_cameras() -> bool:
    """Whether this system tells its cameras without opening them."""
    return sys.platform.startswith("linux")
