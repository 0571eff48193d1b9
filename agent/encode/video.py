"""One encoder for one track of pictures: a thread that pulls frames and hands out packets, once for all."""

import threading
import time
from collections import deque
from collections.abc import Callable

from agent.capture.frame import Frame, FrameSource
from agent.encode.packet import VideoPacket, VideoTaker
from agent.encode.picture import PictureEncoder
from agent.encode.track import Takers, TrackEncoder

FrameTaker = Callable[[Frame], None]
"""Takes a raw frame on the encoder's thread; must return at once and never raise."""


class VideoEncoder(TrackEncoder[VideoPacket]):
    """Encodes what a source sees with x264 and gives each packet to every taker.

    The size, rate and bitrate are the recorded tier's: they never follow the link.
    """

    def __init__(
        self,
        track: str,
        source: FrameSource,
        bitrate_bps: int,
        on_trouble: Callable[[str], None],
        mono_ns: Callable[[], int] = time.monotonic_ns,
        *,
        fine: bool = False,
    ) -> None:
        """Prepare; the encoder is opened on its own thread.

        Args:
            track: names the track and the thread.
            source: what is encoded.
            bitrate_bps: of the recorded tier, in bit/s.
            on_trouble: told in words, once, when the track ends for a reason that nobody asked for.
            mono_ns: this device's monotonic clock.
            fine: for pictures of text; see `PictureEncoder`.
        """
        super().__init__(track, on_trouble)
        self.first_frame = threading.Event()
        """Set when the first picture has been encoded."""
        self._source = source
        self._bitrate_bps = bitrate_bps
        self._mono_ns = mono_ns
        self._fine = fine
        self._frame_takers: Takers[Frame] = Takers()
        self._keyframe_wanted = threading.Event()
        self._keyframes_at_ns: deque[int] = deque(maxlen=1)
        """When a keyframe is due; the last order counts."""

    @property
    def fps(self) -> int:
        """The source's frame rate."""
        return self._source.fps

    def add_taker(self, taker: VideoTaker) -> None:
        """Give every packet from now on to `taker`, beginning with a keyframe soon."""
        super().add_taker(taker)
        self.request_keyframe()

    def add_frame_taker(self, taker: FrameTaker) -> None:
        """Give every raw frame from now on to `taker`."""
        self._frame_takers.add(taker)

    def request_keyframe(self) -> None:
        """Make one of the next pictures a keyframe, at most one each 300 ms."""
        self._keyframe_wanted.set()

    def keyframe_at(self, mono_ns: int) -> None:
        """Make the first picture captured at or after `mono_ns` a keyframe, so that a recording can begin there."""
        self._keyframes_at_ns.append(mono_ns)

    def _encode_all(self) -> None:
        source = self._source
        sides, bps = (source.width, source.height), self._bitrate_bps
        encoder = PictureEncoder(*sides, source.fps, bps, self._mono_ns, fine=self._fine)
        for frame in source.frames(self._stop):
            self._frame_takers.give(frame)
            self._encode(encoder, frame)

    def _encode(self, encoder: PictureEncoder, frame: Frame) -> None:
        if self._keyframe_wanted.is_set():
            self._keyframe_wanted.clear()
            encoder.request_keyframe()
        if self._keyframes_at_ns:
            encoder.keyframe_at(self._keyframes_at_ns.pop())
        for packet in encoder.encode(frame.picture, frame.mono_ns):
            self._takers.give(packet)
            self.first_frame.set()
