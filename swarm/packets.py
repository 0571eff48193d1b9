"""MQTT 3.1.1, as much of it as a device speaks: packets out, packets in. Pure; no sockets here.

Source: OASIS MQTT 3.1.1, chapters 2 and 3.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 2, 3, 4, 9, 13
"""Types of the packets that a client receives."""
PING = b"\xc0\x00"
GOODBYE = b"\xe0\x00"
QOS = 1
NUMBERS = 65_535
"""Packet identifiers go from 1 to this."""
LONGEST_BYTES = 1 << 20
"""Longer packets are no hub's."""
_CLEAN, _WILL, _WILL_QOS1, _WILL_RETAIN = 0x02, 0x04, 0x08, 0x20


class PacketsBroken(Exception):
    """What arrives is not MQTT."""


class Packet(NamedTuple):
    """One packet as it arrived."""

    kind: int
    flags: int
    body: bytes


class Published(NamedTuple):
    """A PUBLISH that was read."""

    topic: bytes
    payload: bytes
    number: int
    """To be acknowledged; 0 where nothing is expected."""


def connect(client: str, keepalive_s: int, will_topic: str, will: bytes) -> bytes:
    """A CONNECT with a clean session and a retained will of QoS 1."""
    flags = _CLEAN | _WILL | _WILL_QOS1 | _WILL_RETAIN
    head = _text(b"MQTT") + bytes((4, flags)) + keepalive_s.to_bytes(2, "big")
    return _packet(0x10, head + _text(client.encode()) + _text(will_topic.encode()) + _text(will))


def subscribe(number: int, topics: Sequence[str]) -> bytes:
    """A SUBSCRIBE to all of `topics` with QoS 1."""
    wanted = b"".join(_text(topic.encode()) + bytes((QOS,)) for topic in topics)
    return _packet(0x82, number.to_bytes(2, "big") + wanted)


def publish(topic: bytes, payload: bytes, number: int, *, retain: bool = False) -> bytes:
    """A PUBLISH of QoS 1, with the topic as `text` made it."""
    return _packet(0x33 if retain else 0x32, topic + number.to_bytes(2, "big") + payload)


def puback(number: int) -> bytes:
    """The answer to a PUBLISH of QoS 1."""
    return b"\x40\x02" + number.to_bytes(2, "big")


def text(topic: str) -> bytes:
    """A topic as packets carry it; made once for each topic, because fleets publish on it for hours."""
    return _text(topic.encode())


def published(packet: Packet) -> Published:
    """Read a PUBLISH."""
    body = packet.body
    end = 2 + int.from_bytes(body[:2], "big")
    if packet.flags & 0x06:
        return Published(body[2:end], body[end + 2 :], int.from_bytes(body[end : end + 2], "big"))
    return Published(body[2:end], body[end:], 0)


class PacketReader:
    """Cuts a stream of bytes into packets."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Every packet that is complete by now.

        Raises:
            PacketsBroken: what arrives is not MQTT.
        """
        data = self._rest + data if self._rest else data
        at, end = 0, len(data)
        while end - at >= 2:
            size, start = _length(data, at + 1, end)
            if size < 0 or start + size > end:
                break
            yield Packet(data[at] >> 4, data[at] & 0x0F, data[start : start + size])
            at = start + size
        self._rest = data[at:]


def _length(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The remaining length that begins at `at`, and where it ends; -1 where it is not all there."""
    size = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            if size > LONGEST_BYTES:
                raise PacketsBroken(f"a packet of {size} bytes")
            return size, at
        shift += 7
        if shift > 21:
            raise PacketsBroken("a length that never ends")
    return -1, at


def _packet(head: int, body: bytes) -> bytes:
    size = len(body)
    if size < 0x80:
        return bytes((head, size)) + body
    length = bytearray()
    while size:
        size, low = size >> 7, size & 0x7F
        length.append(low | (0x80 if size else 0))
    return bytes((head,)) + bytes(length) + body


def _text(raw: bytes) -> bytes:
    return len(raw).to_bytes(2, "big") + raw
