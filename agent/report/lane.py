"""A lane: one outbox on its way to one topic, as far as the window lets it."""

import threading
import time
from collections.abc import Callable

from agent.report.outbox import Outbox
from agent.report.window import Window
from contract.telemetry import Watermark

ROWS_AT_ONCE = 50


class Lane:
    """One outbox on its way to one topic."""

    def __init__(self, topic: str, outbox: Outbox) -> None:
        self.topic = topic
        self.outbox = outbox
        self._window = Window(acked=outbox.acked)
        self._stream = outbox.stream
        self._rewinds = 0
        self._lock = threading.Lock()

    def restart(self) -> None:
        """Begin again after the hub's watermark."""
        with self._lock:
            self._window.restart(time.monotonic())

    def marked(self, mark: Watermark) -> None:
        """Take a watermark of the hub; those of other streams are not ours.

        Only rows that went out count as acknowledged: a copy of this disk elsewhere may have
        sent rows of its own under our numbers, and the mark may speak of those.
        """
        with self._lock:
            sent = self._window.furthest
        place = self.outbox.acknowledge(mark, sent)
        if place is None:
            return
        with self._lock:
            self._rewinds += mark.rewind
            moved = self._window.rewound if mark.rewind else self._window.acknowledged
            moved(place, time.monotonic())

    def send(self, publish: Callable[[str, bytes, int], bool]) -> int:
        """Send what the window lets out; how many rows that were."""
        with self._lock:
            if self._stream != self.outbox.stream:
                self._stream = self.outbox.stream  # and all that waits goes out again under the new name
                self._window.restart(time.monotonic())
            after, room = self._window.ask(time.monotonic())
            rewinds = self._rewinds
        sent = 0
        for place, row in self.outbox.after(after, min(room, ROWS_AT_ONCE)):
            with self._lock:
                self._window.goes(place)  # first: its mark may be here before `publish` returns
            if self._stream != self.outbox.stream or not publish(self.topic, row.model_dump_json().encode(), 1):
                break
            with self._lock:
                if rewinds != self._rewinds:
                    break  # what this row says of the first one to be sent is no longer true
                self._window.took(place, place - (row.seq - row.first), time.monotonic())
            sent += 1
        return sent

    def idle_s(self) -> float:
        """How long nothing will change by itself, in seconds."""
        with self._lock:
            return self._window.idle_s(time.monotonic())
