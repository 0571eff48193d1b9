"""The one module that touches non-public parts of aiortc (pinned to 1.16.0) and aioice.

`install` puts our own RTP sender and receiver behind aiortc's peer connection, adds the
abs-capture-time header extension, and can limit which addresses are offered. Everything
else in the agent uses aiortc's public classes and what this module defines.
`guard` fails in words when aiortc is not the one this was written against; a test calls it.
"""

# ruff: noqa: SLF001 - reaching inside is what this module is for

import asyncio
import contextlib
import inspect
import random
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aioice.ice
import aiortc
import aiortc.codecs
import aiortc.rtcpeerconnection as _pc
import aiortc.rtp as _rtp
from aiortc import RTCRtpSender as _StockSender
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtcpFeedback, RTCRtpHeaderExtensionParameters
from aiortc.rtcrtpreceiver import RemoteStreamTrack, StreamStatistics
from aiortc.stats import RTCStatsReport

from agent.stream import rtp, twcc
from agent.stream.jitter import Packet
from agent.stream.mediaclock import MediaClock
from agent.stream.pacer import Priority
from agent.stream.uplink import Uplink

AIORTC_VERSION = "1.16.0"
CAPTURE_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
SEND_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
CAPTURE_TIME_ID = 5
TRANSPORT_SEQUENCE_ID = 6
HISTORY = 1024
"""Packets kept for retransmission, a track and peer; a power of two."""
OVERHEAD_BYTES = 60
"""Header, extensions and SRTP's tag of one packet, and UDP and IP below it, about."""
REPORT_S = 1.0
"""RTCP reports go out about this often, in seconds."""


class RtcChangedError(Exception):
    """aiortc is not the one that this module was written against."""


class _HeaderExtensionsMap(_rtp.HeaderExtensionsMap):  # type: ignore[misc]
    """Knows one extension more: abs-capture-time."""

    def __init__(self) -> None:
        super().__init__()
        self._capture_time_id: int | None = None

    def configure(self, parameters: Any) -> None:
        super().configure(parameters)
        for extension in parameters.headerExtensions:
            if extension.uri == CAPTURE_TIME_URI:
                self._capture_time_id = extension.id

    def get(self, extension_profile: int, extension_value: bytes) -> Any:
        values = super().get(extension_profile, extension_value)
        values.capture_ntp = None
        if self._capture_time_id is not None:
            for number, value in _rtp.unpack_header_extensions(extension_profile, extension_value):
                if number == self._capture_time_id and len(value) >= 8:
                    values.capture_ntp = int.from_bytes(value[:8], "big")
        return values


@dataclass
class SenderFigures:
    """What one sender did so far."""

    packets: int = 0
    bytes: int = 0
    retransmitted: int = 0
    round_trip_ms: float | None = None
    fraction_lost: float = 0.0


@dataclass(frozen=True, slots=True)
class _Payload:
    """One RTP payload on its way out; becomes a packet when it leaves."""

    sender: "RtpSender"
    timestamp: int
    marker: bool
    payload: bytes
    elements: bytes

    def serialize(self, transport_sequence: int, now_ns: int) -> bytes:
        return self.sender.sent_first(self, transport_sequence, now_ns)

    def padding(self) -> "_Again | None":
        return self.sender.repeat_last()


@dataclass(frozen=True, slots=True)
class _Again:
    """A packet that leaves once more, on the RTX stream where there is one."""

    sender: "RtpSender"
    sequence: int
    first: _Payload

    def serialize(self, transport_sequence: int, now_ns: int) -> bytes:
        return self.sender.sent_again(self, transport_sequence, now_ns)

    def padding(self) -> "_Again":
        return self


class Transport(RTCDtlsTransport):  # type: ignore[misc]
    """aiortc's DTLS transport, with an uplink that paces what leaves and hears what arrived."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.senders: list[RtpSender] = []
        self.uplink = Uplink(self._send_rtp, self._dropped)
        self._running: asyncio.Task[None] | None = None

    def run_uplink(self, sender: "RtpSender") -> None:
        """Begin to send; called by each sender as it starts."""
        self.senders.append(sender)
        if self._running is None:
            self._running = asyncio.create_task(self.uplink.run(), name="uplink")

    async def stop(self) -> None:
        """End the uplink with the transport."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await super().stop()

    def _dropped(self, priority: Priority, _packets: int) -> None:
        for sender in self.senders:
            if sender.priority is priority:
                sender.on_keyframe()

    async def _handle_rtcp_data(self, data: bytes) -> None:
        with contextlib.suppress(ValueError):  # a damaged compound is dropped whole
            rest = self.uplink.take_rtcp(data)
            if rest:
                await super()._handle_rtcp_data(rest)

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        try:
            packet = _rtp.RtpPacket.parse(data, self._rtp_header_extensions_map)
        except ValueError:
            return
        receiver = self._rtp_router.route_rtp(packet)
        if receiver is None:
            return
        sequence = packet.extensions.transport_sequence_number
        if sequence is not None:
            self.uplink.arrived(sequence, receiver.own_ssrc or 0, packet.ssrc)
        await receiver._handle_rtp_packet(packet, arrival_time_ms=arrival_time_ms)


class RtpSender:
    """Sends payloads that are already encoded and packetised; stands in for aiortc's RTCRtpSender."""

    def __init__(self, track_or_kind: Any, transport: Transport) -> None:
        self.kind: str = track_or_kind if isinstance(track_or_kind, str) else track_or_kind.kind
        self.track = None if isinstance(track_or_kind, str) else track_or_kind
        self.figures = SenderFigures()
        self.priority = Priority.SOUND if self.kind == "audio" else Priority.CAMERA
        """Who leaves first on this transport."""
        self.on_keyframe: Callable[[], None] = lambda: None
        """Called when the peer asks for a keyframe (PLI, FIR), or one is needed because packets were dropped."""
        self.started = asyncio.Event()
        """Set when the transport is up and parameters are agreed."""
        self._ssrc = random.getrandbits(32)
        self._rtx_ssrc = random.getrandbits(32)
        self._stream_id = f"{random.getrandbits(64):016x}"
        self._track_id = f"{random.getrandbits(64):016x}"
        self._enabled = True
        self._transport = transport
        self._clock = _installed_clock()
        # The lower half avoids an early wrap, which breaks SRTP at some receivers.
        self._sequence = random.getrandbits(15)
        self._timestamp_origin = random.getrandbits(32)
        self._rtx_sequence = random.getrandbits(15)
        self._payload_type = 0
        self._rtx_payload_type: int | None = None
        self._clock_rate = 90_000
        self._mid_element = b""
        self._send_time_id: int | None = None
        self._capture_time_id: int | None = None
        self._transport_sequence_id: int | None = None
        self._history: list[_Again | None] = [None] * HISTORY
        self._last = (0, 0)
        self._cname = ""
        self._reports: asyncio.Task[None] | None = None

    @property
    def transport(self) -> Transport:
        """The DTLS transport, as aiortc asks for it."""
        return self._transport

    def setTransport(self, transport: Transport) -> None:  # noqa: N802 - aiortc's name
        """Move to the bundled transport."""
        self._transport = transport

    def replaceTrack(self, track: Any) -> None:  # noqa: N802 - aiortc's name
        """Tracks are not used: packets come through `send_packet`."""
        self.track = track

    @classmethod
    def getCapabilities(cls, kind: str) -> Any:  # noqa: N802 - aiortc's name
        """The codecs that can be negotiated."""
        return _StockSender.getCapabilities(kind)

    async def getStats(self) -> RTCStatsReport:  # noqa: N802 - aiortc's name
        """An empty report: figures are in `figures`."""
        return RTCStatsReport()

    async def send(self, parameters: Any) -> None:
        """Start, with what was agreed; called by the peer connection."""
        if self._reports is not None:
            return
        codec = parameters.codecs[0]
        self._payload_type = codec.payloadType
        self._clock_rate = codec.clockRate
        self._cname = parameters.rtcp.cname
        for other in parameters.codecs:
            if aiortc.codecs.is_rtx(other) and other.parameters.get("apt") == codec.payloadType:
                self._rtx_payload_type = other.payloadType
        for extension in parameters.headerExtensions:
            if extension.uri == MID_URI and parameters.muxId:
                self._mid_element = rtp.extension(extension.id, parameters.muxId.encode())
            elif extension.uri == SEND_TIME_URI:
                self._send_time_id = extension.id
            elif extension.uri == CAPTURE_TIME_URI:
                self._capture_time_id = extension.id
            elif extension.uri == twcc.URI:
                self._transport_sequence_id = extension.id
        self._transport._register_rtp_sender(self, parameters)
        self._transport.run_uplink(self)
        self._reports = asyncio.create_task(self._report(), name=f"rtcp.send.{self.kind}")
        self.started.set()

    async def stop(self) -> None:
        """Stop for good."""
        if self._reports is not None:
            self._transport._unregister_rtp_sender(self)
            self._reports.cancel()
            await asyncio.gather(self._reports, return_exceptions=True)

    def put(self, payloads: tuple[bytes, ...], mono_ns: int, *, keyframe: bool) -> None:
        """Queue one picture or 20 ms of sound; returns at once.

        Args:
            payloads: RTP payloads in order; the last one of a picture gets the marker bit.
            mono_ns: capture time on this device's monotonic clock.
            keyframe: whether the picture is one; True for sound.
        """
        if not self._enabled or not self.started.is_set():
            return
        ticks = mono_ns * (self._clock_rate // 1000) // 1_000_000
        timestamp = (self._timestamp_origin + ticks) & 0xFFFF_FFFF
        self._last = (mono_ns, timestamp)
        first = self._mid_element
        if self._capture_time_id is not None:
            first += rtp.extension(self._capture_time_id, struct.pack("!Q", self._clock.ntp(mono_ns)))
        last = len(payloads) - 1
        for index, payload in enumerate(payloads):
            marker = index == last and self.kind == "video"
            elements = self._mid_element if index else first
            parcel = _Payload(self, timestamp, marker, payload, elements)
            size = len(payload) + OVERHEAD_BYTES
            self._transport.uplink.put(size, self.priority, parcel, picture=timestamp, keyframe=keyframe)

    def sent_first(self, parcel: _Payload, transport_sequence: int, now_ns: int) -> bytes:
        """The packet of a payload that leaves now, with the next sequence number."""
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        self._history[sequence % HISTORY] = _Again(self, sequence, parcel)
        return self._packet(
            parcel, self._payload_type, sequence, self._ssrc, parcel.payload, transport_sequence, now_ns
        )

    def sent_again(self, again: _Again, transport_sequence: int, now_ns: int) -> bytes:
        """The packet of a payload that leaves once more (RFC 4588 where RTX is agreed)."""
        parcel = again.first
        self.figures.retransmitted += 1
        if self._rtx_payload_type is None:
            kind, number, ssrc, payload = self._payload_type, again.sequence, self._ssrc, parcel.payload
        else:
            kind, number, ssrc = self._rtx_payload_type, self._rtx_sequence, self._rtx_ssrc
            payload = struct.pack("!H", again.sequence) + parcel.payload
            self._rtx_sequence = (number + 1) & 0xFFFF
        return self._packet(parcel, kind, number, ssrc, payload, transport_sequence, now_ns)

    def repeat_last(self) -> _Again | None:
        """The packet sent last, to be sent again as padding; None where that would be taken for media."""
        if self._rtx_payload_type is None:
            return None
        return self._history[(self._sequence - 1) % HISTORY]

    def _packet(
        self,
        parcel: _Payload,
        payload_type: int,
        sequence: int,
        ssrc: int,
        payload: bytes,
        transport_sequence: int,
        now_ns: int,
    ) -> bytes:
        elements = parcel.elements
        if self._send_time_id is not None:
            # 6.18 fixed point seconds (abs-send-time).
            stamp = self._clock.ntp(now_ns) >> 14 & 0xFF_FFFF
            elements += rtp.extension(self._send_time_id, stamp.to_bytes(3, "big"))
        if self._transport_sequence_id is not None:
            elements += rtp.extension(self._transport_sequence_id, transport_sequence.to_bytes(2, "big"))
        self.figures.packets += 1
        self.figures.bytes += len(payload)
        return rtp.packet(payload_type, sequence, parcel.timestamp, ssrc, payload, elements, marker=parcel.marker)

    async def _handle_rtcp_packet(self, packet: Any) -> None:
        if isinstance(packet, _rtp.RtcpRrPacket | _rtp.RtcpSrPacket):
            for report in packet.reports:
                if report.ssrc == self._ssrc:
                    self._take_report(report)
        elif isinstance(packet, _rtp.RtcpRtpfbPacket) and packet.fmt == _rtp.RTCP_RTPFB_NACK:
            for sequence in packet.lost:
                self._retransmit(sequence)
        elif isinstance(packet, _rtp.RtcpPsfbPacket) and packet.fmt in (_rtp.RTCP_PSFB_PLI, _rtp.RTCP_PSFB_FIR):
            self.on_keyframe()
        elif isinstance(packet, _rtp.RtcpPsfbPacket) and packet.fmt == _rtp.RTCP_PSFB_APP:
            with contextlib.suppress(ValueError):  # another application's message
                bps, ssrcs = _rtp.unpack_remb_fci(packet.fci)
                if self._ssrc in ssrcs:
                    self._transport.uplink.controller.on_remb(bps, time.monotonic_ns() // 1000)

    def _take_report(self, report: Any) -> None:
        self.figures.fraction_lost = report.fraction_lost / 256
        if self.kind == "video":
            now_us = time.monotonic_ns() // 1000
            self._transport.uplink.controller.on_receiver_report(self.figures.fraction_lost, now_us)
        if report.lsr:
            now = self._clock.ntp(time.monotonic_ns()) >> 16 & 0xFFFF_FFFF
            trip = (now - report.lsr - report.dlsr) & 0xFFFF_FFFF
            if trip < 0x8000_0000:
                self.figures.round_trip_ms = trip * 1000 / 65536
                self._transport.uplink.controller.round_trip_ms(self.figures.round_trip_ms)

    def _retransmit(self, sequence: int) -> None:
        again = self._history[sequence % HISTORY]
        if again is not None and again.sequence == sequence:
            size = len(again.first.payload) + OVERHEAD_BYTES
            self._transport.uplink.put(size, Priority.REPAIR, again, picture=0, keyframe=False)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_S * (0.5 + random.random()))
            now = time.monotonic_ns()
            mono_ns, timestamp = self._last
            ticks = (now - mono_ns) * (self._clock_rate // 1000) // 1_000_000
            info = _rtp.RtcpSenderInfo(
                ntp_timestamp=self._clock.ntp(now),
                rtp_timestamp=(timestamp + ticks) & 0xFFFF_FFFF,
                packet_count=self.figures.packets & 0xFFFF_FFFF,
                octet_count=self.figures.bytes & 0xFFFF_FFFF,
            )
            source = _rtp.RtcpSourceInfo(ssrc=self._ssrc, items=[(1, self._cname.encode())])
            report = _rtp.RtcpSrPacket(ssrc=self._ssrc, sender_info=info)
            try:
                await self._transport._send_rtp(bytes(report) + bytes(_rtp.RtcpSdesPacket(chunks=[source])))
            except ConnectionError:
                return


PacketTaker = Callable[[Packet], Awaitable[None]]


class RtpReceiver:
    """Hands RTP packets on, in the order of arrival; stands in for aiortc's RTCRtpReceiver."""

    def __init__(self, kind: str, transport: Transport) -> None:
        self.kind = kind
        self.on_packet: PacketTaker | None = None
        """Called with every packet of the track, retransmitted ones included."""
        self.packets = 0
        self._enabled = True
        self._track: RemoteStreamTrack | None = None
        self._transport = transport
        self._codecs: dict[int, Any] = {}
        self._rtx_ssrc: dict[int, int] = {}
        self._statistics: dict[int, StreamStatistics] = {}
        self._sender_reports: dict[int, tuple[int, float]] = {}
        self._own_ssrc: int | None = None
        self._media_ssrc: int | None = None
        self._reports: asyncio.Task[None] | None = None

    @property
    def track(self) -> RemoteStreamTrack | None:
        """The track object aiortc made; nothing is read from it."""
        return self._track

    @property
    def transport(self) -> Transport:
        """The DTLS transport, as aiortc asks for it."""
        return self._transport

    def setTransport(self, transport: Transport) -> None:  # noqa: N802 - aiortc's name
        """Move to the bundled transport."""
        self._transport = transport

    @classmethod
    def getCapabilities(cls, kind: str) -> Any:  # noqa: N802 - aiortc's name
        """The codecs that can be negotiated."""
        return _StockSender.getCapabilities(kind)

    async def getStats(self) -> RTCStatsReport:  # noqa: N802 - aiortc's name
        """An empty report: figures are kept by the taker."""
        return RTCStatsReport()

    async def receive(self, parameters: Any) -> None:
        """Start, with what was agreed; called by the peer connection."""
        if self._reports is not None:
            return
        self._codecs = {codec.payloadType: codec for codec in parameters.codecs}
        for encoding in parameters.encodings:
            if encoding.rtx:
                self._rtx_ssrc[encoding.rtx.ssrc] = encoding.ssrc
        self._transport._register_rtp_receiver(self, parameters)
        self._reports = asyncio.create_task(self._report(), name=f"rtcp.receive.{self.kind}")

    async def stop(self) -> None:
        """Stop for good."""
        if self._reports is not None:
            self._transport._unregister_rtp_receiver(self)
            self._reports.cancel()
            await asyncio.gather(self._reports, return_exceptions=True)

    async def request_keyframe(self) -> None:
        """Send a picture loss indication (RFC 4585, section 6.3.1)."""
        await self._feedback(_rtp.RtcpPsfbPacket, fmt=_rtp.RTCP_PSFB_PLI)

    async def request_packets(self, sequences: list[int]) -> None:
        """Send a generic NACK (RFC 4585, section 6.2.1) for 16-bit sequence numbers."""
        await self._feedback(_rtp.RtcpRtpfbPacket, fmt=_rtp.RTCP_RTPFB_NACK, lost=sorted(sequences))

    async def _feedback(self, make: Callable[..., Any], **fields: Any) -> None:
        if self._own_ssrc is None or self._media_ssrc is None:
            return
        packet = make(ssrc=self._own_ssrc, media_ssrc=self._media_ssrc, **fields)
        try:
            await self._transport._send_rtp(bytes(packet))
        except ConnectionError:
            return

    @property
    def own_ssrc(self) -> int | None:
        """The SSRC under which this end reports."""
        return self._own_ssrc

    def _set_rtcp_ssrc(self, ssrc: int) -> None:
        self._own_ssrc = ssrc

    def _handle_disconnect(self) -> None:
        """The transport ended; the owner of the peer connection sees it there."""

    async def _handle_rtcp_packet(self, packet: Any) -> None:
        if isinstance(packet, _rtp.RtcpSrPacket):
            middle = packet.sender_info.ntp_timestamp >> 16 & 0xFFFF_FFFF
            self._sender_reports[packet.ssrc] = (middle, time.monotonic())

    async def _handle_rtp_packet(self, packet: Any, arrival_time_ms: int) -> None:  # noqa: ARG002 - aiortc's call
        codec = self._codecs.get(packet.payload_type)
        if not self._enabled or codec is None:
            return
        statistics = self._statistics.get(packet.ssrc)
        if statistics is None:
            statistics = self._statistics[packet.ssrc] = StreamStatistics(codec.clockRate)
        statistics.add(packet)
        if aiortc.codecs.is_rtx(codec):
            original = self._rtx_ssrc.get(packet.ssrc, self._media_ssrc)
            apt = codec.parameters.get("apt")
            if original is None or apt not in self._codecs or len(packet.payload) < 2:
                return
            packet = _rtp.unwrap_rtx(packet, payload_type=apt, ssrc=original)
        else:
            self._media_ssrc = packet.ssrc
        self.packets += 1
        if self.on_packet is not None and packet.payload:
            await self.on_packet(
                Packet(
                    packet.sequence_number,
                    packet.timestamp,
                    bool(packet.marker),
                    packet.payload,
                    getattr(packet.extensions, "capture_ntp", None),
                )
            )

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_S * (0.5 + random.random()))
            if self._own_ssrc is None or not self._statistics:
                continue
            reports = [self._receiver_info(ssrc, statistics) for ssrc, statistics in self._statistics.items()]
            packet = _rtp.RtcpRrPacket(ssrc=self._own_ssrc, reports=reports)
            try:
                await self._transport._send_rtp(bytes(packet))
            except ConnectionError:
                return

    def _receiver_info(self, ssrc: int, statistics: StreamStatistics) -> Any:
        middle, at = self._sender_reports.get(ssrc, (0, 0.0))
        since = int((time.monotonic() - at) * 65536) if middle else 0
        return _rtp.RtcpReceiverInfo(
            ssrc=ssrc,
            fraction_lost=statistics.fraction_lost,
            packets_lost=statistics.packets_lost,
            highest_sequence=statistics.max_seq,
            jitter=statistics.jitter,
            lsr=middle,
            dlsr=min(since, 0xFFFF_FFFF),
        )


_clock: MediaClock | None = None
_stock_addresses = aioice.ice.get_host_addresses


def install(clock: MediaClock, addresses: tuple[str, ...] = ()) -> None:
    """Put our sender and receiver behind every peer connection that this process makes from now on.

    Args:
        clock: stamps capture times.
        addresses: the only addresses to offer; empty offers every address of this machine.

    Raises:
        RtcChangedError: aiortc is not the one this was written against.
    """
    global _clock  # noqa: PLW0603 - aiortc constructs senders itself, from module globals
    guard()
    _clock = clock
    _pc.RTCRtpSender = RtpSender
    _pc.RTCRtpReceiver = RtpReceiver
    _pc.RTCDtlsTransport = Transport
    _rtp.HeaderExtensionsMap = _HeaderExtensionsMap
    for extensions in aiortc.codecs.HEADER_EXTENSIONS.values():
        for number, uri in ((CAPTURE_TIME_ID, CAPTURE_TIME_URI), (TRANSPORT_SEQUENCE_ID, twcc.URI)):
            if all(one.uri != uri for one in extensions):
                extensions.append(RTCRtpHeaderExtensionParameters(id=number, uri=uri))
    feedback = RTCRtcpFeedback(type="transport-cc")
    for codec in (*aiortc.codecs.CODECS["video"], *aiortc.codecs.CODECS["audio"]):
        if not aiortc.codecs.is_rtx(codec) and feedback not in codec.rtcpFeedback:
            codec.rtcpFeedback.append(feedback)

    def host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:  # noqa: FBT001 - aioice's call
        # A machine with no network but loopback can still hold a rehearsal with itself.
        return list(addresses) or _stock_addresses(use_ipv4, use_ipv6) or ["127.0.0.1"]

    aioice.ice.get_host_addresses = host_addresses


def _installed_clock() -> MediaClock:
    if _clock is None:
        raise RtcChangedError("agent.stream.rtc.install must run before a peer connection is made")
    return _clock


def guard() -> None:
    """Check everything that this module leans on.

    Raises:
        RtcChangedError: naming what is different.
    """
    if aiortc.__version__ != AIORTC_VERSION:
        raise RtcChangedError(f"aiortc {aiortc.__version__} is installed; {AIORTC_VERSION} is needed")
    connection = inspect.getsource(_pc.RTCPeerConnection)
    transport = inspect.getsource(RTCDtlsTransport)
    for text, where in (
        ("sender=RTCRtpSender(sender_track or kind, dtlsTransport)", connection),
        ("dtlsTransport = RTCDtlsTransport(iceTransport, self.__certificates)", connection),
        ("receiver=RTCRtpReceiver(kind, dtlsTransport)", connection),
        ("transceiver.receiver._set_rtcp_ssrc(transceiver.sender._ssrc)", connection),
        ("transceiver.sender._stream_id = ", connection),
        ("HEADER_EXTENSIONS[transceiver.kind][:]", connection),
        ("self._rtp_header_extensions_map = rtp.HeaderExtensionsMap()", transport),
        ("receiver = self._rtp_router.route_rtp(packet)", transport),
        ("await self._handle_rtp_data(data, arrival_time_ms=arrival_time_ms)", transport),
        ("await self._handle_rtcp_data(data)", transport),
        ("await recipient._handle_rtcp_packet(packet)", transport),
        ("receiver._handle_disconnect()", transport),
    ):
        if text not in where:
            raise RtcChangedError(f"aiortc changed: `{text}` is gone")
    for name in ("_register_rtp_sender", "_unregister_rtp_sender", "_register_rtp_receiver",
                 "_unregister_rtp_receiver", "_send_rtp"):  # fmt: skip
        if not callable(getattr(RTCDtlsTransport, name, None)):
            raise RtcChangedError(f"aiortc changed: RTCDtlsTransport.{name} is gone")
    if list(inspect.signature(_stock_addresses).parameters) != ["use_ipv4", "use_ipv6"]:
        raise RtcChangedError("aioice changed: get_host_addresses takes other arguments")
