"""What of the room's sound is the loudspeaker: the other room, heard through the air.

What the loudspeaker plays is known. How loud the room's microphone hears it is learnt: of all moments in
which it plays, the quieter ones are those in which nobody of this room speaks as well. A hop that is
not clearly louder than what the loudspeaker alone would give is the loudspeaker's. What is left while it
plays is compared with what it plays: if the voice is the same, it is the loudspeaker's too.
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from measures.speech import HOP_S

DECAY_DB: Final = 60 * HOP_S / 0.7
"""How fast a sound dies away in a room with 0.7 s of reverberation, per hop."""
LATE_HOPS: Final = 8
"""The loudspeaker may be up to 0.25 s later than what was handed to it."""
PLAYS_DBFS: Final = -50.0
"""What is played below this is not heard over a room;"""
PLAYS_DB: Final = 4.0
"""nor what is less than this above the other room's own noise,"""
LOUD_DB: Final = 10.0
"""and how loud it arrives is learnt from what is this much above it;"""
FLOOR_QUANTILE: Final = 0.1
"""noise is what is played at its quietest."""
QUANTILE: Final = 0.35
"""Of the difference of microphone and loudspeaker: the share of moments without anybody of this room."""
LEAST_HOPS: Final = 60
"""Two seconds of playing teach how loud it arrives; until then `FIRST_DB` is taken."""
FIRST_DB: Final = -10.0
MARGIN_DB: Final = 6.0
"""Somebody of this room is at least this much louder than the loudspeaker alone would be."""
SMOOTH_HOPS: Final = 9
"""Levels are compared over 0.3 s."""
REMEMBERED: Final = 4_000
"""Hops of playing that are remembered: about two minutes."""

SAME_VOICE: Final = 0.72
"""Likeness of a stretch with what is played meanwhile, from which on it is that."""
PLAYED_SHARE: Final = 0.5
"""Share of a stretch during which the loudspeaker must play for it to be compared."""
LEAST_PLAYED_HOPS: Final = 19
"""A stretch under 0.6 s that is left while it plays is an edge of what it plays."""

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]


class Loudspeaker:
    """Tells when the loudspeaker plays, and which hops it explains."""

    def __init__(self) -> None:
        self._differences: deque[float] = deque(maxlen=REMEMBERED)
        self._quiet: deque[float] = deque(maxlen=REMEMBERED)

    @property
    def coupling_db(self) -> float:
        """Level in the microphone of what is played, against its own level."""
        if len(self._differences) < LEAST_HOPS:
            return FIRST_DB
        return float(np.quantile(np.asarray(self._differences), QUANTILE))

    def look(self, heard_db: FloatArray, played_db: FloatArray) -> tuple[BoolArray, BoolArray]:
        """When the loudspeaker plays, and which hops are no louder than that, shape (hops,) each.

        Args:
            heard_db: level of the room's microphone, in dBFS, shape (hops,).
            played_db: level of what was handed to the loudspeaker, at the same times.
        """
        lasting = _lasting(played_db)
        heard, played = _smooth(heard_db), _smooth(lasting)
        self._quiet.extend(played.tolist())
        noise_db = float(np.quantile(np.asarray(self._quiet), FLOOR_QUANTILE))
        plays = np.asarray(played > max(PLAYS_DBFS, noise_db + PLAYS_DB), np.bool_)
        loud = plays & (played > noise_db + LOUD_DB)
        self._differences.extend((heard - played)[loud].tolist())
        return plays, np.asarray(plays & (heard < played + self.coupling_db + MARGIN_DB), np.bool_)


def _lasting(played_db: FloatArray) -> FloatArray:
    """The level with the delay and the reverberation that it may have in the room."""
    out = played_db.copy()
    for late in range(1, min(LATE_HOPS, len(out) - 1) + 1):
        out[late:] = np.maximum(out[late:], played_db[: len(played_db) - late])
    for hop in range(1, len(out)):
        out[hop] = max(out[hop], out[hop - 1] - DECAY_DB)
    return out


def _smooth(level_db: FloatArray) -> FloatArray:
    """Mean power over some hops, in dB."""
    power = np.pad(10 ** (level_db / 10), SMOOTH_HOPS // 2, mode="edge")
    return np.asarray(10 * np.log10(np.convolve(power, np.full(SMOOTH_HOPS, 1 / SMOOTH_HOPS), "valid")), np.float32)
