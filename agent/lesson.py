"""Conducts one session in one room: a state machine driven by session time and by the hub's order.

The order says what should be; the lesson goes there by itself. It needs the hub for joining
the other rooms, and for nothing else: recording begins and ends on time without it.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from agent.account import Counts, cpu_seconds
from agent.capture.sources import SourceRefused
from agent.classroom import Classroom, FrameCount
from agent.house import House
from agent.observe.observer import Observer
from agent.observe.timeline import read_timeline, summary
from agent.record.recorder import LessonRecorder
from agent.record.store import PackageRef
from agent.record.trouble import RecordTrouble, SealFailed
from agent.record.writer import Needs
from agent.stream.ladders import Stand, rung_event
from agent.stream.peer import PeerContext
from agent.stream.room import PeerState, RoomStream
from agent.stream.rung import Rung
from contract.clock import mono_at, session_t
from contract.package import QUALITY, TIMELINE
from contract.result import RoomResult
from contract.session import RoomOrder, SessionOrder
from contract.signal import Answer, Offer, RoomReport
from contract.signal import Peer as PeerSignal
from contract.state import FINAL, SessionState, moved

log = logging.getLogger(__name__)

S = SessionState
READY_BEFORE_S = 120.0
"""Devices open this long before the lesson, in seconds."""
REPORT_VALID_S = 14 * 86_400.0
SAMPLE_S = 1.0
TELL_EACH = 2
"""Every so many samples the hub is told how the lesson goes."""
LEFT_BEHIND = "the agent was away at the end of the lesson"
SEAL_AGAIN_S = 30.0
WORDS_MAX = 20


class Lesson:
    """One session in this room. Owns its devices, peers and files; `run` ends when nothing is left to do."""

    def __init__(self, order: SessionOrder, room: RoomOrder, house: House) -> None:
        self.order = order
        self.room = room
        self.state = S.SCHEDULED
        self.words: list[str] = []
        """What went less well, a sentence each."""
        self.stream: RoomStream | None = None
        self.recorder: LessonRecorder | None = None
        self.result: RoomResult | None = None
        self._house = house
        self._changed = asyncio.Event()
        self._offers: dict[str, Offer] = {}
        self._loop = asyncio.get_running_loop()
        self._before = Counts()
        self._cpu_s = 0.0

    @property
    def folder(self) -> Path:
        """The lesson package's folder."""
        return self._house.store.folder(PackageRef(self.order.session, self.room.room))

    @property
    def t(self) -> float:
        """Session time now, in seconds."""
        return self._t(self._house.mono_ns())

    def take_order(self, order: SessionOrder) -> None:
        """The hub sent a newer revision."""
        if order.rev <= self.order.rev:
            return
        self.order = order
        if self.recorder is not None:
            self.recorder.end_at(self._mono_at(order.ends))
        self._changed.set()
        self._tell()

    def take_signal(self, signal: Offer | Answer | PeerSignal) -> None:
        """A signal about another room of this session came."""
        if isinstance(signal, Offer):
            self._offers[signal.sender] = signal
        if self.stream is None:
            return
        if isinstance(signal, Offer):
            self.stream.take_offer(signal)
        elif isinstance(signal, Answer):
            self.stream.take_answer(signal)
        else:
            self.stream.take_peer(signal)

    def uploaded(self) -> None:
        """The hub's receipt came."""
        if self.state is S.SEALED:
            self._move(S.UPLOADED)

    def give_up(self, words: str) -> None:
        """Something ended the lesson that nobody foresaw."""
        if self.state not in FINAL:
            self._fail(words)

    def trouble(self, words: str) -> None:
        """Something went less well; may be called from any thread."""
        self._loop.call_soon_threadsafe(self._take_trouble, words)

    async def run(self) -> None:
        """Hold the lesson, from wherever session time stands now."""
        try:
            if not await self._until(lambda: self.order.epoch - READY_BEFORE_S):
                return
            if self.t < self.order.seconds:
                await self._hold()
            else:
                await self._seal_what_is_there()
        except (SourceRefused, RecordTrouble) as error:
            self._fail(str(error))
        except asyncio.CancelledError:
            log.info("lesson %s: the service ends; the lesson goes on with its next start", self.order.session)
            raise

    async def _hold(self) -> None:
        self._move(S.READYING)
        house = self._house
        classroom = await asyncio.to_thread(
            Classroom, self.order, self.room, house.spec, house.seed, house.limits, self._loop, self.trouble
        )
        try:
            for words in classroom.missing:
                self._take_trouble(words)
            classroom.start()
            await asyncio.to_thread(classroom.wait_ready)
            self._move(S.READY)
            await self._teach(classroom)
        finally:
            await asyncio.to_thread(classroom.close)
            if self.recorder is not None:
                await self.recorder.close()
        await self._seal()

    async def _teach(self, classroom: Classroom) -> None:
        """From ready to the end of session time, joined with the other rooms."""
        house = self._house
        context = PeerContext(
            classroom.outgoing,
            house.media_clock,
            self._counts,
            house.playout,
            self.order.ice_servers,
            classroom.tiers,
        )
        self.stream = RoomStream(
            self.order,
            self.room,
            context,
            lambda signal, valid_s: house.send(signal, valid_s, f"{signal.kind}:{signal.session}:{signal.to}"),
            self._on_peers,
            self._on_rung,
        )
        for offer in self._offers.values():
            self.stream.take_offer(offer)
        sent = FrameCount(self._counts)
        classroom.videos["camera"].add_taker(sent.take)
        joined = asyncio.create_task(self.stream.run(), name="lesson.stream")
        observer = None
        try:
            await self._record(classroom)
            observer = await asyncio.to_thread(self._observe, classroom)
            if not await self._until(lambda: self.order.epoch):
                return
            self._move(S.LIVE)
            cpu_begin_s = cpu_seconds()
            sampling = asyncio.create_task(self._sample(sent), name="lesson.sample")
            try:
                lasted = await self._until(lambda: self.order.ends)
            finally:
                sampling.cancel()
                await asyncio.gather(sampling, return_exceptions=True)
            self._cpu_s = cpu_seconds() - cpu_begin_s
            if lasted:
                self._move(S.ENDING)
        finally:
            if observer is not None:
                await asyncio.to_thread(observer.stop)
            joined.cancel()
            await asyncio.gather(joined, return_exceptions=True)
            self.result = self._account(sent)

    async def _record(self, classroom: Classroom) -> None:
        house = self._house
        draft = await asyncio.to_thread(house.store.draft, self.order, self.room, house.standpoint)
        self._before = Counts.left_by(self.folder / QUALITY)
        begin_ns = self._mono_at(self.order.epoch)
        recorder = LessonRecorder(
            draft,
            tracks=classroom.frame_rates(),
            sound=classroom.mic is not None,
            begin_mono_ns=begin_ns,
            end_mono_ns=self._mono_at(self.order.ends),
            needs=Needs(
                house.store.free_bytes,
                classroom.request_keyframe,
                self._on_record_trouble,
                reserve_bytes=house.min_free_bytes,
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
        self.recorder = recorder

    def _observe(self, classroom: Classroom) -> Observer | None:
        make, recorder = self._house.observer, self.recorder
        if make is None or recorder is None or not self.order.policy.observe:
            return None
        observer = make(on_observation=recorder.observation, on_trouble=self.trouble, session_t=self._t)
        observer.start()
        classroom.videos["camera"].add_frame_taker(lambda frame: observer.feed_frame("camera", frame))
        if "slides" in classroom.videos:
            classroom.videos["slides"].add_frame_taker(lambda frame: observer.feed_frame("slides", frame))
        if classroom.mic is not None:
            classroom.mic.add_block_taker(observer.feed_block)
        return observer

    async def _sample(self, sent: FrameCount) -> None:
        """A line of quality each second; the last one also tells a next incarnation what was counted."""
        for second in itertools.count(1):
            await asyncio.sleep(SAMPLE_S)
            counts = self._counted(sent)
            if self.recorder is not None:
                self.recorder.quality({"t": round(self.t, 3), **counts.as_json()})
            if second % TELL_EACH == 0:
                result = self._account(sent, live=True).model_dump(mode="json", by_alias=True)
                self._house.report.telemetry("lesson.live", {"session": self.order.session, "result": result})

    async def _seal(self) -> None:
        recorder, result = self.recorder, self.result
        if recorder is None or result is None:
            return
        result = await asyncio.to_thread(self._with_timeline, result)
        while True:
            try:
                manifest = await recorder.finish(result)
                break
            except SealFailed as error:
                self._take_trouble(str(error))
                await asyncio.sleep(SEAL_AGAIN_S)
        self.result = manifest.result
        if self.state is S.CANCELLED:
            self._tell()
            return
        self._move(S.SEALED)
        self._after_seal()

    def _with_timeline(self, result: RoomResult) -> RoomResult:
        path = self.folder / TIMELINE
        if not path.exists():
            return result
        lines = read_timeline(path).observations
        return result.model_copy(update={"timeline": summary(lines, self.order.seconds)})

    async def _seal_what_is_there(self) -> None:
        """The lesson is over; an earlier incarnation may have left a draft."""
        self._move(S.READYING)
        if not self.folder.exists():
            self._fail("this room was not there: nothing was recorded")
            return
        self._move(S.ENDING)
        ref = PackageRef(self.order.session, self.room.room)
        draft = await asyncio.to_thread(self._house.store.reopen, ref)
        counts = Counts.left_by(self.folder / QUALITY)
        tracks = tuple(dict.fromkeys(part.track for part in draft.manifest.parts)) or ("camera",)
        result = self._with_timeline(counts.result({}, (LEFT_BEHIND,), 0.0))
        manifest = await asyncio.to_thread(draft.seal, self.order.seconds, tracks, result)
        self.result = manifest.result
        self._move(S.SEALED)
        self._after_seal()

    def _after_seal(self) -> None:
        policy = self.order.policy
        if not policy.upload or not (policy.record or policy.observe):
            self._move(S.UPLOADED)

    def _account(self, sent: FrameCount, *, live: bool = False) -> RoomResult:
        figures = self.stream.figures if self.stream is not None else {}
        rungs = {room: str(stand.rung) for room, stand in self.stands.items()} if live else {}
        return self._counted(sent).result(figures, tuple(self.words), self._cpu_s, rungs)

    def _counted(self, sent: FrameCount) -> "Counts":
        figures = self.stream.figures if self.stream is not None else {}
        return Counts.of(sent.frames, figures).plus(self._before)

    async def _until(self, due: Callable[[], float]) -> bool:
        """Wait until hub UTC is `due()`, which a newer order may change; False where the order is called off."""
        while True:
            if self.order.cancelled:
                if self.state not in FINAL:
                    self._move(S.CANCELLED)
                return False
            now = self._house.mono_ns()
            left_s = (self._mono_at(due()) - now) / 1e9
            if left_s <= 0:
                return True
            self._changed.clear()
            # The clock map gets better with time: look at it again.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(left_s, 1.0))

    def _t(self, mono_ns: int) -> float:
        return session_t(self._house.standpoint.clock, self.order.epoch, mono_ns)

    def _mono_at(self, hub_s: float) -> int:
        return mono_at(self._house.standpoint.clock, hub_s, self._house.mono_ns())

    def _counts(self, mono_ns: int) -> bool:
        return 0 <= self._t(mono_ns) < self.order.seconds

    @property
    def stands(self) -> Mapping[str, Stand]:
        """On which rung of the failure ladder the lesson stands with each other room."""
        return self.stream.ladders.stands if self.stream is not None and self.state is S.LIVE else {}

    def _on_rung(self, room: str, stand: Stand, before: Rung) -> None:
        if self.state is S.LIVE:
            told = rung_event(room, stand, before)
            self._house.report.event("lesson.rung", {"session": self.order.session, "t": round(self.t, 3), **told})
        self._house.on_change()

    def _on_peers(self) -> None:
        self._house.on_change()

    def _on_record_trouble(self, words: str) -> None:
        self._house.report.event("record.trouble", {"session": self.order.session, "words": words})
        self.trouble(words)

    def _take_trouble(self, words: str) -> None:
        if words in self.words or len(self.words) >= WORDS_MAX:
            return
        log.warning("lesson %s: %s", self.order.session, words)
        self.words.append(words)
        self._tell()

    def _fail(self, words: str) -> None:
        if words not in self.words:
            self.words.append(words)
        log.error("lesson %s failed: %s", self.order.session, words)
        self._move(S.FAILED)

    def _move(self, to: SessionState) -> None:
        if to is self.state:
            return
        self.state = moved(self.state, to)
        log.info("lesson %s in room %s: %s", self.order.session, self.room.room, to)
        self._house.report.event(f"lesson.{to}", {"session": self.order.session, "room": self.room.room})
        self._tell()

    def _tell(self) -> None:
        report = RoomReport(
            device=self.room.device,
            session=self.order.session,
            room=self.room.room,
            rev=self.order.rev,
            state=self.state,
            incarnation=self._house.incarnation,
            words="; ".join(self.words),
            result=self.result if self.state in {S.SEALED, *FINAL} else None,
        )
        self._house.send(report, REPORT_VALID_S, f"room:{self.order.session}")
        self._house.on_change()

    @property
    def connected(self) -> dict[str, str]:
        """How the connection with each other room stands, by room."""
        return {room: str(state) for room, state in self.stream.states.items()} if self.stream else {}

    @property
    def joined(self) -> bool:
        """Whether at least one other room is connected."""
        return self.stream is not None and PeerState.CONNECTED in self.stream.states.values()
