"""The receiving process: N peers in one process; ours or stock aiortc. Counts pictures and their age.

python -m benchmarks.room_receiver ours|stock PEERS PORT
"""

import asyncio
import sys
import time
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from agent.stream import rtc
from agent.stream.figures import PeerFigures
from agent.stream.mediaclock import MediaClock
from agent.stream.peer import Peer, PeerContext
from benchmarks.picture import age_ms
from benchmarks.wire import HOST, hear, percentile, tell


class Tally:
    """Pictures of one peer while counting is on."""

    def __init__(self) -> None:
        self.counting = False
        self.ages_ms: list[float] = []

    def picture(self, room: str, track: str, picture: av.VideoFrame) -> None:
        del room, track
        if self.counting:
            self.ages_ms.append(age_ms(picture, time.monotonic_ns()))

    def sound(self, room: str, samples: Any) -> None:
        """Sound is decoded and let go."""


class OurPeer:
    def __init__(self, tally: Tally) -> None:
        clock = MediaClock(time.time_ns() - time.monotonic_ns())
        rtc.install(clock, (HOST,))
        self._peer = Peer("lead", "a", PeerContext({}, clock, lambda _: True, tally, ()), PeerFigures())

    async def offer(self) -> dict[str, Any]:
        sdp, tracks = await self._peer.offer()
        return {"sdp": sdp, "tracks": tracks}

    async def accept(self, answer: dict[str, Any]) -> None:
        await self._peer.accept(answer["sdp"])

    async def close(self) -> None:
        await self._peer.close()


class StockPeer:
    def __init__(self, tally: Tally) -> None:
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

        self._pc.on("track", lambda track: self._tasks.append(asyncio.ensure_future(read(track))))

    async def offer(self) -> dict[str, Any]:
        self._pc.addTransceiver("audio", direction="recvonly")
        video = self._pc.addTransceiver("video", direction="recvonly")
        video.setCodecPreferences(
            [one for one in RTCRtpReceiver.getCapabilities("video").codecs if one.name in ("H264", "rtx")]
        )
        await self._pc.setLocalDescription(await self._pc.createOffer())
        return {"sdp": self._pc.localDescription.sdp}

    async def accept(self, answer: dict[str, Any]) -> None:
        await self._pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))

    async def close(self) -> None:
        await self._pc.close()


async def main(mode: str, count: int, port: int) -> None:
    tallies = [Tally() for _ in range(count)]
    peers = [OurPeer(tally) if mode == "ours" else StockPeer(tally) for tally in tallies]
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for peer in peers:
            await tell(writer, await peer.offer())
            await peer.accept(await hear(reader))
        await hear(reader)
        for tally in tallies:
            tally.counting = True
        await hear(reader)
        for tally in tallies:
            tally.counting = False
        ages = [age for tally in tallies for age in tally.ages_ms]
        latency = {"p50": percentile(ages, 0.5), "p95": percentile(ages, 0.95)}
        await tell(writer, {"frames": [len(tally.ages_ms) for tally in tallies], "latency_ms": latency})
        done.set()

    async with await asyncio.start_server(serve, HOST, port, limit=1 << 20):
        print("listening", flush=True)
        await done.wait()
    try:
        await asyncio.wait_for(asyncio.gather(*(peer.close() for peer in peers)), 10)
    except TimeoutError:
        print("the receivers do not close; left to the parent", file=sys.stderr)


if __name__ == "__main__":
    av.logging.set_level(av.logging.PANIC)
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
