"""One other room: one peer connection, what we send to it and what comes from it."""

import asyncio
import bisect
import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import av
import numpy as np
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from numpy.typing import NDArray

from agent.capture.frame import SOUND_RATE_HZ
from agent.encode.packet import VideoPacket
from agent.stream.decoder import PictureDecoder, SoundDecoder
from agent.stream.fanout import PeerQueue, TrackFanout
from agent.stream.jitter import Packet, PictureJitter, SoundJitter
from agent.stream.mediaclock import MediaClock
from agent.stream.roomclock import BURST, CHANNEL, INTERVAL_S, RoomClock
from agent.stream.rtc import RtpReceiver, RtpSender
from contract.session import IceServer

log = logging.getLogger(__name__)

H264_PROFILE = "42e01f"
"""Constrained baseline, level 3.1: what aiortc, GStreamer and browsers all take."""
TICK_S = 0.02
CLOSE_S = 3.0
KINDS: Mapping[str, str] = {"mic": "audio", "camera": "video", "slides": "video"}
"""Tracks a peer connection carries, in the order of its m-lines."""


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


class Latencies:
    """How old pictures were when they were decoded, counted in steps of 0.1 ms; written by one thread."""

    def __init__(self) -> None:
        self._counts: Counter[float] = Counter()

    def add(self, milliseconds: float) -> None:
        """Count one picture."""
        self._counts[round(milliseconds, 1)] += 1

    def percentiles(self, *shares: float) -> tuple[float, ...] | None:
        """The ages in ms below which these shares of the pictures lie; None before the first picture."""
        ordered = sorted(self._counts.copy().items())
        total = sum(count for _, count in ordered)
        if not total:
            return None
        ages = list(itertools.accumulate(count for _, count in ordered))
        return tuple(ordered[bisect.bisect_right(ages, min(total - 1, int(total * share)))][0] for share in shares)


@dataclass
class PeerFigures:
    """What came from one room so far, over all its joins."""

    video_frames: int = 0
    audio_seconds: float = 0.0
    joins: int = 0
    join_ms: float | None = None
    latencies: Latencies = field(default_factory=Latencies)
    clock_error_ms: float = 0.0
    sound_lost: int = 0


@dataclass(frozen=True)
class PeerContext:
    """What every peer of one lesson shares."""

    outgoing: Mapping[str, TrackFanout]
    """Tracks this room sends, by name."""
    clock: MediaClock
    counts: CountedTime
    playout: Playout | None
    ice_servers: tuple[IceServer, ...]


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
        self.last_packet_ns: int | None = None
        """When anything of this room's media came last; None before the first."""
        self.failed = asyncio.Event()
        """Set when the connection failed or was closed by the other side."""
        self.began_ns = mono_ns()
        self._context = context
        self._figures = figures
        self._mono_ns = mono_ns
        self._first_picture = False
        self._decoders: list[PictureDecoder] = []
        self._queues: list[tuple[TrackFanout, PeerQueue]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._channel: RTCDataChannel | None = None
        self._room_clock = RoomClock(context.clock.anchor_ns, self._send_line, mono_ns)
        self._closing = False
        servers = [
            RTCIceServer(urls=one.urls, username=one.username, credential=one.credential) for one in context.ice_servers
        ]
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._pc.on("connectionstatechange", self._on_state)
        self._pc.on("datachannel", self._on_channel)

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
        await self._pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def answer(self, sdp: str, tracks: Mapping[str, str]) -> str:
        """Answer an offer.

        Args:
            sdp: the offer.
            tracks: track name by mid, as the offering room calls them.

        Raises:
            ValueError: the SDP is not an offer that can be answered.
        """
        await self._pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        for transceiver in self._pc.getTransceivers():
            track = tracks.get(transceiver.mid, "")
            if KINDS.get(track) != transceiver.kind:
                raise ValueError(f"the offer's m-line {transceiver.mid} carries no track we know: {track!r}")
            outgoing = track in self._context.outgoing
            transceiver.direction = "recvonly" if not outgoing else "sendonly" if track == "slides" else "sendrecv"
            self._wire(track, transceiver)
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        return str(self._pc.localDescription.sdp)

    async def close(self) -> None:
        """End the connection and every thread and task of it."""
        self._closing = True
        for fanout, queue in self._queues:
            fanout.leave(queue)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for decoder in self._decoders:
            decoder.close()
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
            sender.on_keyframe = fanout.request_keyframe
            self._tasks.append(asyncio.create_task(self._pump(fanout, sender), name=f"send.{track}.{self.room}"))
        if transceiver.direction in ("sendrecv", "recvonly"):
            take = self._take_sound if transceiver.kind == "audio" else self._take_pictures
            self._tasks.append(asyncio.create_task(take(track, receiver), name=f"receive.{track}.{self.room}"))

    async def _pump(self, fanout: TrackFanout, sender: RtpSender) -> None:
        await sender.started.wait()
        queue = fanout.join()
        self._queues.append((fanout, queue))
        while True:
            packet = await queue.get()
            payloads = packet.payloads if isinstance(packet, VideoPacket) else (packet.data,)
            try:
                await sender.send_packet(payloads, packet.mono_ns)
            except ConnectionError:
                self.failed.set()
                return

    async def _take_pictures(self, track: str, receiver: RtpReceiver) -> None:
        jitter = PictureJitter()
        decoder = PictureDecoder(
            f"{track}.{self.room}",
            lambda picture, ntp, at_ns: self._decoded(track, picture, ntp, at_ns),
            jitter.require_keyframe,
        )
        self._decoders.append(decoder)

        async def take(packet: Packet) -> None:
            self.last_packet_ns = self._mono_ns()
            for picture in jitter.add(packet, self._now_ms()):
                decoder.put(picture)
            await ask()

        async def ask() -> None:
            now_ms = self._now_ms()
            if missing := jitter.nacks(now_ms):
                await receiver.request_packets(missing)
            if jitter.keyframe_due(now_ms):
                await receiver.request_keyframe()

        receiver.on_packet = take
        while True:
            await asyncio.sleep(TICK_S)
            for picture in jitter.tick(self._now_ms()):
                decoder.put(picture)
            if receiver.packets:
                await ask()

    async def _take_sound(self, track: str, receiver: RtpReceiver) -> None:  # noqa: ARG002 - same shape as pictures
        jitter = SoundJitter()
        decoder = SoundDecoder()

        def play(packets: list[Packet]) -> None:
            for packet in packets:
                samples = decoder.decode(packet.payload)
                if self._context.counts(self._mono_ns()):
                    self._figures.audio_seconds += len(samples) / SOUND_RATE_HZ
                if self._context.playout is not None:
                    self._context.playout.sound(self.room, samples)

        async def take(packet: Packet) -> None:
            self.last_packet_ns = self._mono_ns()
            play(jitter.add(packet, self._now_ms()))

        receiver.on_packet = take
        while True:
            await asyncio.sleep(TICK_S)
            play(jitter.tick(self._now_ms()))
            self._figures.sound_lost = jitter.lost

    def _decoded(self, track: str, picture: av.VideoFrame, ntp: int | None, at_ns: int) -> None:
        if track == "camera":
            if not self._first_picture:
                self._first_picture = True
                self._figures.joins += 1
                self._figures.join_ms = round((at_ns - self.began_ns) / 1e6, 1)
            aged = self._room_clock.age_ns(ntp, at_ns) if ntp is not None else None
            if self._context.counts(at_ns - (aged[0] if aged else 0)):
                self._figures.video_frames += 1
                if aged is not None:
                    self._figures.latencies.add(aged[0] / 1e6)
                    self._figures.clock_error_ms = aged[1] / 1e6
        if self._context.playout is not None:
            self._context.playout.picture(self.room, track, picture)

    def _now_ms(self) -> float:
        return self._mono_ns() / 1e6

    def _on_state(self) -> None:
        if self._pc.connectionState in ("failed", "closed") and not self._closing:
            self.failed.set()

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label == CHANNEL:
            self._take_channel(channel)

    def _take_channel(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        channel.on("message", lambda line: self._room_clock.take(line) if isinstance(line, str) else None)
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
