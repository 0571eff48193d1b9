"""The lines that two rooms exchange over a data channel.

Four kinds: questions about the other's clock and their answers, how each judges the link,
how late each one's event loop is, and who speaks in each room (`agent.stream.voicetalk`). What
cannot be read is dropped, so either side may learn new kinds.
"""

import asyncio
import json
import math
import time
from collections.abc import Callable
from typing import Any, Protocol

from agent.stream.ladder import Told
from agent.stream.roomclock import BURST, INTERVAL_S, LINE_MAX, RoomClock
from agent.stream.voicetalk import PREFIX

CHANNEL = "clock"
"""The channel's label. It says less than it carries now, and stays what other rooms know."""
BURST_GAP_S = 0.1
"""Between the first questions, while the clock is not known yet."""
TELL_S = 0.5
"""How often the other side is told how we judge the link."""
TOLD_S = 2.0
"""What the other side told counts for this long."""
BUFFERED_MAX_BYTES = 4096
"""While so much waits to leave, lines are dropped: they would be old when they arrive."""
_LAG = '{"lag_ms"'


class Channel(Protocol):
    """What is needed of a data channel (aiortc.RTCDataChannel)."""

    @property
    def readyState(self) -> str:  # noqa: N802 - aiortc's name
        """`open` while lines can be sent."""

    @property
    def bufferedAmount(self) -> int:  # noqa: N802 - aiortc's name
        """Bytes that wait to leave."""

    def send(self, data: str) -> None:
        """Send one line; raises where the channel is not open."""

    def on(self, event: str, f: Callable[[object], None]) -> Any:
        """Have `f` called with each line, for the event `message`."""


class RoomLine:
    """One end of the channel with one other room."""

    def __init__(
        self,
        anchor_ns: int,
        on_lag: Callable[[float], None],
        mono_ns: Callable[[], int] = time.monotonic_ns,
        on_voices: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """No channel yet.

        Args:
            anchor_ns: of this device's capture stamps, see `RoomClock`.
            on_lag: told how late the other end's event loop is, in ms: what it reports of arrivals is late by as much.
            mono_ns: this device's monotonic clock.
            on_voices: takes lines about who speaks in the other room.
        """
        self.clock = RoomClock(anchor_ns, self._send, mono_ns)
        """The other room's clock."""
        self._on_lag = on_lag
        self._on_voices = on_voices
        self._mono_ns = mono_ns
        self._channel: Channel | None = None
        self._told: Told | None = None
        self._told_ns = 0
        self._telling: Told | None = None
        self._telling_ns = 0

    @property
    def told(self) -> Told | None:
        """How the other room judges the link; None where it told nothing lately."""
        return self._told if self._mono_ns() - self._told_ns < TOLD_S * 1e9 else None

    def open(self, channel: Channel) -> bool:
        """Use this channel; False where there is one already: a room opens one and no more."""
        if self._channel is not None:
            return False
        self._channel = channel
        channel.on("message", self.take)
        return True

    async def run(self) -> None:
        """Ask for the other room's clock, often at first, until cancelled."""
        asked = 0
        while True:
            if self._is_open():
                self.clock.ask()
                asked += 1
            await asyncio.sleep(BURST_GAP_S if asked < BURST else INTERVAL_S)

    def tell(self, told: Told, lag_ms: float | None) -> None:
        """Tell how we judge the link: at once where that is new, else now and then.

        Args:
            told: our judgement.
            lag_ms: how late our event loop is; None where that is not known yet.
        """
        now = self._mono_ns()
        if told == self._telling and now - self._telling_ns < TELL_S * 1e9:
            return
        self._telling, self._telling_ns = told, now
        self._send(told.line())
        if lag_ms is not None:
            self._send(json.dumps({"lag_ms": round(lag_ms, 1)}))

    def say(self, line: str) -> bool:
        """Send one line of somebody else's; False where it cannot leave now."""
        return self._send(line)

    def take(self, line: object) -> None:
        """Take one line of the other side."""
        if not isinstance(line, str) or len(line) > LINE_MAX:
            return
        told = Told.read(line)
        if told is not None:
            self._told, self._told_ns = told, self._mono_ns()
        elif line.startswith(_LAG):
            self._take_lag(line)
        elif line.startswith(PREFIX):
            self._on_voices(line)
        else:
            self.clock.take(line)

    def _take_lag(self, line: str) -> None:
        try:
            lag_ms = float(json.loads(line)["lag_ms"])
        except (ValueError, KeyError, TypeError, OverflowError):
            return
        if math.isfinite(lag_ms):
            self._on_lag(max(0.0, lag_ms))

    def _is_open(self) -> bool:
        return self._channel is not None and self._channel.readyState == "open"

    def _send(self, line: str) -> bool:
        if self._channel is None or not self._is_open() or self._channel.bufferedAmount > BUFFERED_MAX_BYTES:
            return False
        self._channel.send(line)
        return True
