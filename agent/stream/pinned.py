"""What `agent.stream.rtc` leans on in aiortc and aioice, and the check that all of it is still there.

Both are pinned; whoever takes a newer one runs the tests, and is told here what changed.
"""

import inspect
from collections.abc import Callable
from typing import Any

import aiortc

AIORTC_VERSION = "1.16.0"

IN_CONNECTION = (
    "sender=RTCRtpSender(sender_track or kind, dtlsTransport)",
    "dtlsTransport = RTCDtlsTransport(iceTransport, self.__certificates)",
    "receiver=RTCRtpReceiver(kind, dtlsTransport)",
    "transceiver.receiver._set_rtcp_ssrc(transceiver.sender._ssrc)",
    "transceiver.sender._stream_id = ",
    "HEADER_EXTENSIONS[transceiver.kind][:]",
    "find_common_codecs(CODECS[media.kind], media.rtp.codecs)",
)
"""Lines of RTCPeerConnection by which our classes are made and asked."""
IN_TRANSPORT = (
    "self._rtp_header_extensions_map = rtp.HeaderExtensionsMap()",
    "receiver = self._rtp_router.route_rtp(packet)",
    "await self._handle_rtp_data(data, arrival_time_ms=arrival_time_ms)",
    "await self._handle_rtcp_data(data)",
    "await recipient._handle_rtcp_packet(packet)",
    "receiver._handle_disconnect()",
)
"""Lines of RTCDtlsTransport by which packets reach us."""
IN_CHECKS = (
    "if not self._check_periodic():",
    "res = await self._check_list_state.get()",
)
"""Lines of aioice's Connection.connect by which paths are tried: how the checks go on, and what tells their end."""
METHODS = (
    "_register_rtp_sender",
    "_unregister_rtp_sender",
    "_register_rtp_receiver",
    "_unregister_rtp_receiver",
    "_send_rtp",
)
"""Methods of RTCDtlsTransport that we call."""


class RtcChangedError(Exception):
    """aiortc is not the one that this was written against."""


def check(
    host_addresses: Callable[..., Any],
    connection: type = aiortc.RTCPeerConnection,
    transport: type = aiortc.RTCDtlsTransport,
    connect: Callable[..., Any] | None = None,
) -> None:
    """Check everything that we lean on.

    Args:
        host_addresses: aioice's function that lists this machine's addresses.
        connection: aiortc's peer connection.
        transport: aiortc's DTLS transport.
        connect: aioice's function that finds a path; None leaves it unchecked.

    Raises:
        RtcChangedError: naming what is different.
    """
    if aiortc.__version__ != AIORTC_VERSION:
        raise RtcChangedError(f"aiortc {aiortc.__version__} is installed; {AIORTC_VERSION} is needed")
    for part, texts in ((connection, IN_CONNECTION), (transport, IN_TRANSPORT), (connect, IN_CHECKS)):
        if part is None:
            continue
        source = inspect.getsource(part)
        for text in texts:
            if text not in source:
                raise RtcChangedError(f"aiortc changed: `{text}` is gone from {part.__name__}")
    for name in METHODS:
        if not callable(getattr(transport, name, None)):
            raise RtcChangedError(f"aiortc changed: {transport.__name__}.{name} is gone")
    if list(inspect.signature(host_addresses).parameters) != ["use_ipv4", "use_ipv6"]:
        raise RtcChangedError("aioice changed: get_host_addresses takes other arguments")
