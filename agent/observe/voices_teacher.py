"""The dominant voice of this lesson: learnt from it, used in it, forgotten with it."""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEARN_S: Final = 60.0
"""Seconds of speech after which the first labels are given."""
LEARN_LONGEST_S: Final = 300.0
"""So long after the first word labels are given also with less, but never with less than `LEARN_LEAST_S`."""
LEARN_LEAST_S: Final = 20.0
END_LEAST_S: Final = 10.0
"""At the end of a lesson with less speech of this room than this nobody is its teacher: one answer is no dominance."""
LOUDNESS: Final = 2.0
"""Power of a window's energy with which it counts: the teacher is nearer to the microphone than pupils are."""
AGAIN_S: Final = 60.0
"""Seconds of speech after which the voice is learnt anew, from all that was heard."""
LIMIT: Final = 600
"""At most so many vectors are compared with one another, spread over the lesson."""
MOST_STRETCHES: Final = 4_000
"""The voice is learnt from so many stretches of speech at most, which is hours; the oldest go first."""
NEAR: Final = 0.75
"""The voice is sought around the window to which most others are at least so alike; loud ones count more."""
LEAST_LEARN_S: Final = 1.0
"""Shorter stretches teach nothing: too little of a voice is in them."""
SHARE: Final = 0.2
"""A voice with a smaller share of the speech than this is not dominant: then nobody is the teacher."""
BELOW: Final = 0.11
"""The border to other voices lies so far under what the dominant voice's own windows are like,"""
LOW: Final = 0.68
HIGH: Final = 0.78
"""and between these."""

FloatArray = NDArray[np.float32]


class TeacherVoice:
    """A running centroid of the voice that speaks most in this room.

    Until `known` nothing can be said of who speaks. From then on the centroid is refined after each further
    minute of speech; it never jumps to another voice.
    """

    def __init__(self) -> None:
        self._vectors: deque[FloatArray] = deque(maxlen=MOST_STRETCHES)
        self._levels_db: deque[FloatArray] = deque(maxlen=MOST_STRETCHES)
        self._heard_s = 0.0
        self._learnt_s = 0.0
        self._began_s: float | None = None
        self.centroid: FloatArray | None = None
        """Of length 1, shape (256,); None where no voice dominates."""
        self.border = (LOW + HIGH) / 2
        """Similarity (cosine) from which on a window is the dominant voice's."""
        self.level_db = 0.0
        """Median level of that voice, in dBFS."""
        self.known = False

    def learn(self, vectors: FloatArray, levels_db: FloatArray, speech_s: float, start_s: float) -> bool:
        """Take the windows of some more speech; return whether the voice was learnt anew.

        Args:
            vectors: of windows in which somebody of this room speaks, shape (windows, 256).
            levels_db: of each window, in dBFS, shape (windows,).
            speech_s: how much speech it was, in seconds.
            start_s: when it began, in seconds on any clock that goes on.
        """
        if speech_s < LEAST_LEARN_S:
            return False
        self._began_s = start_s if self._began_s is None else self._began_s
        self._vectors.append(vectors)
        self._levels_db.append(levels_db)
        self._heard_s += speech_s
        waited = start_s - self._began_s >= LEARN_LONGEST_S and self._heard_s >= LEARN_LEAST_S
        due = self._heard_s - self._learnt_s >= AGAIN_S if self.known else self._heard_s >= LEARN_S or waited
        if due:
            self.settle()
        return due

    def end(self) -> None:
        """The lesson is over: learn from what there is, if a voice can dominate so little."""
        if self.known or self._heard_s >= END_LEAST_S:
            self.settle()
        self.known = True

    def settle(self) -> None:
        """Learn from what there is."""
        self.known = True
        self._learnt_s = self._heard_s
        if not self._vectors:
            return
        every = np.concatenate(self._vectors)
        levels_db = np.concatenate(self._levels_db)
        spread = slice(None, None, max(1, -(-len(every) // LIMIT)))
        every, levels_db = every[spread], levels_db[spread]
        weight = 10 ** (LOUDNESS * (levels_db - np.median(levels_db)) / 10)
        seed = self.centroid if self.centroid is not None else _densest(every, weight)
        centroid, border = _refined(every, seed)
        own = every @ centroid >= border
        if weight[own].sum() >= SHARE * weight.sum() or (self.centroid is not None and own.any()):
            self.centroid, self.border = centroid, border
            self.level_db = float(np.median(levels_db[own]))

    def similarity(self, vectors: FloatArray) -> FloatArray:
        """Cosine between each vector and the dominant voice, shape (windows,); 0 where no voice dominates."""
        if self.centroid is None:
            return np.zeros(len(vectors), np.float32)
        return np.asarray(vectors @ self.centroid, np.float32)


def _densest(vectors: FloatArray, weight: NDArray[np.float64]) -> FloatArray:
    """The vector with the most weight near it."""
    near = vectors @ vectors.T >= NEAR
    return np.asarray(vectors[int((near * weight).sum(axis=1).argmax())])


def _refined(vectors: FloatArray, centroid: FloatArray) -> tuple[FloatArray, float]:
    """The mean of the vectors on the centroid's side of the border, again and again, and the border."""
    border = (LOW + HIGH) / 2
    for _ in range(4):
        near = vectors[vectors @ centroid >= border]
        if not len(near):
            break
        centroid = near.mean(axis=0)
        centroid /= np.linalg.norm(centroid)
        border = min(HIGH, max(LOW, float(np.median(near @ centroid)) - BELOW))
    return np.asarray(centroid, np.float32), border
