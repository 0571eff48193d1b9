"""Sources that outlive their device: while it is away a card and silence stand in, and it is tried again.

A device may hang for seconds in the driver or the network, so it is read on a thread of its own,
which hands over through a short queue. The reader of the source never waits for the device.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import monotonic_ns
from typing import Generic, TypeVar

from agent.capture.continuity import Continuity
from agent.capture.frame import Block, Frame, FrameSource, SoundSource, SourceLost
from agent.capture.pace import NS_A_SECOND, Pace
from agent.capture.picture import framed
from agent.capture.still import StillPicture

log = logging.getLogger(__name__)

FRAMES_HELD = 4
"""Pictures waiting at most; the oldest is dropped, an old picture helps nobody."""
BLOCKS_HELD = 50
"""Blocks of sound waiting at most, one second; the oldest is dropped and becomes silence."""
STALE_S = 1.0
"""A picture older than this gives way to the card."""
POLL_S = 0.04
CLOSE_S = 10.0
RETRY_S = (0.5, 1.0, 2.0, 4.0, 8.0, 10.0)
"""Pauses between attempts to open a device; the last one stays."""

OnTrouble = Callable[[str], None]
T = TypeVar("T", Frame, Block)


def retry_pause_s(attempt: int) -> float:
    """How long to wait after failed attempt number `attempt` (from 0), in seconds."""
    return RETRY_S[min(attempt, len(RETRY_S) - 1)]


class Reader(Generic[T]):
    """Reads one device on its own thread, opens it again when it is lost, tells of both once."""

    def __init__(
        self, what: str, open_and_read: Callable[[threading.Event], Iterator[T]], held: int, on_trouble: OnTrouble
    ) -> None:
        self._what = what
        self._open_and_read: Callable[[threading.Event], Iterator[T]] = open_and_read
        self._on_trouble = on_trouble
        self._taken = threading.Condition()
        self._queue: deque[T] = deque(maxlen=held)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"capture {what}", daemon=True)
        self.dropped = 0
        """Pictures or blocks that nobody took in time."""

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def take(self, timeout_s: float) -> T | None:
        """The oldest that waits, or None when nothing came within `timeout_s` seconds."""
        with self._taken:
            if not self._queue:
                self._taken.wait(timeout_s)
            return self._queue.popleft() if self._queue else None

    def end(self, timeout_s: float) -> None:
        """Stop reading; waits at most `timeout_s` seconds for a device that hangs."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        attempt, down = 0, False
        while not self._stop.is_set():
            try:
                for one in self._open_and_read(self._stop):
                    if down:
                        self._on_trouble(f"{self._what} is back")
                        down = False
                    attempt = 0
                    self._hand_over(one)
                if self._stop.is_set():
                    return
                words = f"{self._what} ended by itself"
            except SourceLost as lost:
                words = str(lost)
            except Exception:
                # A driver may raise whatever it likes: the device is tried again like any other that was lost.
                log.exception("%s ended with a fault", self._what)
                words = f"{self._what} ended with a fault in the program or a driver; the log has it"
            if not down and not self._stop.is_set():
                down = True
                self._on_trouble(f"{words}; a stand-in is sent and it is tried again until it is back")
            self._stop.wait(retry_pause_s(attempt))
            attempt += 1

    def _hand_over(self, one: T) -> None:
        with self._taken:
            self.dropped += len(self._queue) == self._queue.maxlen
            self._queue.append(one)
            self._taken.notify()


class LastingPicture:
    """A picture that goes on without its device: the card stands in after one second."""

    def __init__(
        self,
        what: str,
        source: FrameSource,
        card: tuple[str, str],
        on_trouble: OnTrouble,
    ) -> None:
        self.width, self.height, self.fps = source.width, source.height, source.fps
        self._what, self._source, self._on_trouble = what, source, on_trouble
        self._still = StillPicture((self.width, self.height), self.fps, *card)
        self._reader: Reader[Frame] | None = None

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Yield the device's pictures, or the card at the frame rate, until `stop` is set."""
        self.close()
        reader = self._reader = Reader(self._what, self._source.frames, FRAMES_HELD, self._on_trouble)
        reader.start()
        last_ns, alive_ns = 0, monotonic_ns()
        try:
            while not stop.is_set():
                frame = reader.take(POLL_S)
                if frame is not None and frame.mono_ns > last_ns:
                    last_ns, alive_ns = frame.mono_ns, monotonic_ns()
                    yield frame
                elif monotonic_ns() - alive_ns > STALE_S * NS_A_SECOND:
                    for frame in self._stand_in(reader, stop):
                        last_ns, alive_ns = max(last_ns + 1, frame.mono_ns), monotonic_ns()
                        yield replace(frame, mono_ns=last_ns)
        finally:
            reader.end(timeout_s=0.0)

    def _stand_in(self, reader: Reader[Frame], stop: threading.Event) -> Iterator[Frame]:
        """Yield the card until the device has a picture again, and that picture last."""
        pace = Pace(self.fps, monotonic_ns())
        while (due := pace.wait(stop)) is not None:
            if (back := reader.take(0.0)) is not None:
                yield back
                return
            yield Frame(framed(self._still.picture), due[1], stand_in=True)

    def close(self) -> None:
        """Wait until the device is let go of; may be called twice."""
        if self._reader is not None:
            self._reader.end(CLOSE_S)


class LastingSound:
    """Sound without a hole, with or without its device: silence stands in."""

    def __init__(self, what: str, source: SoundSource, on_trouble: OnTrouble) -> None:
        self._what, self._source, self._on_trouble = what, source, on_trouble
        self._reader: Reader[Block] | None = None

    def blocks(self, stop: threading.Event) -> Iterator[Block]:
        """Yield blocks that follow each other until `stop` is set."""
        self.close()
        reader = self._reader = Reader(self._what, self._source.blocks, BLOCKS_HELD, self._on_trouble)
        reader.start()
        line = Continuity()
        try:
            while not stop.is_set():
                block = reader.take(POLL_S)
                yield from line.put(block.samples, block.mono_ns) if block else line.idle(monotonic_ns())
        finally:
            reader.end(timeout_s=0.0)

    def close(self) -> None:
        """Wait until the device is let go of; may be called twice."""
        if self._reader is not None:
            self._reader.end(CLOSE_S)
