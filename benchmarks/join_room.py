"""The room of the join benchmark that joins, leaves and joins anew; ours or stock aiortc.

python -m benchmarks.join_room ours|stock-alone SOCKET [--joins N] [--host ADDRESS]

Prints a line of JSON: for each join the ms from its beginning to each of its stages (`STAGES`).
"""

import argparse
import asyncio
import json
import random
import time
from typing import Any

import av

from benchmarks.room_receiver import OurPeer, StockPeer, installed
from benchmarks.wire import LINE_MAX, hear, tell

STAGES = ("offered", "answered", "ice", "dtls", "sound", "picture")
"""Our offer is made; the answer is there; a path is found; it is encrypted; the first sound and the first picture
came out of the decoder."""
PATIENCE_S = 20.0
PAUSE_S = (1.5, 2.0)
"""Between two joins: they fall on any moment between two pictures, and a keyframe may be as large as after a while
without one."""


class Stages:
    """When each stage of one join was reached. A playout, too."""

    def __init__(self) -> None:
        self.whole = asyncio.Event()
        """Set when the first sound and the first picture are there."""
        self._loop = asyncio.get_running_loop()
        self._begin_ns = time.monotonic_ns()
        self._reached: dict[str, int] = {}

    @property
    def ms(self) -> dict[str, float]:
        """Since the beginning, by stage; a stage that was never reached is not there."""
        return {stage: round((at - self._begin_ns) / 1e6, 2) for stage, at in self._reached.items()}

    def reach(self, stage: str) -> None:
        self._reached.setdefault(stage, time.monotonic_ns())

    def picture(self, room: str, track: str, picture: av.VideoFrame) -> None:
        """Called on a thread by ours, on the event loop by stock."""
        del room, track, picture
        self.reach("picture")
        self._loop.call_soon_threadsafe(self._look)

    def sound(self, room: str, samples: Any) -> None:
        del room
        if len(samples):
            self.reach("sound")
            self._look()

    def watch(self, pc: Any) -> None:
        """Take the stages that a peer connection tells."""

        def ice() -> None:
            if pc.iceConnectionState == "completed":
                self.reach("ice")

        def connection() -> None:
            if pc.connectionState == "connected":
                self.reach("dtls")

        pc.on("iceconnectionstatechange", ice)
        pc.on("connectionstatechange", connection)

    def _look(self) -> None:
        if {"sound", "picture"} <= self._reached.keys():
            self.whole.set()


async def join(mode: str, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> dict[str, float]:
    """One join, from nothing to the first picture and sound, and its end."""
    stages = Stages()
    peer: OurPeer | StockPeer
    if mode == "ours":
        peer = OurPeer(stages, host)  # type: ignore[arg-type] - it tallies
        stages.watch(peer._peer._pc)
    else:
        peer = StockPeer(stages, h264=False)  # type: ignore[arg-type]
        stages.watch(peer._pc)
    offer = await peer.offer()
    stages.reach("offered")
    await tell(writer, offer)
    answer = await hear(reader)
    stages.reach("answered")
    await peer.accept(answer)
    await asyncio.wait_for(stages.whole.wait(), PATIENCE_S)
    await tell(writer, {"gone": True})
    await hear(reader)
    await peer.close()
    return stages.ms


async def main(mode: str, socket: str, joins: int, host: str) -> None:
    reader, writer = await asyncio.open_unix_connection(socket, limit=LINE_MAX)
    if mode == "ours":
        installed(host)  # a program does it once, when it starts
    dice = random.Random(1)
    found = []
    for _ in range(joins):
        await asyncio.sleep(dice.uniform(*PAUSE_S))
        found.append(await join(mode, host, reader, writer))
    await tell(writer, {"end": True})
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    av.logging.set_level(av.logging.PANIC)
    told = argparse.ArgumentParser()
    told.add_argument("mode", choices=("ours", "stock-alone"))
    told.add_argument("socket")
    told.add_argument("--joins", type=int, default=21)
    told.add_argument("--host", default="", help="the only address to offer; all of this machine's by default")
    asyncio.run(main(**vars(told.parse_args())))
