"""Who speaks, by the teacher's own microphone: told by level alone, without any voice being learnt.

What the teacher says is much louder in the microphone that she wears than in the room's, against whatever else
both of them hear. The difference of the two levels while somebody speaks therefore lies in two heaps, and the
border between them is learnt from this lesson, whatever the gain of either channel. A hop above it is the
teacher's; one below it in which the room speaks is a pupil's.

Where that microphone gives nothing or does not move while the room speaks (a flat battery, a radio out of
reach, a mute switch), the dominant voice stands in (`voices`), and what it needs is learnt from then on.
"""

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.observe.beside import RATE_HZ, BesideSound
from agent.observe.lag import MOST_SAMPLES, Lag
from agent.observe.voices_far import LEAST_PLAYED_HOPS, PLAYED_SHARE, Loudspeaker
from agent.observe.voices_label import ON, voiced_runs
from agent.observe.voices_spans import Label, SpanBuilder, VoiceSpan
from measures.speech import HOP_S

HOP_SAMPLES: Final = 512
PIECE_HOPS: Final = round(10.0 / HOP_S)
"""Whether it hears is judged over 10 s,"""
LATE_HOPS: Final = round(1.0 / HOP_S)
"""and its sound may come up to a second after the room's. How much later it hears is learnt (`lag`)."""
KNOWN_SHARE: Final = 0.9
"""Share of a piece of which its sound must be there."""
SPOKEN_P: Final = 0.8
"""Probability of speech from which on a hop surely is speech;"""
SPOKEN_HOPS: Final = 60
"""with two seconds of it in a piece, a microphone that hears moves"""
MOVES_DB: Final = 3.0
"""by at least this much, between its loud and its quiet moments;"""
DEAF_DBFS: Final = -85.0
"""below this there is only its radio, or nothing at all."""
SMOOTH_HOPS: Final = 7
"""Levels are compared over 0.22 s: two sound cards do not agree about time to the millisecond."""
REMEMBERED: Final = 20_000
"""Hops of speech that are remembered: over ten minutes of it."""
LEARN_HOPS: Final = round(60.0 / HOP_S)
"""After so much speech the border is known in any case,"""
APART_DB: Final = 7.0
"""before that only where the two heaps lie this far apart,"""
HEAP_HOPS: Final = 15
"""and half a second lies in each."""
WORN_DB: Final = 5.0
"""A single heap is the teacher's where it stands this much above what the room's noise gives."""
LEAST_HOPS: Final = 12
"""A pupil who is heard for under 0.4 s next to the teacher is the room that still rings with her."""
CLEAR_DB: Final = 2.0
"""Difference over which confidence goes from a half to 0.73 (logistic)."""
MOST_WAITING: Final = 400
"""Pieces that wait for the border to be known, over an hour of them; the oldest would become unknown."""

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]


class Voices(Protocol):
    """Says who speaks without that microphone; agent.observe.voices.VoicesPart is one."""

    def update(
        self, sound: FloatArray, probabilities: FloatArray, start_s: float, played: FloatArray | None = None
    ) -> list[VoiceSpan]:
        """Take whole hops of the room's sound; return the spans that are now sure."""

    def hole(self) -> list[VoiceSpan]:
        """The sound has a hole here."""

    def flush(self) -> list[VoiceSpan]:
        """The lesson is over."""


class Border:
    """The difference of level between the teacher's microphone and the room's that parts the teacher from others."""

    def __init__(self) -> None:
        self._spoken: deque[float] = deque(maxlen=REMEMBERED)
        self._quiet: deque[float] = deque(maxlen=REMEMBERED)
        self.known = False
        self.db = 0.0
        """In dB; only where `known`."""

    def learn(self, spoken_db: FloatArray, quiet_db: FloatArray) -> None:
        """Take differences of hops in which somebody speaks, and of hops in which nobody does, and set the border."""
        self._spoken.extend(spoken_db.tolist())
        self._quiet.extend(quiet_db.tolist())
        if not self._spoken:
            return
        low, high, apart = _heaps(np.asarray(self._spoken))
        if apart:
            self.known, self.db = True, (low + high) / 2
        elif len(self._spoken) >= LEARN_HOPS or self.known:
            self.single()

    def single(self) -> None:
        """Everybody who spoke is of one kind: the teacher where it lies well above the room's noise, else others."""
        spoken = np.asarray(self._spoken)
        self.known = True
        if not len(spoken):
            return
        noise_db = float(np.median(np.asarray(self._quiet))) if self._quiet else -np.inf
        middle = float(np.median(spoken))
        self.db = middle - APART_DB if middle - noise_db >= WORN_DB else middle + APART_DB


def _heaps(differences_db: NDArray[np.float64]) -> tuple[float, float, bool]:
    """Means of the lower and the upper heap (2-means), and whether they are two."""
    low, high = np.quantile(differences_db, [0.02, 0.98])
    upper = differences_db > (low + high) / 2
    for _ in range(10):
        if upper.all() or not upper.any():
            return float(low), float(high), False
        low, high = differences_db[~upper].mean(), differences_db[upper].mean()
        upper = differences_db > (low + high) / 2
    least = min(int(upper.sum()), int((~upper).sum()))
    return float(low), float(high), bool(high - low >= APART_DB and least >= HEAP_HOPS)


@dataclass(frozen=True, slots=True)
class NearPiece:
    """Some seconds of the room without their sound, a value a hop."""

    start_s: float
    probabilities: FloatArray
    """Of speech."""
    closer_db: FloatArray
    """Level in the teacher's microphone against that in the room's."""
    plays: BoolArray
    """Whether the loudspeaker plays,"""
    explained: BoolArray
    """and whether the room is no louder than that."""


class NearVoices:
    """Tells voices by the teacher's microphone while it hears her, and by `without` else."""

    def __init__(self, without: Voices | None, on_trouble: Callable[[str], None] = lambda _words: None) -> None:
        """`without` may be None where there is no model for it; `on_trouble` is told once, in words."""
        self._without = without
        self._on_trouble = on_trouble
        self._near = BesideSound()
        self._lag = Lag()
        self._loudspeaker = Loudspeaker()
        self._border = Border()
        self._spans = SpanBuilder()
        self._waiting: deque[NearPiece] = deque(maxlen=MOST_WAITING)
        self._open: list[tuple[FloatArray, FloatArray, FloatArray]] = []
        self._hops = 0
        self._start_s = 0.0
        self._hears = True
        self._told = False

    def near(self, samples: NDArray[np.int16], mono_ns: int) -> None:
        """Take the teacher's microphone at 48 kHz, from `mono_ns` on."""
        self._near.update(samples, mono_ns)

    def update(
        self, sound: FloatArray, probabilities: FloatArray, start_s: float, played: FloatArray | None = None
    ) -> list[VoiceSpan]:
        """Take whole hops of the room's sound; return the spans that are now sure."""
        if not len(probabilities):
            return []
        if self._near.end_s is None and not self._hops:
            return self._without.update(sound, probabilities, start_s, played) if self._without else []
        if not self._hops:
            self._start_s = start_s
        self._open.append((sound, probabilities, np.zeros_like(sound) if played is None else played))
        self._hops += len(probabilities)
        end_s = self._start_s + self._hops * HOP_S
        came = self._near.end_s is not None and self._near.end_s >= end_s + MOST_SAMPLES / RATE_HZ
        if self._hops < PIECE_HOPS or not (came or self._hops >= PIECE_HOPS + LATE_HOPS):
            return []
        return self._cut()

    def hole(self) -> list[VoiceSpan]:
        """The sound has a hole here: what is open ends; what waits goes on waiting."""
        told = [*self._cut(), *self._spans.flush()]
        return told + (self._without.hole() if self._without else [])

    def flush(self) -> list[VoiceSpan]:
        """The lesson is over: tell what is open and what waits."""
        told = self._cut()
        if not self._border.known:
            self._border.single()
        told += self._tell() + self._spans.flush()
        self._border, self._loudspeaker = Border(), Loudspeaker()
        return told + (self._without.flush() if self._without else [])

    def _cut(self) -> list[VoiceSpan]:
        if not self._hops:
            return []
        sound, probabilities, played = (np.concatenate(one) for one in zip(*self._open, strict=True))
        self._open, self._hops = [], 0
        near, known = self._beside(sound, probabilities)
        if not self._heard(near, known, probabilities):
            told = [*self._tell(), *self._spans.flush()]
            return told + (self._without.update(sound, probabilities, self._start_s, played) if self._without else [])
        told = self._without.hole() if self._without else []
        room_db = _level_db(sound)
        plays, explained = self._loudspeaker.look(room_db, _level_db(played))
        closer_db = _lasting(_smooth(_level_db(near)) - _smooth(room_db), known)
        self._border.learn(closer_db[probabilities >= SPOKEN_P], closer_db[probabilities < 0.1])
        self._waiting.append(NearPiece(self._start_s, probabilities, closer_db, plays, explained))
        return told + self._tell()

    def _beside(self, sound: FloatArray, probabilities: FloatArray) -> tuple[FloatArray, BoolArray]:
        """The teacher's microphone at the moments of `sound`, and which samples of it are known."""
        around = self._near.at(self._start_s - MOST_SAMPLES / RATE_HZ, len(sound) + 2 * MOST_SAMPLES)
        if (probabilities >= SPOKEN_P).sum() >= SPOKEN_HOPS and around[1].mean() >= KNOWN_SHARE:
            self._lag.update(sound, around[0])
        here = slice(MOST_SAMPLES + self._lag.samples, MOST_SAMPLES + self._lag.samples + len(sound))
        return around[0][here], around[1][here]

    def _heard(self, near: FloatArray, known: BoolArray, probabilities: FloatArray) -> bool:
        """Whether it heard the room during this piece; where the room was too quiet to say, as before."""
        # What comes late is missing at the end of a piece that a hole or the lesson's end cuts off.
        due = known[: max(1, len(known) - LATE_HOPS * HOP_SAMPLES)]
        if len(due) > 1 and due.mean() < KNOWN_SHARE:
            self._hears = False  # whoever reads that microphone says so
        elif (probabilities >= SPOKEN_P).sum() >= SPOKEN_HOPS:
            quiet, loud = np.quantile(_smooth(_level_db(near))[_whole(known)], [0.05, 0.95])
            self._hears = bool(loud - quiet >= MOVES_DB and loud >= DEAF_DBFS)
            if not self._hears and not self._told:
                self._told = True
                self._on_trouble(
                    "the teacher's microphone gives no sound; check its battery and its switch. "
                    "Meanwhile the voice that speaks most is taken for the teacher's"
                )
        return self._hears

    def _tell(self) -> list[VoiceSpan]:
        """Label what waits, once the border is known."""
        told: list[VoiceSpan] = []
        while self._waiting and (self._border.known or self._waiting[0].probabilities.max() < ON):
            piece = self._waiting.popleft()
            due_s = self._spans.due_s
            if due_s is not None and abs(piece.start_s - due_s) > 0.05:
                told += self._spans.flush()
            labels, confidence = near_labels(piece, self._border.db)
            told += self._spans.update(labels, confidence, piece.start_s)
        return told


def near_labels(piece: NearPiece, border_db: float) -> tuple[NDArray[np.int8], FloatArray]:
    """Label and confidence of each hop of a piece, shape (hops,) each."""
    above_db = piece.closer_db - border_db
    teacher = above_db > 0
    labels = np.full(len(teacher), Label.SILENCE, np.int8)
    confidence = np.asarray(1.0 - np.clip(piece.probabilities, 0, 1), np.float32)
    sure = 1 / (1 + np.exp(-np.abs(above_db) / CLEAR_DB))
    for first, last in voiced_runs(piece.probabilities, piece.explained & ~teacher):
        run = np.where(teacher[first:last], Label.TEACHER, Label.STUDENT).astype(np.int8)
        edges = [0, *(np.flatnonzero(np.diff(run)) + 1).tolist(), len(run)]
        for begin, end in itertools.pairwise(edges):
            if run[begin] == Label.STUDENT and end - begin < LEAST_HOPS and end - begin < len(run):
                run[begin:end] = Label.TEACHER
        student = run == Label.STUDENT
        while_played = piece.plays[first:last].mean() >= PLAYED_SHARE
        if while_played and student.all() and last - first < LEAST_PLAYED_HOPS:
            continue
        labels[first:last] = run
        confidence[first:last] = sure[first:last]
    return labels, confidence


def _lasting(closer_db: FloatArray, known: BoolArray) -> FloatArray:
    """Where the teacher's microphone is not known, what was known last; 0 before that. Shape (hops,)."""
    whole = _whole(known)
    last = np.maximum.accumulate(np.where(whole, np.arange(len(whole)), -1))
    return np.asarray(np.where(last >= 0, closer_db[np.maximum(last, 0)], 0.0), np.float32)


def _whole(known: BoolArray) -> BoolArray:
    """Which hops are known from end to end, shape (hops,)."""
    return np.asarray(known.reshape(-1, HOP_SAMPLES).mean(axis=1) == 1)


def _level_db(sound: FloatArray) -> FloatArray:
    """Level of each hop, in dBFS."""
    return np.asarray(10 * np.log10(np.square(sound.reshape(-1, HOP_SAMPLES)).mean(axis=1) + 1e-12), np.float32)


def _smooth(level_db: FloatArray) -> FloatArray:
    """Mean power over some hops, in dB."""
    power = np.pad(10 ** (level_db / 10), SMOOTH_HOPS // 2, mode="edge")
    return np.asarray(10 * np.log10(np.convolve(power, np.full(SMOOTH_HOPS, 1 / SMOOTH_HOPS), "valid")), np.float32)
