"""From the label of each hop to spans of one voice, with the gap rule."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from measures.speech import HOP_S, MIN_GAP_S

LONGEST_S: Final = 10.0
"""A longer span is told in pieces, so that a crash loses at most this much of it."""
GAP_HOPS: Final = round(MIN_GAP_S / HOP_S)
LONGEST_HOPS: Final = round(LONGEST_S / HOP_S)


class Label(IntEnum):
    """Who speaks in a hop; the name in small letters is that of measures.voices.Voice."""

    SILENCE = 0
    TEACHER = 1
    STUDENT = 2
    SEVERAL = 3


@dataclass(frozen=True, slots=True)
class VoiceSpan:
    """One voice from here to there, in seconds on the clock of what was fed."""

    start_s: float
    seconds: float
    label: Label
    confidence: float
    """0 to 1, mean over the hops."""


@dataclass
class _Run:
    label: Label
    hops: int
    confidence: float
    """Sum over the hops."""


class SpanBuilder:
    """Joins hops into spans. Silences under a second between two spans of one voice belong to that voice.

    What is told lags by a second of silence at most, and by no more than 10 s within one voice.
    """

    def __init__(self, hop_s: float = HOP_S) -> None:
        self._hop_s = hop_s
        self._runs: list[_Run] = []
        self._start_s = 0.0

    @property
    def due_s(self) -> float | None:
        """Where the hops given so far end; None where nothing is open."""
        if not self._runs:
            return None
        return self._start_s + sum(run.hops for run in self._runs) * self._hop_s

    def update(self, labels: NDArray[np.int8], confidence: NDArray[np.float32], start_s: float) -> list[VoiceSpan]:
        """Take hops that follow the ones before, or begin after a `flush` at `start_s`; return what is over."""
        if not len(labels):
            return []
        if not self._runs:
            self._start_s = start_s
        edges = np.flatnonzero(np.diff(labels)) + 1
        for part, sure in zip(np.split(labels, edges), np.split(confidence, edges), strict=True):
            self._add(_Run(Label(int(part[0])), len(part), float(sure.sum())))
        out = []
        while len(self._runs) > self._open():
            out.append(self._told(self._runs[0].hops))
        while self._runs[0].hops > LONGEST_HOPS:
            out.append(self._told(LONGEST_HOPS))
        return out

    def flush(self) -> list[VoiceSpan]:
        """End what is open: the sound has a hole here, or is over."""
        out = []
        while self._runs:
            out.append(self._told(min(self._runs[0].hops, LONGEST_HOPS)))
        return out

    def _add(self, run: _Run) -> None:
        runs = self._runs
        if runs and runs[-1].label is run.label:
            _extend(runs[-1], run)
        elif (
            len(runs) >= 2
            and runs[-1].label is Label.SILENCE
            and runs[-1].hops < GAP_HOPS
            and runs[-2].label is run.label
        ):
            _extend(runs[-2], runs.pop())
            _extend(runs[-1], run)
        else:
            runs.append(run)

    def _open(self) -> int:
        """How many runs at the end may still change."""
        last = self._runs[-1]
        return 2 if last.label is Label.SILENCE and last.hops < GAP_HOPS else 1

    def _told(self, hops: int) -> VoiceSpan:
        run = self._runs[0]
        share = hops / run.hops
        sure = run.confidence * share
        span = VoiceSpan(self._start_s, hops * self._hop_s, run.label, min(1.0, max(0.0, sure / hops)))
        self._start_s += hops * self._hop_s
        run.hops -= hops
        run.confidence -= sure
        if run.hops == 0:
            self._runs.pop(0)
        return span


def _extend(run: _Run, by: _Run) -> None:
    run.hops += by.hops
    run.confidence += by.confidence
