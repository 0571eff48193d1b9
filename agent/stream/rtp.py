"""RTP packets as bytes: header and one-byte header extensions. Pure.

Source: RFC 3550, section 5.1; RFC 8285, section 4.2.
"""

import struct

_HEADER = struct.Struct("!BBHII")
_PROFILE = 0xBEDE
CAPTURE_TIME_BYTES = 8
ID_MAX = 14
"""Ids above it, and longer values, need the two-byte form, which we do not send."""
VALUE_MAX_BYTES = 16


def extension(number: int, value: bytes) -> bytes:
    """One element of a one-byte header extension.

    Args:
        number: its id, 1 to 14.
        value: 1 to 16 bytes.

    Raises:
        ValueError: it has another length, or the id is another one.
    """
    return extension_head(number, len(value)) + value


def extension_head(number: int, size_bytes: int) -> bytes:
    """What stands before the value of an element.

    Args:
        number: its id, 1 to 14.
        size_bytes: how long the value is, 1 to 16.

    Raises:
        ValueError: an element of one byte's head cannot have this id or length.
    """
    if not 1 <= number <= ID_MAX or not 1 <= size_bytes <= VALUE_MAX_BYTES:
        raise ValueError(f"no header extension has id {number} and {size_bytes} bytes")
    return bytes([number << 4 | size_bytes - 1])


def packet(
    payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, elements: bytes, *, marker: bool
) -> bytes:
    """A whole RTP packet.

    Args:
        payload_type: 0 to 127.
        sequence: 16 bit.
        timestamp: 32 bit.
        ssrc: 32 bit.
        payload: what it carries.
        elements: extension elements, not padded; empty for none.
        marker: the marker bit.
    """
    second = payload_type | 0x80 if marker else payload_type
    if not elements:
        return _HEADER.pack(0x80, second, sequence, timestamp, ssrc) + payload
    padding = -len(elements) % 4
    words = (len(elements) + padding) // 4
    return b"".join(
        (
            _HEADER.pack(0x90, second, sequence, timestamp, ssrc),
            _PROFILE.to_bytes(2, "big"),
            words.to_bytes(2, "big"),
            elements,
            bytes(padding),
            payload,
        )
    )
