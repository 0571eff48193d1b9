"""Tries a higher rate for a moment, so that a link that has become wider is used again within seconds."""

import math
from dataclasses import dataclass
from typing import NamedTuple

FACTOR = 2.0
SHORTEST_US = 60_000
LONGEST_US = 150_000
PACKETS = 5
PACKET_BITS = 1200 * 8
CALM_US = 2_000_000
"""No probe sooner than this after overuse."""
INTERVAL_US = 5_000_000
INTERVAL_MAX_US = 20_000_000
"""Each probe in vain doubles the time to the next one, up to this."""
SMALL_BPS = 500_000
SMALL_INTERVAL_US = 10_000_000
"""Below `SMALL_BPS` a probe costs little and a wider link brings much: the interval is at most this."""
HURRY = 0.3
"""When the last known capacity is left behind, the next probe comes after this share of the interval."""
ANSWER_US = 1_000_000
"""A probe that is not answered in this time plus a round trip was in vain."""
FULL = 0.9
"""Arriving at less than this of the rate of sending, the probe filled the link."""
TARGET = 0.95
RATIO_MAX = 2.0
"""Arriving at more than this of the rate of sending says that packets were held up, and nothing else."""


class Probe(NamedTuple):
    """Send at this rate for this long; make up with padding or repeated packets what media do not fill."""

    bps: int
    duration_us: int


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a probe found."""

    bps: float
    full: bool
    """Whether the link was full, so that `bps` is near its capacity."""


class Prober:
    """When to probe, and what came of it.

    Source: the idea and constants of WebRTC's ProbeController and ProbeBitrateEstimator. Probes are short and
    rare here, because at 300 kbit/s 100 ms at twice the rate already queue sound for 100 ms.
    """

    def __init__(self) -> None:
        self._begin_us = 0
        self._end_us: int | None = None
        self._bps = 0.0
        self._packets: list[tuple[int, int, int]] = []
        self._interval_us = INTERVAL_US
        self._last_us: int | None = None
        self._again = False

    def begin(self, bps: float, wanted_bps: float, now_us: int, *, surpassed: bool) -> Probe | None:
        """A probe, if it is time for one; the caller has seen that the link is calm.

        Args:
            bps: the present target.
            wanted_bps: what the sender could use.
            now_us: monotonic clock.
            surpassed: the last known capacity has been left behind.
        """
        if self._end_us is not None or bps >= TARGET * wanted_bps:
            return None
        if self._last_us is not None and not self._again:
            interval_us = min(self._interval_us, SMALL_INTERVAL_US) if bps < SMALL_BPS else self._interval_us
            wait_us = interval_us * (HURRY if surpassed else 1)
            if now_us - self._last_us < wait_us:
                return None
        self._again = False
        self._bps = min(FACTOR * bps, 1.1 * wanted_bps)
        duration_us = int(min(max(SHORTEST_US, PACKETS * PACKET_BITS * 1e6 / self._bps), LONGEST_US))
        self._begin_us = self._last_us = now_us
        self._end_us = now_us + duration_us
        self._packets = []
        return Probe(int(self._bps), duration_us)

    def request(self) -> None:
        """Let the next probe come at once: the link was away or has changed."""
        self._again = True
        self._interval_us = INTERVAL_US

    def failed(self) -> None:
        """The link is full: the probe under way and the next one can wait."""
        if self._end_us is not None:
            self._finish(None)
        self._again = False

    def disproved(self) -> None:
        """Loss came: what the last probe got through (a policer's bucket lets it) does not pass for long."""
        self.failed()
        self._interval_us = min(2 * self._interval_us, INTERVAL_MAX_US)

    def take(self, arrived: list[tuple[int, int, int]], trip_ms: float, now_us: int) -> ProbeResult | None:
        """Take packets that arrived (arrival, sending, size); return the result once it is known."""
        if self._end_us is None:
            return None
        done = now_us > self._end_us + ANSWER_US + int(trip_ms * 1000)
        for packet in arrived:
            if self._begin_us <= packet[1] <= self._end_us:
                self._packets.append(packet)
            elif packet[1] > self._end_us:
                done = True
        if not done:
            return None
        result = self._measure()
        self._finish(result)
        return result

    def _finish(self, result: ProbeResult | None) -> None:
        worked = result is not None and not result.full
        self._again = worked and result is not None and result.bps > 0.7 * self._bps
        self._interval_us = INTERVAL_US if worked else min(2 * self._interval_us, INTERVAL_MAX_US)
        self._end_us = None

    def _measure(self) -> ProbeResult | None:
        if len(self._packets) < PACKETS - 1:
            return None
        by_sending = sorted(self._packets, key=lambda one: one[1])
        total = sum(size for _, _, size in self._packets)
        sending_us = by_sending[-1][1] - by_sending[0][1]
        arriving_us = max(one[0] for one in self._packets) - min(one[0] for one in self._packets)
        if sending_us < SHORTEST_US // 3:
            return None
        sent_bps = (total - by_sending[-1][2]) * 8e6 / sending_us
        first = min(self._packets)
        arrived_bps = (total - first[2]) * 8e6 / arriving_us if arriving_us > 0 else math.inf
        if arrived_bps > RATIO_MAX * sent_bps:
            return None
        full = arrived_bps < FULL * sent_bps
        return ProbeResult(min(self._bps, TARGET * arrived_bps if full else min(arrived_bps, sent_bps)), full)
