"""What one room keeps of one lesson: begun when the disk lets it, observed, sealed; also by whoever comes later."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from agent.account import Counts
from agent.capture.frame import Block, Frame
from agent.classroom import Classroom
from agent.house import House, MakeObserver
from agent.lapel import Lapel
from agent.observe.feed import PictureTrack
from agent.observe.observer import Observer
from agent.observe.timeline import read_timeline, summary
from agent.record.package import PackageDraft
from agent.record.recorder import LessonRecorder
from agent.record.store import FolderStore, PackageRef
from agent.record.trouble import RecordTrouble, SealFailed
from agent.record.writer import Needs
from agent.stream.playout import Tapped
from contract.clock import SessionClock, mono_at, session_t
from contract.observation import Observation
from contract.package import QUALITY, TIMELINE, Manifest
from contract.result import RoomResult
from contract.session import Role, RoomOrder, SessionOrder

log = logging.getLogger(__name__)

AGAIN_S = 10.0
"""A disk that takes no package, or no seal, is tried again this often, in seconds."""
LEFT_BEHIND = "the agent was away at the end of the lesson"


class LessonTime:
    """Session time of one lesson on this device's monotonic clock; any thread may ask."""

    def __init__(self, order: SessionOrder, clock: SessionClock, mono_ns: Callable[[], int]) -> None:
        """Speak of `order`, which a newer revision may replace."""
        self.order = order
        self._clock = clock
        self._mono_ns = mono_ns

    @property
    def now(self) -> float:
        """Session time now, in seconds."""
        return self.at(self._mono_ns())

    def at(self, mono_ns: int) -> float:
        """Session time in seconds of a moment on the monotonic clock."""
        return session_t(self._clock, self.order.epoch, mono_ns)

    def counts(self, mono_ns: int) -> bool:
        """Whether a moment lies in [0, seconds): only that is counted, kept and observed."""
        return 0 <= self.at(mono_ns) < self.order.seconds

    def mono(self, hub_s: float) -> int:
        """The moment on the monotonic clock at which hub UTC is `hub_s`, in ns."""
        return mono_at(self._clock, hub_s, self._mono_ns())

    def left_s(self, hub_s: float) -> float:
        """Seconds from now until hub UTC is `hub_s`."""
        return (self.mono(hub_s) - self._mono_ns()) / 1e9


class RoomRecording:
    """Owns recorder and observer of one room in one lesson."""

    def __init__(
        self,
        room: RoomOrder,
        house: House,
        time: LessonTime,
        on_trouble: Callable[[str], None],
        on_observation: Callable[[Observation], None] = lambda _one: None,
    ) -> None:
        """Prepare; nothing is written before `begin`.

        Args:
            room: this room, as the order names it.
            house: what the service hands out.
            time: of the lesson.
            on_trouble: told, in words, what goes less well; called from any thread.
            on_observation: takes what is observed, beside the timeline; called from any thread.
        """
        self.recorder: LessonRecorder | None = None
        """What writes, once the disk has taken the package."""
        self.before = Counts()
        """What earlier incarnations of the service counted in this lesson."""
        self._room = room
        self._house = house
        self._time = time
        self._on_trouble = on_trouble
        self._on_observation = on_observation
        self._observer: Observer | None = None
        self._let_go: Callable[[], None] = lambda: None
        """Ends what outlives the lesson: the loudspeaker's handing on."""
        self._lapel: Lapel | None = None

    async def begin(self, classroom: Classroom) -> None:
        """Record and observe what `classroom` shows, as soon as the disk takes the package; returns once it does."""
        draft = await self._draft()
        self.before = Counts.left_by(draft.folder / QUALITY)
        self.recorder = self._record(classroom, draft)
        if not self._time.order.policy.observe:
            return
        for one in (await asyncio.to_thread(read_timeline, draft.folder / TIMELINE)).observations:
            self._on_observation(one)  # what earlier incarnations observed
        if self._house.observer is not None:
            self._observer = self._observe(classroom, self._house.observer, self.recorder)

    def observing(self) -> dict[str, Any]:
        """What observing costs, for a line of quality; empty where nobody observes."""
        return {"observe": self._observer.figures()} if self._observer is not None else {}

    async def end_observing(self) -> None:
        """Take down what was still being found; nothing is observed from then on."""
        self._let_go()
        if self._lapel is not None:
            await asyncio.to_thread(self._lapel.stop)
        if self._observer is not None:
            await asyncio.to_thread(self._observer.stop)

    async def close(self) -> None:
        """Close the files without sealing them: whoever leaves in mid-lesson goes on with its next start."""
        if self.recorder is not None:
            await self.recorder.close()

    async def seal(self, result: RoomResult) -> Manifest | None:
        """Close the files and seal the package, however long the disk takes; None where none was ever begun.

        Args:
            result: the room's account of the lesson; timeline and recordings are filled in here.
        """
        if self.recorder is None:
            return None
        order = self._time.order
        folder = self._house.store.folder(PackageRef(order.session, self._room.room))
        while True:
            try:
                told = await asyncio.to_thread(with_timeline, result, folder, order.seconds)
                return await self.recorder.finish(told)
            except SealFailed as error:
                self._on_trouble(str(error))
            await asyncio.sleep(AGAIN_S)

    async def _draft(self) -> PackageDraft:
        begun = self._house.store.draft
        told = ""
        while True:
            try:
                return await asyncio.to_thread(begun, self._time.order, self._room, self._house.standpoint)
            except OSError as error:
                why = f"{error.strerror or error}; free space on the disk"
            except RecordTrouble as error:
                why = str(error)
            if why != told:
                told = why
                self._trouble(f"nothing is recorded yet: {why}; the lesson goes on, and it is tried again")
            await asyncio.sleep(AGAIN_S)

    def _record(self, classroom: Classroom, draft: PackageDraft) -> LessonRecorder:
        house, time = self._house, self._time
        begin_ns = time.mono(time.order.epoch)
        recorder = LessonRecorder(
            draft,
            tracks=classroom.frame_rates(),
            sound=classroom.mic is not None,
            begin_mono_ns=begin_ns,
            end_mono_ns=time.mono(time.order.ends),
            needs=Needs(
                house.store.free_bytes, classroom.request_keyframe, self._trouble, reserve_bytes=house.min_free_bytes
            ),
        )
        recorder.start()
        for encoder in classroom.videos.values():
            encoder.keyframe_at(begin_ns)
        classroom.videos["camera"].add_taker(recorder.camera)
        if "slides" in classroom.videos:
            classroom.videos["slides"].add_taker(recorder.slides)
        if classroom.mic is not None:
            classroom.mic.add_taker(recorder.sound)
        return recorder

    def _observe(self, classroom: Classroom, make: MakeObserver, recorder: LessonRecorder) -> Observer:
        def observed(one: Observation) -> None:
            recorder.observation(one)
            self._on_observation(one)

        # In a receiving room a quarter of what is told as its teacher is a pupil (decision 0021).
        words = self._room.role is Role.LEAD
        observer = make(on_observation=observed, on_trouble=self._on_trouble, session_t=self._time.at, words=words)
        observer.start()

        # Nobody is observed before the lesson, and what stands at its beginning is found at its beginning.
        def picture(track: PictureTrack, frame: Frame) -> None:
            if self._time.counts(frame.mono_ns):
                observer.feed_frame(track, frame)

        def sound(block: Block) -> None:
            if self._time.counts(block.mono_ns):
                observer.feed_block(block)

        classroom.add_camera_observer(partial(picture, "camera"))
        if "slides" in classroom.videos:
            classroom.videos["slides"].add_frame_taker(partial(picture, "slides"))
        if classroom.mic is not None:
            classroom.mic.add_block_taker(sound)
            self._hand_on_played(observer)
            self._listen_to_teacher(observer)
        return observer

    def _listen_to_teacher(self, observer: Observer) -> None:
        """Open the teacher's own microphone, where there is one, for the observer alone."""

        def teacher(block: Block) -> None:
            if self._time.counts(block.mono_ns):
                observer.feed_teacher(block)

        if self._house.lapel:
            self._lapel = Lapel(self._house.lapel, teacher, self._on_trouble)
            self._lapel.start()

    def _hand_on_played(self, observer: Observer) -> None:
        """Tell the observer what this room's loudspeaker plays: the far room's voices are nobody's of this one.

        Where nothing can play, nothing of the far room is heard, and nothing is to be told.
        """
        playout: object = self._house.playout

        def played(block: Block) -> None:
            if self._time.counts(block.mono_ns):
                observer.feed_played(block)

        if isinstance(playout, Tapped):
            playout.add_played_taker(played)
            self._let_go = partial(playout.remove_played_taker, played)

    def _trouble(self, words: str) -> None:
        self._house.report.event("record.trouble", {"session": self._time.order.session, "words": words})
        self._on_trouble(words)


def with_timeline(result: RoomResult, folder: Path, seconds: float) -> RoomResult:
    """`result` with the figures of the timeline in `folder`, where the room was observed.

    Raises:
        SealFailed: the timeline is there and cannot be read.
    """
    path = folder / TIMELINE
    if not path.exists():
        return result
    try:
        lines = read_timeline(path).observations
    except OSError as error:
        raise SealFailed(f"{path} cannot be read ({error.strerror}); check the disk") from error
    return result.model_copy(update={"timeline": summary(lines, seconds)})


def seal_left_behind(store: FolderStore, ref: PackageRef, seconds: float | None = None) -> Manifest:
    """Seal a draft whose lesson ended while the agent was away. Slow: call it in a thread.

    Args:
        store: where it is.
        ref: which.
        seconds: length of the session as last ordered; None: as ordered when the draft was begun.

    Raises:
        PackageUnusable: it is no draft, or cannot be read.
        SealFailed: the volume takes nothing; files and draft are kept.
    """
    try:
        draft = store.reopen(ref)
    except OSError as error:
        words = f"the lesson package {ref} cannot be mended: {error.strerror or error}; free space on the disk"
        raise SealFailed(words) from error
    length_s = draft.manifest.seconds if seconds is None else seconds
    tracks = tuple(dict.fromkeys(part.track for part in draft.manifest.parts)) or ("camera",)
    result = Counts.left_by(draft.folder / QUALITY).result({}, (LEFT_BEHIND,), 0.0)
    return draft.seal(length_s, tracks, with_timeline(result, draft.folder, length_s))
