"""A sound packet that carries the one before it, in a place where every Opus decoder looks away.

The packet before travels as an extension in the padding of an Opus packet (RFC 6716, section
3.2.5; extensions: draft-ietf-mlcodec-opus-extension). Whoever does not know it plays the
packet as if it were not there, so nothing has to be agreed on.
"""

EXTENSION_ID = 121
"""Of the range for experiments."""
KEEP_S = 10.0
"""Packets carry the one before for this long after the last loss that the peer reported."""
_HEADER = EXTENSION_ID << 1
"""L = 0: the extension reaches to the end of the padding."""
_ONE_PADDED_FRAME = 0x41
PREVIOUS_MAX_BYTES = 400


def with_previous(data: bytes, previous: bytes) -> bytes:
    """An Opus packet that carries the one sent before it.

    Args:
        data: an Opus packet; returned as it is unless it holds exactly one frame.
        previous: the packet before, as the encoder made it; left out where it is long.
    """
    if len(data) < 2 or data[0] & 3 or not 0 < len(previous) <= PREVIOUS_MAX_BYTES:
        return data
    more, rest = divmod(len(previous) + 1, 254)
    if not rest:
        more, rest = more - 1, 254
    head = bytes([data[0] | 3, _ONE_PADDED_FRAME]) + b"\xff" * more + bytes([rest, *data[1:]])
    return head + bytes([_HEADER]) + previous


def parted(payload: bytes) -> tuple[bytes, bytes | None]:
    """Take a packet of `with_previous` apart.

    Returns:
        (the packet itself, the one before it or None); any other payload comes back as it is.
    """
    if len(payload) < 4 or payload[0] & 3 != 3 or payload[1] != _ONE_PADDED_FRAME:
        return payload, None
    at, padding = 2, 0
    while at < len(payload) and payload[at] == 0xFF:
        padding += 254
        at += 1
    if at >= len(payload):
        return payload, None
    padding += payload[at]
    end = len(payload) - padding
    if padding < 2 or end <= at + 1 or payload[end] != _HEADER:
        return payload, None
    return bytes([payload[0] & 0xFC]) + payload[at + 1 : end], payload[end + 1 :]


class SoundGuard:
    """Makes the packets for one peer carry the one before, as long as that peer loses some."""

    def __init__(self) -> None:
        self._previous = b""
        self._until_s = -1.0

    def payload(self, data: bytes, fraction_lost: float, now_s: float) -> bytes:
        """The RTP payload for the next packet; every packet sent must come through here, in order.

        Args:
            data: the Opus packet.
            fraction_lost: what the peer's last receiver report says, 0 to 1.
            now_s: a clock that only grows, in seconds.
        """
        previous, self._previous = self._previous, data
        if fraction_lost > 0:
            self._until_s = now_s + KEEP_S
        return with_previous(data, previous) if now_s < self._until_s else data
