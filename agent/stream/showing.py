"""Holds decoded pictures of one track until their sound is heard."""

import threading
import time
from collections import deque
from collections.abc import Callable

import av

HELD_MAX = 8
"""Pictures held; the oldest is dropped for one more (a 720p picture is 1.4 MB)."""


class Showing:
    """Shows each picture when it is due, in order; its thread begins with the first that has to wait."""

    def __init__(
        self,
        track: str,
        show: Callable[[av.VideoFrame], None],
        mono_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Hold nothing yet.

        Args:
            track: names the thread.
            show: takes a picture that is due, on the thread of `put` or on an own one, never on both at once.
            mono_ns: this device's monotonic clock.
        """
        self.dropped = 0
        """Pictures never shown because too many were held."""
        self._track = track
        self._show = show
        self._mono_ns = mono_ns
        self._held: deque[tuple[int, av.VideoFrame]] = deque()
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = False
        self._closed = False

    def put(self, picture: av.VideoFrame, due_ns: int) -> None:
        """Show a picture at `due_ns`, or at once where that is past; one thread calls this."""
        with self._change:
            if self._closed:
                return
            if self._held or self._busy or due_ns > self._mono_ns():
                self._hold(picture, due_ns)
                return
        self._show(picture)

    def close(self) -> None:
        """Drop what is held and end the thread."""
        with self._change:
            self._closed = True
            self._held.clear()
            self._change.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=1)

    def _hold(self, picture: av.VideoFrame, due_ns: int) -> None:
        if len(self._held) >= HELD_MAX:
            self._held.popleft()
            self.dropped += 1
        self._held.append((due_ns, picture))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"show.{self._track}", daemon=True)
            self._thread.start()
        self._change.notify()

    def _run(self) -> None:
        while (picture := self._next_due()) is not None:
            self._show(picture)

    def _next_due(self) -> av.VideoFrame | None:
        with self._change:
            self._busy = False
            while not self._closed:
                wait_ns = self._held[0][0] - self._mono_ns() if self._held else None
                if wait_ns is not None and wait_ns <= 0:
                    self._busy = True
                    return self._held.popleft()[1]
                self._change.wait(None if wait_ns is None else wait_ns / 1e9)
        return None
