"""What stands in for aiortc's RTCRtpSender."""

# ruff: noqa: SLF001 - reaching inside is what this package is for

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any, ClassVar

import aiortc.rtp as _rtp

from agent.stream import agreed
from agent.stream.mediaclock import MediaClock
from agent.stream.outgoing import OutgoingStream, SenderFigures
from agent.stream.pacer import Priority
from agent.stream.rtc.end import RtpEnd
from agent.stream.rtc.transport import Transport

OVERHEAD_BYTES = 60
"""Header, extensions and SRTP's tag of one packet, and UDP and IP below it, about."""
BEHIND_MS = 100.0
"""While packets wait for longer than this to leave, what a keyframe has made useless is not sent again."""


class RtpSender(RtpEnd):
    """Sends payloads that are already encoded and packetised; stands in for aiortc's RTCRtpSender."""

    clock: ClassVar[MediaClock | None] = None
    """Stamps capture times; set by `install`, because aiortc makes senders itself."""

    def __init__(self, track_or_kind: Any, transport: Transport) -> None:
        super().__init__(track_or_kind if isinstance(track_or_kind, str) else track_or_kind.kind, transport)
        self.track = None if isinstance(track_or_kind, str) else track_or_kind
        self.priority = Priority.SOUND if self.kind == "audio" else Priority.CAMERA
        """Who leaves first on this transport."""
        self.on_keyframe: Callable[[], None] = lambda: None
        """Called when the peer asks for a keyframe (PLI, FIR), or one is needed because packets were dropped."""
        self.started = asyncio.Event()
        """Set when the transport is up and parameters are agreed."""
        if self.clock is None:
            raise RuntimeError("agent.stream.rtc.install must run before a peer connection is made")
        dice = random.Random()
        self._stream = OutgoingStream(self.clock, dice, marks_ends=self.kind == "video")
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
