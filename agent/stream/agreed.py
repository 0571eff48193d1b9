"""What two ends agreed on for one track, in our own words: payload types, and the ids of header extensions.

Source: RFC 8843, section 15 (mid); RFC 4588, section 8 (apt); abs-send-time and abs-capture-time of WebRTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aiortc import RTCRtpCodecParameters, RTCRtpParameters

from agent.stream import rtp, twcc

MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
SEND_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
CAPTURE_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
OFFERED_IDS = {CAPTURE_TIME_URI: 5, twcc.URI: 6}
"""Header extensions that aiortc does not offer by itself, and the ids under which we do."""

CODECS = {"audio": "opus", "video": "h264"}
"""What is sent, by kind; an answer that named another first would have the other end take ours for it."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What packets of one outgoing stream look like."""

    payload_type: int
    clock_hz: int
    """Of RTP timestamps."""
    rtx_payload_type: int | None = None
    """Retransmissions get a stream of their own; None: they are repeated as they were."""
    mid: bytes = b""
    """Names the m-line in each packet."""
    mid_id: int | None = None
    send_time_id: int | None = None
    capture_time_id: int | None = None
    transport_sequence_id: int | None = None
    """Ids of header extensions, 1 to 14; None where one was not agreed on."""


@dataclass(frozen=True, slots=True)
class PayloadKind:
    """What incoming packets of one payload type are."""

    clock_hz: int
    """Of RTP timestamps."""
    repeats: int | None = None
    """The payload type that they carry again (`apt`); None for media itself."""


def outgoing(parameters: RTCRtpParameters) -> Agreed:
    """How to send, by what aiortc says was agreed on; the first codec is the one to use."""
    codec = parameters.codecs[0]
    rtx = [one.payloadType for one in parameters.codecs if _repeats(one) == codec.payloadType]
    # An id that only the two-byte form could carry is left out, like an extension that we do not know.
    ids = {one.uri: one.id for one in parameters.headerExtensions if 1 <= one.id <= rtp.ID_MAX}
    mid = parameters.muxId.encode()
    return Agreed(
        payload_type=codec.payloadType,
        clock_hz=codec.clockRate,
        rtx_payload_type=rtx[-1] if rtx else None,
        mid=mid if len(mid) <= rtp.VALUE_MAX_BYTES else b"",
        mid_id=ids.get(MID_URI),
        send_time_id=ids.get(SEND_TIME_URI),
        capture_time_id=ids.get(CAPTURE_TIME_URI),
        transport_sequence_id=ids.get(twcc.URI),
    )


def incoming(codecs: Sequence[RTCRtpCodecParameters]) -> dict[int, PayloadKind]:
    """What may come, by payload type."""
    return {one.payloadType: PayloadKind(one.clockRate, _repeats(one)) for one in codecs}


def only(name: str, codecs: Sequence[RTCRtpCodecParameters]) -> list[RTCRtpCodecParameters]:
    """The codecs of this name (small letters), and what repeats them."""
    kept = [one.payloadType for one in codecs if one.name.lower() == name]
    return [one for one in codecs if one.payloadType in kept or _repeats(one) in kept]


def _repeats(codec: RTCRtpCodecParameters) -> int | None:
    if codec.name.lower() != "rtx":
        return None
    apt = codec.parameters.get("apt")
    return apt if isinstance(apt, int) else -1  # repeats nothing that we know
