"""Says every 10 s of a lesson how it goes: to the hub, and to the teacher's screen."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from agent.observe.live import Heard, LiveSummary, LiveVoices, live_summary, voice_of
from agent.overlay.insight import InsightState, insight_state
from agent.overlay.marks import MarkAnswer
from agent.stream.voicetalk import MonoSpan, VoiceTalk
from contract.observation import Observation
from contract.session import Role as RoomRole
from contract.session import RoomOrder, SessionOrder
from measures.voices import Role, Span

KIND = "lesson.insight"
EVERY_S = 10.0
MARKS_MAX = 200
"""A lesson has no more chapters than this."""
COST = 0.01
"""With many rooms a summary takes longer; then it comes more seldom, so that it costs at most this share of a core."""


class SessionTime(Protocol):
    """Session time on this device; agent.recording.LessonTime is one."""

    @property
    def now(self) -> float:
        """Session time now, in seconds."""

    def at(self, mono_ns: int) -> float:
        """Session time in seconds of a moment on the monotonic clock."""

    def counts(self, mono_ns: int) -> bool:
        """Whether a moment lies in session time."""


class Timeline(Protocol):
    """What keeps observations; agent.record.recorder.LessonRecorder is one."""

    def observation(self, observation: Observation) -> None:
        """Keep one."""


class LessonInsight:
    """Gathers who speaks, here and in the rooms that tell it, and says what it comes to; and sets marks.

    Belongs to the event loop on which it is made.
    """

    def __init__(
        self,
        order: SessionOrder,
        room: RoomOrder,
        session_time: SessionTime,
        boot: str,
        mono_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Begin with nothing heard.

        Args:
            order: the session.
            room: this room.
            session_time: of the lesson.
            boot: this boot of the device.
            mono_ns: this device's monotonic clock.
        """
        self.state: InsightState | None = None
        """What was said last, for the screen."""
        self.marks = 0
        """Marks that were set, as far as this run of the agent knows."""
        self._loop = asyncio.get_running_loop()
        self._order = order
        self._room = room
        self._time = session_time
        self._boot = boot
        self._mono_ns = mono_ns
        # Who watches a master class is no pupil, and nothing is measured there.
        roles = {one.room: Role(one.role.value) for one in order.classrooms}
        self._heard = LiveVoices(roles, room.room)
        self.talk = VoiceTalk([one for one in roles if one != room.room], secrets.token_hex(4), self._told)
        """What this room and the others tell each other."""

    def observed(self, observation: Observation) -> None:
        """Something was observed in this room, now or by an earlier run of the agent; called from any thread."""
        if observation.kind in ("voice", "mark"):
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._take, observation)

    def mark(self, title: str, timeline: Timeline | None) -> MarkAnswer:
        """Set a mark at this moment.

        Args:
            title: of what begins; may be empty.
            timeline: what keeps it; None where the disk has not taken the lesson package yet.
        """
        mono_ns = self._mono_ns()
        if not self._time.counts(mono_ns):
            return MarkAnswer.NO_LESSON
        if timeline is None:
            return MarkAnswer.NOT_YET
        if self.marks >= MARKS_MAX:
            return MarkAnswer.FULL
        moment = {"t": self._time.at(mono_ns), "mono_ns": mono_ns, "boot": self._boot}
        timeline.observation(Observation(kind="mark", confidence=1.0, value={"title": title}, **moment))
        self.marks += 1
        return MarkAnswer.TAKEN

    def _take(self, observation: Observation) -> None:
        if observation.kind == "mark":
            self.marks += 1  # of an earlier run of the agent
            return
        voice = voice_of(observation)
        if voice is None:
            return
        self._heard.hear(observation, self._time.now)
        mono_ns = observation.mono_ns
        if observation.boot != self._boot:  # an earlier run of the agent, before the machine went down
            mono_ns = self._mono_ns() - round((self._time.now - observation.t) * 1e9)
        self.talk.add(MonoSpan(mono_ns, observation.seconds, voice, observation.confidence), self._mono_ns())

    async def run(self, tell: Callable[[str, dict[str, Any]], object], on_change: Callable[[], None]) -> None:
        """Say how the lesson goes until cancelled.

        Args:
            tell: takes what the hub is told: the kind, and the data.
            on_change: called when `state` changed.
        """
        wait_s = EVERY_S
        while True:
            await asyncio.sleep(wait_s)
            summary, cost_s = await asyncio.to_thread(_measured, self._heard.heard(self._time.now))
            wait_s = max(EVERY_S, cost_s / COST)
            tell(KIND, {"session": self._order.session, "room": self._room.room, **summary.to_json()})
            moments = summary.t, summary.start_s, summary.end_s
            receiving = self._room.role is RoomRole.RECEIVING
            self.state = insight_state(moments, summary.figures, receiving=receiving)
            on_change()

    def _told(self, room: str, spans: Sequence[MonoSpan], error_s: float) -> None:
        told = [Span(self._time.at(one.start_ns), one.seconds, one.voice, one.confidence) for one in spans]
        self._heard.told(room, told, error_s, self._time.now)


def _measured(heard: Heard) -> tuple[LiveSummary, float]:
    """How the lesson goes, and what it cost to say, in CPU seconds."""
    began = time.thread_time()
    return live_summary(heard), time.thread_time() - began
