"""How many bits a second really arrive at the far end, and how long they queue on the way."""

from collections import deque

WINDOW_US = 500_000
SHORTEST_US = 150_000
"""Less than this of the stream gives no rate."""
BASE_US = 30_000_000
"""The lowest delay of the last 30 to 60 s counts as the empty path."""


RISE_US = 75_000
LEAST_WITHIN_US = 300_000
"""A machine that is busy lets some packet through in time within this."""
RISE_WITHIN_US = 500_000
"""A queue that grows by `RISE_US` within this is growing, whatever the trend says yet."""


class AcknowledgedRate:
    """Bytes that arrived over a sliding window, by the receiver's clock."""

    def __init__(self) -> None:
        self._packets: deque[tuple[int, int]] = deque()
        self._bytes = 0
        self._began_us: int | None = None

    def add(self, arrival_us: int, size_bytes: int) -> None:
        """Take a packet, in order of arrival."""
        packets = self._packets
        if self._began_us is None or (packets and arrival_us - packets[-1][0] > 2 * WINDOW_US):
            packets.clear()
            self._bytes = 0
            self._began_us = arrival_us
        packets.append((arrival_us, size_bytes))
        self._bytes += size_bytes
        oldest_us = arrival_us - WINDOW_US
        while packets[0][0] <= oldest_us:
            self._bytes -= packets.popleft()[1]

    def bps(self, window_us: int = WINDOW_US) -> float | None:
        """Bits a second over the last `window_us` (at most `WINDOW_US`); None where too little has come."""
        if self._began_us is None or not self._packets:
            return None
        newest_us = self._packets[-1][0]
        span_us = min(newest_us - self._began_us, window_us)
        if span_us < min(SHORTEST_US, window_us):
            return None
        if window_us >= WINDOW_US:
            total = self._bytes
        else:
            oldest_us = newest_us - window_us
            total = sum(size for at_us, size in self._packets if at_us > oldest_us)
        return total * 8_000_000 / span_us


class StandingQueue:
    """How much longer packets take now than over the empty path; clocks need not agree and may drift."""

    def __init__(self) -> None:
        self.queued_us = 0
        """By the fastest packet of the last feedback."""
        self.rising = False
        """Grows so fast that no trend needs to be waited for."""
        self._base_us: int | None = None
        self._next_base_us: int | None = None
        self._turned_us = 0
        self._recent: deque[tuple[int, int]] = deque()

    def update(self, fastest_us: int, now_us: int) -> None:
        """Take the lowest arrival minus sending of one feedback, each by its own clock."""
        if self._base_us is None or self._next_base_us is None:
            self._base_us = self._next_base_us = fastest_us
            self._turned_us = now_us
        elif now_us - self._turned_us > BASE_US:
            self._base_us = min(self._next_base_us, fastest_us)
            self._next_base_us = fastest_us
            self._turned_us = now_us
        self._base_us = min(self._base_us, fastest_us)
        self._next_base_us = min(self._next_base_us, fastest_us)
        before_us = self.queued_us
        self.queued_us = fastest_us - self._base_us
        recent = self._recent
        recent.append((now_us, self.queued_us))
        while recent[0][0] < now_us - RISE_WITHIN_US:
            recent.popleft()
        rise_us = self.queued_us - min(queued_us for _, queued_us in recent)
        self.rising = rise_us > RISE_US and self.queued_us > before_us

    def least_us(self, now_us: int) -> int:
        """The shortest wait within the last `LEAST_WITHIN_US`."""
        since = now_us - LEAST_WITHIN_US
        return min((queued_us for at_us, queued_us in self._recent if at_us >= since), default=0)
