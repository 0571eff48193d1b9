"""Who speaks when in a lesson of two rooms: question and answer, or lecture."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tests.lessons.recorded import RATE_HZ, STEP_SAMPLES, Clip, Part, pupils, teachers


class Style(StrEnum):
    """How a lesson goes."""

    QUESTIONS = "questions"
    """The teacher speaks for 8 to 25 s and asks; a pupil of either room answers."""
    LECTURE = "lecture"
    """The teacher speaks for 40 to 90 s at a time; few questions."""


class Room(StrEnum):
    """The two rooms of the session."""

    LEAD = "lead"
    FAR = "far"


@dataclass(frozen=True)
class Saying:
    """Somebody says something."""

    start_s: float
    room: Room
    teacher: bool
    clip: Clip

    @property
    def end_s(self) -> float:
        return self.start_s + len(self.clip.samples) / RATE_HZ


TALK_S = {Style.QUESTIONS: (8.0, 25.0), Style.LECTURE: (40.0, 90.0)}


class _Writer:
    """Writes a script from left to right."""

    def __init__(self, part: Part, style: Style, rng: np.random.Generator) -> None:
        self.rng = rng
        self.style = style
        self.at_s = float(rng.uniform(0.5, 3.0))
        self.sayings: list[Saying] = []
        voices = teachers(part)
        lead, local = rng.permutation(len(voices))[:2]
        self.lead, self.local = voices[lead], voices[local]
        self.pupils = [pupils(part)[one] for one in rng.permutation(len(pupils(part)))]
        self.answered = 0

    def say(self, room: Room, clip: Clip, *, teacher: bool, at_s: float) -> Saying:
        saying = Saying(at_s, room, teacher, clip)
        self.sayings.append(saying)
        return saying

    def pupil(self, low_s: float, high_s: float) -> Clip:
        """A piece of the next pupil's utterance."""
        whole = self.pupils[self.answered % len(self.pupils)]
        self.answered += 1
        return piece(whole, float(self.rng.uniform(low_s, high_s)), self.rng)

    def talk(self) -> None:
        """The lead teacher speaks, sentence by sentence; now and then somebody speaks in between."""
        until_s = self.at_s + self.rng.uniform(*TALK_S[self.style])
        while self.at_s < until_s:
            saying = self.say(Room.LEAD, self.lead[self.rng.integers(len(self.lead))], teacher=True, at_s=self.at_s)
            for room in Room:
                if self.rng.random() < (0.35 if room is Room.LEAD else 0.1):
                    clip = self.pupil(0.8, 3.0)
                    latest = max(0.1, saying.end_s - saying.start_s - len(clip.samples) / RATE_HZ)
                    self.say(room, clip, teacher=False, at_s=saying.start_s + self.rng.uniform(0.0, latest))
            self.at_s = saying.end_s + self.rng.uniform(0.15, 0.8)

    def answer(self) -> None:
        """A pupil of either room answers; sometimes two at once, sometimes the teacher is early."""
        self.at_s += self.rng.uniform(0.4, 4.0)
        room = Room.LEAD if self.rng.random() < 0.5 else Room.FAR
        saying = self.say(room, self.pupil(1.5, 8.0), teacher=False, at_s=self.at_s)
        self.at_s = saying.end_s + self.rng.uniform(0.4, 1.5)
        if self.rng.random() < 0.35:
            other = self.pupil(1.5, 5.0)
            self.say(room, other, teacher=False, at_s=saying.start_s + self.rng.uniform(0.0, 1.0))
            self.at_s = max(self.at_s, saying.start_s + 1.5 + len(other.samples) / RATE_HZ)
        elif self.rng.random() < 0.25:
            self.at_s = max(saying.start_s + 0.5, saying.end_s - self.rng.uniform(0.4, 1.2))
        if room is Room.FAR and self.rng.random() < 0.5:
            local = piece(self.local[self.rng.integers(len(self.local))], float(self.rng.uniform(2, 8)), self.rng)
            thanks = self.say(Room.FAR, local, teacher=True, at_s=self.at_s)
            self.at_s = thanks.end_s + self.rng.uniform(0.4, 1.2)


def piece(clip: Clip, seconds: float, rng: np.random.Generator) -> Clip:
    """So much of an utterance, beginning and ending at a voiced moment."""
    frames = round(seconds * 100)
    if frames >= len(clip.voiced):
        return clip
    first = int(rng.integers(0, len(clip.voiced) - frames))
    inside = first + np.flatnonzero(clip.voiced[first : first + frames])
    first, last = (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, frames)
    return Clip(clip.speaker, clip.samples[first * STEP_SAMPLES : last * STEP_SAMPLES], clip.voiced[first:last])


def script(part: Part, style: Style, seconds: float, rng: np.random.Generator) -> list[Saying]:
    """What is said in a lesson of about so many seconds, in order of time."""
    writer = _Writer(part, style, rng)
    while writer.at_s < seconds:
        writer.talk()
        for _ in range(1 if style is Style.LECTURE else int(rng.integers(1, 3))):
            writer.answer()
        writer.at_s += rng.uniform(0.2, 5.0)  # somebody writes on the board
    return sorted(writer.sayings, key=lambda one: one.start_s)
