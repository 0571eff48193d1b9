"""From one encoder to many peers: packets cross from the encoder's thread to the event loop once."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable

from agent.encode.packet import SoundPacket, VideoPacket

PENDING_MAX = 100
"""Packets on their way to the event loop; more are dropped, pictures up to the next keyframe."""
QUEUE_MAX = 50
"""Packets that wait for one slow peer; more are dropped, pictures up to the next keyframe."""

MediaPacket = VideoPacket | SoundPacket


class PeerQueue:
    """What waits for one peer on one track; a slow peer loses packets of its own and nobody else's."""

    def __init__(self, request_keyframe: Callable[[], None]) -> None:
        self.dropped = 0
        """Packets that this peer lost because it was slow."""
        self._request_keyframe = request_keyframe
        self._packets: deque[MediaPacket] = deque()
        self._arrived = asyncio.Event()
        self._needs_keyframe = True

    def put(self, packet: MediaPacket) -> None:
        """Add a packet; a full queue is emptied and waits for a keyframe."""
        if isinstance(packet, VideoPacket):
            if self._needs_keyframe and not packet.keyframe:
                self.dropped += 1
                return
            self._needs_keyframe = False
        if len(self._packets) >= QUEUE_MAX:
            self.dropped += len(self._packets) + 1
            self._packets.clear()
            if isinstance(packet, VideoPacket) and not packet.keyframe:
                self._needs_keyframe = True
                self._request_keyframe()
                return
        self._packets.append(packet)
        self._arrived.set()

    async def get(self) -> MediaPacket:
        """The next packet, in order."""
        while not self._packets:
            self._arrived.clear()
            await self._arrived.wait()
        return self._packets.popleft()


class TrackFanout:
    """Taker of one encoder; spreads its packets over the peers' queues on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, request_keyframe: Callable[[], None]) -> None:
        self.dropped = 0
        """Packets dropped because the event loop was behind."""
        self._loop = loop
        self._request_keyframe = request_keyframe
        self._queues: tuple[PeerQueue, ...] = ()
        self._pending = 0
        self._lock = threading.Lock()
        self._starved = False

    def take(self, packet: MediaPacket) -> None:
        """Taker for the encoder's thread: returns at once."""
        if not self._queues:
            return
        with self._lock:
            keyframe = not isinstance(packet, VideoPacket) or packet.keyframe
            if self._pending >= PENDING_MAX or (self._starved and not keyframe):
                self.dropped += 1
                self._starved = True
                self._request_keyframe()
                return
            self._starved = False
            self._pending += 1
        self._loop.call_soon_threadsafe(self._spread, packet)

    def join(self) -> PeerQueue:
        """A new queue for a new peer, beginning with a keyframe soon."""
        queue = PeerQueue(self._request_keyframe)
        self._queues = (*self._queues, queue)
        self._request_keyframe()
        return queue

    def leave(self, queue: PeerQueue) -> None:
        """Forget a peer's queue."""
        self._queues = tuple(one for one in self._queues if one is not queue)

    def request_keyframe(self) -> None:
        """A peer cannot go on without a keyframe."""
        self._request_keyframe()

    def _spread(self, packet: MediaPacket) -> None:
        with self._lock:
            self._pending -= 1
        for queue in self._queues:
            queue.put(packet)
