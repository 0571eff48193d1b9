"""One part on disk: packets remuxed into fragmented MP4, on the disk at each fragment.

Traps this stands on (PyAV 18.1, measured): `frag_keyframe` alone keeps nothing after a kill;
`frag_duration` is compared when a packet arrives, so 0.5 s of it leaves 0.52 s of 25 fps and
0.6 s of 5 fps unwritten; a stalled track holds the other back unless `max_interleave_delta` is
small; Opus needs its encoder's context, opened only for OpusHead.
"""

from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.stream import Stream

from agent.encode.packet import SoundPacket, VideoPacket
from agent.record.durable import SyncedFile
from agent.record.repair import SOUND_PACKET_S, Figures

VIDEO_HZ = 90_000
SOUND_HZ = 48_000
SOUND_SAMPLES = 960
"""Samples of one sound packet."""
OPUS_PRESKIP = 312
"""Samples by which libopus' output lags its input (RFC 7845, 4.2)."""
SOUND_SNAP = 480
"""Stamps of sound this near to an unbroken row, in samples, are put in the row: stamps jitter, sound does not."""
SPS = 7
"""NAL unit type of a sequence parameter set (H.264, table 7-1)."""
FRAGMENT_S = 0.4
"""A fragment's length, in seconds: with a frame more and one held for interleaving it stays within half a second."""
SLOW_FRAGMENT_S = 0.2
SLOW_FPS = 10
"""Tracks slower than this have the short fragments."""
INTERLEAVE_US = 20_000


class Stamps:
    """File time from capture time: `start_ns` is time zero; stamps only grow, repaired by as little as it takes."""

    def __init__(self, start_ns: int) -> None:
        self.start_ns = start_ns
        self._video = -1
        self._sound = -1
        self._row: int | None = None

    def video(self, mono_ns: int) -> int:
        """Stamp of a picture, in 1/90000 s."""
        stamp = (mono_ns - self.start_ns) * VIDEO_HZ // 1_000_000_000
        self._video = max(stamp, self._video + 1)
        return self._video

    def sound(self, mono_ns: int) -> int:
        """Stamp of a sound packet, in 1/48000 s; the codec's lag is taken off, so that sound meets its picture."""
        stamp = (mono_ns - self.start_ns) * SOUND_HZ // 1_000_000_000 - OPUS_PRESKIP
        if self._row is not None and abs(stamp - self._row) <= SOUND_SNAP:
            stamp = self._row
        self._row = stamp + SOUND_SAMPLES
        self._sound = max(stamp, self._sound + 1)
        return self._sound


def may_begin(packet: VideoPacket) -> bool:
    """Whether a part can begin with `packet`: a keyframe with its SPS, without which no header can be written."""
    if not packet.keyframe:
        return False
    at = packet.data.find(b"\0\0\1")
    while 0 <= at < len(packet.data) - 3:
        if packet.data[at + 3] & 0x1F == SPS:
            return True
        at = packet.data.find(b"\0\0\1", at + 3)
    return False


class PartFile:
    """One open part. Not thread-safe; belongs to its track's writer thread."""

    def __init__(self, path: Path, first: VideoPacket, *, fps: int, sound: bool) -> None:
        """Create the file for the packet that will begin it, a keyframe.

        Args:
            path: a name that does not exist yet.
            first: the packet that the caller hands to `video` next; gives size and time zero.
            fps: nominal frame rate of the track.
            sound: whether a sound track stands beside the pictures.

        Raises:
            OSError: the file cannot be created.
        """
        self.path = path
        self.size = (first.width, first.height)
        self.video_frames = 0
        self._sounds = 0
        self._end_s = 0.0
        self._frame = VIDEO_HZ // fps
        self._stamps = Stamps(first.mono_ns)
        self._file = SyncedFile(path)
        self._container = self._open(fps)
        self._video: Stream = self._container.add_mux_stream("h264", rate=fps, width=first.width, height=first.height)
        self._video.time_base = Fraction(1, VIDEO_HZ)
        self._sound: Stream | None = None
        if sound:
            stream = self._container.add_stream("libopus", rate=SOUND_HZ)
            stream.codec_context.layout = "mono"
            stream.codec_context.format = "s16"
            self._sound = stream

    def _open(self, fps: int) -> OutputContainer:
        fragment_s = FRAGMENT_S if fps >= SLOW_FPS else SLOW_FRAGMENT_S
        options = {
            "movflags": "empty_moov+default_base_moof",
            "frag_duration": str(round(fragment_s * 1_000_000)),
            "flush_packets": "1",
            "max_interleave_delta": str(INTERLEAVE_US),
        }
        return av.open(self._file, "w", format="mp4", options=options)

    @property
    def trouble(self) -> OSError | None:
        """Why the file takes nothing more, or None while it does."""
        return self._file.trouble

    @property
    def synced_bytes(self) -> int:
        """Bytes of whole fragments that are on the disk."""
        return self._file.synced

    def video(self, packet: VideoPacket) -> None:
        """Add one picture.

        Raises:
            av.FFmpegError: the packet is no H.264 that a file can hold.
        """
        stamp = self._stamps.video(packet.mono_ns)
        self._mux(packet.data, self._video, stamp, self._frame, VIDEO_HZ, keyframe=packet.keyframe)
        self.video_frames += 1
        self._end_s = max(self._end_s, (stamp + self._frame) / VIDEO_HZ)

    def sound(self, packet: SoundPacket) -> None:
        """Add 20 ms of sound; nothing where the part holds no sound, or before its time zero.

        Raises:
            av.FFmpegError: the packet is none that a file can hold.
        """
        if self._sound is None or packet.mono_ns < self._stamps.start_ns:
            return
        stamp = self._stamps.sound(packet.mono_ns)
        self._mux(packet.data, self._sound, stamp, SOUND_SAMPLES, SOUND_HZ, keyframe=True)
        self._sounds += 1
        self._end_s = max(self._end_s, (stamp + SOUND_SAMPLES) / SOUND_HZ)

    def _mux(self, data: bytes, stream: Stream, stamp: int, length: int, hz: int, *, keyframe: bool) -> None:
        packet = av.Packet(data)
        packet.stream = stream
        packet.pts = packet.dts = stamp
        packet.duration = length
        packet.time_base = Fraction(1, hz)
        packet.is_keyframe = keyframe
        self._container.mux(packet)
        # The muxer hands over a fragment at once and whole: what is new after `mux` ends at a fragment's end.
        self._file.sync()

    def give_up(self, trouble: OSError) -> None:
        """Take nothing more; `close` ends the file at its last whole fragment."""
        self._file.give_up(trouble)

    def close(self) -> Figures | None:
        """Write the last fragment and close.

        Returns:
            What the part holds; None where that must be counted from the file, because its end was lost.
        """
        whole = True
        try:
            self._container.close()
        except av.FFmpegError:  # a packet that never fitted; the fragments before it are whole
            whole = False
        if whole:
            self._file.sync()
        self._file.close()
        if not whole or self._file.trouble is not None:
            return None
        return Figures(round(self._end_s, 6), self.video_frames, round(self._sounds * SOUND_PACKET_S, 6))
