"""The sending process: one camera and one microphone, recorded, to N peers; ours or stock aiortc.

python -m benchmarks.room_sender MODE SOCKET FOLDER [--peers N] [--seconds S] [--pace FPS] [--size WIDTHxHEIGHT]
                                 [--bitrate BPS] [--host ADDRESS]

MODE is `ours`, `stock` (H.264 of a fixed bitrate, recorded) or `stock-alone` (as aiortc comes: the codec that is
negotiated first, its own bitrates, nothing recorded, so that it keeps real time).

Prints a line of JSON when all answers are given, one when measuring begins, and one with what was measured.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import h264 as stock_h264
from aiortc.contrib.media import MediaRecorder, MediaRelay

from agent.encode.lower import LowerTier
from agent.encode.sound import SoundEncoder
from agent.encode.video import VideoEncoder
from agent.record.writer import Needs, TrackWriter
from agent.stream import rtc
from agent.stream.fanout import TrackFanout
from agent.stream.figures import PeerFigures
from agent.stream.mediaclock import MediaClock
from agent.stream.peer import Peer, PeerContext
from agent.stream.tiers import CameraTiers
from benchmarks.picture import FPS, HEIGHT, LOOP, WIDTH, PaintedSource, loop_of_frames, painted, size_of
from benchmarks.tones import ToneSource, tone
from benchmarks.wire import LINE_MAX, cpu_s, hear, tell

BITRATE_BPS = 2_000_000
WARM_S = 4.0


class Book:
    """The least that a track's writer needs to keep its parts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.frames = 0

    def begin_part(self, track: str, first: Any, *, fps: int, sound: bool) -> Path:
        del first, fps, sound
        return self._folder / f"{track}.mp4"

    def end_part(self, file: str, figures: Any, *, dropped: int, closed: str) -> None:
        del file, dropped, closed
        self.frames = figures.video_frames


class Ours:
    """Encode once, fan out, remux."""

    def __init__(self, folder: Path, host: str, size: tuple[int, int], bitrate_bps: int) -> None:
        clock = MediaClock(time.time_ns() - time.monotonic_ns())
        rtc.install(clock, (host,) if host else ())
        loop = asyncio.get_running_loop()
        self._video = VideoEncoder("camera", PaintedSource(size), bitrate_bps, print)
        self._sound = SoundEncoder("mic", ToneSource(), print)
        outgoing = {
            "camera": TrackFanout(loop, self._video.request_keyframe),
            "mic": TrackFanout(loop, lambda: None),
        }
        lower = TrackFanout(loop, lambda: self._lower.request_keyframe())
        self._lower = LowerTier(FPS, lower.take, print)
        self._video.add_frame_taker(self._lower.feed)
        tiers = CameraTiers(outgoing["camera"], bitrate_bps, lower, self._lower.want)
        self._context = PeerContext(outgoing, clock, lambda _: True, None, (), tiers, self._sound.expect_loss)
        needs = Needs(lambda: 1 << 40, lambda _: self._video.request_keyframe(), print)
        self._writer = TrackWriter("camera", Book(folder), needs, fps=FPS, sound=True, begin_ns=0, end_ns=None)
        self._writer.start()
        self._video.add_taker(outgoing["camera"].take)
        self._video.add_taker(self._writer.take_video)
        self._sound.add_taker(outgoing["mic"].take)
        self._sound.add_taker(self._writer.take_sound)
        self._peers: list[Peer] = []

    def start(self) -> None:
        self._video.start()
        self._sound.start()

    async def answer(self, offer: dict[str, Any]) -> dict[str, Any]:
        peer = Peer(f"room-{len(self._peers)}", "a", self._context, PeerFigures())
        self._peers.append(peer)
        return {"sdp": await peer.answer(offer["sdp"], offer["tracks"])}

    async def part(self) -> None:
        """The peer that joined last has gone."""
        await self._peers.pop().close()

    def request_keyframe(self) -> None:
        """As when another room needs one."""
        self._video.request_keyframe()

    async def close(self) -> None:
        await asyncio.gather(*(peer.close() for peer in self._peers))
        self._video.stop()
        self._sound.stop()
        self._lower.close()
        self._writer.stop()


class StockVideo(MediaStreamTrack):
    kind = "video"

    def __init__(self, pace: float, size: tuple[int, int]) -> None:
        super().__init__()
        self._pace = pace
        self._frames = loop_of_frames(size)
        self._begin = 0.0
        self._index = 0

    async def recv(self) -> av.VideoFrame:
        self._begin = self._begin or time.monotonic()
        if (wait := self._begin + self._index / self._pace - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        frame = painted(self._frames[self._index % LOOP], time.monotonic_ns())
        frame.pts, frame.time_base = self._index * 90_000 // FPS, stock_h264.VIDEO_TIME_BASE
        self._index += 1
        return frame


class StockSound(MediaStreamTrack):
    kind = "audio"

    def __init__(self, pace: float) -> None:
        super().__init__()
        self._slow = FPS / pace
        self._begin = 0.0
        self._index = 0

    async def recv(self) -> av.AudioFrame:
        self._begin = self._begin or time.monotonic()
        if (wait := self._begin + self._index * 0.02 * self._slow - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        frame = av.AudioFrame.from_ndarray(tone(self._index).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, self._index * 960
        self._index += 1
        return frame


class Stock:
    """What aiortc offers for this: MediaRelay to the peers, MediaRecorder to the file; `alone` without the file."""

    def __init__(self, folder: Path, pace: float, size: tuple[int, int], bitrate_bps: int, *, alone: bool) -> None:
        if not alone:
            # The same bitrate for both; the stock encoder would move between 0.5 and 3 Mbps.
            stock_h264.DEFAULT_BITRATE = stock_h264.MIN_BITRATE = stock_h264.MAX_BITRATE = bitrate_bps
        self._video, self._sound, self._relay = StockVideo(pace, size), StockSound(pace), MediaRelay()
        self._recorder = None if alone else MediaRecorder(str(folder / "camera.mp4"))
        self._pcs: list[RTCPeerConnection] = []

    def start(self) -> None:
        if self._recorder is None:
            return
        self._recorder.addTrack(self._relay.subscribe(self._sound))
        self._recorder.addTrack(self._relay.subscribe(self._video))
        self._starting = asyncio.ensure_future(self._recorder.start())

    async def answer(self, offer: dict[str, Any]) -> dict[str, Any]:
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._pcs.append(pc)
        await pc.setRemoteDescription(RTCSessionDescription(offer["sdp"], "offer"))
        pc.addTrack(self._relay.subscribe(self._sound))
        pc.addTrack(self._relay.subscribe(self._video))
        await pc.setLocalDescription(await pc.createAnswer())
        return {"sdp": pc.localDescription.sdp}

    async def part(self) -> None:
        """The peer that joined last has gone."""
        await self._pcs.pop().close()

    async def close(self) -> None:
        if self._recorder is not None:
            await self._recorder.stop()
        await asyncio.gather(*(pc.close() for pc in self._pcs))


async def main(
    mode: str,
    socket: str,
    folder: Path,
    peers: int,
    seconds: float,
    pace: float,
    size: tuple[int, int],
    bitrate: int,
    host: str,
) -> None:
    room: Ours | Stock
    if mode == "ours":
        room = Ours(folder, host, size, bitrate)
    else:
        room = Stock(folder, pace, size, bitrate, alone=mode == "stock-alone")
    reader, writer = await asyncio.open_unix_connection(socket, limit=LINE_MAX)
    for _ in range(peers):
        await tell(writer, {"join": True})
        await tell(writer, await room.answer(await hear(reader)))
    room.start()
    print(json.dumps({"answered_ns": time.monotonic_ns()}), flush=True)
    await asyncio.sleep(WARM_S)
    begin_ns, begin_cpu_s = time.monotonic_ns(), cpu_s()
    print(json.dumps({"begin_ns": begin_ns}), flush=True)
    await asyncio.sleep(seconds)
    measured = {"begin_ns": begin_ns, "end_ns": time.monotonic_ns(), "cpu_s": cpu_s() - begin_cpu_s}
    await tell(writer, {"end": True})
    print(json.dumps({**measured, **await hear(reader)}), flush=True)
    try:
        await asyncio.wait_for(room.close(), 15)
    except TimeoutError:
        print("the sender does not close; left to the parent", file=sys.stderr)


if __name__ == "__main__":
    told = argparse.ArgumentParser()
    told.add_argument("mode", choices=("ours", "stock", "stock-alone"))
    told.add_argument("socket")
    told.add_argument("folder", type=Path)
    told.add_argument("--peers", type=int, default=1)
    told.add_argument("--seconds", type=float, default=10.0)
    told.add_argument("--pace", type=float, default=FPS, help="frames a second of wall time, stock alone")
    told.add_argument("--size", type=size_of, default=(WIDTH, HEIGHT))
    told.add_argument("--bitrate", type=int, default=BITRATE_BPS, help="of the recorded camera, in bit/s")
    told.add_argument("--host", default="", help="the only address to offer; all of this machine's by default")
    asyncio.run(main(**vars(told.parse_args())))
