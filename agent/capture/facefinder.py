"""Has faces found in the newest picture, a few times a second, by a process that may be late, die or be replaced."""

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Self

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from agent.capture.facechild import SIZE
from agent.capture.faces import CAUTION, Look
from agent.capture.picture import Bytes
from agent.children import start_child

log = logging.getLogger(__name__)

LOOK_EACH_S = 0.5
"""Shortest time from one look to the next, in seconds; a process that takes longer rests as long as it worked."""
LOOK_WIDTH = 640
LOOK_HEIGHT = 384
"""A picture is fitted into this before it is looked at."""
JOIN_S = 5.0
ENDED = "the process that finds faces ended by itself"


@dataclass(frozen=True, slots=True)
class FinderLimits:
    """How long the process may take."""

    start_s: float = 60.0
    """To load libraries and model from a slow disk."""
    look_s: float = 10.0
    """For one picture; then it counts as hung."""
    back_off_s: float = 0.5
    """Before the first replacement; doubles each time."""
    back_off_cap_s: float = 30.0


class Shrink:
    """Makes a picture small enough to be looked at. One thread at a time."""

    def __init__(self) -> None:
        self._scaler = VideoReformatter()

    def put(self, picture: av.VideoFrame) -> Bytes:
        """`picture` in BGR, shape (height, width, 3), with its proportions."""
        scale = min(1.0, LOOK_WIDTH / picture.width, LOOK_HEIGHT / picture.height)
        sides = (max(2, round(picture.width * scale)), max(2, round(picture.height * scale)))
        bgr = self._scaler.reformat(picture, *sides, "bgr24", interpolation=Interpolation.AREA)
        return np.ascontiguousarray(bgr.to_ndarray(), np.uint8)


@dataclass(frozen=True, slots=True)
class _Offer:
    picture: av.VideoFrame
    small: Bytes
    mono_ns: int


class FaceFinder:
    """Keeps the process alive and hands it the newest picture; one waits at most, a newer one takes its place."""

    def __init__(
        self,
        folder: Path,
        on_look: Callable[[Look], None],
        on_trouble: Callable[[str], None],
        limits: FinderLimits | None = None,
    ) -> None:
        """Say where to find the model and whom to tell; `start` begins.

        Args:
            folder: of installed models.
            on_look: told of each look that is done, on the finder's thread.
            on_trouble: told why there are none, on the finder's thread, each time the process ends.
            limits: of the process.
        """
        self.looks = 0
        """Done so far."""
        self.pid: int | None = None
        """Of the process, while there is one."""
        self._folder, self._on_look, self._on_trouble = folder, on_look, on_trouble
        self._limits = limits or FinderLimits()
        self._offered: _Offer | None = None
        self._wake = threading.Condition()
        self._over = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="faces", daemon=True)

    def start(self) -> None:
        """Start the process; returns at once."""
        self._thread.start()

    def offer(self, picture: av.VideoFrame, small: Bytes, mono_ns: int) -> None:
        """Offer a picture that nobody writes on any more; never blocks."""
        with self._wake:
            self._offered = _Offer(picture, small, mono_ns)
            self._wake.notify()

    def stop(self) -> None:
        """End the process; it has nothing to finish."""
        with self._wake:
            self._over.set()
            self._wake.notify()
            process = self._process
        if process is not None:
            process.kill()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        attempt = 0
        while not self._over.is_set():
            before = self.looks
            try:
                why = self._one_life()
            except OSError as error:
                why = f"the process that finds faces cannot go on: {error}"
            if self._over.is_set():
                return
            self._on_trouble(why)
            attempt = 0 if self.looks > before else attempt + 1
            self._rest(min(self._limits.back_off_cap_s, self._limits.back_off_s * 2 ** min(attempt, 16)))

    def _one_life(self) -> str:
        """Run one process; why it ended."""
        command = [sys.executable, "-m", "agent.capture.facechild", str(self._folder), str(CAUTION.score)]
        process = start_child(command)
        answers: SimpleQueue[bytes] = SimpleQueue()
        reader = threading.Thread(target=_read, args=(process, answers), name="faces.reader", daemon=True)
        reader.start()
        with self._wake:
            self._process = process
            if self._over.is_set():
                process.kill()
        self.pid = process.pid
        try:
            return self._looked(process, answers)
        finally:
            self.pid = None
            process.kill()
            process.wait()
            reader.join()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    _close(pipe)

    def _looked(self, process: "subprocess.Popen[bytes]", answers: "SimpleQueue[bytes]") -> str:
        """Have pictures looked at for as long as it goes well; why it does not."""
        shrink = Shrink()
        with _Patience(process, self._limits.start_s) as patience:
            told = _answer(answers)
        while "why" not in told:
            offer = self._newest()
            if offer is None:
                return ""
            began = time.monotonic()
            # A process that hangs does not even take the picture: the pipe is full before.
            with _Patience(process, self._limits.look_s) as patience:
                try:
                    _hand_over(process, shrink.put(offer.picture))
                    told = _answer(answers)
                except OSError:
                    told = {"why": ENDED}
            if "why" not in told:
                self.looks += 1
                boxes = np.asarray(told["boxes"], np.float32).reshape(-1, 4)
                self._on_look(Look(offer.mono_ns, offer.small, boxes))
                took_s = time.monotonic() - began
                self._rest(max(LOOK_EACH_S - took_s, took_s))
        return patience.words or str(told["why"])

    def _newest(self) -> _Offer | None:
        """The newest picture offered, or None at the end."""
        with self._wake:
            while self._offered is None and not self._over.is_set():
                self._wake.wait()
            offer, self._offered = self._offered, None
            return None if self._over.is_set() else offer

    def _rest(self, seconds: float) -> None:
        with self._wake:
            self._wake.wait_for(self._over.is_set, seconds)


class _Patience:
    """Kills a process that has not done with something in time."""

    def __init__(self, process: "subprocess.Popen[bytes]", seconds: float) -> None:
        self.words = ""
        """Why it was killed; empty where it was not."""
        self._process, self._seconds = process, seconds
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self.words = f"the process that finds faces has not answered for {self._seconds:.0f} s"
        self._process.kill()


def _hand_over(process: "subprocess.Popen[bytes]", bgr: Bytes) -> None:
    if process.stdin is not None:
        process.stdin.write(SIZE.pack(bgr.shape[1], bgr.shape[0]))
        process.stdin.write(bgr.data)
        process.stdin.flush()


def _read(process: "subprocess.Popen[bytes]", answers: "SimpleQueue[bytes]") -> None:
    if process.stdout is not None:
        for line in process.stdout:
            answers.put(line)
    answers.put(b"")


def _answer(answers: "SimpleQueue[bytes]") -> dict[str, Any]:
    """The next answer; with `why` where there is none to be had, because the process is gone."""
    try:
        told: dict[str, Any] = json.loads(answers.get() or b"{}")
    except ValueError:
        return {"why": ENDED}  # it was killed in the middle of a line
    if "trouble" in told:
        return {"why": told["trouble"]}
    return told or {"why": ENDED}


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError as error:  # what was buffered has nowhere to go
        log.debug("closing the pipe: %s", error)
