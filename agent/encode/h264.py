"""H.264 on the wire: Annex B access units to RTP payloads.

Source: RFC 6184, packetization mode 1 (single NAL unit, STAP-A, FU-A).
"""

PAYLOAD_MAX_BYTES = 1200
"""Leaves room for RTP header, extensions and SRTP below the 1,280 bytes that every path carries."""

NAL_IDR = 5
NAL_SEI = 6
NAL_SPS = 7
NAL_PPS = 8
NAL_AUD = 9
_STAP_A = 24
_FU_A = 28
_START = b"\x00\x00\x01"


def nal_units(access_unit: bytes) -> list[bytes]:
    """Split an Annex B access unit at its start codes.

    Args:
        access_unit: bytes as the encoder made them.

    Returns:
        The NAL units without start codes and trailing zeros; empty where there is no start code.
    """
    units: list[bytes] = []
    start = access_unit.find(_START)
    while start >= 0:
        start += 3
        end = access_unit.find(_START, start)
        unit = access_unit[start : end if end >= 0 else len(access_unit)].rstrip(b"\x00")
        if unit:
            units.append(unit)
        start = end
    return units


def nal_type(unit: bytes) -> int:
    """The type of a NAL unit (table 7-1 of H.264)."""
    return unit[0] & 0x1F


def payloads(units: list[bytes]) -> tuple[bytes, ...]:
    """RTP payloads of one picture, in order.

    Args:
        units: the picture's NAL units; parameter sets travel together in one STAP-A.

    Returns:
        Payloads of at most `PAYLOAD_MAX_BYTES`; the last one carries the marker bit.
    """
    out: list[bytes] = []
    small: list[bytes] = []

    def flush() -> None:
        if len(small) == 1:
            out.append(small[0])
        elif small:
            header = bytes([max(unit[0] & 0x60 for unit in small) | _STAP_A])
            out.append(header + b"".join(len(unit).to_bytes(2, "big") + unit for unit in small))
        small.clear()

    size = 1
    for unit in units:
        if nal_type(unit) == NAL_AUD:
            continue
        if len(unit) > PAYLOAD_MAX_BYTES:
            flush()
            size = 1
            out.extend(_fragments(unit))
            continue
        if size + 2 + len(unit) > PAYLOAD_MAX_BYTES:
            flush()
            size = 1
        small.append(unit)
        size += 2 + len(unit)
    flush()
    return tuple(out)


def _fragments(unit: bytes) -> list[bytes]:
    indicator = (unit[0] & 0xE0) | _FU_A
    kind = unit[0] & 0x1F
    body = memoryview(unit)[1:]
    room = PAYLOAD_MAX_BYTES - 2
    count = -(-len(body) // room)
    step = -(-len(body) // count)
    pieces = []
    for index in range(count):
        edge = 0x80 if index == 0 else 0x40 if index == count - 1 else 0
        pieces.append(bytes([indicator, edge | kind]) + body[index * step : (index + 1) * step])
    return pieces


def heads(payload: bytes) -> list[bytes]:
    """The first two bytes of each NAL unit that begins in an RTP payload: its header, and what comes behind it.

    Args:
        payload: of packetization mode 1.

    Returns:
        In order; empty inside a fragmented unit.

    Raises:
        ValueError: the payload is truncated.
    """
    if len(payload) < 2:
        raise ValueError("H.264 payload is too short")
    kind = payload[0] & 0x1F
    if kind == _STAP_A:
        return [unit[:2] for unit in _aggregated(payload)]
    if kind != _FU_A:
        return [payload[:2]]
    if not payload[1] & 0x80:
        return []
    if len(payload) < 3:
        raise ValueError("FU-A is truncated")
    return [bytes([(payload[0] & 0xE0) | (payload[1] & 0x1F), payload[2]])]


def is_slice(head: bytes) -> bool:
    """Whether a unit that begins so is a part of a picture (table 7-1 of H.264: types 1 to 5)."""
    return 1 <= head[0] & 0x1F <= NAL_IDR


def is_first_slice(head: bytes) -> bool:
    """Whether a slice that begins so is the first one of its picture.

    Its header begins with the address of its first macroblock, as an Exp-Golomb code (section
    7.3.3); the one for 0 is a single set bit. Constrained baseline has no arbitrary slice order.
    """
    return len(head) > 1 and bool(head[1] & 0x80)


def _aggregated(payload: bytes) -> list[bytes]:
    """The NAL units in a STAP-A."""
    units: list[bytes] = []
    at = 1
    while at < len(payload):
        size = int.from_bytes(payload[at : at + 2], "big")
        unit = payload[at + 2 : at + 2 + size]
        if at + 2 > len(payload) or len(unit) < size or not size:
            raise ValueError("STAP-A is truncated")
        units.append(unit)
        at += 2 + size
    return units


def annexb(payload_list: list[bytes]) -> bytes:
    """The Annex B access unit that RTP payloads carry.

    Raises:
        ValueError: a payload is truncated or of a kind that packetization mode 1 does not know.
    """
    out = bytearray()
    for payload in payload_list:
        if len(payload) < 2:
            raise ValueError("H.264 payload is too short")
        kind = payload[0] & 0x1F
        if 1 <= kind <= 23:
            out += b"\x00" + _START + payload
        elif kind == _FU_A:
            if payload[1] & 0x80:
                out += b"\x00" + _START + bytes([(payload[0] & 0xE0) | (payload[1] & 0x1F)])
            out += payload[2:]
        elif kind == _STAP_A:
            for unit in _aggregated(payload):
                out += b"\x00" + _START + unit
        else:
            raise ValueError(f"NAL unit type {kind} is not part of packetization mode 1")
    return bytes(out)
