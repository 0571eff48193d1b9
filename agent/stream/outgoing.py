"""One RTP stream on its way out: its numbers and stamps, its header extensions, and what may be asked for again.

Nothing here knows of sockets, tasks or aiortc. A payload becomes a packet at the moment it
leaves; it is kept for a while after that, because the other end may ask for it once more.

Source: RFC 3550, sections 5.1 and 6.4.1; RFC 4588 (RTX); abs-send-time and abs-capture-time of WebRTC.
"""

import random
from dataclasses import dataclass
from typing import NamedTuple

from agent.stream import rtp
from agent.stream.agreed import Agreed
from agent.stream.mediaclock import MediaClock

HISTORY = 1024
"""Packets kept for retransmission; a power of two, so that a sequence number names its place."""
KEYFRAME_WAITS_NS = 2_000_000_000
"""A keyframe that was queued and has not left after this is not counted on any more."""
TRIP_GUESS_MS = 100.0
"""Round trip while none is known."""


@dataclass
class SenderFigures:
    """What one sender did so far, and what the other end told of it."""

    packets: int = 0
    bytes: int = 0
    """Payloads only."""
    retransmitted: int = 0
    round_trip_ms: float | None = None
    """None before the first report."""
    fraction_lost: float = 0.0
    """Share of packets lost, 0 to 1, in the last report."""


class SenderReport(NamedTuple):
    """The figures of an RTCP sender report; fields as in RFC 3550, section 6.4.1."""

    ntp_timestamp: int
    rtp_timestamp: int
    packet_count: int
    octet_count: int


@dataclass(slots=True)
class OutgoingPayload:
    """One RTP payload on its way out. Not frozen: that would double what making one costs."""

    stream: "OutgoingStream"
    timestamp: int
    marker: bool
    payload: bytes
    elements: bytes
    """Header extensions that are known before it leaves."""
    sequence: int = -1
    """Its number, from the moment it left."""

    def serialize(self, transport_sequence: int, now_ns: int) -> bytes:
        """The packet that leaves now."""
        return self.stream.sent_first(self, transport_sequence, now_ns)

    @property
    def pads(self) -> bool:
        """Whether packets of its stream may be sent again: with a stream for repetitions (RTX), as pictures have."""
        return self.stream.pads

    def padding(self) -> "Repetition | None":
        """What may be sent as padding behind it."""
        return self.stream.repeat_last()


@dataclass(frozen=True, slots=True)
class Repetition:
    """A payload that leaves once more."""

    first: OutgoingPayload

    def serialize(self, transport_sequence: int, now_ns: int) -> bytes:
        """The packet that leaves now, on the RTX stream where there is one."""
        return self.first.stream.sent_again(self.first, transport_sequence, now_ns)

    @property
    def pads(self) -> bool:
        """Whether it may be sent once more."""
        return self.first.stream.pads

    def padding(self) -> "Repetition":
        """The same once more."""
        return self


class OutgoingStream:
    """Numbers and stamps the packets of one track to one peer."""

    def __init__(self, clock: MediaClock, dice: random.Random, *, marks_ends: bool) -> None:
        """Begin at random numbers (RFC 3550, section 5.1).

        Args:
            clock: stamps capture and sending times.
            dice: the numbers to begin with.
            marks_ends: whether the last payload of a picture gets the marker bit; sound has none.
        """
        self.ssrc = dice.getrandbits(32)
        self.rtx_ssrc = dice.getrandbits(32)
        self.figures = SenderFigures()
        self._clock = clock
        self._marks_ends = marks_ends
        # The lower half avoids an early wrap, which breaks SRTP at some receivers.
        self._sequence = dice.getrandbits(15)
        self._rtx_sequence = dice.getrandbits(15)
        self._timestamp_origin = dice.getrandbits(32)
        self._history: list[OutgoingPayload | None] = [None] * HISTORY
        self._keyframe = -1
        """RTP timestamp of the keyframe that was queued last."""
        self._keyframe_put_ns = 0
        self._keyframe_left_ns: int | None = None
        self._keyframe_sequence: int | None = None
        self.agree(Agreed(0, 90_000))

    def agree(self, agreed: Agreed) -> None:
        """Send in this way from now on."""
        self._agreed = agreed
        self.pads = agreed.rtx_payload_type is not None
        """Whether packets may be sent again as padding: elsewhere that would be taken for media."""
        self._mid_element = rtp.extension(agreed.mid_id, agreed.mid) if agreed.mid_id and agreed.mid else b""
        # Heads of elements whose values are made for each packet.
        self._send_time_head = rtp.extension_head(agreed.send_time_id, 3) if agreed.send_time_id else b""
        self._transport_head = (
            rtp.extension_head(agreed.transport_sequence_id, 2) if agreed.transport_sequence_id else b""
        )

    def parcels(
        self, payloads: tuple[bytes, ...], mono_ns: int, keyframe_ns: int | None = None
    ) -> list[OutgoingPayload]:
        """The payloads of one picture or of 20 ms of sound, ready to be queued.

        Args:
            payloads: RTP payloads in order.
            mono_ns: capture time on this device's monotonic clock.
            keyframe_ns: the time now, where this is a keyframe.
        """
        timestamp = self._timestamp(mono_ns)
        if keyframe_ns is not None:
            self._keyframe, self._keyframe_put_ns = timestamp, keyframe_ns
            self._keyframe_left_ns = self._keyframe_sequence = None
        middle = self._mid_element
        made = [OutgoingPayload(self, timestamp, False, payload, middle) for payload in payloads]
        if made and self._agreed.capture_time_id:
            stamp = self._clock.ntp(mono_ns).to_bytes(rtp.CAPTURE_TIME_BYTES, "big")
            made[0].elements = middle + rtp.extension(self._agreed.capture_time_id, stamp)
        if made and self._marks_ends:
            made[-1].marker = True
        return made

    def sent_first(self, parcel: OutgoingPayload, transport_sequence: int, now_ns: int) -> bytes:
        """The packet of a payload that leaves now, with the next sequence number."""
        parcel.sequence = sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        self._history[sequence % HISTORY] = parcel
        if parcel.timestamp == self._keyframe:
            if self._keyframe_sequence is None:
                self._keyframe_sequence = sequence
            if parcel.marker:
                self._keyframe_left_ns = now_ns
        return self._packet(
            parcel, self._agreed.payload_type, sequence, self.ssrc, parcel.payload, transport_sequence, now_ns
        )

    def sent_again(self, parcel: OutgoingPayload, transport_sequence: int, now_ns: int) -> bytes:
        """The packet of a payload that leaves once more (RFC 4588 where RTX is agreed)."""
        self.figures.retransmitted += 1
        kind, number, ssrc, payload = self._agreed.payload_type, parcel.sequence, self.ssrc, parcel.payload
        if self._agreed.rtx_payload_type is not None:
            payload = number.to_bytes(2, "big") + payload
            kind, number, ssrc = self._agreed.rtx_payload_type, self._rtx_sequence, self.rtx_ssrc
            self._rtx_sequence = (number + 1) & 0xFFFF
        return self._packet(parcel, kind, number, ssrc, payload, transport_sequence, now_ns)

    def repeat(self, sequence: int) -> Repetition | None:
        """The packet with this 16-bit number, to be sent again; None where it is not kept any more."""
        parcel = self._history[sequence % HISTORY]
        return Repetition(parcel) if parcel is not None and parcel.sequence == sequence else None

    def superseded(self, sequence: int) -> bool:
        """Whether a keyframe left after the packet with this 16-bit number: who got it can do without the packet."""
        key = self._keyframe_sequence
        return key is not None and 0 < (key - sequence & 0xFFFF) < 0x8000

    def keyframe_comes(self, now_ns: int) -> bool:
        """Whether a keyframe waits to leave, or is so lately gone that the other end cannot know of it."""
        if self._keyframe_left_ns is None:
            return self._keyframe >= 0 and now_ns - self._keyframe_put_ns < KEYFRAME_WAITS_NS
        trip_ms = TRIP_GUESS_MS if self.figures.round_trip_ms is None else self.figures.round_trip_ms
        return now_ns - self._keyframe_left_ns < trip_ms * 1e6

    def repeat_last(self) -> Repetition | None:
        """The packet sent last, to be sent again as padding; None where that would be taken for media."""
        if not self.pads:
            return None
        return self.repeat((self._sequence - 1) & 0xFFFF)

    def report(self, now_ns: int) -> SenderReport:
        """What an RTCP sender report says now: which RTP timestamp belongs to which time, and how much was sent."""
        return SenderReport(
            self._clock.ntp(now_ns),
            self._timestamp(now_ns),
            self.figures.packets & 0xFFFF_FFFF,
            self.figures.bytes & 0xFFFF_FFFF,
        )

    def take_report(self, fraction_lost: int, lsr: int, dlsr: int, now_ns: int) -> float | None:
        """Take what a receiver tells of this stream (RFC 3550, section 6.4.1).

        Args:
            fraction_lost: of 256.
            lsr: the middle 32 bits of the NTP stamp of the sender report it got last; 0 for none.
            dlsr: how long ago it got that, in 1/65536 s.
            now_ns: this device's monotonic clock.

        Returns:
            The round trip in ms; None where this report tells none.
        """
        self.figures.fraction_lost = fraction_lost / 256
        if not lsr:
            return None
        trip = ((self._clock.ntp(now_ns) >> 16) - lsr - dlsr) & 0xFFFF_FFFF
        if trip >= 0x8000_0000:
            return None  # it claims to have answered before it was asked
        self.figures.round_trip_ms = trip * 1000 / 65536
        return self.figures.round_trip_ms

    def _timestamp(self, mono_ns: int) -> int:
        """The RTP timestamp of a moment."""
        return self._timestamp_origin + mono_ns * (self._agreed.clock_hz // 1000) // 1_000_000 & 0xFFFF_FFFF

    def _packet(
        self,
        parcel: OutgoingPayload,
        payload_type: int,
        sequence: int,
        ssrc: int,
        payload: bytes,
        transport_sequence: int,
        now_ns: int,
    ) -> bytes:
        elements = parcel.elements
        if self._send_time_head:
            # 6.18 fixed point seconds (abs-send-time).
            stamp = self._clock.ntp(now_ns) >> 14 & 0xFF_FFFF
            elements += self._send_time_head + stamp.to_bytes(3, "big")
        if self._transport_head:
            elements += self._transport_head + transport_sequence.to_bytes(2, "big")
        self.figures.packets += 1
        self.figures.bytes += len(payload)
        return rtp.packet(payload_type, sequence, parcel.timestamp, ssrc, payload, elements, marker=parcel.marker)
