"""Which packets of a track are missing, and when to ask for each. Pure: times are arguments, in milliseconds.

The first request goes out at once, unless packets of this track have been seen to overtake
each other; further ones are timed by what a retransmission takes. Nothing here looks at
all that is missing: a heap knows what is due next.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass

RETRY_MIN_MS = 20.0
RETRY_TRIPS = 1.2
"""A packet is asked for again after this many round trips, and what they vary by."""
URGENT_TRIES = 2
"""A packet asked for so often holds everything up: from here on it is asked for twice as often."""
TRIP_GUESS_MS = 60.0
"""What a retransmission is thought to take before anything has been measured."""
ODD_MAX = 8
"""So many answers in a row, each too early or to one of several requests, mean that the round trip changed."""
REORDER_MAX_MS = 40.0
"""Later than this is lost, not overtaken."""
REORDER_FADE = 0.95
"""How much of the memory of overtaken packets stays, a gap."""
_SMOOTH = 0.125


@dataclass(slots=True)
class _Wanted:
    since_ms: float
    tries: int = 0
    first_ms: float = 0.0


def _unknown() -> float | None:
    return None


class Missing:
    """The missing packets of one track, by ever-growing sequence number."""

    def __init__(self, life_ms: float, round_trip_ms: Callable[[], float | None] = _unknown) -> None:
        """Nothing is missing.

        Args:
            life_ms: how long a packet is asked for.
            round_trip_ms: the round trip as RTCP measured it; None while it is not known.
        """
        self.reorder_ms = 0.0
        """How late overtaken packets came; the first request waits for as long."""
        self._life_ms = life_ms
        self._round_trip_ms = round_trip_ms
        self._wanted: dict[int, _Wanted] = {}
        self._due: list[tuple[float, int]] = []
        self._trip_ms: float | None = None
        self._vary_ms = 0.0
        self._odd = 0
        self._odd_ms = -1.0

    def __len__(self) -> int:
        """How many packets are missing."""
        return len(self._wanted)

    @property
    def trip_ms(self) -> float:
        """What a retransmission takes, from the request to its arrival."""
        told = self._round_trip_ms()
        if self._trip_ms is None:
            return TRIP_GUESS_MS if told is None else told
        return self._trip_ms if told is None else max(self._trip_ms, told)

    @property
    def vary_ms(self) -> float:
        """By how much that varies."""
        return self._vary_ms

    def gap(self, first: int, end: int, now_ms: float) -> None:
        """Packets `first` to `end - 1` were expected before one that came; call with growing numbers."""
        self.reorder_ms *= REORDER_FADE
        due_ms = now_ms + self.reorder_ms
        for sequence in range(first, end):
            self._wanted[sequence] = _Wanted(now_ms)
            heapq.heappush(self._due, (due_ms, sequence))

    def came(self, sequence: int, now_ms: float) -> bool:
        """A missing packet came after all; True where that is thanks to a request."""
        wanted = self._wanted.pop(sequence, None)
        if wanted is None:
            return False
        took_ms = now_ms - wanted.first_ms
        early = wanted.tries == 1 and took_ms < 0.5 * self.trip_ms
        if not wanted.tries or early:
            self.reorder_ms = min(REORDER_MAX_MS, max(self.reorder_ms, now_ms - wanted.since_ms))
        if not wanted.tries:
            return False
        if early or wanted.tries > 1:
            # It says little how long this took: the packet was only overtaken, or it is not known
            # which request is answered. Unless there are no other answers any more.
            self._odd += wanted.first_ms != self._odd_ms
            self._odd_ms = wanted.first_ms
            if self._odd >= ODD_MAX:
                self._trip_ms = None
            if self._trip_ms is not None:
                return not early
        self._odd = 0
        self._measure(took_ms)
        return True

    def drop(self, sequence: int) -> None:
        """A packet is not missing any more, though it did not come."""
        self._wanted.pop(sequence, None)

    def due(self, now_ms: float) -> list[int]:
        """Sequence numbers to ask for now."""
        out: list[int] = []
        retry_ms = 0.0
        while self._due and self._due[0][0] <= now_ms:
            _, sequence = heapq.heappop(self._due)
            wanted = self._wanted.get(sequence)
            if wanted is None or now_ms - wanted.since_ms > self._life_ms:
                continue
            retry_ms = retry_ms or max(RETRY_MIN_MS, RETRY_TRIPS * self.trip_ms + self._vary_ms)
            wanted.tries += 1
            if wanted.tries == 1:
                wanted.first_ms = now_ms
            again_ms = retry_ms if wanted.tries < URGENT_TRIES else max(RETRY_MIN_MS, retry_ms / 2)
            heapq.heappush(self._due, (now_ms + again_ms, sequence))
            out.append(sequence)
        return out

    def since_ms(self, sequence: int) -> float | None:
        """When a packet was found missing; None where it is not."""
        wanted = self._wanted.get(sequence)
        return wanted.since_ms if wanted is not None else None

    def forget_before(self, sequence: int) -> None:
        """Packets before this one are of no use any more."""
        gone = []
        for one in self._wanted:
            if one >= sequence:
                break
            gone.append(one)
        for one in gone:
            del self._wanted[one]
        if not self._wanted:
            self._due.clear()

    def _measure(self, trip_ms: float) -> None:
        # The estimator of RFC 6298, section 2, over requests instead of segments.
        if self._trip_ms is None:
            self._trip_ms, self._vary_ms = trip_ms, trip_ms / 4
            return
        self._vary_ms += 2 * _SMOOTH * (abs(trip_ms - self._trip_ms) - self._vary_ms)
        self._trip_ms += _SMOOTH * (trip_ms - self._trip_ms)


class ArrivalJitter:
    """How unevenly a track's packets arrive (RFC 3550, section 6.4.1), in milliseconds."""

    def __init__(self, ticks_per_ms: int) -> None:
        self.ms = 0.0
        self._ticks_per_ms = ticks_per_ms
        self._last: tuple[int, float] | None = None

    def add(self, timestamp: int, now_ms: float) -> None:
        """A packet with this 32-bit timestamp came."""
        if self._last is not None:
            ticks = (timestamp - self._last[0] + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000
            moved_ms = abs(now_ms - self._last[1] - ticks / self._ticks_per_ms)
            # A pause of the sender is no jitter of the network.
            self.ms += (min(moved_ms, 1000.0) - self.ms) / 16
        self._last = (timestamp, now_ms)
