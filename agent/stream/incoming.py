"""What comes from another room: packets put in order, decoded, counted, and handed to the playout."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray

from agent.capture.frame import SOUND_RATE_HZ
from agent.stream.decoder import PictureDecoder, SoundDecoder
from agent.stream.figures import PeerFigures
from agent.stream.jitter import Packet, Picture, PictureJitter
from agent.stream.lipsync import LipSync
from agent.stream.mediaclock import ntp_to_ns
from agent.stream.playout import Audible, Choosy, Playout
from agent.stream.roomclock import RoomClock
from agent.stream.rtc import RtpReceiver
from agent.stream.showing import Showing
from agent.stream.soundjitter import SoundJitter

TICK_S = 0.02
"""How often a track that waits for something is looked at; one that waits for nothing costs no time."""
CONCEALED_MAX = 5
"""20 ms pieces made up in a row; after them there is nothing until sound comes again."""


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
    round_trip_ms: Callable[[], float | None] = lambda: None
    """The round trip to the room as RTCP measured it; None while it is not known."""
    lip_sync: LipSync = field(default_factory=LipSync)
    last_packet_ns: int | None = None
    """When any media of the room came last; None before the first."""
    first_picture: bool = False

    def __post_init__(self) -> None:
        """See once what the playout can say."""
        playout: object = self.playout
        self._choosy = playout if isinstance(playout, Choosy) else None
        self._audible = playout if isinstance(playout, Audible) else None

    def now_ms(self) -> float:
        """This device's monotonic clock, in milliseconds."""
        return self.mono_ns() / 1e6

    def arrived(self) -> None:
        """A packet of the room came."""
        self.last_packet_ns = self.mono_ns()

    def decodes(self, track: str) -> bool:
        """Whether pictures of a track are decoded: the camera's are counted, others only shown."""
        return track == "camera" or self._shows(track)

    def heard(self, samples: NDArray[np.int16], capture_ntp: int | None) -> None:
        """Take decoded sound, 48 kHz mono, shape (samples,)."""
        at_ns = self.mono_ns()
        if self.counts(at_ns):
            self.figures.audio_seconds += len(samples) / SOUND_RATE_HZ
        if capture_ntp is not None and self._audible is not None:
            waiting_ms = self._audible.waiting_ms(self.room)
            if waiting_ms is not None:
                self.lip_sync.heard(ntp_to_ns(capture_ntp), at_ns, waiting_ms)
        self.sound(samples)

    def sound(self, samples: NDArray[np.int16]) -> None:
        """Play sound without counting it as received."""
        if self.playout is not None and len(samples):
            self.playout.sound(self.room, samples)

    def seen(self, track: str, capture_ntp: int | None, at_ns: int) -> int:
        """Count a decoded picture; called on a decoder's thread.

        Returns:
            When to show it, on this device's monotonic clock.
        """
        self.figures.last_picture_ns = at_ns
        if track == "camera":
            self._count(capture_ntp, at_ns)
        if capture_ntp is None:
            return at_ns
        return at_ns + round(self.lip_sync.hold_ms(ntp_to_ns(capture_ntp), at_ns) * 1e6)

    def show(self, track: str, picture: av.VideoFrame) -> None:
        """Show a picture that is due; called on a thread of its track."""
        if self.playout is not None and self._shows(track):
            self.playout.picture(self.room, track, picture)

    def _shows(self, track: str) -> bool:
        if self.playout is None:
            return False
        return self._choosy is None or self._choosy.wants(self.room, track)

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


class Jitter(Protocol):
    """What puts the packets of one track in order, as far as waiting is concerned."""

    @property
    def troubled(self) -> bool:
        """Whether it waits for something."""

    def nacks(self, now_ms: float) -> list[int]:
        """Sequence numbers (16 bit) to ask for now."""


class Incoming(ABC):
    """One track that comes from another room."""

    def __init__(self, receiver: RtpReceiver, reception: Reception, jitter: Jitter) -> None:
        self._receiver = receiver
        self._reception = reception
        self._waiting = jitter
        self._trouble = asyncio.Event()
        receiver.on_packet = self._take

    async def run(self) -> None:
        """Give up what waits too long, and ask again for what is missing, until cancelled."""
        while True:
            await self._trouble.wait()
            self._trouble.clear()
            while self._waiting.troubled:
                await asyncio.sleep(TICK_S)
                now_ms = self._reception.now_ms()
                self._go_on(now_ms)
                await self._ask(now_ms)

    @abstractmethod
    def close(self) -> None:
        """End its threads."""

    async def _take(self, packet: Packet) -> None:
        self._reception.arrived()
        now_ms = self._reception.now_ms()
        self._add(packet, now_ms)
        if self._waiting.troubled:
            self._trouble.set()
            await self._ask(now_ms)

    @abstractmethod
    def _add(self, packet: Packet, now_ms: float) -> None:
        """Take a packet, and pass on what it sets free."""

    @abstractmethod
    def _go_on(self, now_ms: float) -> None:
        """Go on past what has been waited for long enough."""

    async def _ask(self, now_ms: float) -> None:
        if missing := self._waiting.nacks(now_ms):
            await self._receiver.request_packets(missing)


class IncomingPictures(Incoming):
    """One video track. A track that nobody shows is kept in order, and not decoded."""

    def __init__(self, track: str, receiver: RtpReceiver, reception: Reception) -> None:
        self._track = track
        self._jitter = PictureJitter(reception.round_trip_ms)
        super().__init__(receiver, reception, self._jitter)
        self._decoder: PictureDecoder | None = None
        self._stale = True
        """Whether the decoder missed pictures, so that it must begin with a keyframe."""
        self._loop = asyncio.get_running_loop()
        name = f"{track}.{reception.room}"
        self._showing = Showing(name, lambda picture: reception.show(track, picture), reception.mono_ns)

    def close(self) -> None:
        """End the track's threads."""
        if self._decoder is not None:
            self._decoder.close()
        self._showing.close()

    def _add(self, packet: Packet, now_ms: float) -> None:
        if self._track == "camera":
            self._reception.figures.last_camera_ns = self._reception.last_packet_ns
        if pictures := self._jitter.add(packet, now_ms):
            self._decode(pictures)

    def _go_on(self, now_ms: float) -> None:
        self._decode(self._jitter.tick(now_ms))

    def _decode(self, pictures: list[Picture]) -> None:
        for picture in pictures:
            if not self._reception.decodes(self._track):
                self._stale = True
            elif self._stale and not picture.keyframe:
                self._require_keyframe()
            else:
                self._stale = False
                self._awake().put(picture)

    def _awake(self) -> PictureDecoder:
        if self._decoder is None:
            name = f"{self._track}.{self._reception.room}"
            self._decoder = PictureDecoder(name, self._decoded, self._decoder_lost)
        return self._decoder

    def _decoder_lost(self) -> None:
        """Called on the decoder's thread."""
        self._loop.call_soon_threadsafe(self._require_keyframe)

    def _require_keyframe(self) -> None:
        self._jitter.require_keyframe()
        self._trouble.set()

    def _decoded(self, picture: av.VideoFrame, capture_ntp: int | None, at_ns: int) -> None:
        self._showing.put(picture, self._reception.seen(self._track, capture_ntp, at_ns))

    async def _ask(self, now_ms: float) -> None:
        await super()._ask(now_ms)
        if self._jitter.keyframe_due(now_ms):
            await self._receiver.request_keyframe()


class IncomingSound(Incoming):
    """One sound track."""

    def __init__(self, receiver: RtpReceiver, reception: Reception) -> None:
        self._jitter = SoundJitter(reception.round_trip_ms)
        super().__init__(receiver, reception, self._jitter)
        self._decoder = SoundDecoder()
        self._concealed = 0
        """Pieces made up in a row."""
        self._told = (0, 0)

    def close(self) -> None:
        """Nothing to end."""

    def _add(self, packet: Packet, now_ms: float) -> None:
        self._reception.figures.last_sound_ns = self._reception.last_packet_ns
        self._play(self._jitter.add(packet, now_ms))

    def _go_on(self, now_ms: float) -> None:
        self._play(self._jitter.tick(now_ms))

    def _play(self, packets: list[Packet | None]) -> None:
        for packet in packets:
            if packet is not None:
                self._concealed = 0
                self._reception.heard(self._decoder.decode(packet.payload), packet.capture_ntp)
            elif self._concealed < CONCEALED_MAX:
                self._concealed += 1
                self._reception.figures.sound_concealed += 1
                self._reception.sound(self._decoder.conceal())
        if self._told != (self._jitter.lost, self._jitter.recovered):
            self._tell()

    def _tell(self) -> None:
        """Add to the figures what is new: they outlive this join."""
        lost, recovered = self._told
        self._told = (self._jitter.lost, self._jitter.recovered)
        self._reception.figures.sound_lost += self._jitter.lost - lost
        self._reception.figures.sound_recovered += self._jitter.recovered - recovered
