"""What leaves the loudspeaker, and when: for whoever has to tell it from this room's own voices."""

import logging
import time
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.capture.frame import SOUND_RATE_HZ, Block

log = logging.getLogger(__name__)

NS_A_SECOND: Final = 1_000_000_000
BELIEVABLE_S: Final = 1.0
"""Hosts report times of many kinds; a block that were heard later than this is one of them."""
STEP_NS: Final = 150_000_000
"""A host that asks for several blocks at once is early with the last of them; further off than this is a hole."""
SMOOTH: Final = 32
"""Below, the line of blocks follows by this part of the difference: hosts ask in fits and starts, sound is even."""

PlayedTaker = Callable[[Block], None]
"""Takes a block on PortAudio's own thread: must return at once, and wait for nothing."""


def lead_s(dac_s: float, stream_s: float, latency_s: float) -> float:
    """How long after it was asked for a block is heard, in seconds.

    Args:
        dac_s: when its first sample leaves, on the stream's clock, as the host says.
        stream_s: now, on the stream's clock.
        latency_s: of the stream, as the host says once.

    Only the difference of the two times is used, because hosts disagree about their zero (ALSA over PulseAudio
    says 0 for now and the lead alone for the sample). WDM-KS says 0 for both, and DirectSound the same time twice:
    there the stream's latency is nearer to the truth.
    """
    lead = dac_s - stream_s
    return lead if 0 < lead < BELIEVABLE_S else min(max(latency_s, 0.0), BELIEVABLE_S)


class PlayedTap:
    """Hands each block that is played to its takers, stamped on an even line of time.

    `give` belongs to one thread, the audio callback: it takes no lock and raises nothing.
    """

    def __init__(self, mono_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._mono_ns = mono_ns
        self._takers: tuple[PlayedTaker, ...] = ()
        self._due_ns: int | None = None

    def add(self, take: PlayedTaker) -> None:
        """Give every block from now on to `take`."""
        self._takers = (*self._takers, take)

    def remove(self, take: PlayedTaker) -> None:
        """Give it nothing more; one that is not there is none."""
        self._takers = tuple(one for one in self._takers if one != take)

    def give(self, samples: NDArray[np.int16], lead_s: float) -> None:
        """Hand on what is heard `lead_s` from now: int16, shape (samples,), not changed by anybody afterwards."""
        guess_ns = self._mono_ns() + round(lead_s * NS_A_SECOND)
        if self._due_ns is None or abs(guess_ns - self._due_ns) > STEP_NS:
            self._due_ns = guess_ns
        else:
            self._due_ns += (guess_ns - self._due_ns) // SMOOTH
        block = Block(samples, self._due_ns)
        self._due_ns += len(samples) * NS_A_SECOND // SOUND_RATE_HZ
        for take in self._takers:
            try:
                take(block)
            except Exception:
                # Raised into PortAudio it would end the sound of the lesson.
                log.exception("what is played is not handed on to %r any more", take)
                self.remove(take)
