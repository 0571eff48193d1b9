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
LEAST_HOPS: Final = 16
"""A label that lasts under 0.5 s inside a stretch is the seam between two others."""
SWITCH: Final = 50.0
"""What a change of label costs inside a stretch, in scores times hops: seams and slips are not worth it."""
TEMPER: Final = 6.0
"""Scores are of windows that overlap, and too sure by so much."""
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

FloatArray = NDArray[np.float32]


class Teacher(Protocol):
    """The dominant voice; agent.observe.voices_teacher.TeacherVoice is one."""

    centroid: FloatArray | None
    border: float
    level_db: float

    def similarity(self, vectors: FloatArray) -> FloatArray:
        """Cosine of each vector with it."""


class Mixtures(Protocol):
    """Tells teacher, pupil and several apart; agent.observe.voices_mixed.Mixtures is one."""

    known: bool

    def scores(self, vectors: FloatArray, louder_db: NDArray[np.floating]) -> NDArray[np.float64]:
        """How well each window fits teacher, pupil and several, shape (windows, 3)."""


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
    probabilities: FloatArray, runs: Sequence[SpokenRun], teacher: Teacher, mixtures: Mixtures
) -> tuple[NDArray[np.int8], FloatArray]:
    """Label and confidence of each hop of a piece, shape (hops,) each."""
    labels = np.full(len(probabilities), Label.SILENCE, np.int8)
    confidence = np.asarray(1.0 - np.clip(probabilities, 0, 1), np.float32)
    for run in runs:
        here = slice(run.first, run.last)
        if teacher.centroid is None:
            labels[here], confidence[here] = Label.STUDENT, 0.5
        elif mixtures.known and len(run.vectors) > 1:
            labels[here], confidence[here] = _by_mixtures(run, teacher, mixtures)
        else:
            labels[here], confidence[here] = _by_likeness(run, teacher)
    return labels, confidence


def _by_likeness(run: SpokenRun, teacher: Teacher) -> tuple[NDArray[np.int8], FloatArray]:
    """Teacher or pupil, by likeness and level: of a short stretch, or while nothing is known of several voices."""
    hops = np.arange(run.first, run.last) + 0.5
    alike = np.interp(hops, run.centres, teacher.similarity(run.vectors))
    louder_db = np.interp(hops, run.centres, np.clip(run.levels_db - teacher.level_db, -10, 10)) + BETWEEN_DB
    short = max(0.0, 1 - len(hops) / FULL_HOPS)
    above = alike - teacher.border + short * SHORT + (LOUDER + short * LOUDER_SHORT) * louder_db
    labels = np.where(above >= 0, Label.TEACHER, Label.STUDENT).astype(np.int8)
    for first, last in _runs_of(labels):
        if last - first < LEAST_HOPS and last - first < len(labels):
            labels[first:last] = labels[first - 1] if first else labels[last]
    sure = 1 / (1 + np.exp(-above / WIDTH))
    return labels, np.asarray(np.where(labels == Label.STUDENT, 1 - sure, sure), np.float32)


def _by_mixtures(run: SpokenRun, teacher: Teacher, mixtures: Mixtures) -> tuple[NDArray[np.int8], FloatArray]:
    """The likeliest sequence of teacher, pupil and several, and the share of each label among the three."""
    hops = np.arange(run.first, run.last) + 0.5
    scores = mixtures.scores(run.vectors, run.levels_db - teacher.level_db)
    each = np.stack([np.interp(hops, run.centres, one) for one in scores.T], axis=1)
    best = likeliest(each, SWITCH)
    share = np.exp((each - each.max(axis=1, keepdims=True)) / TEMPER)
    sure = share[np.arange(len(best)), best] / share.sum(axis=1)
    return np.array([Label.TEACHER, Label.STUDENT, Label.SEVERAL], np.int8)[best], sure.astype(np.float32)


def likeliest(scores: NDArray[np.float64], switch: float) -> NDArray[np.intp]:
    """The sequence of states with the greatest sum of scores, each change of state costing `switch`.

    Args:
        scores: shape (hops, states).
        switch: in units of the scores.

    Returns:
        A state for each hop, shape (hops,).

    Source: Viterbi (1967), with one cost for all changes.
    """
    hops, states = scores.shape
    came = np.zeros((hops, states), np.intp)
    stay = np.arange(states)
    best = scores[0].copy()
    for hop in range(1, hops):
        top = int(best.argmax())
        stays = best >= best[top] - switch
        came[hop] = np.where(stays, stay, top)
        best = np.where(stays, best, best[top] - switch) + scores[hop]
    out = np.empty(hops, np.intp)
    out[-1] = best.argmax()
    for hop in range(hops - 1, 0, -1):
        out[hop - 1] = came[hop, out[hop]]
    return out


def _stretches(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _runs_of(labels: NDArray[np.int8]) -> list[tuple[int, int]]:
    edges = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    return list(itertools.pairwise(edges))
