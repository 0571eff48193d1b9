"""One other room: one peer connection, what we send to it and what comes from it."""

import asyncio
import contextlib
import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)

from agent.encode.packet import VideoPacket
from agent.stream.fanout import Feed, MediaPacket, TrackFanout
from agent.stream.figures import PeerFigures
from agent.stream.incoming import CountedTime, Incoming, IncomingPictures, IncomingSound, Playout, Reception
from agent.stream.ladder import Look, Told
from agent.stream.ladders import Stand
from agent.stream.mediaclock import MediaClock
from agent.stream.pacer import Priority
from agent.stream.redundancy import SoundGuard
from agent.stream.roomclock import BURST, CHANNEL, INTERVAL_S, RoomClock
from agent.stream.rtc import RtpSender
from agent.stream.tiers import CameraTiers
from agent.stream.uplink import START_BPS, Uplink
from contract.session import IceServer

log = logging.getLogger(__name__)

H264_PROFILE = "42e01f"
"""Constrained baseline, level 3.1: what aiortc, GStreamer and browsers all take."""
CLOSE_S = 3.0
LAG = '{"lag_ms"'
GOVERN_S = 0.1
"""How often the camera's tier is looked at."""
TELL_S = 0.5
"""How often the other side is told how we judge the link."""
TOLD_S = 2.0
"""What the other side told counts for this long."""
FROZEN_S = 0.5
OTHERS_BPS = 600_000
"""Sound and slides together, about; no probe for more than all of it."""
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
        self._camera_full = True
        self._uplink: Uplink | None = None
        self._told: Told | None = None
        self._told_ns: int | None = None
        self._telling: Told | None = None
        self._told_at_ns = 0
        self._channel: RTCDataChannel | None = None
        self._room_clock = RoomClock(context.clock.anchor_ns, self._send_line, mono_ns)
        self._reception = Reception(
            room,
            self.began_ns,
            figures,
            self._room_clock,
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
        self._take_channel(self._pc.createDataChannel(CHANNEL, ordered=False, maxRetransmits=0))
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
        for transceiver in self._pc.getTransceivers():
            track = tracks.get(transceiver.mid, "")
            if KINDS.get(track) != transceiver.kind:
                raise ValueError(f"the offer's m-line {transceiver.mid} carries no track we know: {track!r}")
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
            self._tasks.append(asyncio.create_task(self._begin(feed, fanout, sender), name=f"send.{track}.{self.room}"))
        if transceiver.direction in ("sendrecv", "recvonly"):
            incoming: Incoming = (
                IncomingSound(receiver, self._reception)
                if transceiver.kind == "audio"
                else IncomingPictures(track, receiver, self._reception)
            )
            self._incoming.append(incoming)
            self._tasks.append(asyncio.create_task(incoming.run(), name=f"receive.{track}.{self.room}"))

    async def _begin(self, feed: Feed, fanout: TrackFanout, sender: RtpSender) -> None:
        await sender.started.wait()
        self._uplink = sender.transport.uplink
        if sender.priority is not Priority.CAMERA:
            feed.follow(fanout)
            return
        try:
            await self._govern_camera(feed, fanout, self._uplink)
        finally:
            if self._context.tiers is not None:
                self._context.tiers.leave(self)

    async def _govern_camera(self, feed: Feed, full: TrackFanout, uplink: Uplink) -> None:
        """Send the camera where the ladder allows it, on the tier that the link carries."""
        tiers = self._context.tiers
        full_bps = round(1.3 * ((tiers.full_bps if tiers is not None else START_BPS) + OTHERS_BPS))
        while True:
            stand = self._stand
            allowed = stand is None or stand.send_camera
            uplink.controller.wanted_bps = full_bps if allowed or stand is None else max(stand.probe_bps, OTHERS_BPS)
            chosen: TrackFanout | None = full if allowed else None
            if tiers is not None and allowed:
                others_bps = uplink.sent_bps(Priority.SOUND) + uplink.sent_bps(Priority.SLIDES)
                chosen = tiers.choose(self, uplink.target_bps - others_bps)
            elif tiers is not None:
                tiers.leave(self)
            feed.follow(chosen)
            self._camera_full = chosen is full
            await asyncio.sleep(GOVERN_S)

    def look(self, sound_lost: float) -> Look:
        """What can be seen of the link with this room now.

        Args:
            sound_lost: share of its sound that was lost lately, 0 to 1.
        """
        now = self._mono_ns()
        figures, uplink = self._reception.figures, self._uplink
        told_s, camera_s, picture_s = (
            ago_s(one, now) for one in (self._told_ns, figures.last_camera_ns, figures.last_picture_ns)
        )
        return Look(
            connected=self._pc.connectionState == "connected" and not self.failed.is_set(),
            sound_age_s=ago_s(figures.last_sound_ns, now),
            picture_age_s=picture_s,
            told=self._told if told_s is not None and told_s < TOLD_S else None,
            sound_lost=sound_lost,
            frozen=camera_s is not None and camera_s < FROZEN_S and picture_s is not None and picture_s > FROZEN_S,
            target_bps=uplink.target_bps if uplink is not None else None,
            camera_full=self._camera_full,
            round_trip_ms=self._round_trip_ms(),
        )

    def obey(self, stand: Stand) -> None:
        """Do what the ladder says: camera or not, and tell the other side how we judge the link."""
        self._stand = stand
        now = self._mono_ns()
        if stand.told != self._telling or now - self._told_at_ns >= TELL_S * 1e9:
            self._telling, self._told_at_ns = stand.told, now
            self._send_line(stand.told.line())
            if self._uplink is not None:
                self._send_line(json.dumps({"lag_ms": round(self._uplink.lag_ms, 1)}))

    def _put(self, sender: RtpSender, packet: MediaPacket) -> None:
        if isinstance(packet, VideoPacket):
            sender.put(packet.payloads, packet.mono_ns, keyframe=packet.keyframe)
            return
        # Sound that is sent again hides its loss from the receiver's reports: the pictures' count tells the truth.
        senders = [one.sender for one in self._pc.getTransceivers()]
        lost = max((one.figures.fraction_lost for one in senders), default=0.0)
        payload = self._guard.payload(packet.data, lost, packet.mono_ns / 1e9)
        sender.put((payload,), packet.mono_ns, keyframe=True)

    def _round_trip_ms(self) -> float | None:
        trips = [one.sender.figures.round_trip_ms for one in self._pc.getTransceivers()]
        known = [trip for trip in trips if trip is not None]
        return min(known) if known else None

    def _take_line(self, line: object) -> None:
        if not isinstance(line, str):
            return
        told = Told.read(line)
        if told is not None:
            self._told, self._told_ns = told, self._mono_ns()
        elif line.startswith(LAG):
            self._take_lag(line)
        else:
            self._room_clock.take(line)

    def _take_lag(self, line: str) -> None:
        """The other end tells how late its event loop is: what it reports of arrivals is late by as much."""
        try:
            lag_ms = float(json.loads(line)["lag_ms"])
        except (ValueError, KeyError, TypeError):
            return
        if self._uplink is not None and math.isfinite(lag_ms):
            self._uplink.other_lag_ms = max(0.0, lag_ms)

    def _on_state(self) -> None:
        if self._pc.connectionState in ("failed", "closed") and not self._closing:
            self.failed.set()

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label == CHANNEL:
            self._take_channel(channel)

    def _take_channel(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        channel.on("message", self._take_line)
        self._tasks.append(asyncio.create_task(self._ask_clock(), name=f"clock.{self.room}"))

    async def _ask_clock(self) -> None:
        asked = 0
        while True:
            if self._channel is not None and self._channel.readyState == "open":
                self._room_clock.ask()
                asked += 1
            await asyncio.sleep(0.1 if asked < BURST else INTERVAL_S)

    def _send_line(self, line: str) -> None:
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(line)


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
