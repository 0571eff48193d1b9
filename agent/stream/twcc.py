"""Transport-wide congestion control feedback, written and read. Pure: times are arguments, in microseconds.

The receiving side tells the sender when each packet of the whole transport arrived, with
250 us resolution; what to make of it is `agent.stream.congestion`.

Source: draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1 (RTCP packet type 205, format 15).
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.stream.jitter import Unwrap

URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
"""The RTP header extension that carries the 16-bit transport-wide sequence number, big-endian."""
PAYLOAD_TYPE = 205
FORMAT = 15
TICK_US = 250
"""Unit of a receive delta."""
REFERENCE_US = 64_000
"""Unit of the reference time."""
REFERENCE_WRAP_US = REFERENCE_US << 24
"""The 24-bit reference time starts over after this long: 12.4 days."""
INTERVAL_US = 50_000
"""Feedback leaves at most this often."""
IDLE_INTERVAL_US = 100_000
"""With few packets, feedback leaves this often."""
FEW_PACKETS = 10
RECALL_US = 500_000
"""A packet that comes late is reported together with what was reported after it, up to this far back."""
PACKETS_MAX = 180
"""Received packets in one feedback: keeps it below 1200 bytes in the worst pattern."""
STATUSES_MAX = 0x3FFF
"""Sequence numbers that one feedback speaks of."""
RUN_MAX = 0x1FFF

_LOST, _SMALL, _LARGE = 0, 1, 2
_TICKS_A_REFERENCE = REFERENCE_US // TICK_US


@dataclass(frozen=True, slots=True)
class Feedback:
    """What one feedback packet says."""

    sender_ssrc: int
    media_ssrc: int
    count: int
    """Number of this feedback packet, 0 to 255, then from 0 again."""
    packets: list[tuple[int, int | None]]
    """In order of sending: transport-wide sequence number (16 bit), arrival in microseconds on the receiver's
    clock (modulo `REFERENCE_WRAP_US`; now and then below 0) or None where the packet has not come."""


class FeedbackBuilder:
    """Notes arrivals of one transport and makes feedback packets of them."""

    def __init__(self) -> None:
        self._unwrap = Unwrap()
        self._arrivals: dict[int, int] = {}
        self._next: int | None = None
        """The first sequence number that the next feedback speaks of."""
        self._fresh = 0
        self._built_us: int | None = None
        self._count = 0

    def arrived(self, sequence16: int, arrival_us: int) -> None:
        """Note that a packet came.

        Args:
            sequence16: its transport-wide sequence number, 0 to 65535.
            arrival_us: this device's monotonic clock, in microseconds.
        """
        sequence = self._unwrap(sequence16)
        if sequence in self._arrivals:
            return
        self._arrivals[sequence] = arrival_us // TICK_US
        self._fresh += 1
        if self._next is None or sequence < self._next:
            self._next = sequence
        if self._built_us is None:
            self._built_us = arrival_us

    def due(self, now_us: int) -> bool:
        """Whether a feedback should be built now."""
        if not self._fresh or self._built_us is None:
            return False
        waited = now_us - self._built_us
        return waited >= (INTERVAL_US if self._fresh >= FEW_PACKETS else IDLE_INTERVAL_US)

    def build(self, sender_ssrc: int, media_ssrc: int, now_us: int) -> list[bytes]:
        """Feedback about everything since the last call.

        Returns:
            Complete RTCP packets, usually one; none where nothing came.
        """
        built: list[bytes] = []
        self._built_us = now_us
        self._fresh = 0
        if self._next is not None:
            waiting = sorted(sequence for sequence in self._arrivals if sequence >= self._next)
            while waiting:
                taken = self._fit(waiting)
                built.append(self._packet(sender_ssrc, media_ssrc, waiting[:taken]))
                self._next = waiting[taken - 1] + 1
                del waiting[:taken]
        horizon = (now_us - RECALL_US) // TICK_US
        if len(self._arrivals) > PACKETS_MAX or built:
            self._arrivals = {one: tick for one, tick in self._arrivals.items() if tick >= horizon}
        return built

    def _fit(self, waiting: Sequence[int]) -> int:
        """How many of the waiting packets one feedback can hold; it begins at `_next` or, after a long gap, later."""
        begin = self._next if self._next is not None else waiting[0]
        if waiting[0] - begin >= STATUSES_MAX:
            begin = waiting[0]
        self._next = begin
        last_tick = self._arrivals[waiting[0]]
        for taken, sequence in enumerate(waiting):
            tick = self._arrivals[sequence]
            # A step of more than 16 bits of 250 us needs a reference time of its own.
            if taken >= PACKETS_MAX or sequence - begin >= STATUSES_MAX or not -0x8000 <= tick - last_tick <= 0x7FFF:
                return taken
            last_tick = tick
        return len(waiting)

    def _packet(self, sender_ssrc: int, media_ssrc: int, received: Sequence[int]) -> bytes:
        begin = self._next if self._next is not None else received[0]
        reference = self._arrivals[received[0]] // _TICKS_A_REFERENCE
        last_tick = reference * _TICKS_A_REFERENCE
        statuses = [_LOST] * (received[-1] - begin + 1)
        deltas = bytearray()
        for sequence in received:
            tick = self._arrivals[sequence]
            delta = tick - last_tick
            last_tick = tick
            if 0 <= delta <= 0xFF:
                statuses[sequence - begin] = _SMALL
                deltas.append(delta)
            else:
                statuses[sequence - begin] = _LARGE
                deltas += struct.pack("!h", delta)
        body = struct.pack(
            "!IIHHI",
            sender_ssrc,
            media_ssrc,
            begin & 0xFFFF,
            len(statuses),
            (reference & 0xFF_FFFF) << 8 | self._count,
        )
        self._count = (self._count + 1) & 0xFF
        body += b"".join(chunk.to_bytes(2, "big") for chunk in _chunks(statuses)) + deltas
        padding = -len(body) % 4
        if padding:
            body += bytes(padding - 1) + bytes([padding])
        head = struct.pack("!BBH", 0x80 | (0x20 if padding else 0) | FORMAT, PAYLOAD_TYPE, len(body) // 4)
        return head + body


def _chunks(statuses: Sequence[int]) -> Iterator[int]:
    """Statuses as 16-bit chunks: runs where they are long, else vectors of 14 one-bit or 7 two-bit symbols."""
    at = 0
    while at < len(statuses):
        symbol = statuses[at]
        end = at + 1
        while end < len(statuses) and statuses[end] == symbol and end - at < RUN_MAX:
            end += 1
        vector = statuses[at : at + 14]
        narrow = _LARGE not in vector
        if end - at >= (14 if narrow else 7) or end == len(statuses):
            yield symbol << 13 | (end - at)
            at = end
        elif narrow:
            yield 0x8000 | sum(one << (13 - place) for place, one in enumerate(vector))
            at += 14
        else:
            yield 0xC000 | sum(one << (12 - 2 * place) for place, one in enumerate(vector[:7]))
            at += 7


def take_feedback(compound: bytes) -> tuple[list[bytes], bytes]:
    """Part the transport-wide feedback in a compound RTCP packet from everything else in it.

    Returns:
        The feedback packets, each as `parse_feedback` takes it, and the rest (may be empty).

    Raises:
        ValueError: this is no RTCP, or a packet in it is cut off.
    """
    found: list[bytes] = []
    rest: list[bytes] = []
    at = 0
    while at < len(compound):
        if len(compound) - at < 4 or compound[at] >> 6 != 2:
            raise ValueError(f"No RTCP header at byte {at} of {len(compound)}.")
        end = at + 4 + 4 * int.from_bytes(compound[at + 2 : at + 4], "big")
        if end > len(compound):
            raise ValueError(f"The RTCP packet at byte {at} ends at {end}, but only {len(compound)} bytes came.")
        ours = compound[at + 1] == PAYLOAD_TYPE and compound[at] & 0x1F == FORMAT
        (found if ours else rest).append(compound[at:end])
        at = end
    return found, b"".join(rest)


def parse_feedback(packet: bytes) -> Feedback:
    """Read one transport-wide feedback packet, RTCP header included.

    Raises:
        ValueError: it is something else, cut off, or contradicts itself; the words say how.
    """
    if len(packet) < 20:
        raise ValueError(f"A transport feedback has at least 20 bytes, this one {len(packet)}.")
    first, kind, words, sender, media, begin, count, reference = struct.unpack_from("!BBHIIHHI", packet)
    if first >> 6 != 2 or kind != PAYLOAD_TYPE or first & 0x1F != FORMAT:
        raise ValueError(f"Version {first >> 6}, type {kind}, format {first & 0x1F} is no transport feedback.")
    end = 4 + 4 * words
    if end > len(packet) or end < 20:
        raise ValueError(f"The feedback's length field says {end} bytes, {len(packet)} came.")
    if first & 0x20:
        padding = packet[end - 1]
        if not 0 < padding <= end - 20:
            raise ValueError(f"A padding of {padding} bytes does not fit into a feedback of {end}.")
        end -= padding
    if not 0 < count <= 0x7FFF:
        raise ValueError(f"A feedback about {count} packets is not possible: 1 to 32767 are.")
    statuses, at = _read_statuses(packet, 20, end, count)
    packets: list[tuple[int, int | None]] = []
    arrival_us = (reference >> 8) * REFERENCE_US
    for offset, status in enumerate(statuses):
        sequence = (begin + offset) & 0xFFFF
        if status == _LOST:
            packets.append((sequence, None))
            continue
        if at + status > end:
            raise ValueError(f"The feedback ends before the arrival of packet {sequence}.")
        # A small delta is one byte without a sign, a large one two bytes with one.
        delta = packet[at] if status == _SMALL else int.from_bytes(packet[at : at + 2], "big", signed=True)
        at += status
        arrival_us += delta * TICK_US
        packets.append((sequence, arrival_us))
    return Feedback(sender, media, reference & 0xFF, packets)


def _read_statuses(packet: bytes, at: int, end: int, count: int) -> tuple[list[int], int]:
    """The status of each packet, and where the deltas begin."""
    statuses: list[int] = []
    while len(statuses) < count:
        if at + 2 > end:
            raise ValueError(f"The feedback speaks of {count} packets and ends after {len(statuses)}.")
        chunk = packet[at] << 8 | packet[at + 1]
        at += 2
        if not chunk & 0x8000:
            statuses += [chunk >> 13] * min(chunk & RUN_MAX, count - len(statuses))
        elif chunk & 0x4000:
            statuses += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            statuses += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    del statuses[count:]
    if 3 in statuses:
        raise ValueError("The feedback uses the reserved packet status 3.")
    return statuses, at
