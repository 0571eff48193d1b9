"""Real packets for the recorder's tests: x264 and Opus as the agent makes them, and a lesson to put them in."""

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from agent.encode.packet import SoundPacket, VideoPacket
from agent.record.package import PackageDraft, Standpoint
from contract.clock import ClockRecord
from contract.session import Policy, Role, RoomOrder, SessionOrder

START_NS = 1_000_000_000_000
EPOCH = 1_700_000_000.0


class Camera:
    """Encodes pictures that are black, and white from `white_from_s` on; keyframes where asked."""

    def __init__(self, width=320, height=180, fps=25, white_from_s=math.inf, seed=1):
        self.width, self.height, self.fps = width, height, fps
        self.white_from_s = white_from_s
        self.force = False
        self._random = np.random.default_rng(seed)
        codec = av.CodecContext.create("libx264", "w")
        codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
        codec.framerate, codec.time_base = Fraction(fps), Fraction(1, 90000)
        codec.bit_rate, codec.gop_size, codec.profile = 400_000, 250, "Baseline"
        codec.options = {"preset": "superfast", "tune": "zerolatency", "forced-idr": "1"}
        self._codec = codec

    def packet(self, t, mono_ns=None):
        """The picture captured `t` seconds after START_NS, or at `mono_ns`."""
        level = 235 if t >= self.white_from_s else 16
        luma = np.full((self.height, self.width), level, np.uint8)
        luma[:32, :32] = self._random.integers(16, 235, (32, 32))  # something always moves
        chroma = np.full((self.height // 2, self.width), 128, np.uint8)
        frame = av.VideoFrame.from_ndarray(np.vstack((luma, chroma)), "yuv420p")
        frame.pts, frame.time_base = round(t * 90000), Fraction(1, 90000)
        if self.force:
            frame.pict_type, self.force = av.video.frame.PictureType.I, False
        (out,) = self._codec.encode(frame)
        stamp = START_NS + round(t * 1e9) if mono_ns is None else mono_ns
        return VideoPacket(bytes(out), (), stamp, out.is_keyframe, self.width, self.height)

    def packets(self, seconds) -> Iterator[VideoPacket]:
        for index in range(round(seconds * self.fps)):
            yield self.packet(index / self.fps)


class Microphone:
    """Encodes silence, and a tone of 1 kHz from `tone_from_s` on."""

    def __init__(self, tone_from_s=math.inf):
        self.tone_from_s = tone_from_s
        codec = av.CodecContext.create("libopus", "w")
        codec.format, codec.layout, codec.sample_rate = "s16", "mono", 48000
        codec.time_base, codec.bit_rate = Fraction(1, 48000), 48000
        codec.options = {"application": "audio", "frame_duration": "20"}
        codec.open()
        self._codec = codec
        self._index = 0

    def packet(self, mono_ns=None):
        first = self._index * 960
        at = (first + np.arange(960)) / 48000
        tone = np.where(at >= self.tone_from_s, 12000 * np.sin(2 * np.pi * 1000 * at), 0).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone.reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, first, Fraction(1, 48000)
        (out,) = self._codec.encode(frame)
        stamp = START_NS + self._index * 20_000_000 if mono_ns is None else mono_ns
        self._index += 1
        return SoundPacket(bytes(out), stamp, -20)

    def packets(self, seconds) -> Iterator[SoundPacket]:
        for _ in range(round(seconds * 50)):
            yield self.packet()


def together(*rows):
    """Packets of all rows in the order of their capture."""
    return sorted((packet for row in rows for packet in row), key=lambda packet: packet.mono_ns)


class ShiftedClock:
    """A hub whose UTC is EPOCH when this device's clock says START_NS."""

    def __init__(self, start_ns=START_NS):
        self.start_ns = start_ns

    def hub_ns(self, mono_ns):
        return mono_ns - self.start_ns + round(EPOCH * 1e9)

    def error_ns(self, mono_ns):
        return 0


ALL = Policy(record=True, observe=True, upload=True)


def order(seconds=4.0, policy=ALL, session="s-test-1"):
    rooms = (
        RoomOrder(room="room-a", device="device-a", role=Role.LEAD, name="三年级一班"),
        RoomOrder(room="room-b", device="device-b", role=Role.RECEIVING),
    )
    return SessionOrder(session=session, rev=1, epoch=EPOCH, seconds=seconds, rooms=rooms, policy=policy, title="分数")


def standpoint(boot="boot-1", start_ns=START_NS):
    return Standpoint(boot, ShiftedClock(start_ns), lambda: ClockRecord(boot=boot), {"tongtang": "test"})


def draft(root: Path, *, seconds=4.0, policy=ALL, boot="boot-1", start_ns=START_NS, session="s-test-1"):
    one = order(seconds, policy, session)
    folder = root / one.session / "room-a"
    return PackageDraft.begin(folder, one, one.rooms[0], standpoint(boot, start_ns))


def read(path):
    """What a player sees: video stamps and sound stamps in seconds, by demuxing and decoding everything."""
    video, sound, pictures, samples = [], [], [], []
    with av.open(str(path)) as container:
        for frame in container.decode(*container.streams):
            if isinstance(frame, av.VideoFrame):
                video.append(frame.time)
                pictures.append(float(frame.to_ndarray(format="gray")[64:, 64:].mean()))
            else:
                sound.append(frame.time)
                samples.append(frame.to_ndarray().astype(float).reshape(-1))
    return video, sound, pictures, samples
