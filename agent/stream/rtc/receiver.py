"""What stands in for aiortc's RTCRtpReceiver."""

# ruff: noqa: SLF001 - reaching inside is what this package is for

import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiortc.rtp as _rtp
from aiortc.rtcrtpreceiver import RemoteStreamTrack

from agent.stream import agreed
from agent.stream.jitter import Packet
from agent.stream.received import ReceivedStreams
from agent.stream.rtc.end import RtpEnd
from agent.stream.rtc.transport import Transport

PacketTaker = Callable[[Packet], Awaitable[None]]


class RtpReceiver(RtpEnd):
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
