"""From likeness to labels: where speech is, whose it is, and how sure that is.

The figures here were chosen on the tuning part of the synthetic lessons (tests/lessons); what they give on
the other part stands in docs/performance.md.
"""

import itertools
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.observe.voices_spans import Label

ON: Final = 0.3
"""Probability of speech that a stretch must reach,"""
OFF: Final = 0.15
"""and which it must not fall below."""
GAP_HOPS: Final = 8
"""Pauses under 0.26 s stay inside a stretch."""
SHORTEST_HOPS: Final = 8
"""Stretches under 0.26 s are coughs and chairs."""
SEVERAL_BELOW: Final = 0.1
"""Under the border by less than this is not the voice of a pupil alone, if it is loud too (`SEVERAL_DB`)."""
LEAST_HOPS: Final = 16
"""A label that lasts under 0.5 s inside a stretch is the seam between two others."""
WIDTH: Final = 0.03
"""Likeness over which confidence goes from a half to 0.73 (logistic)."""

FULL_HOPS: Final = 51
"""A stretch shorter than a window of 1.6 s is less like its own voice than a long one:"""
SHORT: Final = 0.08
"""by so much, were it endless short. Level counts too:"""
BETWEEN_DB: Final = 5.0
"""what is louder than so much under the teacher's level is rather hers, what is quieter rather a pupil's;"""
LOUDER: Final = 0.003
"""each dB counts as so much likeness,"""
LOUDER_SHORT: Final = 0.015
"""and so much more in a stretch that is endless short."""
SEVERAL_DB: Final = 2.0
"""Several voices are at least so much louder than what is `BETWEEN_DB` under the teacher."""

FloatArray = NDArray[np.float32]


class Teacher(Protocol):
    """The dominant voice; agent.observe.voices_teacher.TeacherVoice is one."""

    centroid: FloatArray | None
    border: float
    level_db: float

    def similarity(self, vectors: FloatArray) -> FloatArray:
        """Cosine of each vector with it."""


class SpokenRun(Protocol):
    """A stretch of speech; agent.observe.voices.Run is one."""

    @property
    def first(self) -> int:
        """First hop."""

    @property
    def last(self) -> int:
        """Hop after the last."""

    @property
    def centres(self) -> FloatArray:
        """Hop in the middle of each window."""

    @property
    def vectors(self) -> FloatArray:
        """Vector of each window."""

    @property
    def levels_db(self) -> FloatArray:
        """Mean level of each window, in dBFS."""


def voiced_runs(probabilities: FloatArray, explained: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Stretches [first, last) in which somebody of this room speaks.

    Args:
        probabilities: of speech, shape (hops,).
        explained: hops that the loudspeaker explains, shape (hops,).
    """
    possible = (probabilities >= OFF) & ~explained
    runs = [(first, last) for first, last in _stretches(possible) if probabilities[first:last].max() >= ON]
    joined: list[tuple[int, int]] = []
    for first, last in runs:
        if joined and first - joined[-1][1] <= GAP_HOPS:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return [(first, last) for first, last in joined if last - first >= SHORTEST_HOPS]


def hop_labels(
    probabilities: FloatArray, runs: Sequence[SpokenRun], teacher: Teacher
) -> tuple[NDArray[np.int8], FloatArray]:
    """Label and confidence of each hop of a piece, shape (hops,) each."""
    labels = np.full(len(probabilities), Label.SILENCE, np.int8)
    confidence = np.asarray(1.0 - np.clip(probabilities, 0, 1), np.float32)
    for run in runs:
        here = slice(run.first, run.last)
        if teacher.centroid is None:
            labels[here], confidence[here] = Label.STUDENT, 0.5
            continue
        hops = np.arange(run.first, run.last) + 0.5
        alike = np.interp(hops, run.centres, teacher.similarity(run.vectors))
        louder_db = np.interp(hops, run.centres, np.clip(run.levels_db - teacher.level_db, -10, 10)) + BETWEEN_DB
        short = max(0.0, 1 - (run.last - run.first) / FULL_HOPS)
        above = alike - teacher.border + short * SHORT + (LOUDER + short * LOUDER_SHORT) * louder_db
        labels[here] = _run_labels(above, louder_db, single=len(run.vectors) == 1)
        sure = 1 / (1 + np.exp(-above / WIDTH))
        own = np.where(labels[here] == Label.STUDENT, 1 - sure, sure)
        confidence[here] = np.where(labels[here] == Label.SEVERAL, 1 - np.abs(2 * sure - 1) / 2, own)
    return labels, confidence


def _run_labels(above: NDArray[np.float64], louder_db: NDArray[np.float64], *, single: bool) -> NDArray[np.int8]:
    """Labels of one stretch from how far it is above the border, and from how loud it is."""
    plain = np.where(above >= 0, Label.TEACHER, Label.STUDENT).astype(np.int8)
    if single:
        return plain
    labels = plain.copy()
    labels[(above < 0) & (above >= -SEVERAL_BELOW) & (louder_db >= SEVERAL_DB)] = Label.SEVERAL
    for first, last in _runs_of(labels):
        if last - first < LEAST_HOPS and labels[first] == Label.SEVERAL:
            labels[first:last] = plain[first:last]
    for first, last in _runs_of(labels):
        if last - first < LEAST_HOPS and last - first < len(labels):
            labels[first:last] = labels[first - 1] if first else labels[last]
    return labels


def _stretches(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _runs_of(labels: NDArray[np.int8]) -> list[tuple[int, int]]:
    edges = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    return list(itertools.pairwise(edges))
