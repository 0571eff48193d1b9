"""Puts packets of sound back into order. Pure: the time comes in as an argument, in milliseconds.

A missing packet is taken out of the one behind it where it stands there too (redundancy),
or asked for; it is waited for as long as that can help, and never longer than 60 ms.
"""

from collections.abc import Callable

from agent.capture.frame import BLOCK_SAMPLES
from agent.stream.jitter import LATE_MAX, Packet, Unwrap
from agent.stream.missing import ArrivalJitter, Missing
from agent.stream.redundancy import parted

WAIT_MAX_MS = 60.0
"""Sound waits this long for a missing packet, then goes on without it."""
WAIT_MIN_MS = 20.0
GAP_MAX = 10
"""More packets than this lost in one go (200 ms) are not waited for."""


class SoundJitter:
    """Packets of one sound track in order; None stands for 20 ms that never came."""

    def __init__(self, round_trip_ms: Callable[[], float | None] = lambda: None) -> None:
        self.lost = 0
        """Packets that neither came in time nor were recovered."""
        self.recovered = 0
        """Lost packets that a repetition or the packet behind them brought back in time."""
        self._missing = Missing(WAIT_MAX_MS, round_trip_ms)
        self._jitter = ArrivalJitter(48)
        self._unwrap = Unwrap()
        self._held: dict[int, Packet] = {}
        self._next: int | None = None
        self._highest = -1
        self._late = 0

    @property
    def troubled(self) -> bool:
        """Whether something is missing."""
        return bool(self._held)

    @property
    def wait_ms(self) -> float:
        """How long a missing packet is waited for: as long as a repetition may come, or only for an overtaken one."""
        if self._missing.trip_ms <= WAIT_MAX_MS:
            return WAIT_MAX_MS
        return min(WAIT_MAX_MS, WAIT_MIN_MS + 2 * self._jitter.ms)

    def add(self, packet: Packet, now_ms: float) -> list[Packet | None]:
        """Take a packet; return what may be heard now, in order."""
        sequence = self._unwrap(packet.sequence)
        if self._next is None or self._far_behind(sequence):
            self._begin_at(sequence)
        done: list[Packet | None] = []
        payload, previous = parted(packet.payload)
        if previous is not None:
            packet = Packet(packet.sequence, packet.timestamp, packet.marker, payload, packet.capture_ntp)
        if sequence > self._highest:
            self._jitter.add(packet.timestamp, now_ms)
            self._open_gap(sequence, now_ms, done)
        elif self._missing and self._missing.came(sequence, now_ms):
            self.recovered += sequence >= (self._next or 0)
        if previous is not None:
            self._take_previous(packet, sequence, previous)
        self._put(sequence, packet)
        self._release(done)
        return done

    def tick(self, now_ms: float) -> list[Packet | None]:
        """Go on without what has been waited for long enough."""
        done: list[Packet | None] = []
        wait_ms = self.wait_ms if self._held else 0.0
        while self._held and self._next is not None:
            since_ms = self._missing.since_ms(self._next)
            if since_ms is not None and now_ms - since_ms < wait_ms:
                break
            self.lost += 1
            self._next += 1
            done.append(None)
            self._release(done)
        if done and self._next is not None:
            self._missing.forget_before(self._next)
        return done

    def nacks(self, now_ms: float) -> list[int]:
        """Sequence numbers (16 bit) to ask for now; none where the answer would come too late."""
        due = self._missing.due(now_ms)
        return [one & 0xFFFF for one in due] if self._missing.trip_ms <= WAIT_MAX_MS else []

    def _far_behind(self, sequence: int) -> bool:
        behind = self._next is not None and sequence < self._next
        self._late = self._late + 1 if behind else 0
        return self._late > LATE_MAX

    def _begin_at(self, sequence: int) -> None:
        self._held.clear()
        self._missing.forget_before(max(sequence, self._highest + 1))
        self._next = sequence
        self._highest = sequence - 1
        self._late = 0

    def _open_gap(self, sequence: int, now_ms: float, done: list[Packet | None]) -> None:
        """Everything between the newest packet so far and this one is missing."""
        lost = sequence - self._highest - 1
        if lost > GAP_MAX:
            # The link was away: what is heard now matters more than what was said meanwhile.
            first = self._next or 0
            for at in range(first, self._highest + 1):
                packet = self._held.pop(at, None)
                self.lost += packet is None
                done.append(packet)
            self.lost += lost
            done += [None] * GAP_MAX
            self._missing.forget_before(sequence)
            self._next = sequence
        elif lost:
            self._missing.gap(self._highest + 1, sequence, now_ms)
        self._highest = sequence

    def _take_previous(self, packet: Packet, sequence: int, previous: bytes) -> None:
        before = sequence - 1
        if self._missing.since_ms(before) is None or before in self._held:
            return
        timestamp = (packet.timestamp - BLOCK_SAMPLES) & 0xFFFF_FFFF
        self._put(before, Packet(before & 0xFFFF, timestamp, marker=False, payload=previous))
        self._missing.drop(before)
        self.recovered += 1

    def _put(self, sequence: int, packet: Packet) -> None:
        if self._next is not None and sequence >= self._next:
            self._held.setdefault(sequence, packet)

    def _release(self, done: list[Packet | None]) -> None:
        while self._next is not None and (packet := self._held.pop(self._next, None)) is not None:
            done.append(packet)
            self._next += 1
