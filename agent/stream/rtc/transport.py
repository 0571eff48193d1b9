"""What stands in for aiortc's DTLS transport: all that leaves and arrives on one connection."""

# ruff: noqa: SLF001 - reaching inside is what this package is for

import asyncio
import logging
import struct
from collections.abc import Callable
from typing import Any, Protocol

import aiortc.rtp as _rtp
from aiortc.rtcdtlstransport import RTCDtlsTransport

from agent.stream import pinned
from agent.stream.pacer import Priority
from agent.stream.uplink import Uplink

log = logging.getLogger(__name__)

DAMAGED = (ValueError, IndexError, struct.error)
"""What aiortc's parsers raise at a damaged packet; let through, it would end all receiving on the transport."""


class Sender(Protocol):
    """A track that is sent, as far as its transport needs it."""

    priority: Priority
    on_keyframe: Callable[[], None]


class Transport(RTCDtlsTransport):  # type: ignore[misc]
    """aiortc's DTLS transport, with an uplink that paces what leaves and hears what arrived."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.senders: list[Sender] = []
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
