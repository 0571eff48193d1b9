"""One other room: one peer connection, what we send to it and what comes from it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)

from agent.encode.packet import VideoPacket
from agent.stream.camerafeed import CameraFeed
from agent.stream.fanout import Feed, MediaPacket, TrackFanout
from agent.stream.figures import PeerFigures
from agent.stream.incoming import CountedTime, Incoming, IncomingPictures, IncomingSound, Reception
from agent.stream.ladder import Look
from agent.stream.ladders import Stand
from agent.stream.mediaclock import MediaClock
from agent.stream.pacer import Priority
from agent.stream.playout import Playout
from agent.stream.redundancy import SoundGuard
from agent.stream.roomline import CHANNEL, RoomLine
from agent.stream.rtc import RtpSender
from agent.stream.tiers import CameraTiers
from agent.stream.uplink import Uplink
from agent.stream.voicetalk import TICK_S, VoiceTalk
from contract.session import IceServer

log = logging.getLogger(__name__)

H264_PROFILE = "42e01f"
"""Constrained baseline, level 3.1: what aiortc, GStreamer and browsers all take."""
CLOSE_S = 3.0
"""A connection that takes longer to close is left behind."""
FROZEN_S = 0.5
"""Packets of a camera that came within this, and no picture of it for longer: it is frozen."""
GUARDED_FROM_BPS = 250_000
"""Below this target rate sound goes without repetitions: they would take the picture's place, and fill the link."""
KINDS: Mapping[str, str] = {"mic": "audio", "camera": "video", "slides": "video"}
"""Tracks a peer connection carries, in the order of its m-lines."""
PRIORITIES: Mapping[str, Priority] = {
    "mic": Priority.SOUND,
    "slides": Priority.SLIDES,
    "camera": Priority.CAMERA,
}


@dataclass(frozen=True)
class PeerContext:
    """What every peer of one lesson shares."""

    outgoing: Mapping[str, TrackFanout]
    """Tracks this room sends, by name."""
    clock: MediaClock
    counts: CountedTime
    playout: Playout | None
    ice_servers: tuple[IceServer, ...]
    tiers: CameraTiers | None = None
    """Which tier of the camera each room gets; None: the recorded one for all."""
    on_sound_lost: Callable[[], None] = lambda: None
    """Told, again and again, while a room loses packets."""
    voices: VoiceTalk | None = None
    """What rooms tell each other of who speaks; None where the lesson is not observed."""


class Peer:
    """One join with one other room. A new join is a new Peer."""

    def __init__(
        self,
        room: str,
        attempt: str,
        context: PeerContext,
        figures: PeerFigures,
        mono_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.room = room
        self.attempt = attempt
        self.failed = asyncio.Event()
        """Set when the connection failed or was closed by the other side."""
        self.began_ns = mono_ns()
        self._context = context
        self._mono_ns = mono_ns
        self._incoming: list[Incoming] = []
        self._feeds: dict[str, Feed] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stand: Stand | None = None
        self._guard = SoundGuard()
        self._camera: CameraFeed | None = None
        self._uplink: Uplink | None = None
        self._line = RoomLine(context.clock.anchor_ns, self._other_is_late, mono_ns, self._take_voices)
        self._reception = Reception(
            room,
            self.began_ns,
            figures,
            self._line.clock,
            context.counts,
            context.playout,
            mono_ns,
            self._round_trip_ms,
        )
        self._closing = False
        servers = [
            RTCIceServer(urls=one.urls, username=one.username, credential=one.credential) for one in context.ice_servers
        ]
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._pc.on("connectionstatechange", self._on_state)
        self._pc.on("datachannel", self._on_channel)

    @property
    def last_packet_ns(self) -> int | None:
        """When anything of this room's media came last; None before the first."""
        return self._reception.last_packet_ns

    async def offer(self) -> tuple[str, dict[str, str]]:
        """Make an offer: our microphone and camera both ways, the lead room's slides one way.

        Returns:
            (SDP, track name by mid).
        """
        self._on_channel(self._pc.createDataChannel(CHANNEL, ordered=False, maxRetransmits=0))
        for track, kind in KINDS.items():
            direction = "recvonly" if track == "slides" else "sendrecv"
            transceiver = self._pc.addTransceiver(kind, direction=direction)
            self._wire(track, transceiver)
        await self._pc.setLocalDescription(await self._pc.createOffer())
        mids = [transceiver.mid for transceiver in self._pc.getTransceivers()]
        return self._pc.localDescription.sdp, dict(zip(mids, KINDS, strict=True))

    async def accept(self, sdp: str) -> None:
        """Take the answer to our offer.

        Raises:
            ValueError: the SDP is not an answer to it.
        """
        with _foreign_sdp():
            await self._pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def answer(self, sdp: str, tracks: Mapping[str, str]) -> str:
        """Answer an offer.

        Args:
            sdp: the offer.
            tracks: track name by mid, as the offering room calls them.

        Raises:
            ValueError: the SDP is not an offer that can be answered.
        """
        with _foreign_sdp():
            await self._pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        carried: set[str] = set()
        for transceiver in self._pc.getTransceivers():
            track = tracks.get(transceiver.mid, "")
            if KINDS.get(track) != transceiver.kind:
                raise ValueError(f"the offer's m-line {transceiver.mid} carries no track we know: {track!r}")
            if track in carried:
                raise ValueError(f"the offer carries {track} twice")
            carried.add(track)
            outgoing = track in self._context.outgoing
            transceiver.direction = "recvonly" if not outgoing else "sendonly" if track == "slides" else "sendrecv"
            self._wire(track, transceiver)
        with _foreign_sdp():
            await self._pc.setLocalDescription(await self._pc.createAnswer())
        return str(self._pc.localDescription.sdp)

    async def close(self) -> None:
        """End the connection and every thread and task of it."""
        self._closing = True
        for feed in self._feeds.values():
            feed.follow(None)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for incoming in self._incoming:
            incoming.close()
        try:
            await asyncio.wait_for(self._pc.close(), CLOSE_S)
        except TimeoutError:
            log.warning("the connection with %s does not close; left behind", self.room)

    def _wire(self, track: str, transceiver: RTCRtpTransceiver) -> None:
        if transceiver.kind == "video":
            codecs = RtpSender.getCapabilities("video").codecs
            transceiver.setCodecPreferences(
                [
                    codec
                    for codec in codecs
                    if codec.name == "rtx" or codec.parameters.get("profile-level-id") == H264_PROFILE
                ]
            )
        sender, receiver = transceiver.sender, transceiver.receiver
        fanout = self._context.outgoing.get(track)
        if fanout is not None and transceiver.direction in ("sendrecv", "sendonly"):
            feed = self._feeds[track] = Feed(lambda packet: self._put(sender, packet))
            sender.on_keyframe = feed.request_keyframe
            sender.priority = PRIORITIES[track]
            self._start(self._begin(feed, fanout, sender), f"send.{track}")
        if transceiver.direction in ("sendrecv", "recvonly"):
            incoming: Incoming = (
                IncomingSound(receiver, self._reception)
                if transceiver.kind == "audio"
                else IncomingPictures(track, receiver, self._reception)
            )
            self._incoming.append(incoming)
            self._start(incoming.run(), f"receive.{track}")

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=f"{name}.{self.room}")
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task that ends by an error takes the connection with it: it is made anew."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)
            self.failed.set()

    async def _begin(self, feed: Feed, fanout: TrackFanout, sender: RtpSender) -> None:
        await sender.started.wait()
        self._uplink = sender.transport.uplink
        if sender.priority is not Priority.CAMERA:
            feed.follow(fanout)
            return
        self._camera = CameraFeed(feed, fanout, self._context.tiers, self._uplink)
        self._camera.stand = self._stand
        await self._camera.run()

    def look(self, sound_lost: float) -> Look:
        """What can be seen of the link with this room now.

        Args:
            sound_lost: share of its sound that was lost lately, 0 to 1.
        """
        now = self._mono_ns()
        figures, uplink = self._reception.figures, self._uplink
        camera_s, picture_s = (ago_s(one, now) for one in (figures.last_camera_ns, figures.last_picture_ns))
        return Look(
            connected=self._pc.connectionState == "connected" and not self.failed.is_set(),
            sound_age_s=ago_s(figures.last_sound_ns, now),
            picture_age_s=picture_s,
            told=self._line.told,
            sound_lost=sound_lost,
            frozen=camera_s is not None and camera_s < FROZEN_S and picture_s is not None and picture_s > FROZEN_S,
            target_bps=uplink.target_bps if uplink is not None else None,
            camera_full=self._camera is None or self._camera.is_full,
            round_trip_ms=self._round_trip_ms(),
        )

    def obey(self, stand: Stand) -> None:
        """Do what the ladder says: camera or not, and tell the other side how we judge the link."""
        self._stand = stand
        if self._camera is not None:
            self._camera.stand = stand
        self._line.tell(stand.told, self._uplink.lag_ms if self._uplink is not None else None)

    def _put(self, sender: RtpSender, packet: MediaPacket) -> None:
        if isinstance(packet, VideoPacket):
            sender.put(packet.payloads, packet.mono_ns, keyframe=packet.keyframe)
            return
        # Sound that is sent again hides its loss from the receiver's reports: the pictures' count tells the truth.
        senders = [one.sender for one in self._pc.getTransceivers()]
        lost = max((one.figures.fraction_lost for one in senders), default=0.0)
        if self._uplink is None or self._uplink.target_bps < GUARDED_FROM_BPS:
            lost = 0.0
        if lost:
            self._context.on_sound_lost()
        payload = self._guard.payload(packet.data, lost, packet.mono_ns / 1e9)
        sender.put((payload,), packet.mono_ns, keyframe=True)

    def _round_trip_ms(self) -> float | None:
        trips = [one.sender.figures.round_trip_ms for one in self._pc.getTransceivers()]
        known = [trip for trip in trips if trip is not None]
        return min(known) if known else None

    def _other_is_late(self, lag_ms: float) -> None:
        if self._uplink is not None:
            self._uplink.other_lag_ms = lag_ms

    def _on_state(self) -> None:
        if self._pc.connectionState in ("failed", "closed") and not self._closing:
            self.failed.set()

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label == CHANNEL and self._line.open(channel):
            self._start(self._line.run(), "clock")
            if self._context.voices is not None:
                self._start(self._tell_voices(self._context.voices), "voices")

    async def _tell_voices(self, voices: VoiceTalk) -> None:
        while True:
            voices.tell(self.room, self._mono_ns() / 1e9, self._line.say)
            await asyncio.sleep(TICK_S)

    def _take_voices(self, line: str) -> None:
        if self._context.voices is not None:
            self._context.voices.take(self.room, line, self._line.clock, self._mono_ns() / 1e9)


def ago_s(moment_ns: int | None, now_ns: int) -> float | None:
    """How long ago a moment was, in seconds; None where there was none."""
    return None if moment_ns is None else (now_ns - moment_ns) / 1e9


@contextlib.contextmanager
def _foreign_sdp() -> Iterator[None]:
    """Makes a ValueError of whatever aiortc runs into with another room's SDP: assertions, missing attributes ..."""
    try:
        yield
    except Exception as error:
        raise ValueError(f"no usable SDP: {type(error).__name__} {error}") from error
