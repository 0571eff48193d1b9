"""One life of the observing process: its pipes, its feeder thread, its reader thread."""

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from agent.children import start_child
from agent.observe.feed import Feed, Packer
from agent.observe.view import UNTOLD, View
from agent.observe.wire import FACE_MODEL, NO_SLIDE_TEXT, Kind, Message, WireBroken, write_message

log = logging.getLogger(__name__)

FEEDER_WAIT_S = 0.5
"""A closed feed and a due ping are noticed within this."""


class Worker:
    """A running observing process. Its threads end when it does."""

    def __init__(
        self,
        folder: Path,
        feed: Feed,
        take: Callable[[dict[str, Any]], None],
        memory: str,
        *,
        bodies_s: float,
        slide_text: bool,
        view: View = UNTOLD,
        face_model: Path | None = None,
    ) -> None:
        """Start it.

        Args:
            folder: of installed models.
            feed: what it is to observe.
            take: called on the reader's thread with each line that comes back.
            memory: what the process before last told to remember, as JSON; or empty.
            bodies_s: seconds between two looks for bodies.
            slide_text: whether title and text of each slide are read.
            view: what of the camera's picture is what.
            face_model: a file of YuNet to find faces with.

        Raises:
            OSError: the process cannot be started.
        """
        self._feed = feed
        self._take = take
        self._memory = memory
        self._ping = threading.Event()
        self._bodies_s = bodies_s
        self._paced = threading.Event()
        self._paced.set()
        self.heard_at = time.monotonic()
        """When it last said anything, on the monotonic clock, in seconds."""
        command = [sys.executable, "-m", "agent.observe", str(folder), view.text()]
        if not slide_text:
            command.append(NO_SLIDE_TEXT)
        if face_model is not None:
            command.append(f"{FACE_MODEL}{face_model}")
        self.process = start_child(command)
        if self.process.stdin is None or self.process.stdout is None:
            raise OSError("the observing process has no pipes")
        self._stdin: BinaryIO = self.process.stdin  # type: ignore[assignment] # IO[bytes] is one
        self._stdout: BinaryIO = self.process.stdout  # type: ignore[assignment]
        self._feeder = threading.Thread(target=self._feed_it, name="observe.feeder", daemon=True)
        self._reader = threading.Thread(target=self._read_it, name="observe.reader", daemon=True)
        self._feeder.start()
        self._reader.start()

    def ping(self) -> None:
        """Ask for a sign of life; it waits its turn behind what is being sent."""
        self._ping.set()
        self._feed.wake()

    def pace(self, bodies_s: float) -> None:
        """Let bodies be looked for every so many seconds from now on; any thread."""
        self._bodies_s = bodies_s
        self._paced.set()
        self._feed.wake()

    def memory_bytes(self) -> int:
        """Resident memory, in bytes; 0 where the process is gone."""
        try:
            return int(psutil.Process(self.process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    def kill(self) -> None:
        """End it at once, frozen or not."""
        self.process.kill()

    def join(self, timeout_s: float) -> bool:
        """Wait for process and threads; False where it had to be killed after `timeout_s`."""
        in_order = True
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            in_order = False
            self.process.kill()
            self.process.wait()
        # A reader that is busy in the owner's callback may finish; the feeder ends with the pipe.
        self._reader.join()
        self._feed.wake()
        self._feeder.join()
        self._stdout.close()
        return in_order

    def _feed_it(self) -> None:
        packer = Packer()
        try:
            if self._memory:
                write_message(self._stdin, Message(Kind.RESUME, 0, self._memory.encode()))
            while not self.ended():
                items = self._feed.take(FEEDER_WAIT_S)
                if self.ended():
                    break
                if self._paced.is_set():
                    self._paced.clear()
                    pace = json.dumps({"bodies_s": self._bodies_s})
                    write_message(self._stdin, Message(Kind.PACE, time.monotonic_ns(), pace.encode()))
                for item in items:
                    write_message(self._stdin, packer.message(item))
                if self._ping.is_set():
                    self._ping.clear()
                    write_message(self._stdin, Message(Kind.PING, time.monotonic_ns()))
                if self._feed.closed and not items:
                    write_message(self._stdin, Message(Kind.STOP, time.monotonic_ns()))
                    break
        except WireBroken as error:
            log.debug("feeding ends: %s", error)  # the supervisor sees the end and tells it
        finally:
            self._close_stdin()

    def _close_stdin(self) -> None:
        try:
            self._stdin.close()
        except OSError as error:  # what was buffered has nowhere to go
            log.debug("closing the pipe: %s", error)

    def _read_it(self) -> None:
        for line in self._stdout:
            try:
                told = json.loads(line)
            except ValueError:
                log.debug("a torn line from the observing process: %r", line[:80])  # it was killed while writing
                continue
            self.heard_at = time.monotonic()
            self._take(told)
