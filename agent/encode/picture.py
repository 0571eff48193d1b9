"""One open x264 encoder: pictures in, packets out, keyframes when asked for."""

import fractions
import time
from collections.abc import Callable

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from agent.encode import h264
from agent.encode.packet import VideoPacket

CLOCK_HZ = 90_000
KEYFRAME_GAP_NS = 300_000_000
"""Keyframes on request come at most this often."""
GOP_S = 5
"""A keyframe at least this often, so that playback can seek."""


class PictureEncoder:
    """x264 superfast zerolatency, one thread; used by one thread at a time."""

    def __init__(
        self,
        width: int,
        height: int,
        fps: int,
        bitrate_bps: int,
        mono_ns: Callable[[], int] = time.monotonic_ns,
        ceiling_bps: int | None = None,
        buffer_s: float = 0.5,
        *,
        fine: bool = False,
    ) -> None:
        """Open the encoder.

        Args:
            width: in pixels, even.
            height: in pixels, even.
            fps: nominal frame rate.
            bitrate_bps: bitrate to begin with, in bit/s.
            mono_ns: this device's monotonic clock.
            ceiling_bps: highest bitrate it will be set to later; x264 fixes it when it is opened.
            buffer_s: no picture is larger than so many seconds of the highest bitrate (x264's VBV).
            fine: predict blocks of 4x4 pixels too, as text wants it. A camera's picture loses 0.00 to 0.15 dB without,
                and a sixth of the work is saved.

        Raises:
            av.FFmpegError: it cannot be opened.
        """
        self.width, self.height = width, height
        self._mono_ns = mono_ns
        self._wanted = False
        self._at_ns: int | None = None
        self._last_keyframe_ns = -KEYFRAME_GAP_NS
        self._last_pts = -1
        self._codec = _opened(width, height, fps, bitrate_bps, ceiling_bps or bitrate_bps, buffer_s, fine=fine)

    @property
    def bitrate_bps(self) -> int:
        """Bitrate, in bit/s; a new one takes effect without a keyframe."""
        return int(self._codec.bit_rate or 0)

    @bitrate_bps.setter
    def bitrate_bps(self, bps: int) -> None:
        self._codec.bit_rate = bps

    def request_keyframe(self) -> None:
        """Make one of the next pictures a keyframe, at most one each `KEYFRAME_GAP_NS`."""
        self._wanted = True

    def keyframe_at(self, mono_ns: int) -> None:
        """Make the first picture captured at or after `mono_ns` a keyframe, however long ago the last one was."""
        self._at_ns = mono_ns

    def encode(self, picture: av.VideoFrame, mono_ns: int) -> list[VideoPacket]:
        """Encode one picture.

        Args:
            picture: yuv420p, of the encoder's size.
            mono_ns: its capture time.

        Raises:
            av.FFmpegError: it cannot be encoded.
        """
        pts = max(mono_ns * 9 // 100_000, self._last_pts + 1)
        self._last_pts = pts
        picture.pts = pts
        picture.time_base = self._codec.time_base
        picture.pict_type = PictureType.I if self._keyframe_due(mono_ns) else PictureType.NONE
        made = []
        for packet in self._codec.encode(picture):
            data = bytes(packet)
            if packet.is_keyframe:
                self._last_keyframe_ns = self._mono_ns()
            payloads = h264.payloads(h264.nal_units(data))
            made.append(VideoPacket(data, payloads, mono_ns, bool(packet.is_keyframe), self.width, self.height))
        return made

    def _keyframe_due(self, mono_ns: int) -> bool:
        if self._at_ns is not None and mono_ns >= self._at_ns:
            self._at_ns = None
            self._wanted = False
            return True
        if self._wanted and self._mono_ns() - self._last_keyframe_ns >= KEYFRAME_GAP_NS:
            self._wanted = False
            return True
        return False


def _opened(
    width: int, height: int, fps: int, bitrate_bps: int, ceiling_bps: int, buffer_s: float, *, fine: bool
) -> VideoCodecContext:
    codec = av.CodecContext.create("libx264", "w")
    if not isinstance(codec, VideoCodecContext):
        raise TypeError("libx264 is not a video encoder in this FFmpeg")
    codec.width = width
    codec.height = height
    codec.pix_fmt = "yuv420p"
    codec.framerate = fractions.Fraction(fps, 1)
    codec.time_base = fractions.Fraction(1, CLOCK_HZ)
    codec.bit_rate = bitrate_bps
    codec.gop_size = GOP_S * fps
    codec.profile = "Baseline"
    codec.options = {
        "preset": "superfast",
        "tune": "zerolatency",
        "forced-idr": "1",
        "threads": "1",
        "partitions": "i4x4" if fine else "none",
        # A small buffer keeps a keyframe near the size of a few pictures: no bursts on the link.
        "maxrate": str(ceiling_bps),
        "bufsize": str(round(ceiling_bps * buffer_s)),
    }
    codec.open()
    return codec
