"""Is the queue at the bottleneck growing? The slope of one-way delay over the last groups of packets."""

from collections import deque
from enum import StrEnum
from operator import mul

WINDOW = 20
"""Groups that the line is drawn through, at most."""
WINDOW_MIN = 6
WINDOW_MS = 800.0
"""Groups older than this do not count while `WINDOW_MIN` are left: pictures that leave whole make few groups."""
SMOOTHING = 0.9
GAIN = 4.0
SAMPLES_MAX = 60
THRESHOLD_MS = 12.5
THRESHOLD_MIN_MS = 6.0
THRESHOLD_MAX_MS = 600.0
K_UP = 0.0087
K_DOWN = 0.039
ADAPT_MAX_MS = 15.0
"""A trend further from the threshold than this is a sudden jump of the route: the threshold does not follow it."""
OVERUSE_MS = 10.0
"""A trend above the threshold counts after this long."""


class Usage(StrEnum):
    """What the delay says about the bottleneck."""

    NORMAL = "normal"
    """Its queue neither grows nor drains."""
    OVERUSE = "overuse"
    """Its queue grows: more is sent than passes."""
    UNDERUSE = "underuse"
    """Its queue drains."""


class DelayTrend:
    """Least squares over smoothed, accumulated delay, against a threshold that adapts.

    The threshold follows the trend slowly upwards, so that a flow which fills queues by loss (TCP) does not
    starve this one, and quickly downwards.

    Source: draft-ietf-rmcat-gcc-02, sections 5.3 to 5.5; Carlucci et al., "Analysis and design of the Google
    congestion control for WebRTC" (2016), with the trendline filter and the constants of WebRTC.
    """

    def __init__(self) -> None:
        self.usage = Usage.NORMAL
        self.threshold_ms = THRESHOLD_MS
        self._times_ms: deque[float] = deque(maxlen=WINDOW)
        self._delays_ms: deque[float] = deque(maxlen=WINDOW)
        self._samples = 0
        self._now_ms = 0.0
        self._accumulated_ms = 0.0
        self._smoothed_ms = 0.0
        self._trend = 0.0
        self._over_ms: float | None = None
        self._over_count = 0
        self._adapted_ms: float | None = None

    def add(self, sent_delta_us: int, arrival_delta_us: int) -> Usage:
        """Take one group; both steps are against the group before."""
        delta_ms = (arrival_delta_us - sent_delta_us) / 1000
        self._now_ms += arrival_delta_us / 1000
        self._samples = min(self._samples + 1, SAMPLES_MAX)
        self._accumulated_ms += delta_ms
        self._smoothed_ms = SMOOTHING * self._smoothed_ms + (1 - SMOOTHING) * self._accumulated_ms
        self._times_ms.append(self._now_ms)
        self._delays_ms.append(self._smoothed_ms)
        while len(self._times_ms) > WINDOW_MIN and self._now_ms - self._times_ms[0] > WINDOW_MS:
            self._times_ms.popleft()
            self._delays_ms.popleft()
        trend = self._slope() if len(self._times_ms) >= WINDOW_MIN else self._trend
        self._judge(trend, sent_delta_us / 1000)
        return self.usage

    def _slope(self) -> float:
        # Sums in C over twenty numbers at most; times from the oldest on, so that squares stay precise for hours.
        origin = self._times_ms[0]
        times = [one - origin for one in self._times_ms]
        delays = self._delays_ms
        count = len(times)
        sum_t = sum(times)
        squares: float = sum(map(mul, times, times))
        products: float = sum(map(mul, times, delays))
        spread = count * squares - sum_t * sum_t
        if spread <= 0:
            return self._trend
        return (count * products - sum_t * sum(delays)) / spread

    def _judge(self, trend: float, sent_delta_ms: float) -> None:
        modified_ms = self._samples * trend * GAIN
        if modified_ms > self.threshold_ms:
            self._over_ms = sent_delta_ms / 2 if self._over_ms is None else self._over_ms + sent_delta_ms
            self._over_count += 1
            if self._over_ms > OVERUSE_MS and self._over_count > 1 and trend >= self._trend:
                self._over_ms = 0.0
                self._over_count = 0
                self.usage = Usage.OVERUSE
        else:
            self._over_ms = None
            self._over_count = 0
            self.usage = Usage.UNDERUSE if modified_ms < -self.threshold_ms else Usage.NORMAL
        self._trend = trend
        self._adapt(modified_ms)

    def _adapt(self, modified_ms: float) -> None:
        elapsed_ms = min(self._now_ms - self._adapted_ms, 100.0) if self._adapted_ms is not None else 0.0
        self._adapted_ms = self._now_ms
        size_ms = abs(modified_ms)
        if size_ms > self.threshold_ms + ADAPT_MAX_MS:
            return
        speed = K_DOWN if size_ms < self.threshold_ms else K_UP
        moved_ms = self.threshold_ms + speed * (size_ms - self.threshold_ms) * max(0.0, elapsed_ms)
        self.threshold_ms = min(max(moved_ms, THRESHOLD_MIN_MS), THRESHOLD_MAX_MS)
