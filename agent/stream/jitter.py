"""Puts RTP packets of pictures back into order. Pure: the time comes in as an argument, in milliseconds.

Pictures are released at the marker bit, not at the first packet of the next one: that is
a frame interval less of delay. Missing packets are asked for again and again. A picture that
stays incomplete for too long makes a keyframe wanted, and whichever comes first, the packet
or the keyframe, lets the stream go on.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.encode import h264
from agent.stream.missing import ArrivalJitter, Missing

PATIENCE_MIN_MS = 200.0
PATIENCE_MAX_MS = 600.0
"""A picture that is incomplete for this long makes a keyframe wanted, however long the round trip."""
PATIENCE_TRIPS = 3.0
LIFE_MS = 1000.0
"""A missing packet is given up after this, and everything before the next keyframe with it."""
KEYFRAME_GAP_MS = 300.0
"""Keyframes are asked for at most this often."""
CAPACITY = 2048
"""Packets held behind a missing one; more means that the stream is beyond repair and starts over."""
GAP_MAX = 512
"""More packets than this lost in one go are not asked for: only a keyframe helps."""
LATE_MAX = 256
"""So many packets in a row from the past mean that the sender began to count anew."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet of interest."""

    sequence: int
    timestamp: int
    marker: bool
    payload: bytes
    capture_ntp: int | None = None
    """abs-capture-time, 32.32 fixed point seconds; None where the packet carries none."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One complete picture."""

    timestamp: int
    payloads: list[bytes]
    keyframe: bool
    capture_ntp: int | None


class Unwrap:
    """Makes 16-bit sequence numbers ever-growing."""

    def __init__(self) -> None:
        self._last: int | None = None

    def __call__(self, sequence: int) -> int:
        """The sequence number nearest to the last one that ends in these 16 bits."""
        last = self._last
        if last is None:
            self._last = sequence
            return sequence
        ahead = (sequence - last) & 0xFFFF
        if ahead < 0x8000:
            self._last = last + ahead
            return last + ahead
        return last + ahead - 0x10000


class PictureJitter:
    """Packets of one video track to pictures, in decoding order, beginning with a keyframe."""

    def __init__(self, round_trip_ms: Callable[[], float | None] = lambda: None) -> None:
        self.skipped = 0
        """Times the stream was skipped ahead to a keyframe."""
        self._missing = Missing(LIFE_MS, round_trip_ms)
        self._jitter = ArrivalJitter(90)
        self._unwrap = Unwrap()
        self._open: list[Packet] = []
        self._held: dict[int, Packet] = {}
        self._key_starts: deque[int] = deque()
        self._next: int | None = None
        self._highest = -1
        self._late = 0
        self._clean = False
        self._needs_keyframe = True
        self._asked_keyframe_ms = -1e9

    @property
    def troubled(self) -> bool:
        """Whether `nacks` and `keyframe_due` may have something to say."""
        return self._needs_keyframe or bool(self._held)

    @property
    def patience_ms(self) -> float:
        """How long a picture may stay incomplete before a keyframe is wanted instead."""
        wanted = PATIENCE_TRIPS * self._missing.trip_ms + self._jitter.ms
        return min(PATIENCE_MAX_MS, max(PATIENCE_MIN_MS, wanted))

    def add(self, packet: Packet, now_ms: float) -> list[Picture]:
        """Take a packet; return the pictures that are complete now, in order."""
        sequence = self._unwrap(packet.sequence)
        if self._next is None:
            self._next = sequence
            self._highest = sequence - 1
        if sequence < self._next:
            return self._add_late(packet, sequence, now_ms)
        self._late = 0
        if sequence > self._highest:
            lost = sequence - self._highest - 1
            if lost > GAP_MAX or len(self._held) >= CAPACITY or len(self._open) >= CAPACITY:
                return self._begin_at(packet, sequence, now_ms)
            if lost:
                self._missing.gap(self._highest + 1, sequence, now_ms)
            self._highest = sequence
        elif self._missing:
            self._missing.came(sequence, now_ms)
        done: list[Picture] = []
        if sequence == self._next:
            self._take(packet, now_ms, done)
            if self._held:
                self._drain(now_ms, done)
        elif sequence not in self._held:
            self._hold(packet, sequence, now_ms, done)
        return done

    def tick(self, now_ms: float) -> list[Picture]:
        """Go on past what has been waited for long enough; return the pictures that this sets free."""
        done: list[Picture] = []
        blocked_ms = self._blocked_ms(now_ms)
        if blocked_ms >= self.patience_ms and self._key_starts:
            self._jump(self._key_starts[-1], now_ms, done)
        elif blocked_ms >= LIFE_MS:
            self._give_up(now_ms, done)
        return done

    def nacks(self, now_ms: float) -> list[int]:
        """Sequence numbers (16 bit) to ask for now."""
        return [sequence & 0xFFFF for sequence in self._missing.due(now_ms)]

    def keyframe_due(self, now_ms: float) -> bool:
        """Whether to ask for a keyframe now; True at most once each `KEYFRAME_GAP_MS`."""
        if now_ms - self._asked_keyframe_ms < max(KEYFRAME_GAP_MS, PATIENCE_TRIPS * self._missing.trip_ms / 2):
            return False
        # A keyframe that is on its way is not asked for again: on a narrow link that would make it worse.
        coming = bool(self._open) if self._needs_keyframe else True
        if coming and (self._key_starts or self._blocked_ms(now_ms) < self.patience_ms):
            return False
        self._asked_keyframe_ms = now_ms
        return True

    def require_keyframe(self) -> None:
        """The decoder lost its thread: nothing is of use before the next keyframe."""
        self._needs_keyframe = True

    def _blocked_ms(self, now_ms: float) -> float:
        """How long the packet that is needed next has been missing; 0 where none is."""
        if not self._held or self._next is None:
            return 0.0
        since_ms = self._missing.since_ms(self._next)
        return now_ms - since_ms if since_ms is not None else 0.0

    def _take(self, packet: Packet, now_ms: float, done: list[Picture]) -> None:
        """The packet that was needed next."""
        self._next = (self._next or 0) + 1
        if self._open and packet.timestamp != self._open[0].timestamp:
            self._emit(now_ms, done)  # a sender that sets no marker bits
        if self._needs_keyframe and not self._open and not _begins_keyframe(packet, after_end=self._clean):
            self._clean = packet.marker
            return
        self._open.append(packet)
        if packet.marker:
            self._emit(now_ms, done)

    def _drain(self, now_ms: float, done: list[Picture]) -> None:
        while self._next is not None and (packet := self._held.pop(self._next, None)) is not None:
            self._take(packet, now_ms, done)
        while self._key_starts and self._next is not None and self._key_starts[0] < self._next:
            self._key_starts.popleft()

    def _hold(self, packet: Packet, sequence: int, now_ms: float, done: list[Picture]) -> None:
        """A packet behind a missing one."""
        self._held[sequence] = packet
        before = self._held.get(sequence - 1)
        if not _begins_keyframe(packet, after_end=before is not None and before.marker):
            return
        if self._needs_keyframe and not self._open:
            self._jump(sequence, now_ms, done)
        elif not self._key_starts or sequence > self._key_starts[-1]:
            self._key_starts.append(sequence)

    def _emit(self, now_ms: float, done: list[Picture]) -> None:
        packets, self._open = self._open, []
        self._clean = True
        first = packets[0]
        self._jitter.add(first.timestamp, now_ms)
        keyframe = _is_keyframe(packets)
        if self._needs_keyframe and not keyframe:
            return
        self._needs_keyframe = False
        stamps = (one.capture_ntp for one in packets if one.capture_ntp is not None)
        done.append(Picture(first.timestamp, [one.payload for one in packets], keyframe, next(stamps, None)))

    def _jump(self, start: int, now_ms: float, done: list[Picture]) -> None:
        """Go on at a keyframe; what stands before it is dropped."""
        if not self._needs_keyframe:
            self.skipped += 1
        for sequence in range(self._next or 0, start):
            self._held.pop(sequence, None)
        self._missing.forget_before(start)
        self._open = []
        self._next = start
        self._needs_keyframe = True
        self._clean = True
        self._drain(now_ms, done)

    def _give_up(self, now_ms: float, done: list[Picture]) -> None:
        """What is missing will not come; nothing is of use before the next keyframe."""
        if not self._needs_keyframe:
            self.skipped += 1
        self._needs_keyframe = True
        self._clean = False
        self._open = []
        at = self._next or 0
        while (since_ms := self._missing.since_ms(at)) is not None and now_ms - since_ms >= LIFE_MS:
            at += 1
        self._missing.forget_before(at)
        self._next = at
        self._drain(now_ms, done)

    def _add_late(self, packet: Packet, sequence: int, now_ms: float) -> list[Picture]:
        self._late += 1
        if self._late <= LATE_MAX:
            return []
        self._unwrap = Unwrap()
        return self._begin_at(packet, self._unwrap(sequence & 0xFFFF), now_ms)

    def _begin_at(self, packet: Packet, sequence: int, now_ms: float) -> list[Picture]:
        """Forget everything before this packet."""
        if not self._needs_keyframe:
            self.skipped += 1
        self._held.clear()
        self._key_starts.clear()
        self._missing.forget_before(max(sequence, self._highest + 1))
        self._open = []
        self._late = 0
        self._needs_keyframe = True
        self._clean = False
        self._next = self._highest = sequence
        done: list[Picture] = []
        self._take(packet, now_ms, done)
        return done


def _begins_keyframe(packet: Packet, *, after_end: bool) -> bool:
    """Whether a keyframe can be decoded from this packet on.

    Args:
        packet: the packet.
        after_end: whether the packet before it is known to have ended a picture; a slice
            alone may be one whose parameter sets are lost.
    """
    return _is_keyframe((packet,), idr_alone=after_end)


def _is_keyframe(packets: Sequence[Packet], *, idr_alone: bool = True) -> bool:
    """Whether decoding can begin here: with parameter sets or an IDR, and with the first slice of a picture.

    Args:
        packets: a picture, or its beginning.
        idr_alone: whether an IDR will do without parameter sets before it.
    """
    parameters = False
    for packet in packets:
        for head in _heads(packet):
            kind = h264.nal_type(head)
            if h264.is_slice(head):
                return (parameters or (idr_alone and kind == h264.NAL_IDR)) and h264.is_first_slice(head)
            parameters = parameters or kind == h264.NAL_SPS
    return parameters


def _heads(packet: Packet) -> list[bytes]:
    try:
        return h264.heads(packet.payload)
    except ValueError:
        return []
