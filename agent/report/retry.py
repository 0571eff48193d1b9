"""How long to wait before the broker is tried again. Pure: chance is handed in, time is not needed."""

import random
from dataclasses import dataclass, field

FIRST_S = 4.0
"""Longest first wait: a whole district that lost its hub must not come back within one second."""
URGENT_S = 2.0
"""Longest wait while a lesson is live or near: its rooms come first."""
REFUSED_CAP_S = 600.0
"""Longest wait of a device that was refused for what it is; only people change that."""
URGENT_REFUSED_S = 30.0
"""The same while a lesson is live or near: the refusal may have been the hub's mistake."""
STEADY_S = 30.0
"""A connection that stood for this long was no accident."""
GROWTH_MAX = 16
"""Doublings counted; far beyond every cap."""


@dataclass
class Retry:
    """Waits with full jitter (uniform from 0), growing twofold up to a cap.

    A device that the broker refuses for its certificate, or as not authorised, waits long, and at least half of
    that: its attempts can only fail.
    """

    cap_s: float = 60.0
    """Longest wait, in seconds."""
    chance: random.Random = field(default_factory=random.Random)
    attempts: int = 0
    """Failed in a row."""
    refusals: int = 0
    """How many of them because of who we are."""

    def failed(self, *, refused: bool) -> None:
        """An attempt failed; `refused`: because of who we are."""
        self.attempts += 1
        self.refusals = self.refusals + 1 if refused else 0

    def lost(self, held_s: float) -> None:
        """A connection that stood for `held_s` seconds is gone; one that did not last counts as a failed attempt."""
        self.refusals = 0
        self.attempts = 0 if held_s >= STEADY_S else self.attempts + 1

    def wait_s(self, *, urgent: bool) -> float:
        """Seconds until the next attempt.

        Args:
            urgent: a lesson is live or near.
        """
        if self.refusals:
            cap = min(REFUSED_CAP_S, self.cap_s * 2.0 ** min(self.refusals - 1, GROWTH_MAX))
            return self.chance.uniform(0.5, 1.0) * (min(cap, URGENT_REFUSED_S) if urgent else cap)
        cap = min(self.cap_s, FIRST_S * 2.0 ** min(self.attempts, GROWTH_MAX))
        return self.chance.uniform(0.0, min(cap, URGENT_S) if urgent else cap)
