"""Synthetic lessons of two rooms: who really speaks, and what each room's detector reports of it.

A report is made from the truth as the two rooms would: own voices, the other room's 0.15 to 0.45 s late through the
loudspeaker, parts of it lost, edges that jitter, short silences inside one voice closed, some labels wrong.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from measures.voices import Role, RoomVoices, Span, Voice

STEP_S = 0.02
CLOSED_S = 1.0
"""Silences inside one voice that are shorter than this are not reported: `measures.speech.MIN_GAP_S`."""
SLIPS = 0.3
"""Share of the other room's turns of which a piece slips through a detector that knows what is played."""
CODES = (Voice.SILENCE, Voice.TEACHER, Voice.STUDENT, Voice.SEVERAL)
SILENCE, TEACHER, STUDENT, SEVERAL = range(4)


@dataclass(frozen=True)
class Said:
    """Somebody speaks in a room: 0 is the lead room, 1 the far one."""

    room: int
    code: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class SyntheticLesson:
    """The truth, and what the rooms report."""

    said: list[Said]
    answers: tuple[int, int]
    """How many answers of single pupils there are in the lead room and in the far one."""
    seconds: float
    confused: bool
    """Whether the far room takes the lead teacher in its loudspeaker for its own."""
    rooms: list[RoomVoices]

    def share(self, room: int, code: int) -> float:
        """Share of all talk."""
        return self._time(room, code) / sum(one.end_s - one.start_s for one in self.said)

    @property
    def far_of_pupils(self) -> float:
        """The far pupils' share of the pupils' talk."""
        far = self._time(1, STUDENT)
        return far / (far + self._time(0, STUDENT))

    def _time(self, room: int, code: int) -> float:
        return sum(one.end_s - one.start_s for one in self.said if (one.room, one.code) == (room, code))


@dataclass(frozen=True)
class Detector:
    """How a room's detector errs."""

    late_s: float
    """How late the other room comes out of the loudspeaker."""
    mislabelled: float
    """Share of the room's own voices that get the other label."""
    confused: bool = False
    """Whether it takes the lead teacher in the loudspeaker for its own, and its own for a pupil."""
    gated: bool = False
    """Whether it knows what the loudspeaker plays, and reports only what slips through."""


def lesson(seed: int, questions: int = 60, mislabelled: float = 0.02, *, gated: bool = False) -> SyntheticLesson:
    """Questions of the lead teacher, answered here or there; at times the local teacher helps."""
    rng = np.random.default_rng(seed)
    far = rng.uniform(0.05, 0.6)
    said: list[Said] = []
    answers = [0, 0]
    at = 0.0
    for _ in range(questions):
        end = at + rng.uniform(4, 30)
        said.append(Said(0, TEACHER, at, end))
        room = int(rng.random() < far)
        at = end + (rng.uniform(-0.3, 0) if rng.random() < 0.1 else rng.uniform(0.4, 6))
        if rng.random() < 0.8:
            answers[room] += 1
            said.append(Said(room, STUDENT, at, at := at + rng.uniform(1, 9)))
            at += rng.uniform(0.2, 2)
        if rng.random() < 0.1:
            said.append(Said(1, TEACHER, at, at := at + rng.uniform(2, 12)))
            at += rng.uniform(0.3, 2)
    late, confused = rng.uniform(0.15, 0.45), rng.random() < 0.3
    there = Detector(late, mislabelled, confused and not gated, gated)
    rooms = [
        RoomVoices("lead", Role.LEAD, _reported(said, 0, at, Detector(late, mislabelled, gated=gated), rng)),
        RoomVoices("far", Role.RECEIVING, _reported(said, 1, at, there, rng)),
    ]
    return SyntheticLesson(said, (answers[0], answers[1]), at, there.confused, rooms)


def _reported(said: list[Said], room: int, seconds: float, detector: Detector, rng: np.random.Generator) -> list[Span]:
    """What a room reports."""
    voices: NDArray[np.bool_] = np.zeros((4, int(seconds / STEP_S) + 50), bool)
    for one in said:
        code, delay = one.code, 0.0
        if one.room != room:
            delay = detector.late_s + rng.normal(0, 0.02)
            code = int(rng.choice([STUDENT, SEVERAL], p=[0.85, 0.15]))
            code = TEACHER if detector.confused and one.code == TEACHER else code
            if rng.random() < 0.05:
                continue
        elif rng.random() < detector.mislabelled:
            code = TEACHER + STUDENT - code
        elif detector.confused and code == TEACHER:
            code = STUDENT
        start = max(0.0, one.start_s + delay + rng.normal(0, 0.05))
        end = one.end_s + delay + rng.normal(0, 0.05)
        if detector.gated and one.room != room:
            if rng.random() > SLIPS:
                continue
            start = rng.uniform(start, max(start, end - 0.6))
            end = min(end, start + rng.uniform(0.6, 1.8))
        voices[code, int(start / STEP_S) : int(end / STEP_S)] = True
    codes = np.where(voices.sum(0) > 1, SEVERAL, voices.argmax(0))
    return _spans(_closed(codes), seconds)


def _closed(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Close short silences inside one voice, as the detector of voices does."""
    edges = [0, *(np.flatnonzero(np.diff(codes)) + 1), len(codes)]
    out = codes.copy()
    for start, end in pairwise(edges):
        inside = codes[start] == SILENCE and start > 0 and end < len(codes) and codes[start - 1] == codes[end]
        if inside and (end - start) * STEP_S < CLOSED_S:
            out[start:end] = codes[end]
    return out


def _spans(codes: NDArray[np.int64], seconds: float) -> list[Span]:
    edges = [0, *(np.flatnonzero(np.diff(codes)) + 1), len(codes)]
    found = [
        Span(float(start * STEP_S), float((end - start) * STEP_S), CODES[codes[start]])
        for start, end in pairwise(edges)
    ]
    return [one for one in found if one.start_s < seconds]
