"""The receiving process: N peers in one process; ours or stock aiortc. Tells when pictures and sound came out.

python -m benchmarks.room_receiver ours|stock|stock-alone SOCKET [--peers N] [--painted-width W] [--host ADDRESS]

Serves the Unix socket for one sender. A sender that says {"join": true} gets an offer; one that offers gets an answer.
"""

import argparse
import asyncio
import functools
import sys
import time
from typing import Any, Protocol

import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from agent.stream import rtc
from agent.stream.figures import PeerFigures
from agent.stream.mediaclock import MediaClock
from agent.stream.peer import Peer, PeerContext
from benchmarks.picture import WIDTH, age_ms
from benchmarks.tones import NewBlocks, mono
from benchmarks.wire import LINE_MAX, hear, tell


class Tally:
    """What came from one peer."""

    def __init__(self, painted_width: int = WIDTH) -> None:
        self._painted_width = painted_width
        self.pictures: list[tuple[int, float]] = []
        """(monotonic ns when decoded, age in ms)"""
        self.width = 0
        """Of the last picture: a lower tier is narrower than what was painted."""
        self.sounds: list[tuple[int, int]] = []
        """(monotonic ns when decoded, blocks of 20 ms that were new)"""
        self._blocks = NewBlocks()

    def picture(self, room: str, track: str, picture: av.VideoFrame) -> None:
        del room, track
        now = time.monotonic_ns()
        self.width = picture.width
        self.pictures.append((now, age_ms(picture, now, self._painted_width)))

    def sound(self, room: str, samples: Any) -> None:
        del room
        self.sounds.append((time.monotonic_ns(), self._blocks.heard(samples)))


class Receiving(Protocol):
    """One peer, whoever's."""

    async def offer(self) -> dict[str, Any]: ...
    async def accept(self, answer: dict[str, Any]) -> None: ...
    async def answer(self, offer: dict[str, Any]) -> dict[str, Any]: ...
    async def close(self) -> None: ...


class OurPeer:
    def __init__(self, tally: Tally, host: str) -> None:
        clock = installed(host)
        self._peer = Peer("lead", "a", PeerContext({}, clock, lambda _: True, tally, ()), PeerFigures())

    async def answer(self, offer: dict[str, Any]) -> dict[str, Any]:
        return {"sdp": await self._peer.answer(offer["sdp"], offer["tracks"])}

    async def offer(self) -> dict[str, Any]:
        sdp, tracks = await self._peer.offer()
        return {"sdp": sdp, "tracks": tracks}

    async def accept(self, answer: dict[str, Any]) -> None:
        await self._peer.accept(answer["sdp"])

    async def close(self) -> None:
        await self._peer.close()


@functools.cache
def installed(host: str) -> MediaClock:
    """Our sender and receiver, put into this process with the first peer; it takes some 40 ms."""
    clock = MediaClock(time.time_ns() - time.monotonic_ns())
    rtc.install(clock, (host,) if host else ())
    return clock


class StockPeer:
    def __init__(self, tally: Tally, *, h264: bool) -> None:
        self._h264 = h264
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._tasks: list[asyncio.Task[None]] = []

        async def read(track: MediaStreamTrack) -> None:
            while True:
                try:
                    frame = await track.recv()
                except MediaStreamError:
                    return
                if track.kind == "video":
                    tally.picture("", "", frame)
                else:
                    tally.sound("", mono(frame))

        self._pc.on("track", lambda track: self._tasks.append(asyncio.ensure_future(read(track))))

    async def offer(self) -> dict[str, Any]:
        self._pc.addTransceiver("audio", direction="recvonly")
        video = self._pc.addTransceiver("video", direction="recvonly")
        if self._h264:
            codecs = RTCRtpReceiver.getCapabilities("video").codecs
            video.setCodecPreferences([one for one in codecs if one.name in ("H264", "rtx")])
        await self._pc.setLocalDescription(await self._pc.createOffer())
        return {"sdp": self._pc.localDescription.sdp}

    async def accept(self, answer: dict[str, Any]) -> None:
        await self._pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))

    async def answer(self, offer: dict[str, Any]) -> dict[str, Any]:
        await self._pc.setRemoteDescription(RTCSessionDescription(offer["sdp"], "offer"))
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        return {"sdp": self._pc.localDescription.sdp}

    async def close(self) -> None:
        await self._pc.close()


async def main(mode: str, socket: str, peers: int, painted_width: int, host: str) -> None:
    tallies = [Tally(painted_width) for _ in range(peers)]
    joining: list[Receiving] = [
        OurPeer(tally, host) if mode == "ours" else StockPeer(tally, h264=mode == "stock") for tally in tallies
    ]
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for peer in joining:
                said = await hear(reader)
                if "sdp" in said:
                    await tell(writer, await peer.answer(said))
                else:
                    await tell(writer, await peer.offer())
                    await peer.accept(await hear(reader))
            await hear(reader)
            peers_heard = [
                {"pictures": tally.pictures, "sounds": tally.sounds, "width": tally.width} for tally in tallies
            ]
            await tell(writer, {"peers": peers_heard})
        finally:
            done.set()

    async with await asyncio.start_unix_server(serve, socket, limit=LINE_MAX):
        print("listening", flush=True)
        await done.wait()
    try:
        await asyncio.wait_for(asyncio.gather(*(peer.close() for peer in joining)), 10)
    except TimeoutError:
        print("the receivers do not close; left to the parent", file=sys.stderr)


if __name__ == "__main__":
    av.logging.set_level(av.logging.PANIC)
    told = argparse.ArgumentParser()
    told.add_argument("mode", choices=("ours", "stock", "stock-alone"))
    told.add_argument("socket")
    told.add_argument("--peers", type=int, default=1)
    told.add_argument("--painted-width", type=int, default=WIDTH, help="of the picture into which the time is painted")
    told.add_argument("--host", default="", help="the only address to offer; all of this machine's by default")
    asyncio.run(main(**vars(told.parse_args())))
