"""The hub's clock: UTC that never steps while the hub runs."""

import time
from collections.abc import Callable


class HubClock:
    """Hub UTC: the wall clock at start plus monotonic time since.

    Session time hangs on it, so a step of the wall clock (NTP, an operator) must not
    move a running lesson; it takes effect when the hub is started next. Thread-safe.

    Args:
        wall_ns: the wall clock, in ns; read once.
        mono_ns: the monotonic clock, in ns.
    """

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, mono_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._mono_ns = mono_ns
        self._anchor_ns = wall_ns() - mono_ns()

    def now_ns(self) -> int:
        """Hub UTC in nanoseconds."""
        return self._anchor_ns + self._mono_ns()

    def now(self) -> float:
        """Hub UTC in seconds."""
        return self.now_ns() / 1e9
