"""Puts RTP packets back into order. Pure: the time comes in as an argument, in milliseconds.

Pictures are released at the marker bit, not at the first packet of the next one: that is
a frame interval less of delay. Missing packets are asked for again until they are too late;
what cannot be completed is skipped up to a keyframe.
"""

from dataclasses import dataclass, field

from agent.encode import h264

WAIT_MS = 350.0
"""A picture that is not complete after this is given up."""
NACK_RETRY_MS = 50.0
"""A missing packet is asked for again after this."""
NACK_TRIES = 8
KEYFRAME_GAP_MS = 300.0
"""Keyframes are asked for at most this often."""
CAPACITY = 2048
"""Packets held; more means that the stream is beyond repair and starts over."""
SOUND_WAIT_MS = 60.0
"""Sound waits this long for a missing packet, then goes on without it."""


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
        if self._last is None:
            self._last = sequence
            return sequence
        ahead = (sequence - self._last) & 0xFFFF
        extended = self._last + (ahead if ahead < 0x8000 else ahead - 0x10000)
        self._last = max(self._last, extended)
        return extended


@dataclass
class _Missing:
    tries: int = 0
    asked_ms: float = field(default=-1e9)


class PictureJitter:
    """Packets of one video track to pictures, in decoding order, beginning with a keyframe."""

    def __init__(self) -> None:
        self.lost_pictures = 0
        """Times the stream was skipped ahead."""
        self._unwrap = Unwrap()
        self._packets: dict[int, Packet] = {}
        self._missing: dict[int, _Missing] = {}
        self._next: int | None = None
        self._scan = 0
        self._highest = -1
        self._blocked_ms: float | None = None
        self._needs_keyframe = True
        self._asked_keyframe_ms = -1e9

    def add(self, packet: Packet, now_ms: float) -> list[Picture]:
        """Take a packet; return the pictures that are complete now, in order."""
        sequence = self._unwrap(packet.sequence)
        if self._next is None:
            self._next = self._scan = sequence
            self._highest = sequence - 1
        if sequence < self._next:
            return []
        for gap in range(self._highest + 1, sequence):
            self._missing[gap] = _Missing()
        self._highest = max(self._highest, sequence)
        self._missing.pop(sequence, None)
        self._packets[sequence] = packet
        if len(self._packets) > CAPACITY or len(self._missing) > CAPACITY:
            self._start_over()
            return []
        return self._release(now_ms)

    def tick(self, now_ms: float) -> list[Picture]:
        """Give up what has waited too long; return the pictures that this sets free."""
        if self._blocked_ms is None or now_ms - self._blocked_ms < WAIT_MS:
            return []
        self.lost_pictures += 1
        start = self._keyframe_start()
        if start is None:
            self._start_over()
            return []
        self._drop_before(start)
        return self._release(now_ms)

    def nacks(self, now_ms: float, retry_ms: float = NACK_RETRY_MS) -> list[int]:
        """Sequence numbers (16 bit) to ask for now."""
        due = []
        for sequence, state in list(self._missing.items()):
            if state.tries >= NACK_TRIES:
                del self._missing[sequence]
            elif now_ms - state.asked_ms >= retry_ms:
                state.tries += 1
                state.asked_ms = now_ms
                due.append(sequence & 0xFFFF)
        return due

    def keyframe_due(self, now_ms: float) -> bool:
        """Whether to ask for a keyframe now; True at most once each `KEYFRAME_GAP_MS`."""
        if not self._needs_keyframe or now_ms - self._asked_keyframe_ms < KEYFRAME_GAP_MS:
            return False
        self._asked_keyframe_ms = now_ms
        return True

    def require_keyframe(self) -> None:
        """The decoder lost its thread: nothing is of use before the next keyframe."""
        self._needs_keyframe = True

    def _release(self, now_ms: float) -> list[Picture]:
        done: list[Picture] = []
        while (packet := self._packets.get(self._scan)) is not None:
            first = self._packets[self._first()]
            if packet.timestamp != first.timestamp:
                self._emit(self._scan, done)
            self._scan += 1
            if packet.marker:
                self._emit(self._scan, done)
        waiting = bool(self._packets)
        self._blocked_ms = (now_ms if self._blocked_ms is None or done else self._blocked_ms) if waiting else None
        return done

    def _first(self) -> int:
        return self._next if self._next is not None else self._scan

    def _emit(self, end: int, done: list[Picture]) -> None:
        packets = [self._packets.pop(sequence) for sequence in range(self._first(), end)]
        self._next = end
        keyframe = _is_keyframe(packets)
        if self._needs_keyframe and not keyframe:
            return
        self._needs_keyframe = False
        stamps = (one.capture_ntp for one in packets if one.capture_ntp is not None)
        done.append(Picture(packets[0].timestamp, [one.payload for one in packets], keyframe, next(stamps, None)))

    def _keyframe_start(self) -> int | None:
        """The newest packet at which a keyframe begins, beyond the picture that is stuck."""
        for sequence in sorted(self._packets, reverse=True):
            if sequence > self._first() and _begins_keyframe(self._packets[sequence]):
                return sequence
        return None

    def _drop_before(self, start: int) -> None:
        for sequence in [one for one in self._packets if one < start]:
            del self._packets[sequence]
        for sequence in [one for one in self._missing if one < start]:
            del self._missing[sequence]
        self._next = self._scan = start
        self._blocked_ms = None

    def _start_over(self) -> None:
        self._packets.clear()
        self._missing.clear()
        self._next = None
        self._blocked_ms = None
        self._needs_keyframe = True


def _begins_keyframe(packet: Packet) -> bool:
    try:
        return h264.starts_picture_of(packet.payload) in (h264.NAL_SPS, h264.NAL_IDR)
    except ValueError:
        return False


def _is_keyframe(packets: list[Packet]) -> bool:
    return any(_begins_keyframe(packet) for packet in packets)


class SoundJitter:
    """Packets of one sound track in order; a missing one is waited for, but not long."""

    def __init__(self) -> None:
        self.lost = 0
        """Packets that never came in time."""
        self._unwrap = Unwrap()
        self._packets: dict[int, Packet] = {}
        self._next: int | None = None
        self._blocked_ms: float | None = None

    def add(self, packet: Packet, now_ms: float) -> list[Packet]:
        """Take a packet; return those that may be heard now, in order."""
        sequence = self._unwrap(packet.sequence)
        if self._next is None:
            self._next = sequence
        if sequence < self._next:
            return []
        self._packets[sequence] = packet
        return self._release(now_ms)

    def tick(self, now_ms: float) -> list[Packet]:
        """Go on without what has been waited for long enough."""
        if self._blocked_ms is None or now_ms - self._blocked_ms < SOUND_WAIT_MS:
            return []
        first = min(self._packets)
        self.lost += first - (self._next if self._next is not None else first)
        self._next = first
        self._blocked_ms = None
        return self._release(now_ms)

    def _release(self, now_ms: float) -> list[Packet]:
        done = []
        while self._next is not None and (packet := self._packets.pop(self._next, None)) is not None:
            done.append(packet)
            self._next += 1
        if not self._packets:
            self._blocked_ms = None
        elif self._blocked_ms is None or done:
            self._blocked_ms = now_ms
        return done
