"""When the next picture or block is due, on an absolute schedule that never drifts."""

import threading
from collections.abc import Callable, Iterator
from time import monotonic_ns

from agent.capture.frame import BLOCK_SAMPLES, SOUND_RATE_HZ

NS_A_SECOND = 1_000_000_000
BLOCK_NS = NS_A_SECOND * BLOCK_SAMPLES // SOUND_RATE_HZ
MonotonicNs = Callable[[], int]
"""Reads the monotonic clock, in nanoseconds."""


class Pace:
    """Tick n is due at `start_ns + n / rate_hz`, however late the ticks before it were.

    Pictures skip ticks that were missed whole (an old picture helps nobody); sound
    must not, because its blocks follow each other without a hole.
    """

    def __init__(self, rate_hz: float, start_ns: int, *, skips: bool = True, clock: MonotonicNs = monotonic_ns) -> None:
        if rate_hz <= 0:
            raise ValueError(f"a pace needs a rate above 0 Hz, not {rate_hz}")
        self._rate_hz = rate_hz
        self._start_ns = start_ns
        self._skips = skips
        self._clock = clock
        self._tick = 0
        self.skipped = 0
        """Ticks left out because they were missed whole."""

    def due_ns(self, tick: int) -> int:
        """When `tick` is due, on the monotonic clock."""
        return self._start_ns + round(tick * NS_A_SECOND / self._rate_hz)

    def join(self) -> None:
        """Begin with the tick that is due next; for a schedule that began before its first reader."""
        late_ns = self._clock() - self._start_ns
        self._tick = max(self._tick, int(-(-late_ns * self._rate_hz // NS_A_SECOND)))

    def take(self, now_ns: int) -> tuple[int, int]:
        """The tick to serve next and when it is due; moves on by one.

        A pace that skips never returns a tick whose successor is already due at `now_ns`.
        """
        tick = self._tick
        if self._skips:
            newest = int((now_ns - self._start_ns) * self._rate_hz // NS_A_SECOND)
            if newest > tick:
                # A schedule joined late (a generator begun again) is not a missed one.
                self.skipped += newest - tick if tick else 0
                tick = newest
        self._tick = tick + 1
        return tick, self.due_ns(tick)

    def wait(self, stop: threading.Event) -> tuple[int, int] | None:
        """Block until the next tick is due; None as soon as `stop` is set.

        Returns:
            The tick's number and its due time in nanoseconds of the monotonic clock.
        """
        tick, due_ns = self.take(self._clock())
        return (tick, due_ns) if wait_until(due_ns, stop, self._clock) else None


class CommonStart:
    """One time zero for the picture and the sound of one source: whoever begins first sets it."""

    def __init__(self, clock: MonotonicNs = monotonic_ns) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._start_ns: int | None = None

    def get(self) -> int:
        """Time zero, in nanoseconds of the monotonic clock."""
        with self._lock:
            if self._start_ns is None:
                self._start_ns = self._clock()
            return self._start_ns


def wait_until(due_ns: int, stop: threading.Event, clock: MonotonicNs = monotonic_ns) -> bool:
    """Block until `due_ns`; False as soon as `stop` is set."""
    while (left_ns := due_ns - clock()) > 0:
        # An Event cannot wait for longer than a few decades, and need not.
        if stop.wait(min(left_ns / NS_A_SECOND, 3600.0)):
            return False
    return not stop.is_set()


def block_times(start_ns: int, stop: threading.Event) -> Iterator[tuple[int, int]]:
    """Numbers of 20 ms blocks since `start_ns` and when their first sample was captured.

    Blocks come when they are over, none is left out; begun late, the first is the one being heard now.
    """
    pace = Pace(NS_A_SECOND / BLOCK_NS, start_ns + BLOCK_NS, skips=False)
    pace.join()
    while (due := pace.wait(stop)) is not None:
        yield due[0], due[1] - BLOCK_NS
