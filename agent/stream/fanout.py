"""From one encoder to many peers: packets cross from the encoder's thread to the event loop once."""

import asyncio
import threading
from collections.abc import Callable

from agent.encode.packet import SoundPacket, VideoPacket

PENDING_MAX = 100
"""Packets on their way to the event loop; more are dropped, pictures up to the next keyframe."""

MediaPacket = VideoPacket | SoundPacket
PacketTaker = Callable[[MediaPacket], None]
"""Takes a packet on the event loop; returns at once. What waits is the transport's business."""


class TrackFanout:
    """Taker of one encoder; spreads its packets over the peers on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, request_keyframe: Callable[[], None]) -> None:
        self.dropped = 0
        """Packets dropped because the event loop was behind."""
        self.request_keyframe = request_keyframe
        """Asks the encoder for a keyframe."""
        self._loop = loop
        self._takers: tuple[PacketTaker, ...] = ()
        self._pending = 0
        self._lock = threading.Lock()
        self._starved = False

    def take(self, packet: MediaPacket) -> None:
        """Taker for the encoder's thread: returns at once."""
        if not self._takers:
            return
        with self._lock:
            keyframe = not isinstance(packet, VideoPacket) or packet.keyframe
            if self._pending >= PENDING_MAX or (self._starved and not keyframe):
                self.dropped += 1
                self._starved = True
                self.request_keyframe()
                return
            self._starved = False
            self._pending += 1
        self._loop.call_soon_threadsafe(self._spread, packet)

    def join(self, taker: PacketTaker) -> None:
        """Give every packet from now on to `taker`, and ask for a keyframe to begin with."""
        self._takers = (*self._takers, taker)
        self.request_keyframe()

    def leave(self, taker: PacketTaker) -> None:
        """Stop giving packets to `taker`."""
        self._takers = tuple(one for one in self._takers if one != taker)

    def _spread(self, packet: MediaPacket) -> None:
        with self._lock:
            self._pending -= 1
        for taker in self._takers:
            taker(packet)


class Feed:
    """One track on its way to one peer: begins with a keyframe, and again after a change of tier."""

    def __init__(self, put: Callable[[MediaPacket], None]) -> None:
        self._put = put
        self._fanout: TrackFanout | None = None
        self._needs_keyframe = True

    @property
    def fanout(self) -> TrackFanout | None:
        """Where the packets come from now; None while the track is not sent."""
        return self._fanout

    def follow(self, fanout: TrackFanout | None) -> None:
        """Take packets from `fanout` from now on; None stops."""
        if fanout is self._fanout:
            return
        if self._fanout is not None:
            self._fanout.leave(self._take)
        self._fanout = fanout
        self._needs_keyframe = True
        if fanout is not None:
            fanout.join(self._take)

    def request_keyframe(self) -> None:
        """The other end needs a keyframe."""
        if self._fanout is not None:
            self._fanout.request_keyframe()

    def _take(self, packet: MediaPacket) -> None:
        if isinstance(packet, VideoPacket):
            if self._needs_keyframe and not packet.keyframe:
                return
            self._needs_keyframe = False
        self._put(packet)
