"""The lead room of the join benchmark: teaches, and is joined again and again; ours or stock aiortc.

python -m benchmarks.join_lead ours|stock-alone SOCKET FOLDER [--busy] [--host ADDRESS]

Serves the Unix socket for one room. An offer gets an answer; {"gone": true} ends that peer. With --busy some other
room needs keyframes all the time, so that a new room's keyframe may have to wait for its turn.
"""

import argparse
import asyncio
from pathlib import Path

from benchmarks.picture import FPS, HEIGHT, WIDTH
from benchmarks.room_sender import BITRATE_BPS, Ours, Stock
from benchmarks.wire import LINE_MAX, hear, tell

TEACHING_S = 2.0
"""The lesson goes on for so long before the first room may join."""
ASKED_S = 0.05
"""How often the other room asks for a keyframe; it gets one each 300 ms."""


async def asking(room: Ours) -> None:
    """Another room that always needs a keyframe."""
    while True:
        room.request_keyframe()
        await asyncio.sleep(ASKED_S)


async def main(mode: str, socket: str, folder: Path, host: str, *, busy: bool) -> None:
    size = (WIDTH, HEIGHT)
    room = (
        Ours(folder, host, size, BITRATE_BPS) if mode == "ours" else Stock(folder, FPS, size, BITRATE_BPS, alone=True)
    )
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while "end" not in (said := await hear(reader)):
                if "sdp" in said:
                    await tell(writer, await room.answer(said))
                else:
                    await room.part()
                    await tell(writer, {"parted": True})
        finally:
            done.set()

    room.start()
    other = asyncio.create_task(asking(room)) if busy and isinstance(room, Ours) else None
    await asyncio.sleep(TEACHING_S)
    async with await asyncio.start_unix_server(serve, socket, limit=LINE_MAX):
        print("teaching", flush=True)
        await done.wait()
    if other is not None:
        other.cancel()
    await asyncio.wait_for(room.close(), 10)


if __name__ == "__main__":
    told = argparse.ArgumentParser()
    told.add_argument("mode", choices=("ours", "stock-alone"))
    told.add_argument("socket")
    told.add_argument("folder", type=Path)
    told.add_argument("--busy", action="store_true")
    told.add_argument("--host", default="", help="the only address to offer; all of this machine's by default")
    asyncio.run(main(**vars(told.parse_args())))
