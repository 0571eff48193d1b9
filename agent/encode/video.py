"""One encoder for one track of pictures: a thread that pulls frames and hands out packets, once for all."""

import fractions
import logging
import threading
import time
from collections.abc import Callable

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from agent.capture.frame import Frame, FrameSource, SourceLost
from agent.encode import h264
from agent.encode.packet import VideoPacket, VideoTaker

log = logging.getLogger(__name__)

CLOCK_HZ = 90_000
KEYFRAME_GAP_NS = 300_000_000
"""Keyframes on request come at most this often."""
GOP_S = 5
"""A keyframe at least this often, so that playback can seek."""

FrameTaker = Callable[[Frame], None]
"""Takes a raw frame on the encoder's thread; must return at once and never raise."""


class VideoEncoder:
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
    ) -> None:
        self.track = track
        self.frames = 0
        """Pictures encoded so far."""
        self.keyframes = 0
        self.bytes = 0
        self.first_frame = threading.Event()
        """Set when the first picture has been encoded."""
        self._source = source
        self._bitrate_bps = bitrate_bps
        self._on_trouble = on_trouble
        self._mono_ns = mono_ns
        self._takers: tuple[VideoTaker, ...] = ()
        self._frame_takers: tuple[FrameTaker, ...] = ()
        self._takers_lock = threading.Lock()
        self._stop = threading.Event()
        self._keyframe_wanted = threading.Event()
        self._keyframe_at_ns: int | None = None
        self._last_keyframe_ns = -KEYFRAME_GAP_NS
        self._last_pts = -1
        self._thread = threading.Thread(target=self._run, name=f"encode.{track}", daemon=True)

    @property
    def fps(self) -> int:
        """The source's frame rate."""
        return self._source.fps

    def start(self) -> None:
        """Begin to pull frames."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the source; waits for both."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
            if self._thread.is_alive():
                log.warning("the source of track %s does not let go; left behind", self.track)
        self._source.close()

    def add_taker(self, taker: VideoTaker) -> None:
        """Give every packet from now on to `taker`, beginning with a keyframe soon."""
        with self._takers_lock:
            self._takers = (*self._takers, taker)
        self.request_keyframe()

    def remove_taker(self, taker: VideoTaker) -> None:
        """Stop giving packets to `taker`."""
        with self._takers_lock:
            self._takers = tuple(one for one in self._takers if one != taker)

    def add_frame_taker(self, taker: FrameTaker) -> None:
        """Give every raw frame from now on to `taker`."""
        with self._takers_lock:
            self._frame_takers = (*self._frame_takers, taker)

    def request_keyframe(self) -> None:
        """Make one of the next pictures a keyframe, at most one each `KEYFRAME_GAP_NS`."""
        self._keyframe_wanted.set()

    def keyframe_at(self, mono_ns: int) -> None:
        """Make the first picture captured at or after `mono_ns` a keyframe, so that a recording can begin there."""
        self._keyframe_at_ns = mono_ns

    def _run(self) -> None:
        try:
            codec = self._open()
            for frame in self._source.frames(self._stop):
                for frame_taker in self._frame_takers:
                    frame_taker(frame)
                self._encode(codec, frame)
        except SourceLost as error:
            self._on_trouble(str(error))
        except av.FFmpegError as error:
            self._on_trouble(f"track {self.track} cannot be encoded any more: {error}")

    def _open(self) -> VideoCodecContext:
        codec = av.CodecContext.create("libx264", "w")
        if not isinstance(codec, VideoCodecContext):
            raise TypeError("libx264 is not a video encoder in this FFmpeg")
        codec.width = self._source.width
        codec.height = self._source.height
        codec.pix_fmt = "yuv420p"
        codec.framerate = fractions.Fraction(self._source.fps, 1)
        codec.time_base = fractions.Fraction(1, CLOCK_HZ)
        codec.bit_rate = self._bitrate_bps
        codec.gop_size = GOP_S * self._source.fps
        codec.profile = "Baseline"
        codec.options = {
            "preset": "superfast",
            "tune": "zerolatency",
            "forced-idr": "1",
            "threads": "1",
            # A small buffer keeps a keyframe near the size of a few pictures: no bursts on the link.
            "maxrate": str(self._bitrate_bps),
            "bufsize": str(self._bitrate_bps // 2),
        }
        codec.open()
        return codec

    def _encode(self, codec: VideoCodecContext, frame: Frame) -> None:
        picture = frame.picture
        pts = max(frame.mono_ns * 9 // 100_000, self._last_pts + 1)
        self._last_pts = pts
        picture.pts = pts
        picture.time_base = codec.time_base
        picture.pict_type = PictureType.I if self._keyframe_due(frame) else PictureType.NONE
        for packet in codec.encode(picture):
            data = bytes(packet)
            if packet.is_keyframe:
                self._last_keyframe_ns = self._mono_ns()
                self.keyframes += 1
            made = VideoPacket(
                data=data,
                payloads=h264.payloads(h264.nal_units(data)),
                mono_ns=frame.mono_ns,
                keyframe=bool(packet.is_keyframe),
                width=codec.width,
                height=codec.height,
            )
            self.frames += 1
            self.bytes += len(data)
            for taker in self._takers:
                taker(made)
            self.first_frame.set()

    def _keyframe_due(self, frame: Frame) -> bool:
        if self._keyframe_at_ns is not None and frame.mono_ns >= self._keyframe_at_ns:
            self._keyframe_at_ns = None
            self._keyframe_wanted.clear()
            return True
        if self._keyframe_wanted.is_set() and self._mono_ns() - self._last_keyframe_ns >= KEYFRAME_GAP_NS:
            self._keyframe_wanted.clear()
            return True
        return False
