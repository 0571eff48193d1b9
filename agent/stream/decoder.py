"""Decodes one remote track: pictures in a thread of their own, sound where it arrives."""

import fractions
import logging
import queue
import threading
import time
from collections.abc import Callable

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from agent.capture.frame import SOUND_RATE_HZ
from agent.encode import h264
from agent.stream.jitter import Picture

log = logging.getLogger(__name__)

QUEUE_MAX = 12
"""Pictures that wait for the decoder; more are dropped up to the next keyframe."""

_NOTHING = np.zeros(0, np.int16)

PictureTaker = Callable[[av.VideoFrame, int | None, int], None]
"""Takes (picture, capture NTP stamp or None, monotonic ns when decoded) on the decoder's thread."""


class PictureDecoder:
    """Decodes one video track; `on_lost` is called when only a keyframe can help."""

    def __init__(self, track: str, on_picture: PictureTaker, on_lost: Callable[[], None]) -> None:
        self.dropped = 0
        """Pictures dropped because the decoder was behind."""
        self._on_picture = on_picture
        self._on_lost = on_lost
        self._queue: queue.Queue[Picture | None] = queue.Queue(QUEUE_MAX)
        self._needs_keyframe = False
        self._thread = threading.Thread(target=self._run, name=f"decode.{track}", daemon=True)
        self._thread.start()

    def put(self, picture: Picture) -> None:
        """Queue one picture; never blocks."""
        if self._needs_keyframe and not picture.keyframe:
            self.dropped += 1
            return
        self._needs_keyframe = False
        try:
            self._queue.put_nowait(picture)
        except queue.Full:
            self.dropped += 1
            self._needs_keyframe = True
            self._on_lost()

    def close(self) -> None:
        """End the thread; what waits is dropped."""
        while True:
            try:
                self._queue.put_nowait(None)
            except queue.Full:
                try:
                    self._queue.get_nowait()
                except queue.Empty:
                    continue
            else:
                return

    def _run(self) -> None:
        codec = av.CodecContext.create("h264", "r")
        if not isinstance(codec, VideoCodecContext):
            raise TypeError("h264 is not a video decoder in this FFmpeg")
        codec.thread_count = 1
        codec.options = {"flags": "low_delay"}
        while (picture := self._queue.get()) is not None:
            try:
                frames = codec.decode(av.Packet(h264.annexb(picture.payloads)))
            except (av.FFmpegError, ValueError) as error:
                log.info("a picture could not be decoded: %s", error)
                self._on_lost()
                continue
            for frame in frames:
                self._on_picture(frame, picture.capture_ntp, time.monotonic_ns())


class SoundDecoder:
    """Decodes one Opus track to 48 kHz mono int16, and makes up for what is missing."""

    def __init__(self) -> None:
        codec = av.CodecContext.create("libopus", "r")
        if not isinstance(codec, AudioCodecContext):
            raise TypeError("libopus is not an audio decoder in this FFmpeg")
        codec.sample_rate = SOUND_RATE_HZ
        codec.layout = "mono"
        codec.format = "s16"
        self._codec = codec
        self._shape = b""
        """First byte of the last packet, as that of a packet with one frame."""

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        """Samples of one packet, shape (samples,); made up where the packet is damaged."""
        samples = self._decoded(payload) if payload else _NOTHING
        if not len(samples):
            return self.conceal()
        self._shape = bytes([payload[0] & 0xFC])
        return samples

    def conceal(self) -> NDArray[np.int16]:
        """Samples in place of a packet that never came, fading out; empty before the first packet.

        A packet of nothing but its first byte makes libopus conceal one frame of that shape
        (an empty frame is one that was not transmitted: RFC 6716, section 3.2.1).
        """
        return self._decoded(self._shape) if self._shape else _NOTHING

    def _decoded(self, payload: bytes) -> NDArray[np.int16]:
        packet = av.Packet(payload)
        packet.time_base = fractions.Fraction(1, SOUND_RATE_HZ)
        try:
            frames = self._codec.decode(packet)
        except av.FFmpegError as error:
            log.info("20 ms of sound could not be decoded: %s", error)
            return _NOTHING
        parts = [np.asarray(frame.to_ndarray(), np.int16).reshape(-1) for frame in frames]
        return np.concatenate(parts) if parts else _NOTHING
