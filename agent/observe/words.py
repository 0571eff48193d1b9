"""What the teacher says, in words: hands sound and the teacher's stretches to a recognising process, if there is one.

Nothing here ever blocks capture, and the lesson goes on without words if that process ends.
"""

import json
import logging
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from agent.capture.frame import SOUND_RATE_HZ, Block
from agent.children import start_child
from agent.observe.recognise import SECONDS
from agent.observe.wire import Kind, Message, WireBroken, write_message

log = logging.getLogger(__name__)

BATCH_BLOCKS: Final = 10
"""200 ms a message."""
WAITING_MOST: Final = 400
"""Batches and stretches that wait: 80 s of sound. Where the process is behind for longer, the oldest is dropped."""
WAIT_S: Final = 0.5


class Words:
    """Feeds one recognising process for one lesson; it is not replaced when it ends, for it would end again."""

    def __init__(
        self, manifest: Path, *, tell: Callable[[dict[str, Any]], None], trouble: Callable[[str, str], None]
    ) -> None:
        """Say what to do; `start` begins.

        Args:
            manifest: of the recogniser.
            tell: called on a thread of this part with each finding, as the process tells it.
            trouble: the same, with what it is about and a sentence for an operator.
        """
        self._manifest = manifest
        self._tell = tell
        self._trouble = trouble
        self.dropped = 0
        """Batches of 200 ms and stretches that waited too long."""
        self.lost = 0
        """Pieces of the teacher's voice whose sound was no longer there, as the process told at its end."""
        self.pid: int | None = None
        """Of the process, once there is one."""
        self._open: list[Block] = []
        self._waiting: deque[list[Block] | Message] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._over = False
        self._killed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="observe.words", daemon=True)

    def start(self) -> None:
        """Start the process; returns at once."""
        self._thread.start()

    def feed_block(self, block: Block) -> None:
        """Offer 20 ms of sound, on the capture thread; never blocks."""
        with self._wake:
            if self._open and (len(self._open) >= BATCH_BLOCKS or not _follows(self._open[-1], block)):
                self._close_batch()
            self._open.append(block)

    def feed_teacher(self, mono_ns: int, seconds: float) -> None:
        """Tell a stretch of the teacher's voice; any thread, never blocks."""
        with self._wake:
            self._close_batch()
            self._offer(Message(Kind.STRETCH, mono_ns, SECONDS.pack(seconds)))

    def stop(self, timeout_s: float) -> None:
        """Work off what waits, for at most `timeout_s`, and end; may be called twice, and without `start`."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread.ident is None:
            return
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self._killed = True
            if self._process is not None:
                self._process.kill()
            self._thread.join()
            self._trouble("words-end", "the recogniser did not end in time; the last words are lost")
        if self.dropped or self.lost:
            self._trouble(
                "words-lost",
                f"the recogniser is too slow here: {self.lost} pieces of the teacher's voice were not recognised "
                f"({self.dropped} batches were dropped)",
            )

    def _close_batch(self) -> None:
        """Let what is open wait to be sent; with the lock held."""
        if self._open:
            self._offer(self._open)
            self._open = []

    def _offer(self, one: list[Block] | Message) -> None:
        if self._over or self._stopping:
            return
        self._waiting.append(one)
        if len(self._waiting) > WAITING_MOST:
            self._waiting.popleft()
            self.dropped += 1
        self._wake.notify()

    def _run(self) -> None:
        command = [sys.executable, "-m", "agent.observe.recognise", str(self._manifest)]
        try:
            self._process = process = start_child(command)
        except OSError as error:
            self._end(f"words are not told: the recognising process cannot be started: {error}")
            return
        self.pid = process.pid
        reader = threading.Thread(target=self._read, args=(process,), name="observe.words.reader", daemon=True)
        reader.start()
        self._feed(process.stdin)  # type: ignore[arg-type] # IO[bytes] is one
        reader.join()
        process.wait()

    def _feed(self, stdin: BinaryIO) -> None:
        try:
            while (one := self._next()) is not None:
                write_message(stdin, one if isinstance(one, Message) else _sound(one))
        except WireBroken as error:
            log.debug("feeding the recogniser ends: %s", error)  # the reader sees the end and tells it
        finally:
            try:
                stdin.close()
            except OSError as error:  # what was buffered has nowhere to go
                log.debug("closing the recogniser's pipe: %s", error)

    def _next(self) -> list[Block] | Message | None:
        """What waits longest; None once it is over."""
        with self._wake:
            while not self._waiting and not self._stopping and not self._over:
                self._wake.wait(WAIT_S)
            return self._waiting.popleft() if self._waiting and not self._over else None

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        done = False
        for line in process.stdout or ():
            try:
                told = json.loads(line)
            except ValueError:
                log.debug("a torn line from the recogniser: %r", line[:80])  # it was killed while writing
                continue
            if told["what"] == "finding":
                self._tell(told)
            elif told["what"] == "trouble":
                self._end(str(told["words"]))
            elif told["what"] == "done":
                done, self.lost = True, int(told["lost"])
        if process.stdout is not None:
            process.stdout.close()
        if not done and not self._killed:
            self._end(f"words are not told any more: the recognising process ended by itself (code {process.wait()})")

    def _end(self, why: str) -> None:
        with self._wake:
            told, self._over = self._over, True
            self._waiting.clear()
            self._wake.notify_all()
        if not told:
            self._trouble("words", why)


def _follows(block: Block, after: Block) -> bool:
    length_ns = round(len(block.samples) / SOUND_RATE_HZ * 1e9)
    return abs(after.mono_ns - block.mono_ns - length_ns) <= length_ns // 2


def _sound(blocks: list[Block]) -> Message:
    samples = np.concatenate([one.samples for one in blocks]).astype(np.int16, copy=False)
    return Message(Kind.SOUND, blocks[0].mono_ns, samples.tobytes())
