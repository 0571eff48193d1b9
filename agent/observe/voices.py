"""Who speaks in this room: its teacher, a pupil, several at once, or nobody.

Vectors of 1.6 s windows of speech (models.ge2e) are compared with the voice that speaks most in this
lesson (`voices_teacher`) and with mixtures of it and other voices (`voices_mixed`). They live in this process,
in memory, until the lesson ends, and some windows of sound with them; nothing of them is told or written.

*The first minutes.* Until a minute of speech was heard (or, with at least 20 s of it, five minutes passed),
nobody knows whose voice dominates: what was heard waits and is then told at once, with its own times.
*Later.* A label is told once, at most 20 s after the word, and never changed; the voice is learnt anew every
further minute of speech, so that later labels rest on more. A process that is replaced begins to learn anew,
and what was waiting in it stays unknown.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.observe.voices_far import LEAST_PLAYED_HOPS, PLAYED_SHARE, SAME_VOICE, Loudspeaker
from agent.observe.voices_label import hop_labels, voiced_runs
from agent.observe.voices_mixed import Mixtures
from agent.observe.voices_spans import SpanBuilder, VoiceSpan
from agent.observe.voices_teacher import LEAST_LEARN_S, TeacherVoice
from measures.speech import HOP_S
from models.ge2e import WINDOW_SAMPLES

HOP_SAMPLES: Final = 512
WINDOW_HOPS: Final = -(-WINDOW_SAMPLES // HOP_SAMPLES)
STEP_HOPS: Final = 10
"""A window every 0.32 s of speech."""
PAUSE_HOPS: Final = 11
"""A silence of 0.35 s is a good place to cut."""
CUT_HOPS: Final = round(4.0 / HOP_S)
"""Pieces are at least this long where they end in a pause,"""
LONGEST_HOPS: Final = round(10.0 / HOP_S)
"""and at most this long."""
SILENT_P: Final = 0.1
"""Probability of speech under which a hop is quiet enough to cut after."""
DRIFT_S: Final = 0.05
"""Once the sound card's clock is off by this much, spans begin anew at the right time."""
MOST_WAITING: Final = 1_000
"""Pieces that wait for the teacher to be known, over an hour of them; the oldest would become unknown."""
SEED: Final = 1
"""What is mixed with what is chosen by chance; the same sound gives the same labels."""
BATCH: Final = 8
"""Windows that go through the net together."""

FloatArray = NDArray[np.float32]


class Encoder(Protocol):
    """Turns windows into vectors; models.ge2e.VoiceEncoder is one."""

    def voices(self, windows: FloatArray) -> FloatArray:
        """Vectors of length 1, shape (windows, 256), from shape (windows, WINDOW_SAMPLES) at 16 kHz."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of speech inside a piece, and the vectors of its windows."""

    first: int
    last: int
    """Hops of the piece: [first, last)."""
    centres: FloatArray
    """Hop in the middle of each window, shape (windows,)."""
    vectors: FloatArray
    """Shape (windows, 256)."""
    levels_db: FloatArray
    """Mean level of each window, in dBFS, shape (windows,)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some seconds of the room, without their sound."""

    start_s: float
    probabilities: FloatArray
    """Of speech, shape (hops,)."""
    runs: tuple[Run, ...]


class VoicesPart:
    """Labels the room's sound, stretch by stretch; forgets all of it when the lesson ends."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._forget()
        self._spans = SpanBuilder()
        self._waiting: deque[Piece] = deque(maxlen=MOST_WAITING)
        self._sound: list[FloatArray] = []
        self._probabilities: list[FloatArray] = []
        self._played: list[FloatArray] = []
        self._start_s = 0.0
        self._hops = 0

    def update(
        self,
        sound: FloatArray,
        probabilities: FloatArray,
        start_s: float,
        played: FloatArray | None = None,
    ) -> list[VoiceSpan]:
        """Take whole hops of the room's sound; return the spans that are now sure.

        Args:
            sound: 16 kHz, -1 to 1, shape (hops * 512,).
            probabilities: of speech, shape (hops,).
            start_s: when it began; where it follows what came before there is no hole (`hole` tells one).
            played: what the loudspeaker plays meanwhile, as `sound`; None where nobody knows, as in the agent
                today. Then the other room's voices count as voices of this one, and `measures.crosstalk`
                settles it from both rooms' timelines.
        """
        if not len(probabilities):
            return []
        if self._hops == 0:
            self._start_s = start_s
        self._sound.append(sound)
        self._probabilities.append(probabilities)
        self._played.append(np.zeros_like(sound) if played is None else played)
        self._hops += len(probabilities)
        if self._hops < LONGEST_HOPS and not (self._hops >= CUT_HOPS and self._pauses()):
            return []
        return self._cut()

    def hole(self) -> list[VoiceSpan]:
        """The sound has a hole here: what is open ends; what waits goes on waiting."""
        return [*self._cut(), *self._spans.flush()]

    def flush(self) -> list[VoiceSpan]:
        """The lesson is over: tell what is open and what waits, and forget the voice."""
        told = self._cut()
        self._teacher.end()
        self._mixtures.settle(self._teacher)
        told += self._tell() + self._spans.flush()
        self._forget()
        return told

    def _forget(self) -> None:
        self._teacher = TeacherVoice()
        self._mixtures = Mixtures(self._encoder, np.random.default_rng(SEED))
        self._loudspeaker = Loudspeaker()

    def _pauses(self) -> bool:
        latest: list[float] = []
        for one in reversed(self._probabilities):
            latest = [*one.tolist(), *latest]
            if len(latest) >= PAUSE_HOPS:
                break
        return max(latest[-PAUSE_HOPS:]) < SILENT_P

    def _cut(self) -> list[VoiceSpan]:
        """End the open piece: vectors of its speech, and labels if the teacher is known."""
        if self._hops == 0:
            return []
        sound, played = np.concatenate(self._sound), np.concatenate(self._played)
        probabilities = np.concatenate(self._probabilities)
        self._sound, self._probabilities, self._played, self._hops = [], [], [], 0
        plays, explained = self._loudspeaker.look(_level_db(sound), _level_db(played))
        runs = []
        for first, last in voiced_runs(probabilities, explained):
            while_played = plays[first:last].mean() >= PLAYED_SHARE
            if while_played and last - first < LEAST_PLAYED_HOPS:
                continue
            run = self._run(sound, first, last)
            if not (while_played and self._is_played(run, played)):
                runs.append(run)
        self._waiting.append(Piece(self._start_s, probabilities, tuple(runs)))
        for run in runs:
            self._learn(run, sound)
        return self._tell()

    def _is_played(self, run: Run, played: FloatArray) -> bool:
        """Whether the voice is that of what is played meanwhile."""
        other = self._run(played, run.first, run.last)
        return float((run.vectors * other.vectors).sum(axis=1).mean()) >= SAME_VOICE

    def _run(self, sound: FloatArray, first: int, last: int) -> Run:
        """Vectors of one stretch; a short one is repeated until it fills a window."""
        windows, centres = _windows(sound, first, last)
        vectors = [self._encoder.voices(windows[at : at + BATCH]) for at in range(0, len(windows), BATCH)]
        return Run(first, last, centres, np.concatenate(vectors), _window_db(windows))

    def _learn(self, run: Run, sound: FloatArray) -> None:
        start_s, seconds = self._start_s + run.first * HOP_S, (run.last - run.first) * HOP_S
        if seconds < LEAST_LEARN_S:
            return
        self._mixtures.learn(_windows(sound, run.first, run.last)[0], run.vectors, run.levels_db)
        if self._teacher.learn(run.vectors, run.levels_db, seconds, start_s):
            self._mixtures.settle(self._teacher)

    def _tell(self) -> list[VoiceSpan]:
        """Label what waits, if the teacher is known or nobody has spoken yet."""
        told: list[VoiceSpan] = []
        while self._waiting and (self._teacher.known or not self._waiting[0].runs):
            piece = self._waiting.popleft()
            due_s = self._spans.due_s
            if due_s is not None and abs(piece.start_s - due_s) > DRIFT_S:
                told += self._spans.flush()
            labels, confidence = hop_labels(piece.probabilities, piece.runs, self._teacher, self._mixtures)
            told += self._spans.update(labels, confidence, piece.start_s)
        return told


def _windows(sound: FloatArray, first: int, last: int) -> tuple[FloatArray, FloatArray]:
    """The windows of a stretch of speech, and the hop in the middle of each."""
    spoken = sound[first * HOP_SAMPLES : last * HOP_SAMPLES]
    latest = last - first - WINDOW_HOPS
    if latest < 0:
        return np.resize(spoken, (1, WINDOW_SAMPLES)), np.array([(first + last) / 2], np.float32)
    starts = np.linspace(0, latest, -(-latest // STEP_HOPS) + 1).round().astype(int)
    windows = np.stack([spoken[at * HOP_SAMPLES :][:WINDOW_SAMPLES] for at in starts])
    return windows, (first + starts + WINDOW_HOPS / 2).astype(np.float32)


def _level_db(sound: FloatArray) -> FloatArray:
    """Level of each hop, in dBFS."""
    return _window_db(sound.reshape(-1, HOP_SAMPLES))


def _window_db(windows: FloatArray) -> FloatArray:
    """Level of each row, in dBFS."""
    return np.asarray(10 * np.log10(np.square(windows).mean(axis=1) + 1e-12), np.float32)
