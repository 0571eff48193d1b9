"""One encoder for one track of pictures: a thread that pulls frames and hands out packets, once for all."""

import logging
import threading
import time
from collections.abc import Callable

import av

from agent.capture.frame import Frame, FrameSource, SourceLost
from agent.encode.packet import VideoTaker
from agent.encode.picture import PictureEncoder

log = logging.getLogger(__name__)

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
        """Make one of the next pictures a keyframe, at most one each 300 ms."""
        self._keyframe_wanted.set()

    def keyframe_at(self, mono_ns: int) -> None:
        """Make the first picture captured at or after `mono_ns` a keyframe, so that a recording can begin there."""
        self._keyframe_at_ns = mono_ns

    def _run(self) -> None:
        try:
            encoder = PictureEncoder(
                self._source.width, self._source.height, self._source.fps, self._bitrate_bps, self._mono_ns
            )
            for frame in self._source.frames(self._stop):
                for frame_taker in self._frame_takers:
                    frame_taker(frame)
                self._encode(encoder, frame)
        except SourceLost as error:
            self._on_trouble(str(error))
        except av.FFmpegError as error:
            self._on_trouble(f"track {self.track} cannot be encoded any more: {error}")

    def _encode(self, encoder: PictureEncoder, frame: Frame) -> None:
        if self._keyframe_wanted.is_set():
            self._keyframe_wanted.clear()
            encoder.request_keyframe()
        if self._keyframe_at_ns is not None:
            at_ns, self._keyframe_at_ns = self._keyframe_at_ns, None
            encoder.keyframe_at(at_ns)
        for packet in encoder.encode(frame.picture, frame.mono_ns):
            self.frames += 1
            self.keyframes += packet.keyframe
            self.bytes += len(packet.data)
            for taker in self._takers:
                taker(packet)
            self.first_frame.set()
