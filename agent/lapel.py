"""The teacher's own microphone: open during a lesson, heard by the observing process, and by nobody else."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from agent.capture.file import FileSound
from agent.capture.frame import Block, SoundSource, SourceLost
from agent.capture.lasting import retry_pause_s
from agent.capture.microphone import Microphone
from agent.capture.pace import CommonStart
from agent.capture.probe import probe
from agent.capture.spec import Scheme, SourceRefused, understood

log = logging.getLogger(__name__)

MEANWHILE: Final = "meanwhile the voice that speaks most is taken for the teacher's"
CLOSE_S: Final = 10.0
"""A driver that does not let go within this is left behind."""


def lapel_source(text: str) -> SoundSource:
    """The sound that `mic:NAME` or `file:PATH` names; opens no device.

    Raises:
        SourceRefused: it is something else, or a file without sound.
    """
    spec = understood(text)
    part = spec.sound or spec.picture
    if part.scheme is Scheme.MIC and spec.slides is None and spec.picture.scheme is Scheme.REHEARSAL:
        return Microphone(part.value, log.info)
    if part.scheme is Scheme.FILE and spec.sound is None and spec.slides is None:
        facts = probe(part.path)
        if facts.has_sound:
            return FileSound(facts, CommonStart())
        raise SourceRefused(
            f"{part.value} holds no sound; the teacher's microphone is mic:NAME, or file:PATH with sound"
        )
    raise SourceRefused(f"{text!r} is no microphone; the teacher's is written mic:NAME_OR_INDEX, or file:PATH")


class Lapel:
    """Reads the teacher's microphone on a thread of its own; while it is away it is tried again.

    Nothing here is encoded, sent or written.
    """

    def __init__(self, text: str, take: Callable[[Block], None], on_trouble: Callable[[str], None]) -> None:
        """Prepare; no device is opened before `start`.

        Args:
            text: the source, as the settings name it.
            take: called with every block, on this thread; must return at once and not raise.
            on_trouble: told once, in words, where it cannot be opened or is lost.
        """
        self._text = text
        self._take = take
        self._on_trouble = on_trouble
        self._told = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lapel", daemon=True)

    def start(self) -> None:
        """Open it, and begin to read; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Let go of it; slow, call it in a thread."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(CLOSE_S)

    def _run(self) -> None:
        attempt = 0
        while not self._stop.is_set():
            try:
                # A microphone that is opened again asks PortAudio for its devices anew, which ends every other stream:
                # the room's sound. One that is made anew does not.
                for block in lapel_source(self._text).blocks(self._stop):
                    attempt = 0
                    self._take(block)
                words = "it ended by itself"
            except (SourceLost, SourceRefused) as error:
                words = str(error)
            except Exception:
                # A driver may raise whatever it likes; the lesson does not depend on it.
                log.exception("the teacher's microphone ended with a fault")
                words = "it ended with a fault in the program or a driver; the log has it"
            if self._stop.is_set():
                return
            self._tell(words)
            self._stop.wait(retry_pause_s(attempt))
            attempt += 1

    def _tell(self, words: str) -> None:
        if self._told:
            log.info("the teacher's microphone: %s", words)
            return
        self._told = True
        self._on_trouble(f"the teacher's microphone is not heard ({words}); it is tried again, {MEANWHILE}")
