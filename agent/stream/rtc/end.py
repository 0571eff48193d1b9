"""What aiortc asks of senders and receivers alike."""

# ruff: noqa: SLF001 - reaching inside is what this package is for

import asyncio
import random
import time
from typing import Any

from aiortc import RTCRtpSender as _StockSender
from aiortc.stats import RTCStatsReport

from agent.stream.rtc.transport import Transport

REPORT_S = 1.0
"""RTCP reports go out about this often, in seconds."""


class RtpEnd:
    """One end of a track: what aiortc asks of it, and the report that it sends about once a second."""

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
