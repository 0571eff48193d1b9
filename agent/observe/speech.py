"""From the room's sound to turns of speech."""

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.observe.decimate import DELAY_S, RATE_IN_HZ, Decimator
from agent.observe.finding import Finding
from measures.speech import HOP_S, Turn, TurnBuilder

HOLE_S: Final = 0.1
"""A step in the sound's times of more than this is a hole; less is the jitter of a sound card."""
RATE_HZ: Final = 16_000


class Hearing(Protocol):
    """Says how likely speech is, hop by hop; models.silero.SpeechDetector is one."""

    @property
    def pending(self) -> int:
        """Samples at 16 kHz that wait for the rest of their hop."""

    def update(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take sound at 16 kHz, return the probability of each hop that is now whole."""

    def reset(self) -> None:
        """Forget what was heard."""


class SpeechPart:
    """Builds turns from blocks of sound, each with the time of its first sample."""

    def __init__(self, hearing: Hearing) -> None:
        self._hearing = hearing
        self._decimator = Decimator()
        self._turns = TurnBuilder()
        self._due_ns: int | None = None

    def update(self, samples: NDArray[np.int16], mono_ns: int) -> list[Finding]:
        """Take sound at 48 kHz that began at `mono_ns`; return the turns that are now over.

        A step in the times ends the open turn: nobody knows what was said in the hole.
        """
        out: list[Turn] = []
        if self._due_ns is None or abs(mono_ns - self._due_ns) > HOLE_S * 1e9:
            out += self._turns.flush()
            self._decimator.reset()
            self._hearing.reset()
        self._due_ns = mono_ns + round(len(samples) / RATE_IN_HZ * 1e9)
        start_s = mono_ns / 1e9 - DELAY_S - self._hearing.pending / RATE_HZ
        for hop, probability in enumerate(self._hearing.update(self._decimator.update(samples))):
            out += self._turns.update(float(probability), start_s + hop * HOP_S)
        return [_finding(turn) for turn in out]

    def flush(self) -> list[Finding]:
        """End the open turn, if there is one: the lesson is over."""
        return [_finding(turn) for turn in self._turns.flush()]


def _finding(turn: Turn) -> Finding:
    value = {"continues": True} if turn.continues else {}
    confidence = round(min(1.0, max(0.0, turn.probability)), 3)
    return Finding("speech", round(turn.start_s * 1e9), round(turn.seconds, 3), confidence, value)
