"""RTP streams that arrive on one m-line: what a reception report says of them, and repetitions put back in place.

Nothing here knows of sockets, tasks or aiortc; times are arguments.

Source: RFC 3550, section 6.4.1 and appendix A.3 and A.8; RFC 4588, section 4.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from agent.stream.agreed import PayloadKind
from agent.stream.jitter import Packet, Unwrap
from agent.stream.missing import ArrivalJitter

SSRCS_MAX = 8
"""Streams an m-line is reported of; a peer that goes on to more is told of the newest ones only."""
_LOST_MAX = (1 << 23) - 1


class Arrived(Protocol):
    """An RTP packet as it was parsed."""

    payload_type: int
    ssrc: int
    sequence_number: int
    timestamp: int
    marker: int
    payload: bytes


class ReceptionReport(NamedTuple):
    """One block of an RTCP receiver report; fields as in RFC 3550, section 6.4.1."""

    ssrc: int
    fraction_lost: int
    packets_lost: int
    highest_sequence: int
    jitter: int
    lsr: int
    dlsr: int


class StreamCount:
    """Counts one SSRC for reception reports."""

    def __init__(self, clock_hz: int) -> None:
        self._ticks_per_ms = clock_hz // 1000
        self._jitter = ArrivalJitter(self._ticks_per_ms)
        self._unwrap = Unwrap()
        self._first = 0
        self._highest = -1
        self._timestamp: int | None = None
        self._received = 0
        self._before = (0, 0)
        """What was expected and received at the last report."""
        self._sender_report = (0, 0)
        """Middle 32 bits of its NTP stamp, and when it came in ns."""

    def add(self, sequence16: int, timestamp: int, now_ns: int) -> None:
        """A packet came."""
        self._received += 1
        sequence = self._unwrap(sequence16)
        if self._received == 1:
            self._first = sequence
        if sequence <= self._highest:
            return
        self._highest = sequence
        # Packets of one picture leave together: only the first of them says something about time.
        if timestamp != self._timestamp:
            self._timestamp = timestamp
            self._jitter.add(timestamp, now_ns / 1e6)

    def take_sender_report(self, ntp: int, now_ns: int) -> None:
        """The sender told the time at which it reported."""
        self._sender_report = (ntp >> 16 & 0xFFFF_FFFF, now_ns)

    def report(self, ssrc: int, now_ns: int) -> ReceptionReport:
        """The figures since the last report, and in all."""
        expected = self._highest - self._first + 1
        before_expected, before_received = self._before
        self._before = (expected, self._received)
        lately = expected - before_expected
        lost = lately - (self._received - before_received)
        lsr, came_ns = self._sender_report
        return ReceptionReport(
            ssrc=ssrc,
            fraction_lost=min(0xFF, (lost << 8) // lately) if lately > 0 and lost > 0 else 0,
            packets_lost=max(-_LOST_MAX - 1, min(_LOST_MAX, expected - self._received)),
            highest_sequence=self._highest & 0xFFFF_FFFF,
            jitter=int(self._jitter.ms * self._ticks_per_ms),
            lsr=lsr,
            dlsr=min(0xFFFF_FFFF, ((now_ns - came_ns) << 16) // 1_000_000_000) if lsr else 0,
        )


class ReceivedStreams:
    """All streams of one m-line: the media, and its retransmissions where those have a stream of their own."""

    def __init__(self) -> None:
        self.media_ssrc: int | None = None
        """Under which the media comes; None before the first packet."""
        self._kinds: Mapping[int, PayloadKind] = {}
        self._repeated: Mapping[int, int] = {}
        self._counts: dict[int, StreamCount] = {}

    def agree(self, kinds: Mapping[int, PayloadKind], repeated: Mapping[int, int]) -> None:
        """Take this from now on.

        Args:
            kinds: by payload type.
            repeated: SSRC of the media by the SSRC of its retransmissions, as far as the peer told.
        """
        self._kinds, self._repeated = kinds, repeated

    def take(self, packet: Arrived, capture_ntp: int | None, now_ns: int) -> Packet | None:
        """Count a packet and say what it carries; None where that is nothing that was agreed on."""
        kind = self._kinds.get(packet.payload_type)
        if kind is None:
            return None
        count = self._counts.get(packet.ssrc)
        if count is None:
            count = self._begin(packet.ssrc, kind)
        count.add(packet.sequence_number, packet.timestamp, now_ns)
        sequence, payload = packet.sequence_number, packet.payload
        if kind.repeats is None:
            self.media_ssrc = packet.ssrc
        else:
            original = self._repeated.get(packet.ssrc, self.media_ssrc)
            if original is None or kind.repeats not in self._kinds or len(payload) < 2:
                return None
            sequence, payload = payload[0] << 8 | payload[1], payload[2:]
        if not payload:
            return None
        return Packet(sequence, packet.timestamp, bool(packet.marker), payload, capture_ntp)

    def take_sender_report(self, ssrc: int, ntp: int, now_ns: int) -> None:
        """A sender report of one of the streams came."""
        if (count := self._counts.get(ssrc)) is not None:
            count.take_sender_report(ntp, now_ns)

    def reports(self, now_ns: int) -> Iterable[ReceptionReport]:
        """A block of figures for each stream."""
        return [count.report(ssrc, now_ns) for ssrc, count in self._counts.items()]

    def _begin(self, ssrc: int, kind: PayloadKind) -> StreamCount:
        if len(self._counts) >= SSRCS_MAX:
            del self._counts[next(iter(self._counts))]
        count = self._counts[ssrc] = StreamCount(kind.clock_hz)
        return count
