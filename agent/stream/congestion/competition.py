"""Is the queue at the bottleneck somebody else's, who does not yield to delay? Then this sender must not either."""

COMPETING_FROM_US = 20_000
"""A shorter queue is nobody's."""
STEP_US = 2_000_000
SETTLE_US = 500_000
SHARE = 0.6
"""A queue of which this is left `STEP_US` after this sender has fallen below what passes is somebody else's (a long
queue shows that later by its own length)."""
FOR_US = 10_000_000
"""That is believed for so long, or until the queue is short; then this sender yields again to see."""
AGAIN_US = 5_000_000
"""If that shows the same within this, the rate goes back to what it was before."""
YIELDS = 0.5
"""Meanwhile it does not fall below this share of that: enough to see what the queue does, and pictures go on."""
KEEPS = 0.7
"""The first time it goes back to this share of what it was when the yielding began."""
CONCEDE_US = 300_000
"""Loss is answered once a round trip, and no more often than this."""
CONCEDE_LOSS = 0.02
"""Loss beyond what the link loses anyway that is answered."""
CONCEDED = 0.8
"""What is left of the rate then. 0.7, as with TCP Cubic, loses half as often and gets a tenth less where the encoder
fills its rate; where it does not, which is usual, it gets too little."""
FORGET_US = 1_000_000
"""Packets are counted for so long at the most while none of them is answered."""


class Competition:
    """Watches the queue after each fall of the rate, and answers loss while somebody else keeps it full.

    Yielding to delay beside a download that fills every queue would starve this flow. So while it competes it grows
    about as TCP does and gives way to loss alone, as TCP does; the mode switch is Copa's (Arun and Balakrishnan, 2018,
    section 4), with a test of our own, which also tells two of our flows from a download.
    """

    def __init__(self) -> None:
        self.floor_bps = 0.0
        """Below this delay does not lower the rate now."""
        self._yielded_us: int | None = None
        """Since when the queue is watched after a fall of the rate; None while it is short."""
        self._yielded_queue_us = 0
        self._yielded_bps = 0.0
        self._until_us = 0
        self._competing = False
        self._competing_bps = 0.0
        """The rate when competing ended last."""
        self._conceded_us = 0
        self._packets = self._lost = 0

    def watch(self, queued_us: int, overused_us: int | None, bps: float, now_us: int) -> tuple[bool, float]:
        """Does the queue stay although this sender has yielded?

        Args:
            queued_us: how long packets wait at the bottleneck.
            overused_us: when the rate was lowered last.
            bps: the rate.
            now_us: monotonic clock.

        Returns:
            Whether somebody else keeps the queue full, and the rate to go on with.
        """
        if self._competing and queued_us < COMPETING_FROM_US:
            self._until_us = min(self._until_us, now_us + SETTLE_US)
        was_competing, self._competing = self._competing, now_us < self._until_us
        if was_competing and not self._competing:
            self._competing_bps = bps
        if queued_us < COMPETING_FROM_US or self._competing:
            self._yielded_us = None
        elif self._yielded_us is None:
            if overused_us is not None and now_us - overused_us < STEP_US:
                self._yielded_us, self._yielded_queue_us, self._yielded_bps = now_us, queued_us, bps
        elif now_us - self._yielded_us < SETTLE_US + self._yielded_queue_us:
            self._yielded_queue_us = max(self._yielded_queue_us, queued_us)
        elif queued_us < SHARE * self._yielded_queue_us:
            self._yielded_us, self._yielded_queue_us = now_us, queued_us
        elif now_us - self._yielded_us > STEP_US + 2 * self._yielded_queue_us:
            again = now_us - self._until_us < AGAIN_US
            bps = max(bps, self._competing_bps if again else KEEPS * self._yielded_bps)
            self._until_us = now_us + FOR_US
            self._competing = True
        tests_again = not self._competing and now_us - self._until_us < AGAIN_US
        self.floor_bps = YIELDS * self._competing_bps if tests_again else 0.0
        return self._competing, bps

    def concedes(self, packets: int, lost: int, inherent: float, trip_ms: float, now_us: int) -> bool:
        """Whether to give way to loss now; call it for each feedback while competing.

        Args:
            packets: the feedback spoke of so many, lost ones included.
            lost: of them.
            inherent: share that the link loses at any rate.
            trip_ms: round trip.
            now_us: monotonic clock.
        """
        self._packets += packets
        self._lost += lost
        since_us = now_us - self._conceded_us
        if since_us < max(CONCEDE_US, 1000 * trip_ms):
            return False
        conceded = self._lost > 0 and self._lost > (inherent + CONCEDE_LOSS) * self._packets
        if conceded:
            self._conceded_us = now_us
        elif since_us > FORGET_US:
            self._conceded_us = now_us - round(max(CONCEDE_US, 1000 * trip_ms))
        else:
            return False
        self._packets = self._lost = 0
        return conceded
