"""Keeps pictures with the sound that belongs to them, by the time at which the other room captured both.

Sound waits at the loudspeaker, pictures do not: a picture is held for as long as the sound
of its moment still has to wait. Pure: the time comes in as an argument, in nanoseconds.
"""

HOLD_MAX_MS = 200.0
"""A picture is held for at most this long; sound that waits longer is heard after its picture."""
FORGET_MS = 500.0
"""Without sound for this long, pictures are shown at once."""
STEP_MS = 80.0
"""A change of the delay by more than this is followed at once, a smaller one smoothly."""
_SMOOTH = 1 / 16


class LipSync:
    """How long sound of one room takes from capture to ear, and what that asks of its pictures."""

    def __init__(self) -> None:
        self._delay_ms: float | None = None
        self._heard_ns = 0

    def heard(self, capture_ns: int, at_ns: int, waiting_ms: float) -> None:
        """Sound was handed to the loudspeaker.

        Args:
            capture_ns: when its first sample was captured, on the other room's clock.
            at_ns: now, on this room's clock.
            waiting_ms: sound of that room that is heard before it.
        """
        delay_ms = (at_ns - capture_ns) / 1e6 + waiting_ms
        if self._delay_ms is None or self._silent(at_ns) or abs(delay_ms - self._delay_ms) > STEP_MS:
            self._delay_ms = delay_ms
        else:
            self._delay_ms += _SMOOTH * (delay_ms - self._delay_ms)
        self._heard_ns = at_ns

    def ahead_ms(self, capture_ns: int, at_ns: int) -> float | None:
        """How far a picture shown now is ahead of its sound; negative behind it, None where no sound plays."""
        if self._delay_ms is None or self._silent(at_ns):
            return None
        return self._delay_ms - (at_ns - capture_ns) / 1e6

    def hold_ms(self, capture_ns: int, at_ns: int) -> float:
        """How long to hold a picture captured at `capture_ns` that could be shown now."""
        ahead_ms = self.ahead_ms(capture_ns, at_ns)
        return 0.0 if ahead_ms is None else min(HOLD_MAX_MS, max(0.0, ahead_ms))

    def _silent(self, at_ns: int) -> bool:
        return at_ns - self._heard_ns > FORGET_MS * 1e6
