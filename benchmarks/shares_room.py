"""The receiving process of one flow; tells also how many bytes had come by when.

python -m benchmarks.shares_room ours|stock-alone SOCKET
"""

import asyncio
import sys
import time

import av
from aiortc import RTCPeerConnection

from benchmarks.room_receiver import OurPeer, StockPeer, Tally
from benchmarks.wire import LINE_MAX, hear, tell

COUNT_S = 0.5


def received_bytes(pc: RTCPeerConnection) -> int:
    """What came on a connection's transport, repetitions and RTCP included, without IP and UDP."""
    stats = pc.getTransceivers()[0].receiver.transport._get_stats()
    return sum(one.bytesReceived for one in stats.values() if one.type == "transport")


async def main(mode: str, socket: str) -> None:
    tally, done = Tally(), asyncio.Event()
    peer = OurPeer(tally, "") if mode == "ours" else StockPeer(tally, h264=False)
    pc: RTCPeerConnection = peer._peer._pc if isinstance(peer, OurPeer) else peer._pc
    counted: list[tuple[int, int]] = []

    async def count() -> None:
        while True:
            counted.append((time.monotonic_ns(), received_bytes(pc)))
            await asyncio.sleep(COUNT_S)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await hear(reader)
            await tell(writer, await peer.offer())
            await peer.accept(await hear(reader))
            counting = asyncio.create_task(count())
            await hear(reader)
            counting.cancel()
            heard = {"pictures": tally.pictures, "sounds": tally.sounds, "bytes": counted}
            await tell(writer, {"peers": [heard]})
        finally:
            done.set()

    async with await asyncio.start_unix_server(serve, socket, limit=LINE_MAX):
        print("listening", flush=True)
        await done.wait()
    await asyncio.wait_for(peer.close(), 10)


if __name__ == "__main__":
    av.logging.set_level(av.logging.PANIC)
    asyncio.run(main(sys.argv[1], sys.argv[2]))
