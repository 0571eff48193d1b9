"""What the encoders make: packets that go to every peer and to the recorder alike."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VideoPacket:
    """One encoded picture."""

    data: bytes
    """H.264 access unit, Annex B; SPS and PPS stand before each keyframe."""
    payloads: tuple[bytes, ...]
    """The same as RTP payloads (RFC 6184, packetization mode 1), made once for all peers."""
    mono_ns: int
    """Capture time of the picture."""
    keyframe: bool
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class SoundPacket:
    """20 ms of Opus."""

    data: bytes
    mono_ns: int
    """Capture time of the first sample."""
    level_dbov: int
    """Level, 0 (loudest) to -127 dBov (RFC 6464)."""


VideoTaker = Callable[[VideoPacket], None]
"""Takes a packet on the encoder's thread; must return at once and never raise."""
