"""How our own parts get behind aiortc's peer connection.

It keeps the codecs that we send, learns of the abs-capture-time header extension, can be limited in which
addresses it offers, and goes on as soon as a path is found.
"""

# ruff: noqa: SLF001 - reaching inside is what this package is for

from typing import Any

import aioice.ice
import aiortc
import aiortc.codecs
import aiortc.rtcpeerconnection as _pc
import aiortc.rtp as _rtp
from aiortc.rtcrtpparameters import RTCRtcpFeedback, RTCRtpHeaderExtensionParameters

from agent.stream import agreed, pinned
from agent.stream.mediaclock import MediaClock
from agent.stream.rtc.receiver import RtpReceiver
from agent.stream.rtc.sender import RtpSender
from agent.stream.rtc.transport import Transport

_stock_addresses = aioice.ice.get_host_addresses
_stock_check_periodic = aioice.ice.Connection._check_periodic


def install(clock: MediaClock, addresses: tuple[str, ...] = ()) -> None:
    """Put our sender and receiver behind every peer connection that this process makes from now on.

    Args:
        clock: stamps capture times.
        addresses: the only addresses to offer; empty offers every address of this machine.

    Raises:
        pinned.RtcChangedError: aiortc is not the one this was written against.
    """
    pinned.check(_stock_addresses, connect=aioice.ice.Connection.connect)
    RtpSender.clock = clock
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


def _check_periodic(connection: aioice.ice.Connection) -> bool:
    """Begin the check of one more path; whether another is to be begun 20 ms later.

    aioice's own says so until it is asked again, and `connect` sees only then that the first path was found long ago.
    """
    if not _stock_check_periodic(connection):
        return False
    states = aioice.ice.CandidatePair.State
    left = any(pair.task is None and pair.state in (states.WAITING, states.FROZEN) for pair in connection._check_list)
    return left or bool(connection._remote_candidates_expected())
