"""The rate that peers without transport feedback allow: receiver reports and REMB."""

REMB_US = 10_000_000
"""An estimate older than this counts no longer."""
LOW_LOSS = 0.02
HIGH_LOSS = 0.10
GROWTH = 1.08
INTERVAL_US = 1_000_000
CUT_INTERVAL_US = 300_000


class ReportedRate:
    """Loss-based control of draft-ietf-rmcat-gcc-02, section 6, under the receiver's own estimate."""

    def __init__(self) -> None:
        self._bps: float | None = None
        self._remb_bps: float | None = None
        self._remb_us = 0
        self._raised_us: int | None = None
        self._cut_us: int | None = None

    @property
    def bps(self) -> float | None:
        """What is allowed; None where nothing was ever reported."""
        if self._bps is None or self._remb_bps is None:
            return self._bps if self._remb_bps is None else self._remb_bps
        return min(self._bps, self._remb_bps)

    def report(self, fraction_lost: float, target_bps: float, now_us: int) -> None:
        """Take a receiver report: the share of packets lost since the last one, and the present target."""
        if self._remb_bps is not None and now_us - self._remb_us > REMB_US:
            self._remb_bps = None
        self._bps = target_bps
        if fraction_lost > HIGH_LOSS:
            if self._cut_us is None or now_us - self._cut_us >= CUT_INTERVAL_US:
                self._bps *= 1 - fraction_lost / 2
                self._cut_us = now_us
        elif fraction_lost < LOW_LOSS and (self._raised_us is None or now_us - self._raised_us >= INTERVAL_US):
            self._bps = self._bps * GROWTH + 1000
            self._raised_us = now_us

    def remb(self, bps: int, now_us: int) -> None:
        """Take the receiver's estimate."""
        self._remb_bps = float(bps)
        self._remb_us = now_us

    def halve(self) -> None:
        """Nothing comes back."""
        if self._bps is not None:
            self._bps /= 2
