"""The devices of one room while a lesson needs them: sources, encoders, and where their packets go."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.capture.faceblur import FaceBlurred
from agent.capture.masks import RoomMasks
from agent.capture.sources import RoomSources, SourceSpec, open_room, watching_room
from agent.encode.lower import LowerTier
from agent.encode.packet import VideoPacket
from agent.encode.sound import SoundEncoder
from agent.encode.video import FrameTaker, VideoEncoder
from agent.stream.fanout import TrackFanout
from agent.stream.tiers import CameraTiers
from contract.session import Role, RoomOrder, SessionOrder

SLIDES_BPS = 1_000_000
FIRST_PICTURE_S = 10.0
"""A camera that shows nothing within this is reported, and the lesson goes on."""


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What this machine may be asked for at the most."""

    width: int
    height: int
    fps: int
    bitrate_bps: int

    def size(self, wanted: tuple[int, int]) -> tuple[int, int]:
        """`wanted` made to fit, in its own shape, with even sides."""
        scale = min(1.0, self.width / wanted[0], self.height / wanted[1])
        return (int(wanted[0] * scale) // 2 * 2, int(wanted[1] * scale) // 2 * 2)


class Classroom:
    """Opens a room's devices and encodes each track once; hands packets to whoever takes them."""

    def __init__(
        self,
        order: SessionOrder,
        room: RoomOrder,
        spec: SourceSpec,
        seed: int,
        limits: PictureLimits,
        loop: asyncio.AbstractEventLoop,
        on_trouble: Callable[[str], None],
        masks: RoomMasks | None = None,
    ) -> None:
        """Open the sources; slow, call it in a thread.

        Raises:
            agent.capture.sources.SourceRefused: the source can never work.
        """
        self._on_trouble = on_trouble
        size = limits.size(order.video)
        self.sources: RoomSources = (
            watching_room(size)
            if order.watches(room)
            else open_room(
                spec,
                size=size,
                fps=min(order.fps, limits.fps),
                seed=seed,
                has_slides=room.role is Role.LEAD,
                name=room.name or room.room,
                masks=masks,
                on_trouble=on_trouble,
            )
        )
        bitrate = min(order.video_bps, limits.bitrate_bps)
        self.videos: dict[str, VideoEncoder] = {
            "camera": VideoEncoder("camera", self.sources.camera, bitrate, on_trouble)
        }
        if self.sources.slides is not None:
            self.videos["slides"] = VideoEncoder("slides", self.sources.slides, SLIDES_BPS, on_trouble, fine=True)
        self.mic = SoundEncoder("mic", self.sources.sound, on_trouble) if self.sources.sound is not None else None
        self.outgoing: Mapping[str, TrackFanout] = self._fanouts(loop)
        lower_fanout = TrackFanout(loop, lambda: self._lower.request_keyframe())  # noqa: PLW0108 - made below
        self._lower = LowerTier(self.videos["camera"].fps, lower_fanout.take, on_trouble)
        self.videos["camera"].add_frame_taker(self._lower.feed)
        self.tiers = CameraTiers(self.outgoing["camera"], bitrate, lower_fanout, self._lower.want)
        """Which tier of the camera each room gets."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What this room lacks, in words."""
        return self.sources.missing

    def start(self) -> None:
        """Begin to capture and encode."""
        for encoder in self.videos.values():
            encoder.start()
        if self.mic is not None:
            self.mic.start()

    def wait_ready(self) -> bool:
        """Wait for the first picture and the first sound; slow, call it in a thread."""
        deadline = time.monotonic() + FIRST_PICTURE_S
        waits = [encoder.first_frame for encoder in self.videos.values()]
        if self.mic is not None:
            waits.append(self.mic.first_block)
        ready = all(one.wait(max(0.0, deadline - time.monotonic())) for one in waits)
        if not ready:
            self._on_trouble(f"a source shows nothing for {FIRST_PICTURE_S:.0f} s; the lesson goes on without it")
        return ready

    def request_keyframe(self, track: str) -> None:
        """Ask a track's encoder for a keyframe."""
        encoder = self.videos.get(track)
        if encoder is not None:
            encoder.request_keyframe()

    def add_camera_observer(self, take: FrameTaker) -> None:
        """Give every picture of the camera to `take`, on this machine alone: masked, but with faces not blurred."""
        camera = self.sources.camera
        if isinstance(camera, FaceBlurred):
            camera.add_observer(take)
        else:
            self.videos["camera"].add_frame_taker(take)

    def expect_loss(self) -> None:
        """Sound is being lost on its way: protect it."""
        if self.mic is not None:
            self.mic.expect_loss()

    def frame_rates(self) -> dict[str, int]:
        """Nominal frame rate by video track."""
        return {track: encoder.fps for track, encoder in self.videos.items()}

    def close(self) -> None:
        """Stop encoders and let go of the devices; slow, call it in a thread."""
        for encoder in self.videos.values():
            encoder.stop()
        if self.mic is not None:
            self.mic.stop()
        self._lower.close()
        self.sources.close()

    def _fanouts(self, loop: asyncio.AbstractEventLoop) -> dict[str, TrackFanout]:
        outgoing = {}
        for track, encoder in self.videos.items():
            outgoing[track] = TrackFanout(loop, encoder.request_keyframe)
            encoder.add_taker(outgoing[track].take)
        if self.mic is not None:
            outgoing["mic"] = TrackFanout(loop, lambda: None)
            self.mic.add_taker(outgoing["mic"].take)
        return outgoing


class FrameCount:
    """Counts the pictures of one track that were captured in session time."""

    def __init__(self, counts: Callable[[int], bool]) -> None:
        self.frames = 0
        self._counts = counts

    def take(self, packet: VideoPacket) -> None:
        """Taker for an encoder."""
        if self._counts(packet.mono_ns):
            self.frames += 1
