"""What comes from another room: packets put in order, decoded, counted, and handed to the playout."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray

from agent.capture.frame import SOUND_RATE_HZ
from agent.stream.decoder import PictureDecoder, SoundDecoder
from agent.stream.figures import PeerFigures
from agent.stream.jitter import Packet, PictureJitter, SoundJitter
from agent.stream.roomclock import RoomClock
from agent.stream.rtc import RtpReceiver

TICK_S = 0.02


class Playout(Protocol):
    """Shows and sounds what comes from another room."""

    def picture(self, room: str, track: str, picture: av.VideoFrame) -> None:
        """Show one picture; called on a decoder's thread."""

    def sound(self, room: str, samples: NDArray[np.int16]) -> None:
        """Play samples, 48 kHz mono; called on the event loop."""


class CountedTime(Protocol):
    """Says whether a moment counts as lesson."""

    def __call__(self, mono_ns: int) -> bool:
        """Whether this moment of this device's monotonic clock lies in session time."""


@dataclass
class Reception:
    """What the incoming tracks of one join share."""

    room: str
    began_ns: int
    """When the join began, on this device's monotonic clock."""
    figures: PeerFigures
    clock: RoomClock
    counts: CountedTime
    playout: Playout | None
    mono_ns: Callable[[], int] = time.monotonic_ns
    last_packet_ns: int | None = None
    """When any media of the room came last; None before the first."""
    first_picture: bool = False

    def now_ms(self) -> float:
        """This device's monotonic clock, in milliseconds."""
        return self.mono_ns() / 1e6

    def arrived(self) -> None:
        """A packet of the room came."""
        self.last_packet_ns = self.mono_ns()

    def heard(self, samples: NDArray[np.int16]) -> None:
        """Take decoded sound, 48 kHz mono, shape (samples,)."""
        if self.counts(self.mono_ns()):
            self.figures.audio_seconds += len(samples) / SOUND_RATE_HZ
        if self.playout is not None:
            self.playout.sound(self.room, samples)

    def seen(self, track: str, picture: av.VideoFrame, capture_ntp: int | None, at_ns: int) -> None:
        """Take a decoded picture; called on a decoder's thread."""
        if track == "camera":
            self._count(capture_ntp, at_ns)
        if self.playout is not None:
            self.playout.picture(self.room, track, picture)

    def _count(self, capture_ntp: int | None, at_ns: int) -> None:
        if not self.first_picture:
            self.first_picture = True
            self.figures.joins += 1
            self.figures.join_ms = round((at_ns - self.began_ns) / 1e6, 1)
        aged = self.clock.age_ns(capture_ntp, at_ns) if capture_ntp is not None else None
        if self.counts(at_ns - (aged[0] if aged else 0)):
            self.figures.video_frames += 1
            if aged is not None:
                self.figures.latencies.add(aged[0] / 1e6)
                self.figures.clock_error_ms = aged[1] / 1e6


class Incoming(Protocol):
    """One track that comes from another room."""

    async def run(self) -> None:
        """Take packets until cancelled."""

    def close(self) -> None:
        """End its threads."""


class IncomingPictures:
    """One video track."""

    def __init__(self, track: str, receiver: RtpReceiver, reception: Reception) -> None:
        self._receiver = receiver
        self._reception = reception
        self._jitter = PictureJitter()
        self._decoder = PictureDecoder(
            f"{track}.{reception.room}",
            lambda picture, ntp, at_ns: reception.seen(track, picture, ntp, at_ns),
            self._jitter.require_keyframe,
        )
        receiver.on_packet = self._take

    async def run(self) -> None:
        """Give up what waits too long, and ask again for what is missing, until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            for picture in self._jitter.tick(self._reception.now_ms()):
                self._decoder.put(picture)
            if self._receiver.packets:
                await self._ask()

    def close(self) -> None:
        """End the decoder's thread."""
        self._decoder.close()

    async def _take(self, packet: Packet) -> None:
        self._reception.arrived()
        for picture in self._jitter.add(packet, self._reception.now_ms()):
            self._decoder.put(picture)
        await self._ask()

    async def _ask(self) -> None:
        now_ms = self._reception.now_ms()
        if missing := self._jitter.nacks(now_ms):
            await self._receiver.request_packets(missing)
        if self._jitter.keyframe_due(now_ms):
            await self._receiver.request_keyframe()


class IncomingSound:
    """One sound track."""

    def __init__(self, receiver: RtpReceiver, reception: Reception) -> None:
        self._reception = reception
        self._jitter = SoundJitter()
        self._decoder = SoundDecoder()
        receiver.on_packet = self._take

    async def run(self) -> None:
        """Go on without what is missing too long, until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            self._play(self._jitter.tick(self._reception.now_ms()))
            self._reception.figures.sound_lost = self._jitter.lost

    def close(self) -> None:
        """Nothing to end."""

    async def _take(self, packet: Packet) -> None:
        self._reception.arrived()
        self._play(self._jitter.add(packet, self._reception.now_ms()))

    def _play(self, packets: list[Packet]) -> None:
        for packet in packets:
            self._reception.heard(self._decoder.decode(packet.payload))
