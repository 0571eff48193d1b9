"""The rate that loss allows. Loss that does not depend on the rate is left to retransmission."""

import math
from collections import deque
from enum import StrEnum

WINDOW_US = 5_000_000
SURE = 2.6
"""Loss counts when it is above the bound by so many standard deviations; one burst is one event."""
TOLERATED = 0.02
"""Loss beyond what the link loses anyway."""
HEAVY = 0.10
"""From here on the cut follows the loss (1 - loss / 2) instead of `TRIAL_CUT`."""
TRIAL_CUT = 0.88
SMALLEST_CUT = 0.95
"""A smaller cut than this would show nothing."""
SMALL_BPS = 400_000
"""Whoever sends less than this makes no trial below `HEAVY`: sound and a small picture fill it, so that the cut would
cost most of the picture, and with few packets a second a trial lasts seconds."""
SETTLE_US = 200_000
"""After a cut, plus a round trip, packets that were sent before it have been told of."""
TRIAL_US = 1_000_000
TRIAL_MAX_US = 6_000_000
TRIAL_EVENTS = 15
"""A trial ends when so many bursts of loss would have come unchanged: half of them is then two deviations off."""
PACKETS_MIN = 150
UNCHANGED = 0.5
"""A cut after which this share of the loss remains was in vain: the link loses by itself."""
INHERENT_MAX = 0.12
"""More than this is never taken for granted: with many flows in one policer no single cut would show."""
INHERENT_US = 60_000_000
"""What the link loses by itself is tried anew after this."""
GROWTH_A_SECOND = 1.08
BEYOND_A_SECOND = 1.02
CEILING_US = 10_000_000
"""For so long the rate at which loss went away is approached with respect."""


class LossPhase(StrEnum):
    """What is being done about loss."""

    WATCHING = "watching"
    """Loss is within bounds or not yet sure."""
    TRIAL = "trial"
    """The rate was cut to see whether the loss goes."""


class LossRate:
    """Cuts the rate when loss is surely above bounds, and looks whether that helped.

    The draft (draft-ietf-rmcat-gcc-02, section 6) lets the rate grow below 2 % of loss, holds it up to 10 % and
    cuts it by half the loss beyond. On a radio link that loses 5 % at any rate this holds the rate for ever where
    it happens to be, and in small windows 5 % looks like 10 % often enough to pull it down. So every cut of a rate
    that is not small is a trial: if most of the loss remains, that loss is the link's own, the cut is taken back,
    and the 2 % count on top of it. If the loss goes, what arrived was the capacity (a policer, a shallow queue that
    the delay cannot show).
    """

    def __init__(self) -> None:
        self.bound_bps = math.inf
        """The rate must not be above this."""
        self.inherent = 0.0
        """Share of packets that the link loses at any rate."""
        self.phase = LossPhase.WATCHING
        self.spared_bps = 0
        """A trial does not go below this: what the present pictures need. Without room for a cut there is no trial."""
        self._window: deque[tuple[int, int, int, int]] = deque()
        self._packets = self._lost = self._bursts = 0
        self._since_us = 0
        self._before_bps = math.inf
        self._before_loss = 0.0
        self._before_bursts = 0.0
        self._ceiling_bps = math.inf
        self._ceiling_us = 0
        self._learned_us = 0
        self._updated_us: int | None = None

    @property
    def fraction(self) -> float:
        """Share of packets lost over the window."""
        return self._lost / self._packets if self._packets else 0.0

    def update(
        self,
        packets: int,
        lost: int,
        bursts: int,
        rate_bps: float,
        acked_bps: float | None,
        trip_ms: float,
        now_us: int,
    ) -> None:
        """Take what one feedback said.

        Args:
            packets: it spoke of so many, lost ones included.
            lost: newly lost ones, less those that came after all.
            bursts: runs of neighbours among the lost.
            rate_bps: the present target.
            acked_bps: what arrives.
            trip_ms: round trip.
            now_us: monotonic clock.
        """
        elapsed_s = 0.0 if self._updated_us is None else min(max((now_us - self._updated_us) / 1e6, 0.0), 1.0)
        self._updated_us = now_us
        if now_us < self._since_us:
            return
        self._count(packets, lost, bursts, now_us)
        if self.phase is LossPhase.TRIAL:
            self._judge(now_us)
        elif self._lowest_likely() > self.inherent + TOLERATED:
            self._cut(rate_bps, acked_bps, trip_ms, now_us)
        else:
            self._relax(acked_bps, elapsed_s, now_us)

    def excuse(self, now_us: int) -> None:
        """Loss up to now has another cause and another answer."""
        self.phase = LossPhase.WATCHING
        self._restart(now_us)

    def lift(self, bps: float) -> None:
        """A probe got this much through."""
        if self.phase is LossPhase.WATCHING:
            self.bound_bps = max(self.bound_bps, bps)
            self._ceiling_bps = max(self._ceiling_bps, bps)

    def _count(self, packets: int, lost: int, bursts: int, now_us: int) -> None:
        self._window.append((now_us, packets, lost, bursts))
        self._packets += packets
        self._lost += lost
        self._bursts += bursts
        while self._window[0][0] < now_us - WINDOW_US:
            _, packets, lost, bursts = self._window.popleft()
            self._packets -= packets
            self._lost -= lost
            self._bursts -= bursts

    def _restart(self, since_us: int) -> None:
        self._window.clear()
        self._packets = self._lost = self._bursts = 0
        self._since_us = since_us

    def _lowest_likely(self) -> float:
        """The loss is at least this; below 0 where little was seen."""
        if self._bursts <= 0:
            return 0.0
        return self.fraction * (1 - SURE / math.sqrt(self._bursts))

    def _cut(self, rate_bps: float, acked_bps: float | None, trip_ms: float, now_us: int) -> None:
        loss = self.fraction
        sent_bps = rate_bps if acked_bps is None else min(rate_bps, acked_bps / max(1 - loss, 0.1))
        no_room = sent_bps < SMALL_BPS or self.spared_bps > SMALLEST_CUT * sent_bps
        if no_room and loss <= HEAVY:
            # As in the draft, which neither cuts nor grows here. More loss with more rate is cut all the same.
            self.inherent, self._learned_us = loss, now_us
            self._restart(now_us)
            return
        keep = 1 - loss / 2 if loss - self.inherent > HEAVY else TRIAL_CUT
        self._before_bps = self.bound_bps
        # Half way to what is sure: that the loss was noticed just now means that chance was against it.
        self._before_loss = (loss + max(self._lowest_likely(), 0.0)) / 2
        self._before_bursts = self._bursts / self._packets
        self.bound_bps = max(sent_bps * keep, self.spared_bps if keep == TRIAL_CUT else 0)
        if acked_bps is not None and loss - self.inherent > HEAVY:
            self.bound_bps = min(self.bound_bps, max(0.95 * acked_bps / max(1 - self.inherent, 0.5), sent_bps / 2))
        self.phase = LossPhase.TRIAL
        self._restart(now_us + SETTLE_US + int(trip_ms * 1000))

    def _judge(self, now_us: int) -> None:
        lasted_us = now_us - self._since_us
        expected = self._before_bursts * self._packets
        if lasted_us < TRIAL_US or (expected < TRIAL_EVENTS and lasted_us < TRIAL_MAX_US):
            return
        loss = self.fraction
        if loss >= UNCHANGED * self._before_loss and loss <= INHERENT_MAX:
            self.inherent = max(loss, self._before_loss if self._before_loss <= INHERENT_MAX else loss)
            self._learned_us = now_us
            self.bound_bps = self._before_bps
        else:
            self._ceiling_bps = self.bound_bps
            self._ceiling_us = now_us
        self.phase = LossPhase.WATCHING
        self._restart(now_us)

    def _relax(self, acked_bps: float | None, elapsed_s: float, now_us: int) -> None:
        if self.inherent and (now_us - self._learned_us > INHERENT_US or self._highest_likely() < self.inherent):
            self.inherent = min(self.inherent, self.fraction) if now_us - self._learned_us <= INHERENT_US else 0.0
        if math.isinf(self.bound_bps):
            return
        if self.fraction <= self.inherent + TOLERATED and (acked_bps is None or self.bound_bps < 1.5 * acked_bps):
            near = self.bound_bps >= self._ceiling_bps and now_us - self._ceiling_us < CEILING_US
            growth = BEYOND_A_SECOND if near else GROWTH_A_SECOND
            self.bound_bps *= growth**elapsed_s

    def _highest_likely(self) -> float:
        """The loss is at most this; 1 where little was seen."""
        if self._packets < PACKETS_MIN:
            return 1.0
        return (self._lost + SURE * math.sqrt(max(self._bursts, 1))) / self._packets
