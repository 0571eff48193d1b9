"""The clock between two rooms: four-timestamp exchanges over a data channel.

Each side asks; the answer carries the other's monotonic clock and the anchor of its
capture stamps, so that a picture's age is known within half the least round trip.
"""

import json
import logging
import time
from collections.abc import Callable

from agent.stream.mediaclock import ntp_to_ns
from contract.clock import ClockMap, Exchange

log = logging.getLogger(__name__)

BURST = 5
"""Questions asked at once when the channel opens."""
INTERVAL_S = 2.0
"""Between later questions."""
LINE_MAX = 500
"""A message of more characters is none of ours."""


class RoomClock:
    """Knows another room's monotonic clock. Feed it what arrives; it sends through `send`."""

    def __init__(
        self, anchor_ns: int, send: Callable[[str], object], mono_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._anchor_ns = anchor_ns
        self._send = send
        self._mono_ns = mono_ns
        self._map = ClockMap(boot="peer")
        self._peer_anchor_ns: int | None = None

    def ask(self) -> None:
        """Send one question."""
        self._send(json.dumps({"ask": self._mono_ns()}))

    def take(self, line: str) -> None:
        """Take one message of the other side; what cannot be read is dropped."""
        here = self._mono_ns()
        if len(line) > LINE_MAX:
            return
        try:
            message = json.loads(line)
            if "ask" in message:
                self._send(
                    json.dumps(
                        {"t1": int(message["ask"]), "t2": here, "t3": self._mono_ns(), "anchor": self._anchor_ns}
                    )
                )
                return
            self._peer_anchor_ns = int(message["anchor"])
            self._map.add(Exchange(t1=int(message["t1"]), t2=int(message["t2"]), t3=int(message["t3"]), t4=here))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            log.info("a clock message could not be read: %s", error)

    def age_ns(self, capture_ntp: int, mono_ns: int) -> tuple[int, int] | None:
        """How long ago, at `mono_ns` of this room, the other room captured what it stamped.

        Returns:
            (age, bound of its error), in ns; None before the first exchange.
        """
        if self._peer_anchor_ns is None or not self._map.known:
            return None
        captured = ntp_to_ns(capture_ntp) - self._peer_anchor_ns
        return self._map.hub_ns(mono_ns) - captured, self._map.error_ns(mono_ns)

    def here_ns(self, there_ns: int) -> int | None:
        """The moment on this room's monotonic clock, in ns, of one on the other's; None before the first exchange."""
        if not self._map.known:
            return None
        now = self._mono_ns()
        here = there_ns - (self._map.hub_ns(now) - now)
        return here - (self._map.hub_ns(here) - there_ns)  # the clocks drift: what held then, not now

    @property
    def error_ns(self) -> int | None:
        """Bound of the error of the other room's clock now, in ns; None before the first exchange."""
        return self._map.error_ns(self._mono_ns()) if self._map.known else None
