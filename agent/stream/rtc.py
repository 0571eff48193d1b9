"""The one module that touches non-public parts of aiortc and aioice.

`install` puts our own RTP sender and receiver behind aiortc's peer connection, leaves it the codecs
that we send, adds the abs-capture-time header extension, can limit which addresses are offered, and
lets a connection go on as soon as a path is found. Everything else in the agent uses aiortc's public
classes and what this module defines; what of RTP needs no aiortc stands in `outgoing` and `received`,
and what this leans on in `pinned`.
"""

# ruff: noqa: SLF001 - reaching inside is what this module is for

import asyncio
import logging
import random
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aioice.ice
import aiortc
import aiortc.codecs
import aiortc.rtcpeerconnection as _pc
import aiortc.rtp as _rtp
from aiortc import RTCRtpSender as _StockSender
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtcpFeedback, RTCRtpHeaderExtensionParameters
from aiortc.rtcrtpreceiver import RemoteStreamTrack
from aiortc.stats import RTCStatsReport

from agent.stream import agreed, pinned
from agent.stream.jitter import Packet
from agent.stream.mediaclock import MediaClock
from agent.stream.outgoing import OutgoingStream, SenderFigures
from agent.stream.pacer import Priority
from agent.stream.received import ReceivedStreams
from agent.stream.uplink import Uplink

log = logging.getLogger(__name__)

OVERHEAD_BYTES = 60
"""Header, extensions and SRTP's tag of one packet, and UDP and IP below it, about."""
BEHIND_MS = 100.0
"""While packets wait for longer than this to leave, what a keyframe has made useless is not sent again."""
REPORT_S = 1.0
"""RTCP reports go out about this often, in seconds."""
DAMAGED = (ValueError, IndexError, struct.error)
"""What aiortc's parsers raise at a damaged packet; let through, it would end all receiving on the transport."""


class _HeaderExtensionsMap(_rtp.HeaderExtensionsMap):  # type: ignore[misc]
    """Knows one extension more: abs-capture-time."""

    def __init__(self) -> None:
        super().__init__()
        self._capture_time_id: int | None = None

    def configure(self, parameters: Any) -> None:
        super().configure(parameters)
        for extension in parameters.headerExtensions:
            if extension.uri == agreed.CAPTURE_TIME_URI:
                self._capture_time_id = extension.id

    def get(self, extension_profile: int, extension_value: bytes) -> Any:
        values = super().get(extension_profile, extension_value)
        values.capture_ntp = None
        if self._capture_time_id is not None:
            for number, value in _rtp.unpack_header_extensions(extension_profile, extension_value):
                if number == self._capture_time_id and len(value) >= 8:
                    values.capture_ntp = int.from_bytes(value[:8], "big")
        return values


class Transport(RTCDtlsTransport):  # type: ignore[misc]
    """aiortc's DTLS transport, with an uplink that paces what leaves and hears what arrived."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.senders: list[RtpSender] = []
        self.uplink = Uplink(self._send_now, self._dropped)
        self._running: asyncio.Task[None] | None = None

    def run_uplink(self) -> None:
        """Begin to send and to tell what arrived; called by each sender and receiver as it starts."""
        if self._running is None:
            self._running = asyncio.create_task(self.uplink.run(), name="uplink")
            self._running.add_done_callback(_tell_failure)

    async def stop(self) -> None:
        """End the uplink with the transport."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await super().stop()

    def _send_now(self, data: bytes) -> None:
        """Send as aiortc's `_send_rtp` does, without a task: nothing that it awaits waits for anything."""
        sending = self._send_rtp(data)
        try:
            sending.send(None)
        except StopIteration:
            return
        sending.close()
        raise pinned.RtcChangedError("aiortc changed: sending a packet waits for something")

    def _dropped(self, priority: Priority, _packets: int) -> None:
        for sender in self.senders:
            if sender.priority is priority:
                sender.on_keyframe()

    async def _handle_rtcp_data(self, data: bytes) -> None:
        try:
            rest = self.uplink.take_rtcp(data)
            if rest:
                await super()._handle_rtcp_data(rest)
        except DAMAGED as error:
            log.debug("a damaged RTCP compound is dropped whole: %s", error)

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        try:
            packet = _rtp.RtpPacket.parse(data, self._rtp_header_extensions_map)
        except DAMAGED as error:
            log.debug("a damaged RTP packet is dropped: %s", error)
            return
        receiver = self._rtp_router.route_rtp(packet)
        if receiver is None:
            return
        sequence = packet.extensions.transport_sequence_number
        if sequence is not None:
            self.uplink.arrived(sequence, receiver.own_ssrc or 0, packet.ssrc)
        await receiver._handle_rtp_packet(packet, arrival_time_ms=arrival_time_ms)


def _tell_failure(task: asyncio.Task[None]) -> None:
    """An uplink that ends by an error of ours must not do so in silence: nothing is sent any more."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("the uplink of a connection failed; it will be made anew", exc_info=error)


class _RtpEnd:
    """What aiortc asks of senders and receivers alike; and the report that each sends about once a second."""

    def __init__(self, kind: str, transport: Transport) -> None:
        self.kind = kind
        self._enabled = True
        self._transport = transport
        self._reports: asyncio.Task[None] | None = None

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
        """An empty report: figures are kept elsewhere."""
        return RTCStatsReport()

    def _report(self, now_ns: int) -> bytes:
        """The RTCP packet that is due now; empty for none."""
        raise NotImplementedError

    def _run_reports(self) -> None:
        self._transport.run_uplink()
        self._reports = asyncio.create_task(self._report_often(), name=f"rtcp.{type(self).__name__}.{self.kind}")

    async def _end_reports(self) -> None:
        if self._reports is not None:
            self._reports.cancel()
            await asyncio.gather(self._reports, return_exceptions=True)

    async def _report_often(self) -> None:
        there = True
        while there:
            await asyncio.sleep(REPORT_S * (0.5 + random.random()))
            there = await self._sent(self._report(time.monotonic_ns()))

    async def _sent(self, rtcp: bytes) -> bool:
        """Send an RTCP packet, if there is one; False where the transport is gone."""
        try:
            if rtcp:
                await self._transport._send_rtp(rtcp)
        except ConnectionError:
            return False
        return True


class RtpSender(_RtpEnd):
    """Sends payloads that are already encoded and packetised; stands in for aiortc's RTCRtpSender."""

    def __init__(self, track_or_kind: Any, transport: Transport) -> None:
        super().__init__(track_or_kind if isinstance(track_or_kind, str) else track_or_kind.kind, transport)
        self.track = None if isinstance(track_or_kind, str) else track_or_kind
        self.priority = Priority.SOUND if self.kind == "audio" else Priority.CAMERA
        """Who leaves first on this transport."""
        self.on_keyframe: Callable[[], None] = lambda: None
        """Called when the peer asks for a keyframe (PLI, FIR), or one is needed because packets were dropped."""
        self.started = asyncio.Event()
        """Set when the transport is up and parameters are agreed."""
        dice = random.Random()
        self._stream = OutgoingStream(_installed_clock(), dice, marks_ends=self.kind == "video")
        # aiortc writes these into the description.
        self._ssrc = self._stream.ssrc
        self._rtx_ssrc = self._stream.rtx_ssrc
        self._stream_id = f"{dice.getrandbits(64):016x}"
        self._track_id = f"{dice.getrandbits(64):016x}"
        self._cname = ""

    @property
    def figures(self) -> SenderFigures:
        """What was sent so far, and what the other end told of it."""
        return self._stream.figures

    def replaceTrack(self, track: Any) -> None:  # noqa: N802 - aiortc's name
        """Tracks are not used: packets come through `put`."""
        self.track = track

    async def send(self, parameters: Any) -> None:
        """Start, with what was agreed; called by the peer connection."""
        if self._reports is not None:
            return
        self._cname = parameters.rtcp.cname
        way = agreed.outgoing(parameters)
        self._stream.agree(way)
        if self.kind == "video":
            self._transport.uplink.controller.expects_feedback = way.transport_sequence_id is not None
        self._transport._register_rtp_sender(self, parameters)
        self._transport.senders.append(self)
        self._run_reports()
        self.started.set()

    async def stop(self) -> None:
        """Stop for good."""
        if self._reports is not None:
            self._transport._unregister_rtp_sender(self)
        await self._end_reports()

    def put(self, payloads: tuple[bytes, ...], mono_ns: int, *, keyframe: bool) -> None:
        """Queue one picture or 20 ms of sound; returns at once.

        Args:
            payloads: RTP payloads in order; the last one of a picture gets the marker bit.
            mono_ns: capture time on this device's monotonic clock.
            keyframe: whether the picture is one; True for sound.
        """
        if not self._enabled or not self.started.is_set():
            return
        put, priority = self._transport.uplink.put, self.priority
        keyframe_ns = time.monotonic_ns() if keyframe and self.kind == "video" else None
        for parcel in self._stream.parcels(payloads, mono_ns, keyframe_ns):
            size = len(parcel.payload) + OVERHEAD_BYTES
            put(size, priority, parcel, picture=parcel.timestamp, keyframe=keyframe)
        self._transport.uplink.flow()

    async def _handle_rtcp_packet(self, packet: Any) -> None:
        if isinstance(packet, _rtp.RtcpRrPacket | _rtp.RtcpSrPacket):
            for report in packet.reports:
                if report.ssrc == self._ssrc:
                    self._take_report(report)
        elif isinstance(packet, _rtp.RtcpRtpfbPacket) and packet.fmt == _rtp.RTCP_RTPFB_NACK:
            for sequence in packet.lost:
                self._retransmit(sequence)
            self._transport.uplink.flow()
        elif isinstance(packet, _rtp.RtcpPsfbPacket) and packet.fmt in (_rtp.RTCP_PSFB_PLI, _rtp.RTCP_PSFB_FIR):
            self._asked_for_keyframe()
        elif isinstance(packet, _rtp.RtcpPsfbPacket) and packet.fmt == _rtp.RTCP_PSFB_APP:
            if not packet.fci.startswith(b"REMB"):
                return  # another application's message
            bps, ssrcs = _rtp.unpack_remb_fci(packet.fci)
            if self._ssrc in ssrcs:
                self._transport.uplink.controller.on_remb(bps, time.monotonic_ns() // 1000)

    def _asked_for_keyframe(self) -> None:
        if not self._stream.keyframe_comes(time.monotonic_ns()):
            self.on_keyframe()

    def _take_report(self, report: Any) -> None:
        controller, now_ns = self._transport.uplink.controller, time.monotonic_ns()
        trip_ms = self._stream.take_report(report.fraction_lost, report.lsr, report.dlsr, now_ns)
        if self.kind == "video":
            controller.on_receiver_report(self.figures.fraction_lost, now_ns // 1000)
        if trip_ms is not None:
            controller.round_trip_ms(trip_ms)

    def _retransmit(self, sequence: int) -> None:
        again = self._stream.repeat(sequence)
        behind = self._transport.uplink.waiting_ms > BEHIND_MS
        if again is not None and not (behind and self._stream.superseded(sequence)):
            size = len(again.first.payload) + OVERHEAD_BYTES
            self._transport.uplink.put(size, Priority.REPAIR, again, picture=0, keyframe=False)

    def _report(self, now_ns: int) -> bytes:
        info = _rtp.RtcpSenderInfo(**self._stream.report(now_ns)._asdict())
        source = _rtp.RtcpSourceInfo(ssrc=self._ssrc, items=[(1, self._cname.encode())])
        report = _rtp.RtcpSrPacket(ssrc=self._ssrc, sender_info=info)
        return bytes(report) + bytes(_rtp.RtcpSdesPacket(chunks=[source]))


PacketTaker = Callable[[Packet], Awaitable[None]]


class RtpReceiver(_RtpEnd):
    """Hands RTP packets on, in the order of arrival; stands in for aiortc's RTCRtpReceiver."""

    def __init__(self, kind: str, transport: Transport) -> None:
        super().__init__(kind, transport)
        self.on_packet: PacketTaker | None = None
        """Called with every packet of the track, retransmitted ones included."""
        self.packets = 0
        self.own_ssrc: int | None = None
        """The SSRC under which this end reports."""
        self._track: RemoteStreamTrack | None = None
        self._streams = ReceivedStreams()

    @property
    def track(self) -> RemoteStreamTrack | None:
        """The track object aiortc made; nothing is read from it."""
        return self._track

    async def receive(self, parameters: Any) -> None:
        """Start, with what was agreed; called by the peer connection."""
        if self._reports is not None:
            return
        repeated = {one.rtx.ssrc: one.ssrc for one in parameters.encodings if one.rtx}
        self._streams.agree(agreed.incoming(parameters.codecs), repeated)
        self._transport._register_rtp_receiver(self, parameters)
        self._run_reports()

    async def stop(self) -> None:
        """Stop for good."""
        if self._reports is not None:
            self._transport._unregister_rtp_receiver(self)
        await self._end_reports()

    async def request_keyframe(self) -> None:
        """Send a picture loss indication (RFC 4585, section 6.3.1)."""
        await self._feedback(_rtp.RtcpPsfbPacket, fmt=_rtp.RTCP_PSFB_PLI)

    async def request_packets(self, sequences: list[int]) -> None:
        """Send a generic NACK (RFC 4585, section 6.2.1) for 16-bit sequence numbers."""
        await self._feedback(_rtp.RtcpRtpfbPacket, fmt=_rtp.RTCP_RTPFB_NACK, lost=sorted(sequences))

    async def _feedback(self, make: Callable[..., Any], **fields: Any) -> None:
        if self.own_ssrc is not None and self._streams.media_ssrc is not None:
            await self._sent(bytes(make(ssrc=self.own_ssrc, media_ssrc=self._streams.media_ssrc, **fields)))

    def _set_rtcp_ssrc(self, ssrc: int) -> None:
        self.own_ssrc = ssrc

    def _handle_disconnect(self) -> None:
        """The transport ended; the owner of the peer connection sees it there."""

    async def _handle_rtcp_packet(self, packet: Any) -> None:
        if isinstance(packet, _rtp.RtcpSrPacket):
            self._streams.take_sender_report(packet.ssrc, packet.sender_info.ntp_timestamp, time.monotonic_ns())

    async def _handle_rtp_packet(self, packet: Any, arrival_time_ms: int) -> None:  # noqa: ARG002 - aiortc's call
        if not self._enabled:
            return
        capture_ntp = getattr(packet.extensions, "capture_ntp", None)
        taken = self._streams.take(packet, capture_ntp, time.monotonic_ns())
        if taken is None:
            return
        self.packets += 1
        if self.on_packet is not None:
            await self.on_packet(taken)

    def _report(self, now_ns: int) -> bytes:
        blocks = [_rtp.RtcpReceiverInfo(**one._asdict()) for one in self._streams.reports(now_ns)]
        if self.own_ssrc is None or not blocks:
            return b""
        return bytes(_rtp.RtcpRrPacket(ssrc=self.own_ssrc, reports=blocks))


_clock: MediaClock | None = None
_stock_addresses = aioice.ice.get_host_addresses
_stock_check_periodic = aioice.ice.Connection._check_periodic


def _check_periodic(connection: aioice.ice.Connection) -> bool:
    """Begin the check of one more path; whether another is to be begun 20 ms later.

    aioice's own says so until it is asked again, and `connect` sees only then that the first path was found long ago.
    """
    if not _stock_check_periodic(connection):
        return False
    states = aioice.ice.CandidatePair.State
    left = any(pair.task is None and pair.state in (states.WAITING, states.FROZEN) for pair in connection._check_list)
    return left or bool(connection._remote_candidates_expected())


def install(clock: MediaClock, addresses: tuple[str, ...] = ()) -> None:
    """Put our sender and receiver behind every peer connection that this process makes from now on.

    Args:
        clock: stamps capture times.
        addresses: the only addresses to offer; empty offers every address of this machine.

    Raises:
        pinned.RtcChangedError: aiortc is not the one this was written against.
    """
    global _clock  # noqa: PLW0603 - aiortc constructs senders itself, from module globals
    pinned.check(_stock_addresses, connect=aioice.ice.Connection.connect)
    _clock = clock
    _pc.RTCRtpSender = RtpSender
    _pc.RTCRtpReceiver = RtpReceiver
    _pc.RTCDtlsTransport = Transport
    _rtp.HeaderExtensionsMap = _HeaderExtensionsMap
    for extensions in aiortc.codecs.HEADER_EXTENSIONS.values():
        for uri, number in agreed.OFFERED_IDS.items():
            if all(one.uri != uri for one in extensions):
                extensions.append(RTCRtpHeaderExtensionParameters(id=number, uri=uri))
    for kind, name in agreed.CODECS.items():
        aiortc.codecs.CODECS[kind][:] = agreed.only(name, aiortc.codecs.CODECS[kind])
    feedback = RTCRtcpFeedback(type="transport-cc")
    for codec in (*aiortc.codecs.CODECS["video"], *aiortc.codecs.CODECS["audio"]):
        if not aiortc.codecs.is_rtx(codec) and feedback not in codec.rtcpFeedback:
            codec.rtcpFeedback.append(feedback)

    def host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:  # noqa: FBT001 - aioice's call
        # A machine with no network but loopback can still hold a rehearsal with itself.
        return list(addresses) or _stock_addresses(use_ipv4, use_ipv6) or ["127.0.0.1"]

    aioice.ice.get_host_addresses = host_addresses
    aioice.ice.Connection._check_periodic = _check_periodic


def _installed_clock() -> MediaClock:
    if _clock is None:
        raise RuntimeError("agent.stream.rtc.install must run before a peer connection is made")
    return _clock
