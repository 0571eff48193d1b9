"""Records one room's part of one lesson: tracks, timeline, quality; then seals the package."""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

from agent.encode.packet import SoundPacket, VideoPacket
from agent.record.lines import LineWriter
from agent.record.package import PackageDraft
from agent.record.trouble import SealFailed
from agent.record.writer import Needs, TrackWriter, WriterState
from contract.observation import Observation
from contract.package import QUALITY, TIMELINE, Manifest
from contract.result import RoomResult

log = logging.getLogger(__name__)

CAMERA = "camera"
SLIDES = "slides"
TAIL_S = 1.0
"""How long `finish` waits for pictures captured before the end that are still being encoded, in seconds."""
CLOSE_PATIENCE_S = 30.0
"""How long a disk may take to write what waits, in seconds."""
SEAL_PATIENCE_S = 30.0
SEAL_AGAIN_S = 2.0


class LessonRecorder:
    """Keeps what the policy allows for session time [0, seconds), and nothing besides.

    The takers `camera`, `sound`, `slides`, `observation` and `quality` return at once and may be
    called from any thread. Where the policy keeps nothing, they do nothing and no file appears.
    """

    def __init__(
        self,
        package: PackageDraft,
        *,
        tracks: Mapping[str, int],
        sound: bool,
        begin_mono_ns: int,
        end_mono_ns: int,
        needs: Needs,
    ) -> None:
        """Prepare; nothing is written before `start`.

        Args:
            package: the draft to add to.
            tracks: nominal frame rate by track, `camera` and, where the room has them, `slides`.
            sound: whether the room has a microphone; its sound stands in the camera's file.
            begin_mono_ns: session time 0 on this device's monotonic clock.
            end_mono_ns: session time `seconds` on the same clock.
            needs: what the writers ask of the house; its callables are called from their threads.
        """
        self._package = package
        self._policy = package.manifest.policy
        self._monotonic = needs.monotonic
        self._begin_ns = begin_mono_ns
        self._end_ns = end_mono_ns
        self._seconds = package.manifest.seconds
        self._writers: dict[str, TrackWriter] = {}
        if self._policy.record:
            for track, fps in tracks.items():
                with_sound = sound and track == CAMERA
                self._writers[track] = TrackWriter(
                    track, package, needs, fps=fps, sound=with_sound, begin_ns=begin_mono_ns, end_ns=end_mono_ns
                )
        kept = [(TIMELINE, self._policy.observe), (QUALITY, self._policy.record)]
        self._lines = LineWriter({name: package.folder / name for name, allowed in kept if allowed}, needs.monotonic)
        self._finished = False

    def start(self) -> None:
        """Begin to write; the first picture kept is the first keyframe at or after session time 0."""
        for writer in self._writers.values():
            writer.start()
        self._lines.start()

    def camera(self, packet: VideoPacket) -> None:
        """Take a picture of the camera."""
        self._video(CAMERA, packet)

    def slides(self, packet: VideoPacket) -> None:
        """Take a picture of the slides."""
        self._video(SLIDES, packet)

    def sound(self, packet: SoundPacket) -> None:
        """Take 20 ms of the room's sound."""
        writer = self._writers.get(CAMERA)
        if writer is not None:
            writer.take_sound(packet)

    def observation(self, observation: Observation) -> None:
        """Add a line to the timeline, where the policy lets the room be observed.

        A `cadence` told before the lesson says how often is looked from its beginning on, and stands there.
        """
        if observation.kind == "cadence" and observation.mono_ns < self._begin_ns:
            observation = observation.model_copy(update={"t": 0.0, "mono_ns": self._begin_ns})
        if not self._finished and self._in_time(observation.mono_ns):
            self._lines.take(TIMELINE, observation.model_dump_json())

    def quality(self, sample: Mapping[str, Any]) -> None:
        """Add a sample of network and device figures, about one a second; never personal data."""
        if not self._finished:
            self._lines.take(QUALITY, json.dumps(dict(sample), separators=(",", ":")))

    def end_at(self, mono_ns: int) -> None:
        """The lesson ends earlier than ordered. What is recorded behind that moment already stays."""
        if mono_ns < self._end_ns:
            self._end_ns = mono_ns
            self._seconds = round(min(self._seconds, max(0.0, (mono_ns - self._begin_ns) / 1e9)), 6)
        for writer in self._writers.values():
            writer.end_at(mono_ns)

    @property
    def recording(self) -> bool:
        """Whether a file is being written at this moment, for the sign on the screen."""
        return any(writer.state is WriterState.WRITING for writer in self._writers.values())

    async def close(self) -> bool:
        """Close the files without sealing; False where the disk does not answer, and `finish` will try again.

        Whoever leaves in mid-lesson calls this alone: the next run of the agent goes on with the next part.
        """
        try:
            await asyncio.to_thread(self._close_files)
        except SealFailed as error:
            log.warning("%s", error)
            return False
        return True

    async def finish(self, result: RoomResult, *, patience_s: float = SEAL_PATIENCE_S) -> Manifest:
        """Close the files and seal the package.

        Args:
            result: the room's account of the session; `recording` is filled in.
            patience_s: how long a full volume is tried again, in seconds.

        Returns:
            The sealed manifest; where the policy keeps nothing, one that is nowhere on disk.

        Raises:
            SealFailed: the volume still takes nothing, or does not answer; call again later.
        """
        await asyncio.to_thread(self._close_files)
        if not (self._policy.record or self._policy.observe):
            return self._package.manifest.model_copy(update={"sealed": True, "result": result})
        deadline = self._monotonic() + patience_s
        while True:
            try:
                return await asyncio.to_thread(self._seal, result)
            except SealFailed:
                if self._monotonic() + SEAL_AGAIN_S > deadline:
                    raise
            await asyncio.sleep(SEAL_AGAIN_S)

    def _seal(self, result: RoomResult) -> Manifest:
        return self._package.seal(self._seconds, tuple(self._writers), result)

    def _close_files(self) -> None:
        if self._finished:
            return
        deadline = self._monotonic() + TAIL_S
        for writer in self._writers.values():
            writer.past_end.wait(max(0.0, deadline - self._monotonic()))
        self._finished = True
        deadline = self._monotonic() + CLOSE_PATIENCE_S
        parts = [writer.stop(max(0.0, deadline - self._monotonic())) for writer in self._writers.values()]
        if not all([*parts, self._lines.stop(max(1.0, deadline - self._monotonic()))]):
            self._finished = False
            raise SealFailed(f"the disk under {self._package.folder} does not answer; check the disk")

    def _in_time(self, mono_ns: int) -> bool:
        return self._begin_ns <= mono_ns < self._end_ns

    def _video(self, track: str, packet: VideoPacket) -> None:
        writer = self._writers.get(track)
        if writer is not None:
            writer.take_video(packet)
