"""The lead room of the memory benchmark: sends to rooms, records, and receives from them, until standard input ends.

python -m benchmarks.memory_room FOLDER ROOM,ROOM,... [--trace SECONDS]

The rooms are all rooms, this one first. Signals come and go as in tests.faults.hold_room, which are the other rooms.
At the end it tells what it received and recorded: `{"held": {"received": {room: pictures}, "recorded": pictures}}`.
With --trace it says on standard error which lines of the code hold more memory at the end than after so many seconds.
"""

import argparse
import asyncio
import json
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

from agent.encode.lower import LowerTier
from agent.encode.sound import SoundEncoder
from agent.encode.video import VideoEncoder
from agent.record.recorder import LessonRecorder
from agent.record.store import FolderStore
from agent.record.writer import Needs
from agent.stream import rtc
from agent.stream.fanout import TrackFanout
from agent.stream.mediaclock import MediaClock
from agent.stream.peer import PeerContext
from agent.stream.room import RoomStream
from agent.stream.tiers import CameraTiers
from benchmarks.picture import FPS, PaintedSource
from benchmarks.tones import ToneSource
from contract.result import RoomResult
from contract.session import Policy
from tests.agent.record.packets import standpoint
from tests.faults.hold_room import LINE_MAX, hold, order, tell

SIZE = (640, 360)
BITRATE_BPS = 800_000
LESSON_S = 24 * 3600.0
"""Longer than any run: the lesson is ended, it does not end."""
TRACE_FRAMES = 12
TRACE_LINES = 15


class Unseen:
    """A playout at its end: whatever comes is let go."""

    def picture(self, room: str, track: str, picture: Any) -> None:
        del room, track, picture

    def sound(self, room: str, samples: Any) -> None:
        del room, samples


class LeadRoom:
    """Camera and microphone, both tiers, the recorder and the connections: what an agent runs in a lesson."""

    def __init__(self, folder: Path, rooms: list[str]) -> None:
        loop = asyncio.get_running_loop()
        clock = MediaClock(time.time_ns() - time.monotonic_ns())
        rtc.install(clock)
        lesson = order(rooms).model_copy(update={"seconds": LESSON_S, "policy": Policy(record=True)})
        self._video = VideoEncoder("camera", PaintedSource(SIZE), BITRATE_BPS, self._trouble)
        self._sound = SoundEncoder("mic", ToneSource(), self._trouble)
        self._lower_fanout = TrackFanout(loop, lambda: self._lower.request_keyframe())
        self._lower = LowerTier(FPS, self._lower_fanout.take, self._trouble)
        camera = TrackFanout(loop, self._video.request_keyframe)
        mic = TrackFanout(loop, lambda: None)
        tiers = CameraTiers(camera, BITRATE_BPS, self._lower_fanout, self._lower.want)
        self._recorder = self._recording(folder, lesson)
        self._video.add_frame_taker(self._lower.feed)
        self._video.add_taker(camera.take)
        self._video.add_taker(self._recorder.camera)
        self._sound.add_taker(mic.take)
        self._sound.add_taker(self._recorder.sound)
        context = PeerContext({"camera": camera, "mic": mic}, clock, lambda _: True, Unseen(), (), tiers)
        self.stream = RoomStream(
            lesson,
            lesson.rooms[0],
            context,
            lambda signal, _valid_s: tell({"signal": signal.model_dump(mode="json")}),
            lambda: None,
        )

    def start(self) -> None:
        self._recorder.start()
        self._video.start()
        self._sound.start()

    async def close(self) -> dict[str, Any]:
        """End everything; what was received, by room, and recorded."""
        self._video.stop()
        self._sound.stop()
        self._lower.close()
        self._recorder.end_at(time.monotonic_ns())
        sealed = await self._recorder.finish(RoomResult())
        received = {room: figures.video_frames for room, figures in self.stream.figures.items()}
        return {"received": received, "recorded": sum(part.video_frames for part in sealed.parts)}

    def _recording(self, folder: Path, lesson: Any) -> LessonRecorder:
        begin_ns = time.monotonic_ns()
        store = FolderStore(folder)
        needs = Needs(store.free_bytes, lambda _: self._video.request_keyframe(), self._trouble)
        return LessonRecorder(
            store.draft(lesson, lesson.rooms[0], standpoint("boot-1", begin_ns)),
            tracks={"camera": FPS},
            sound=True,
            begin_mono_ns=begin_ns,
            end_mono_ns=begin_ns + round(LESSON_S * 1e9),
            needs=needs,
        )

    def _trouble(self, words: str) -> None:
        print(words, file=sys.stderr)


async def traced(after_s: float) -> None:
    """Say what grew since `after_s`, when cancelled."""
    await asyncio.sleep(after_s)
    before = await asyncio.to_thread(tracemalloc.take_snapshot)
    try:
        await asyncio.Event().wait()
    finally:
        found = tracemalloc.take_snapshot().compare_to(before, "lineno")
        for one in found[:TRACE_LINES]:
            print(one, file=sys.stderr)


async def main(folder: Path, rooms: str, trace: float | None) -> None:
    signals = asyncio.StreamReader(limit=LINE_MAX)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(signals), sys.stdin)
    if trace is not None:
        tracemalloc.start(TRACE_FRAMES)
    room = LeadRoom(folder, rooms.split(","))
    room.start()
    tell(["running"])
    tracing = asyncio.create_task(traced(trace)) if trace is not None else None
    await hold(room.stream, signals)
    if tracing is not None:
        tracing.cancel()
        await asyncio.gather(tracing, return_exceptions=True)
    print(json.dumps({"held": await room.close()}), flush=True)


if __name__ == "__main__":
    told = argparse.ArgumentParser()
    told.add_argument("folder", type=Path)
    told.add_argument("rooms")
    told.add_argument("--trace", type=float, default=None, help="seconds after which memory is looked at first")
    asyncio.run(main(**vars(told.parse_args())))
