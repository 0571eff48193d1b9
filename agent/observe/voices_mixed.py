"""What several voices at once sound like in this lesson: learnt from mixtures that are made of its own sound.

A net that tells voices apart hears two at once mostly as the louder one: by likeness to the teacher alone, an overlap
is the teacher. But which sound means "the teacher and somebody else" can be made: her own windows, with another
voice laid over them. The other voice is made, too, from windows of this lesson played faster or slower, which moves
its pitch and its formants, 2 to 12 dB quieter. The vectors of such mixtures lie apart from those of the teacher alone
along a line that differs from room to room and from teacher to teacher (Fisher's discriminant, with the covariance
shrunk, because there are fewer windows than numbers in a vector).

Some windows of sound are kept in memory for that, never more than `KEPT`, and forgotten with the lesson.
"""

from collections import deque
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.observe.voices_teacher import TeacherVoice

KEPT: Final = 128
"""Windows of sound from which other voices are made: 7 MB, three and a half minutes of sound at most."""
REMEMBERED: Final = 1_500
"""Vectors of what was heard that are remembered: eight minutes of speech."""
ENOUGH: Final = 240
"""Mixtures after which only every `SELDOM`-th window is mixed further;"""
SELDOM: Final = 6
MOST_MIXTURES: Final = 400
ENOUGH_ALONE: Final = 120
"""Other voices alone, as pupils who were not heard yet; half as often."""
SPEEDS: Final = (0.72, 0.8, 1.2, 1.3, 1.4)
QUIETER_DB: Final = (2.0, 12.0)
"""So much quieter than the window it is made of is the other voice."""
LEAST_WINDOWS: Final = 15
"""Fewer windows of the teacher, or mixtures, teach nothing."""
FAR_BELOW: Final = 0.1
"""What is this much under the border to the teacher is surely a pupil."""
SHRINK: Final = 0.8
"""Weight of a round covariance against the one of the few windows."""
TOLD_APART: Final = 0.5
"""Least share of the mixtures that must be told from the teacher alone, or nothing is said of several voices."""
STUDENT_FAVOUR: Final = 6.0
"""A pupil is told for a pupil rather than for a mixture; in units of the scores, which are logarithms."""
SEVERAL_FAVOUR: Final = -3.0
"""Several voices are told only where they are surer than one: a teacher whose voice varies more than her first minute
is no overlap. Between -3 and 0 the tuning part says little (Rt off by 0.019 to 0.029); teachers differ by more."""
LEVELS_DB: Final = ((0.0, 3.0), (-7.0, 4.0), (0.7, 3.0))
"""Level against the teacher's, mean and deviation: teacher, pupil, several;"""
LEVEL_WEIGHT: Final = 3.0
"""how much it counts beside the vector."""
BATCH: Final = 8

FloatArray = NDArray[np.float32]
Scores = NDArray[np.float64]


class Encoder(Protocol):
    """Turns windows into vectors; models.ge2e.VoiceEncoder is one."""

    def voices(self, windows: FloatArray) -> FloatArray:
        """Vectors of length 1, shape (windows, 256)."""


class Mixtures:
    """Tells the teacher alone, a pupil alone and several voices apart, once this lesson has taught it how."""

    def __init__(self, encoder: Encoder, rng: np.random.Generator) -> None:
        self._encoder = encoder
        self._rng = rng
        self._sound: list[NDArray[np.float16]] = []
        self._vectors: deque[FloatArray] = deque(maxlen=REMEMBERED)
        self._levels_db: deque[float] = deque(maxlen=REMEMBERED)
        self._mixed: deque[tuple[FloatArray, FloatArray]] = deque(maxlen=MOST_MIXTURES)
        """Vector of the window, vector of the mixture."""
        self._alone: deque[tuple[FloatArray, FloatArray]] = deque(maxlen=MOST_MIXTURES // 2)
        self._heard = 0
        self._weights: Scores = np.zeros((256, 3))
        self._offsets: Scores = np.zeros(3)
        self.known = False

    def learn(self, windows: FloatArray, vectors: FloatArray, levels_db: FloatArray) -> None:
        """Take windows of speech, shape (windows, samples), with vectors and levels; make mixtures of some.

        Costs a window or so through the net for each, until there are enough; then a fifth of that.
        """
        mixed: list[tuple[int, FloatArray]] = []
        alone: list[tuple[int, FloatArray]] = []
        for at, window in enumerate(windows):
            self._heard += 1
            self._keep(window)
            if len(self._mixed) + len(mixed) < ENOUGH or self._heard % SELDOM == 0:
                mixed.append((at, window + self._another()))
            if self._heard % (2 if len(self._alone) + len(alone) < ENOUGH_ALONE else 2 * SELDOM) == 0:
                alone.append((at, self._another()))
        self._vectors.extend(vectors)
        self._levels_db.extend(levels_db.tolist())
        for kept, made in ((self._mixed, mixed), (self._alone, alone)):
            for first in range(0, len(made), BATCH):
                some = made[first : first + BATCH]
                found = self._encoder.voices(np.stack([sound for _, sound in some]).astype(np.float32))
                kept.extend((vectors[at], one) for (at, _), one in zip(some, found, strict=True))

    def settle(self, teacher: TeacherVoice) -> None:
        """Learn anew where the three lie, now that the teacher's voice is known better."""
        self.known = False
        if teacher.centroid is None or not self._vectors:
            return
        every = np.stack(list(self._vectors))
        louder_db = np.asarray(self._levels_db) - teacher.level_db
        alike = every @ teacher.centroid
        mixed, alone = (self._of(teacher, made) for made in (self._mixed, self._alone))
        own, pupils = alike >= teacher.border, alike < teacher.border - FAR_BELOW
        for _ in range(2):
            if min(own.sum(), len(mixed), len(alone)) < LEAST_WINDOWS:
                return
            others = np.concatenate([alone[int(pupils.sum()) :], every[pupils]])
            self._fit((every[own], others, mixed))
            told = self.scores(every, louder_db).argmax(axis=1)
            own, pupils = told == 0, told == 1
        self.known = float((self.scores(mixed, np.zeros(len(mixed))).argmax(axis=1) == 2).mean()) >= TOLD_APART

    def scores(self, vectors: FloatArray, louder_db: NDArray[np.floating]) -> Scores:
        """How well each window fits teacher, pupil and several, shape (windows, 3); more is better.

        Args:
            vectors: shape (windows, 256).
            louder_db: level of each against the teacher's.
        """
        mean, deviation = np.transpose(LEVELS_DB)
        by_level = -np.square((louder_db[:, None] - mean) / deviation) / 2 - np.log(deviation)
        out: Scores = vectors @ self._weights + self._offsets + LEVEL_WEIGHT * by_level
        return out

    def _keep(self, window: FloatArray) -> None:
        """Every window heard so far is as likely to be among those that are kept."""
        if len(self._sound) < KEPT:
            self._sound.append(window.astype(np.float16))
        elif (at := int(self._rng.integers(self._heard))) < KEPT:
            self._sound[at] = window.astype(np.float16)

    def _another(self) -> FloatArray:
        """Another voice: some window of the lesson, faster or slower, quieter."""
        window = self._sound[int(self._rng.integers(len(self._sound)))].astype(np.float32)
        at = np.arange(len(window))
        other = np.interp(at * self._rng.choice(SPEEDS) % (len(window) - 1), at, window)
        quieter = 10 ** (-self._rng.uniform(*QUIETER_DB) / 20)
        level = np.sqrt(np.square(window).mean() / max(1e-12, float(np.square(other).mean())))
        return np.asarray(other * level * quieter, np.float32)

    def _of(self, teacher: TeacherVoice, made: deque[tuple[FloatArray, FloatArray]]) -> FloatArray:
        """What was made of windows of the teacher."""
        base = np.stack([one for one, _ in made]) if made else np.zeros((0, 256), np.float32)
        found = np.stack([one for _, one in made]) if made else base
        return found[teacher.similarity(base) >= teacher.border]

    def _fit(self, classes: tuple[FloatArray, FloatArray, FloatArray]) -> None:
        means = np.stack([one.mean(axis=0) for one in classes]).astype(np.float64)
        spread = np.mean([np.cov(one.T) for one in classes], axis=0)
        size = spread.shape[0]
        round_ = max(1e-6, float(np.trace(spread)) / size) * np.eye(size)
        self._weights = np.linalg.solve((1 - SHRINK) * spread + SHRINK * round_, means.T)
        self._offsets = -(means.T * self._weights).sum(axis=0) / 2 + np.array([0.0, STUDENT_FAVOUR, SEVERAL_FAVOUR])
