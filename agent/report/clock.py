"""The agent's one clock against the hub: thread-safe, remembered over a restart of the service."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from agent.platform import replace_file
from contract.clock import ClockMap, ClockRecord, Exchange, Segment
from contract.signal import ClockReply

log = logging.getLogger(__name__)

SEGMENTS_KEPT = 2000
"""Pieces of the map kept; more than a day of lessons."""
ASKED_KEPT = 32
"""Questions whose answers may still come."""
WALL_ERROR_NS = 2_000_000_000
"""Error claimed for the wall clock where the hub was never heard."""


class HubClock:
    """Maps this device's monotonic clock to hub UTC; any thread may ask (`contract.clock.SessionClock`)."""

    def __init__(
        self,
        path: Path,
        boot: str,
        *,
        mono_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Go on from what `path` holds of this boot, or begin with the wall clock and a large error."""
        self._path = path
        self._boot = boot
        self._mono_ns = mono_ns
        self._wall_ns = wall_ns
        self._lock = threading.Lock()
        self._asked: OrderedDict[int, None] = OrderedDict()
        self._map = self._held() or ClockMap.from_wall(boot, mono_ns(), wall_ns(), WALL_ERROR_NS)

    @property
    def heard(self) -> bool:
        """Whether the hub was ever heard in this boot; until then the wall clock stands in."""
        with self._lock:
            return self._map.source != "wall"

    def now(self) -> float:
        """Hub UTC now, in seconds."""
        return self.hub_ns(self._mono_ns()) / 1e9

    def heard_now(self) -> float | None:
        """Hub UTC now, in seconds; None where the hub was never heard in this boot."""
        return self.now() if self.heard else None

    def hub_ns(self, mono_ns: int) -> int:
        """Hub UTC in ns at `mono_ns` of this device's monotonic clock."""
        with self._lock:
            return self._map.hub_ns(mono_ns)

    def error_ns(self, mono_ns: int) -> int:
        """Bound of the error of `hub_ns`, in ns."""
        with self._lock:
            return self._map.error_ns(mono_ns)

    def record(self) -> ClockRecord:
        """A copy of the map, for a package."""
        with self._lock:
            return self._map.record()

    def ask(self) -> int:
        """Begin an exchange: the `t1_ns` to send."""
        t1 = self._mono_ns()
        with self._lock:
            self._asked[t1] = None
            while len(self._asked) > ASKED_KEPT:
                self._asked.popitem(last=False)
        return t1

    def answer(self, reply: ClockReply, t4_ns: int) -> bool:
        """Take the hub's reply that arrived at `t4_ns`; False where we did not ask, or asked and heard already."""
        with self._lock:
            if reply.t1_ns not in self._asked:
                return False
            del self._asked[reply.t1_ns]
            try:
                self._map.add(Exchange(t1=reply.t1_ns, t2=reply.t2_ns, t3=reply.t3_ns, t4=t4_ns))
            except ValueError as error:
                log.warning("a clock reply of the hub is left out: %s", error)
                return False
            del self._map.segments[:-SEGMENTS_KEPT]
        return True

    def follow_wall(self) -> None:
        """Where the hub was never heard: take a new bearing when somebody has set the wall clock.

        A machine that starts in 1970 and hears a time server a minute later would
        otherwise miss every lesson it holds an order for.
        """
        with self._lock:
            mono, wall = self._mono_ns(), self._wall_ns()
            if self._map.source != "wall" or abs(self._map.hub_ns(mono) - wall) < WALL_ERROR_NS:
                return
            log.warning("the wall clock was set and the hub was never heard: session time moves with it")
            self._map.segments.append(Segment(mono_ns=mono, there_ns=wall, error_ns=WALL_ERROR_NS))

    def save(self) -> None:
        """Remember the map for a restart of the service in this boot.

        Raises:
            OSError: the disk is full; what was there is kept.
        """
        record = self.record()
        if record.source == "wall":
            return
        short = record.model_copy(update={"segments": record.segments[-100:], "exchanges": record.exchanges[-100:]})
        replace_file(self._path, short.model_dump_json().encode())

    def _held(self) -> ClockMap | None:
        try:
            record = ClockRecord.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError):
            log.warning("%s cannot be used; the clock begins anew", self._path)
            return None
        if record.boot != self._boot or not record.segments:
            return None
        return ClockMap.from_record(record)
