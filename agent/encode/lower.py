"""The second, lower tier of a camera: made only while some peer's link cannot carry the recorded one.

Steps of size and frame rate happen here alone; the bitrate follows the link without a
keyframe. The recorded tier never knows.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, Full, Queue

import av
from av.video.reformatter import VideoReformatter

from agent.capture.frame import Frame
from agent.encode.packet import VideoTaker
from agent.encode.picture import PictureEncoder

log = logging.getLogger(__name__)

WAITING_MAX = 2
"""Frames that wait for this encoder; more are left out: it may never hold up the recorded tier."""
RETRY_S = 5.0
"""A tier that could not be made is tried again after this."""
LIVE_CHANGE = 0.05
"""The bitrate is changed when it should be this much different."""


@dataclass(frozen=True, slots=True)
class Step:
    """One size and frame rate of the lower tier."""

    floor_bps: int
    """From this bitrate on."""
    height: int
    """At most so many lines."""
    share: int
    """Every so many-th frame of the camera."""


STEPS: tuple[Step, ...] = (
    Step(1_100_000, 720, 1),
    Step(600_000, 540, 1),
    Step(280_000, 360, 1),
    Step(140_000, 360, 2),
    Step(70_000, 216, 3),
)
"""From the best to the least; below the last the camera is not sent."""
BUFFER_S = 0.2
"""A keyframe takes about this long on a link that carries just this tier: sharpness comes with the next pictures."""
CLIMB = 1.25
"""A better step is taken when there is this much more than its floor: no flapping at the edge."""


def step_for(bps: int, current: Step | None) -> Step | None:
    """The step for a bitrate; None where the camera cannot be sent.

    Args:
        bps: what the weakest of the tier's peers can take for the camera.
        current: the present step, which is left upwards only with room to spare.
    """
    for step in STEPS:
        better = current is not None and step.floor_bps > current.floor_bps
        if bps >= step.floor_bps * (CLIMB if better else 1.0):
            return step
    return None


class LowerTier:
    """Encodes a camera a second time, small enough for the weakest of those who need it.

    `feed` is called on the first encoder's thread and returns at once. The thread exists only while wanted.
    """

    def __init__(
        self,
        fps: int,
        taker: VideoTaker,
        on_trouble: Callable[[str], None],
        mono_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Prepare.

        Args:
            fps: frame rate of the camera.
            taker: gets each packet, on this encoder's thread.
            on_trouble: told in words where the tier cannot be made; once, until it could be made again.
            mono_ns: this device's monotonic clock.
        """
        self.skipped = 0
        """Frames left out because this encoder was behind."""
        self._fps = fps
        self._taker = taker
        self._on_trouble = on_trouble
        self._mono_ns = mono_ns
        self._aim: tuple[Step, int] | None = None
        """Step and bitrate wanted now: one value, because three threads look at it."""
        self._failed_ns: int | None = None
        """When the tier could not be made; None while it can."""
        self._keyframe = threading.Event()
        self._frames: Queue[Frame | None] = Queue(WAITING_MAX)
        self._scaler = VideoReformatter()
        self._thread: threading.Thread | None = None
        self._count = 0

    @property
    def step(self) -> Step | None:
        """The size and frame rate made now; None where the tier is not made."""
        aim = self._aim
        return aim[0] if aim is not None else None

    def want(self, bps: int) -> bool:
        """Make it for this bitrate; 0 ends it. Whether it is made. Called on the event loop."""
        step = step_for(bps, self.step) if bps else None
        self._aim = (step, bps) if step is not None else None
        if self._aim is not None and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="encode.camera.lower", daemon=True)
            self._thread.start()
        return self._aim is not None

    def request_keyframe(self) -> None:
        """Make one of the next pictures a keyframe."""
        self._keyframe.set()

    def feed(self, frame: Frame) -> None:
        """Take a raw frame of the camera; returns at once."""
        step = self.step
        if step is None:
            return
        self._count += 1
        if self._count % step.share:
            return
        try:
            self._frames.put_nowait(frame)
        except Full:
            self.skipped += 1

    def close(self) -> None:
        """End the thread."""
        self._aim = None
        if self._thread is not None:
            try:
                self._frames.put(None, timeout=2)
            except Full:
                log.warning("the lower tier does not end; left behind")
                return
            self._thread.join(timeout=5)
            self._thread = None

    def _run(self) -> None:
        made: tuple[Step, PictureEncoder] | None = None
        while True:
            try:
                frame = self._frames.get(timeout=1.0)
            except Empty:
                made = made if self._aim is not None else None  # nobody needs it: let its memory go
                continue
            if frame is None:
                return
            aim = self._aim
            if aim is None or self._resting():
                continue
            try:
                made = self._fitting(made, frame, *aim)
                self._encode(made[1], frame)
                self._failed_ns = None
            except av.FFmpegError as error:
                made = None
                self._fail(error)

    def _resting(self) -> bool:
        """Whether it failed a moment ago."""
        return self._failed_ns is not None and self._mono_ns() - self._failed_ns < RETRY_S * 1e9

    def _fail(self, error: Exception) -> None:
        if self._failed_ns is None:
            self._on_trouble(f"a smaller picture for weak links cannot be made: {error}")
        self._failed_ns = self._mono_ns()

    def _fitting(
        self, made: tuple[Step, PictureEncoder] | None, frame: Frame, step: Step, bps: int
    ) -> tuple[Step, PictureEncoder]:
        """The encoder for this step and bitrate: the one there is, where its size is right."""
        if made is not None and made[0] is step:
            encoder = made[1]
            if abs(bps - encoder.bitrate_bps) > LIVE_CHANGE * encoder.bitrate_bps:
                encoder.bitrate_bps = min(bps, _ceiling_bps(step))
            return made
        width, height = frame.picture.width, frame.picture.height
        scale = min(1.0, step.height / height)
        sides = (int(width * scale) // 2 * 2, int(height * scale) // 2 * 2)
        ceiling = _ceiling_bps(step)
        fps = max(1, self._fps // step.share)
        return step, PictureEncoder(*sides, fps, min(bps, ceiling), ceiling_bps=ceiling, buffer_s=BUFFER_S, fine=True)

    def _encode(self, encoder: PictureEncoder, frame: Frame) -> None:
        if (frame.picture.width, frame.picture.height) == (encoder.width, encoder.height):
            # The recorded tier's encoder writes its own stamps into the frame: this one needs a copy.
            picture = av.VideoFrame.from_ndarray(frame.picture.to_ndarray(), format="yuv420p")
        else:
            picture = self._scaler.reformat(frame.picture, width=encoder.width, height=encoder.height, format="yuv420p")
        if self._keyframe.is_set():
            self._keyframe.clear()
            encoder.request_keyframe()
        for packet in encoder.encode(picture, frame.mono_ns):
            self._taker(packet)


def _ceiling_bps(step: Step) -> int:
    """The bitrate above which a better step is taken."""
    at = STEPS.index(step)
    return round(STEPS[at - 1].floor_bps * CLIMB) if at else 4 * step.floor_bps
