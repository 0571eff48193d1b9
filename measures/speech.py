"""From probabilities of speech to turns, and from turns to talk time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

HOP_S = 0.032
"""Sampling interval of the figures below, in seconds: one hop of the detector of speech."""
ON = 0.2
"""Probability at which a turn begins."""
OFF = 0.15
"""Probability under which it pauses. ON, OFF, MIN_GAP_S and MIN_TURN_S were chosen together on 7 far-field
excerpts of the AMI corpus: frame accuracy 0.955; 0.953 when each excerpt is left out of the choice."""
MIN_GAP_S = 1.0
"""Silences shorter than this stay inside a turn."""
MIN_TURN_S = 0.25
"""Turns shorter than this are coughs and chairs."""
MAX_TURN_S = 10.0
"""A longer turn is told in pieces, so that a crash loses at most this much of it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One stretch of speech, in seconds."""

    start_s: float
    seconds: float
    probability: float = 1.0
    """Mean probability of speech over the voiced hops."""
    continues: bool = False
    """Whether this is a further piece of the turn before."""

    @property
    def end_s(self) -> float:
        """When it ends, in seconds."""
        return self.start_s + self.seconds


@dataclass
class TurnBuilder:
    """Builds turns from a stream of probabilities, with two thresholds (hysteresis).

    >>> builder = TurnBuilder(hop_s=0.5, min_gap_s=1.0, min_turn_s=0.5)
    >>> heard = [builder.update(p, i * 0.5) for i, p in enumerate([0.0, 0.9, 0.9, 0.0, 0.0])]
    >>> heard[-1]
    [Turn(start_s=0.5, seconds=1.0, probability=0.9, continues=False)]
    """

    hop_s: float = HOP_S
    on: float = ON
    off: float = OFF
    min_gap_s: float = MIN_GAP_S
    min_turn_s: float = MIN_TURN_S
    max_turn_s: float = MAX_TURN_S
    _start: float | None = field(default=None, init=False)
    _end: float = field(default=0.0, init=False)
    _sum: float = field(default=0.0, init=False)
    _hops: int = field(default=0, init=False)
    _voiced: bool = field(default=False, init=False)
    _continues: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.hop_s <= 0:
            raise ValueError(f"hop_s must be positive, not {self.hop_s}")
        if self.off > self.on:
            raise ValueError(f"a turn cannot end at {self.off}, above where it begins, {self.on}")

    def update(self, probability: float, t: float) -> list[Turn]:
        """Take one hop that begins at `t`, in seconds; return the turns, or pieces of one, that are now over."""
        self._voiced = probability >= (self.off if self._voiced else self.on)
        if self._voiced:
            if self._start is None:
                self._start = self._end if self._continues else t
            self._end = t + self.hop_s
            self._sum += probability
            self._hops += 1
            if self._end - self._start >= self.max_turn_s - self.hop_s / 2:
                return self._piece()
            return []
        if self._start is None:
            if self._continues and t + self.hop_s - self._end >= self.min_gap_s - self.hop_s / 2:
                self._continues = False
            return []
        # Half a hop of slack, or the sum of many hops decides by rounding.
        return self.flush() if t + self.hop_s - self._end >= self.min_gap_s - self.hop_s / 2 else []

    def flush(self) -> list[Turn]:
        """End the open turn here: the sound has a hole, or is over."""
        out = self._close()
        self._voiced = self._continues = False
        return out

    def _piece(self) -> list[Turn]:
        out = self._close()
        self._continues = True
        return out

    def _close(self) -> list[Turn]:
        if self._start is None:
            return []
        start = self._start
        turn = Turn(start, self._end - start, self._sum / self._hops, self._continues)
        self._start, self._sum, self._hops = None, 0.0, 0
        long_enough = turn.seconds >= self.min_turn_s - self.hop_s / 2
        return [turn] if long_enough or turn.continues else []


def speech_turns(
    voiced: NDArray[np.bool_] | Sequence[bool],
    hop_s: float,
    min_gap_s: float = MIN_GAP_S,
    min_turn_s: float = MIN_TURN_S,
) -> list[Turn]:
    """Join voiced hops into turns of speech.

    Args:
        voiced: one flag a hop, shape (hops,).
        hop_s: length of a hop, in seconds.
        min_gap_s: silences shorter than this, in seconds, stay inside a turn.
        min_turn_s: turns shorter than this, in seconds, are dropped.

    Returns:
        Turns in order, in seconds from the first hop; empty where nothing is voiced.

    Raises:
        ValueError: `hop_s` is not positive.

    Source: the gap rule of DART (Owens et al., PNAS 2017), with our own default (see `OFF`).
    """
    builder = TurnBuilder(hop_s, 0.5, 0.5, min_gap_s, min_turn_s, float("inf"))
    turns = [turn for hop, flag in enumerate(voiced) for turn in builder.update(float(flag), hop * hop_s)]
    return turns + builder.flush()


def talk_time(turns: Iterable[Turn]) -> float:
    """Seconds in which anybody speaks: the length of the union of the turns.

    Formula: sum over the turns in order of max(0, end - max(start, end of all before)).
    Overlapping turns count once. Resolution: the sampling interval of the turns (`HOP_S`), and
    silences under `MIN_GAP_S` count as speech.
    """
    total = 0.0
    upto = float("-inf")
    for turn in sorted(turns, key=lambda one: one.start_s):
        total += max(0.0, turn.end_s - max(turn.start_s, upto))
        upto = max(upto, turn.end_s)
    return total


def joined(turns: Iterable[Turn]) -> list[Turn]:
    """Put the pieces of long turns together again; probabilities are weighted by length."""
    out: list[Turn] = []
    for turn in turns:
        if not (turn.continues and out):
            out.append(turn)
            continue
        last = out[-1]
        weight = last.seconds + turn.seconds
        mean = (last.probability * last.seconds + turn.probability * turn.seconds) / weight if weight else 0.0
        out[-1] = Turn(last.start_s, turn.end_s - last.start_s, mean, last.continues)
    return out
