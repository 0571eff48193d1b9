"""The rate that the delay allows: up slowly while the queue is empty, down at once when it grows."""

import math
from enum import StrEnum

from agent.stream.congestion.trendline import Usage

BACK_OFF = 0.85
"""On overuse the rate falls to this share of what arrives."""
COMPETING_BACK_OFF = 0.95
COMPETING_FALL_US = 1_000_000
"""While somebody else keeps the queue full the rate falls by this little and this seldom: yielding more would not
empty the queue, only starve this flow."""
COMPETING_TRIP_MS = 200.0
"""Beside somebody else the rate also grows as TCP's does, by a packet a round trip in each round trip, of which none is
taken to be shorter than this."""
GROWTH_A_SECOND = 1.08
"""Far from the last known capacity."""
HEADROOM = 2.0
HEADROOM_BPS = 10_000
"""The rate does not grow beyond `HEADROOM` of what arrives plus this: nothing more was tried. WebRTC has 1.5; but an
encoder of small pictures makes about 0.6 of what it may, and would never come to the next larger size."""
TRIED = 1.5
"""Beyond this times what arrives it grows as slowly as near to capacity."""
UNTRIED_BPS = 200_000
"""But up to this it does: whoever sends sound alone tries nothing, and could never begin with pictures again."""
RESPONSE_MS = 100.0
"""The detector takes this long; near capacity the rate grows by a packet in a round trip plus this."""
PACKET_BITS = 1200 * 8
PICTURES_A_SECOND = 25


class Phase(StrEnum):
    """What the rate does."""

    INCREASE = "increase"
    """Grows with each feedback."""
    HOLD = "hold"
    """Waits for the queue to drain."""


class LinkCapacity:
    """Mean and spread of what arrived whenever the link was full.

    Source: WebRTC's LinkCapacityEstimator (exponential average, 0.05; spread normalised by the mean).
    """

    def __init__(self) -> None:
        self.bps: float | None = None
        self.surpassed = False
        """The last known capacity was left behind upwards: the link has become wider."""
        self._variance_kbps = 0.4

    def full_at(self, bps: float, weight: float = 0.05) -> None:
        """The link was full while this arrived."""
        self.surpassed = False
        if self.bps is None:
            self.bps = bps
        error_kbps = (self.bps - bps) / 1000
        self.bps = (1 - weight) * self.bps + weight * bps
        spread = error_kbps * error_kbps / max(self.bps / 1000, 1.0)
        self._variance_kbps = min(max((1 - weight) * self._variance_kbps + weight * spread, 0.4), 2.5)

    def compare(self, bps: float) -> None:
        """Forget the capacity if clearly more than it arrives."""
        if self.bps is not None and bps > self.bps + 3 * self._deviation_bps(self.bps):
            self.bps = None
            self.surpassed = True

    def far_above(self, bps: float) -> bool:
        """Whether this is clearly less than the capacity."""
        return self.bps is not None and bps < self.bps - 3 * self._deviation_bps(self.bps)

    def _deviation_bps(self, bps: float) -> float:
        return 1000 * math.sqrt(self._variance_kbps * bps / 1000)


class DelayRate:
    """Additive or multiplicative increase, multiplicative decrease.

    Source: draft-ietf-rmcat-gcc-02, section 5.5; WebRTC's AimdRateControl for what the draft leaves open.
    """

    def __init__(self, start_bps: float, min_bps: float, max_bps: float) -> None:
        self.bps = start_bps
        self.capacity = LinkCapacity()
        self.overused_us: int | None = None
        """When the rate was last lowered."""
        self._min_bps = min_bps
        self._max_bps = max_bps
        self._phase = Phase.INCREASE
        self._updated_us: int | None = None
        self.competing = False
        """Somebody else keeps the queue full."""
        self.floor_bps = 0.0
        """Overuse does not lower the rate below this."""

    def update(
        self, usage: Usage, acked_bps: float | None, recent_bps: float | None, trip_ms: float, now_us: int
    ) -> None:
        """Take what one feedback said.

        Args:
            usage: what the delay says.
            acked_bps: what arrives, over half a second.
            recent_bps: the same over a shorter time, where known.
            trip_ms: round trip.
            now_us: monotonic clock.
        """
        elapsed_s = 0.0 if self._updated_us is None else min(max((now_us - self._updated_us) / 1e6, 0.0), 1.0)
        self._updated_us = now_us
        if self.competing:
            self._compete(usage, acked_bps, trip_ms, elapsed_s, now_us)
        elif usage is Usage.OVERUSE:
            if self._may_fall(acked_bps, trip_ms, now_us):
                self._fall(acked_bps, recent_bps, now_us)
            self._phase = Phase.HOLD
        elif usage is Usage.UNDERUSE:
            self._phase = Phase.HOLD
        elif self._phase is Phase.HOLD:
            self._phase = Phase.INCREASE
        else:
            self._grow(acked_bps, trip_ms, elapsed_s)

    def jump(self, bps: float) -> None:
        """Go to a rate that was found otherwise: by a probe, or because nothing comes back."""
        self.bps = min(max(bps, self._min_bps), self._max_bps)

    def _compete(self, usage: Usage, acked_bps: float | None, trip_ms: float, elapsed_s: float, now_us: int) -> None:
        self._phase = Phase.HOLD
        if usage is not Usage.OVERUSE:
            trip_s = max(trip_ms, COMPETING_TRIP_MS) / 1000
            self._grow(acked_bps, trip_ms, elapsed_s, PACKET_BITS / trip_s**2)
        elif self.overused_us is None or now_us - self.overused_us >= COMPETING_FALL_US:
            self.jump(COMPETING_BACK_OFF * self.bps)
            self.overused_us = now_us

    def _may_fall(self, acked_bps: float | None, trip_ms: float, now_us: int) -> bool:
        """A cut takes a round trip to show; until then another is made only where the rate is far off."""
        if self.overused_us is None or now_us - self.overused_us >= 1000 * min(max(trip_ms, 10.0), 200.0):
            return True
        return acked_bps is not None and acked_bps < self.bps / 2

    def _fall(self, acked_bps: float | None, recent_bps: float | None, now_us: int) -> None:
        if acked_bps is None:
            self.jump(self.bps / 2 if self.overused_us is None else self.bps)
            self.overused_us = now_us
            return
        # After a sudden cap the long window still holds the time before it; the short one alone would be noisy.
        arriving = acked_bps if recent_bps is None else min(acked_bps, max(recent_bps, 0.6 * acked_bps))
        if self.capacity.far_above(arriving) or (self.capacity.bps is not None and arriving > 1.5 * self.capacity.bps):
            self.capacity = LinkCapacity()
        self.capacity.full_at(arriving)
        self.jump(min(self.bps, max(BACK_OFF * arriving, self.floor_bps)))
        self.overused_us = now_us

    def _grow(self, acked_bps: float | None, trip_ms: float, elapsed_s: float, more_bps: float = 0.0) -> None:
        """Grow as far from or near to capacity, and by `more_bps` a second."""
        limit = tried = self._max_bps
        if acked_bps is not None:
            tried = TRIED * acked_bps
            self.capacity.compare(acked_bps)
            limit = max(HEADROOM * acked_bps + HEADROOM_BPS, UNTRIED_BPS)
        if self.bps >= limit:
            return
        if self.capacity.bps is None and self.bps < tried:
            grown = self.bps * GROWTH_A_SECOND**elapsed_s
        else:
            grown = self.bps + self._step_bps(trip_ms) * elapsed_s
        self.jump(min(grown + more_bps * elapsed_s, limit))

    def _step_bps(self, trip_ms: float) -> float:
        """Half a packet to a packet in each response time, in bits a second for each second."""
        return PACKET_BITS * 1000 / (trip_ms + RESPONSE_MS)
