"""Conducts one session in one room: a state machine driven by session time and by the hub's order.

The order says what should be; the lesson goes there by itself. It needs the hub for joining
the other rooms, and for nothing else: recording begins and ends on time without it.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from agent.account import Counts, cpu_seconds
from agent.capture.sources import SourceRefused
from agent.classroom import Classroom, FrameCount
from agent.house import House
from agent.insight import LessonInsight
from agent.overlay.insight import InsightState
from agent.overlay.marks import MarkAnswer
from agent.record.recorder import LessonRecorder
from agent.record.store import PackageRef
from agent.record.trouble import RecordTrouble
from agent.recording import LessonTime, RoomRecording, seal_left_behind
from agent.stream.ladders import Stand, rung_event
from agent.stream.peer import PeerContext
from agent.stream.room import PeerState, RoomStream
from agent.stream.rung import Rung
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
"""The hub may be away for as long as an order is held, in seconds."""
SAMPLE_S = 1.0
TELL_EACH = 2
"""Every so many samples the hub is told how the lesson goes."""
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
        self.result: RoomResult | None = None
        self._house = house
        self._time = LessonTime(order, house.standpoint.clock, house.mono_ns)
        self._insight = LessonInsight(order, room, self._time, house.standpoint.boot, house.mono_ns)
        self._recording = RoomRecording(room, house, self._time, self.trouble, self._insight.observed)
        self._changed = asyncio.Event()
        self._offers: dict[str, Offer] = {}
        self._loop = asyncio.get_running_loop()
        self._cpu_s = 0.0

    @property
    def recorder(self) -> LessonRecorder | None:
        """What keeps the lesson, once it does."""
        return self._recording.recorder

    def take_order(self, order: SessionOrder) -> None:
        """The hub sent a newer revision."""
        if order.rev <= self.order.rev:
            return
        self.order = self._time.order = order
        if self.recorder is not None:
            self.recorder.end_at(self._time.mono(order.ends))
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

    def mark(self, title: str) -> MarkAnswer:
        """Set a mark at this moment: a chapter begins here. Says whether it was taken."""
        if self.state is not S.LIVE:
            return MarkAnswer.NO_LESSON
        if not self._observes:
            return MarkAnswer.NOT_OBSERVED
        answer = self._insight.mark(title, self.recorder)
        self._house.on_change()
        return answer

    @property
    def _watches(self) -> bool:
        """Whether teachers watch here: nothing is kept or observed."""
        return self.order.watches(self.room)

    @property
    def _observes(self) -> bool:
        return self.order.policy.observe and not self._watches

    @property
    def marks(self) -> int:
        """Marks that were set in the lesson, as far as this run of the agent knows."""
        return self._insight.marks

    @property
    def insight(self) -> InsightState | None:
        """How the lesson goes; None where that is not said."""
        return self._insight.state if self.state is S.LIVE else None

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
            if self._time.now < self.order.seconds:
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
        doing = (house.limits, self._loop, self.trouble, house.masks)
        classroom = await asyncio.to_thread(Classroom, self.order, self.room, house.spec, house.seed, *doing)
        try:
            for words in classroom.missing:
                self._take_trouble(words)
            classroom.start()
            await asyncio.to_thread(classroom.wait_ready)
            self._move(S.READY)
            await self._teach(classroom)
        finally:
            await asyncio.to_thread(classroom.close)
            await self._recording.close()
        await self._seal()

    async def _teach(self, classroom: Classroom) -> None:
        """From ready to the end of session time, joined with the other rooms."""
        house = self._house
        sent = FrameCount(self._time.counts)
        classroom.videos["camera"].add_taker(sent.take)
        self.stream = self._join(classroom)
        beside = [self._beside(self.stream.run(), "the connection with the other rooms")]
        if not self._watches:
            beside.append(self._beside(self._recording.begin(classroom), "the beginning of the recording"))
        try:
            if not await self._until(lambda: self.order.epoch):
                return
            self._move(S.LIVE)
            cpu_begin_s = cpu_seconds()
            beside.append(self._beside(self._sample(sent), "the account of the lesson"))
            if self._observes:
                telling = self._insight.run(house.report.telemetry, house.on_change)
                beside.append(self._beside(telling, "what is told of how the lesson goes"))
            lasted = await self._until(lambda: self.order.ends)
            self._cpu_s = cpu_seconds() - cpu_begin_s
            if lasted:
                self._move(S.ENDING)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self._recording.end_observing()
            self.result = self._account(sent)

    def _join(self, classroom: Classroom) -> RoomStream:
        """The connections with the other rooms, with whatever of them came before."""
        house = self._house
        context = PeerContext(
            classroom.outgoing,
            house.media_clock,
            self._time.counts,
            house.playout,
            self.order.ice_servers,
            classroom.tiers,
            classroom.expect_loss,
            self._insight.talk if self._observes else None,
        )
        stream = RoomStream(
            self.order,
            self.room,
            context,
            lambda signal, valid_s: house.send(signal, valid_s, f"{signal.kind}:{signal.session}:{signal.to}"),
            house.on_change,
            self._on_rung,
        )
        for offer in self._offers.values():
            stream.take_offer(offer)
        return stream

    def _beside(self, doing: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
        """Run something beside the lesson: a fault in it is told, and the lesson goes on."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("%s ended with a fault in the program", what, exc_info=error)
                self._take_trouble(f"{what} ended with a fault in the program; the log has it")

        task = asyncio.create_task(doing, name=f"lesson: {what}")
        task.add_done_callback(ended)
        return task

    async def _sample(self, sent: FrameCount) -> None:
        """A line of quality each second; the last one also tells a next incarnation what was counted."""
        for second in itertools.count(1):
            await asyncio.sleep(SAMPLE_S)
            counts = self._counted(sent)
            if self.recorder is not None:
                told = {"t": round(self._time.now, 3), **counts.as_json(), **self._recording.observing()}
                self.recorder.quality(told)
            if second % TELL_EACH == 0:
                result = self._account(sent, live=True).model_dump(mode="json", by_alias=True)
                self._house.report.telemetry("lesson.live", {"session": self.order.session, "result": result})

    async def _seal(self) -> None:
        if self.result is None:
            return
        manifest = await self._recording.seal(self.result)
        if manifest is not None:
            self.result = manifest.result
        if self.state is S.CANCELLED:
            self._tell()
        elif manifest is None and not self._watches:
            self._fail("nothing was recorded")
        else:
            self._move(S.SEALED)
            self._after_seal()

    async def _seal_what_is_there(self) -> None:
        """The lesson is over; an earlier incarnation may have left a draft."""
        self._move(S.READYING)
        ref = PackageRef(self.order.session, self.room.room)
        if not self._house.store.folder(ref).exists():
            self._fail("this room was not there: nothing was recorded")
            return
        self._move(S.ENDING)
        manifest = await asyncio.to_thread(seal_left_behind, self._house.store, ref, self.order.seconds)
        self.result = manifest.result
        self._move(S.SEALED)
        self._after_seal()

    def _after_seal(self) -> None:
        policy = self.order.policy
        if self._watches or not policy.upload or not (policy.record or policy.observe):
            self._move(S.UPLOADED)

    def _account(self, sent: FrameCount, *, live: bool = False) -> RoomResult:
        figures = self.stream.figures if self.stream is not None else {}
        rungs = {room: str(stand.rung) for room, stand in self.stands.items()} if live else {}
        return self._counted(sent).result(figures, tuple(self.words), self._cpu_s, rungs)

    def _counted(self, sent: FrameCount) -> Counts:
        figures = self.stream.figures if self.stream is not None else {}
        return Counts.of(sent.frames, figures).plus(self._recording.before)

    async def _until(self, due: Callable[[], float]) -> bool:
        """Wait until hub UTC is `due()`, which a newer order may change; False where the order is called off."""
        while True:
            if self.order.cancelled:
                if self.state not in FINAL:
                    self._move(S.CANCELLED)
                return False
            left_s = self._time.left_s(due())
            if left_s <= 0:
                return True
            self._changed.clear()
            # The clock map gets better with time: look at it again.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(left_s, 1.0))

    @property
    def stands(self) -> Mapping[str, Stand]:
        """On which rung of the failure ladder the lesson stands with each other room."""
        return self.stream.ladders.stands if self.stream is not None and self.state is S.LIVE else {}

    def _on_rung(self, room: str, stand: Stand, before: Rung) -> None:
        if self.state is S.LIVE:
            told = rung_event(room, stand, before)
            self._house.report.event(
                "lesson.rung", {"session": self.order.session, "t": round(self._time.now, 3), **told}
            )
        self._house.on_change()

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
