"""What the encoders of pictures and of sound have in common: takers, a thread, and how it ends."""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

import av

from agent.capture.frame import SourceLost

log = logging.getLogger(__name__)

STOP_S = 5.0
"""A source that does not let go within this is left behind."""

Thing = TypeVar("Thing")
Made = TypeVar("Made")


class Takers(Generic[Thing]):
    """All who are given the same things. Added from any thread; given to on one."""

    def __init__(self) -> None:
        self._takers: tuple[Callable[[Thing], None], ...] = ()
        self._lock = threading.Lock()

    def add(self, taker: Callable[[Thing], None]) -> None:
        """Give everything from now on to `taker` too."""
        with self._lock:
            self._takers = (*self._takers, taker)

    def give(self, thing: Thing) -> None:
        """Give one thing to all, in the order in which they were added."""
        for taker in self._takers:
            taker(thing)


class TrackEncoder(ABC, Generic[Made]):
    """A thread that pulls from one source, encodes, and gives each packet to every taker."""

    def __init__(self, track: str, on_trouble: Callable[[str], None]) -> None:
        """Prepare.

        Args:
            track: names the track and the thread.
            on_trouble: told in words, once, when the track ends for a reason that nobody asked for.
        """
        self.track = track
        self._stop = threading.Event()
        self._takers: Takers[Made] = Takers()
        self._on_trouble = on_trouble
        self._thread = threading.Thread(target=self._run, name=f"encode.{track}", daemon=True)

    def start(self) -> None:
        """Begin to pull."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and so the reading of its source; waits for it."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_S)
            if self._thread.is_alive():
                log.warning("the source of track %s does not let go; left behind", self.track)

    def add_taker(self, taker: Callable[[Made], None]) -> None:
        """Give every packet from now on to `taker`."""
        self._takers.add(taker)

    @abstractmethod
    def _encode_all(self) -> None:
        """Pull and encode until `_stop` is set or the source ends."""

    def _run(self) -> None:
        try:
            self._encode_all()
        except SourceLost as error:
            self._on_trouble(str(error))
        except av.FFmpegError as error:
            self._on_trouble(f"track {self.track} cannot be encoded any more: {error}")
