"""The observing process: reads messages, runs the detectors, writes JSON lines.

It holds no clock and no session: every result carries the time that its input came with.
A part without its model says so once and reports unknown; the others go on.
"""

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

import cv2
import numpy as np

from agent.observe.camera import people_part
from agent.observe.finding import Finding
from agent.observe.level import LevelPart
from agent.observe.ocr import OcrUnusable, SlideReader
from agent.observe.reading import Reader, ReadingPart
from agent.observe.speech import SpeechPart
from agent.observe.spent import Spent
from agent.observe.view import UNTOLD, View
from agent.observe.voices import VoicesPart
from agent.observe.voices_near import NearVoices
from agent.observe.wire import Kind, Message, WireBroken, read_message, unpacked_picture
from agent.platform import lower_priority
from measures.speech import HOP_S
from models.ge2e import VoiceEncoder
from models.manifest import ModelsTrouble
from models.silero import SpeechDetector

log = logging.getLogger(__name__)


PART_OF: Final = {
    Kind.SOUND: "speech",
    Kind.PLAYED: "speech",
    Kind.TEACHER: "speech",
    Kind.CAMERA: "people",
    Kind.SLIDES: "slides",
}
"""On what the time that a message takes is spent."""


LATE_S: Final = 1.0
"""A picture that is looked at later than this came late: the machine is short."""


class Parts:
    """The detectors, those that could be made."""

    def __init__(
        self,
        folder: Path,
        trouble: Callable[[str, str], None],
        view: View = UNTOLD,
        *,
        slide_text: bool = True,
        face_model: Path | None = None,
    ) -> None:
        """Load the models in `folder`; `trouble` is called with the part and words for each that is unusable."""
        self.spent = Spent()
        self.late = 0
        """Pictures that had been taken more than `LATE_S` ago when they had been looked at."""
        self.speech: SpeechPart | None = None
        self.level = LevelPart()
        voices: VoicesPart | None = None
        try:
            voices = VoicesPart(VoiceEncoder(folder))
        except ModelsTrouble as error:
            trouble("voices", f"who speaks is not told: {error}")
        self.near = NearVoices(voices, lambda words: trouble("lapel", words))
        try:
            self.speech = SpeechPart(SpeechDetector(folder), self.near)
        except ModelsTrouble as error:
            trouble("speech", f"speech is not observed: {error}")
        self.people = people_part(folder, view, trouble, self.spent, face_model=face_model)
        reader: Reader | None = None
        try:
            reader = SlideReader() if slide_text else None
        except OcrUnusable as error:
            trouble("slides", f"the text of slides is not read: {error}")
        self.slides = ReadingPart(reader, lambda words: trouble("slides", words))

    def update(self, message: Message) -> list[Finding]:
        """Give a message's content to the part it is for.

        Raises:
            WireBroken: the content is not of the size it says.
        """
        with self.spent.on(PART_OF[message.kind]):
            found = self._taken(message)
        if message.kind in {Kind.CAMERA, Kind.SLIDES}:
            # After pictures alone: where the machine is behind, sound is worked off first.
            with self.spent.on("reading"):
                found += self.slides.step()
            self.late += time.monotonic_ns() - message.mono_ns > LATE_S * 1e9
        return found

    def _taken(self, message: Message) -> list[Finding]:
        if message.kind is Kind.SOUND:
            samples = np.frombuffer(message.payload, np.int16)
            level = self.level.update(samples, message.mono_ns)
            return level + (self.speech.update(samples, message.mono_ns) if self.speech else [])
        if message.kind is Kind.PLAYED:
            if self.speech:
                self.speech.played(np.frombuffer(message.payload, np.int16), message.mono_ns)
            return []
        if message.kind is Kind.TEACHER:
            self.near.near(np.frombuffer(message.payload, np.int16), message.mono_ns)
            return []
        if message.kind is Kind.CAMERA:
            return self.people.update(unpacked_picture(message.payload, 3), message.mono_ns)
        return self.slides.update(unpacked_picture(message.payload, 1), message.mono_ns)

    def flush(self) -> list[Finding]:
        """What is still open."""
        return (self.speech.flush() if self.speech else []) + self.people.flush() + self.slides.flush()


def serve(
    stdin: BinaryIO,
    stdout: BinaryIO,
    folder: Path,
    view: View = UNTOLD,
    *,
    slide_text: bool = True,
    face_model: Path | None = None,
) -> None:
    """Answer messages until told to stop or until the other end is gone.

    Raises:
        WireBroken: what came is not ours.
    """

    def tell(what: str, **told: object) -> None:
        stdout.write(json.dumps({"what": what, **told}, ensure_ascii=False).encode() + b"\n")
        stdout.flush()

    def trouble(part: str, words: str) -> None:
        tell("trouble", part=part, words=words)

    parts = Parts(folder, trouble, view, slide_text=slide_text, face_model=face_model)
    tell(
        "ready", speech_hop_s=HOP_S if parts.speech else None, people=parts.people.sees, bodies=parts.people.sees_bodies
    )
    while (message := read_message(stdin)) is not None and message.kind is not Kind.STOP:
        if message.kind is Kind.PING:
            tell("pong", cpu_s=_cpu_s(), by_part=parts.spent.seconds(), late=parts.late)
        elif message.kind is Kind.PACE:
            parts.people.bodies_s = float(json.loads(message.payload)["bodies_s"])
        elif message.kind is Kind.RESUME:
            parts.slides.resume(json.loads(message.payload))
        else:
            for finding in parts.update(message):
                _tell_finding(tell, finding)
                if finding.kind == "slide":
                    tell("memory", memory=parts.slides.memory())
    for finding in parts.flush():
        _tell_finding(tell, finding)
    tell("done", cpu_s=_cpu_s(), by_part=parts.spent.seconds())


def _tell_finding(tell: Callable[..., None], finding: Finding) -> None:
    tell(
        "finding",
        kind=finding.kind,
        mono_ns=finding.mono_ns,
        seconds=finding.seconds,
        confidence=finding.confidence,
        value=finding.value,
    )


def _cpu_s() -> float:
    times = os.times()
    return round(times.user + times.system, 3)


def main(folder: Path, view: View = UNTOLD, *, slide_text: bool = True, face_model: Path | None = None) -> int:
    """Run as a process of its own; returns the exit code."""
    # A Ctrl-C or a service stop reaches the whole group; the service ends this process in order, by the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    lower_priority()
    cv2.setNumThreads(1)  # one core at the most: the others are the encoders'
    # Whatever a library prints must not get between the lines: from here on, print goes to stderr.
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        serve(sys.stdin.buffer, lines, folder, view, slide_text=slide_text, face_model=face_model)
    except WireBroken as error:
        log.error("observing ends: %s", error)  # noqa: TRY400 - the words say it all
        return 2
    except BrokenPipeError:
        return 3
    return 0
