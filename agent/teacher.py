"""What the teacher's screen is told: the lesson and the link, in words, in both languages."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from agent.overlay.insight import InsightState
from agent.overlay.marks import MarkAnswer
from agent.overlay.socket import OverlayServer
from agent.overlay.state import MaterialState, OverlayState, PeerState
from agent.stream.ladders import Stand, WholeRoom, whole_room
from agent.stream.rung import Rung
from contract.material import Material
from contract.session import RoomOrder, SessionOrder
from contract.state import SessionState

log = logging.getLogger(__name__)

S = SessionState
LOOK_S = 1.0
MARK_GAP_S = 1.0
"""Marks within this time are one: somebody clicked twice."""

WORDS: dict[SessionState, tuple[str, str]] = {
    S.SCHEDULED: ("等待上课", "Waiting for the lesson"),
    S.READYING: ("正在打开摄像头和麦克风", "Opening camera and microphone"),
    S.READY: ("本教室已就绪", "This room is ready"),
    S.LIVE: ("正在上课", "The lesson is on"),
    S.ENDING: ("下课，正在保存录像", "The lesson is over; saving the recording"),
    S.SEALED: ("录像已保存，等待上传", "The recording is saved and waits for its upload"),
    S.UPLOADED: ("录像已归档", "The recording is in the archive"),
    S.FAILED: ("本节课未能完成", "The lesson could not be held"),
    S.CANCELLED: ("本节课已取消", "The lesson was called off"),
}
ALONE = ("对方教室未连接，请本地教学", "The other room is not connected; please teach locally")
LONE_RECORDED = ("开放课：本教室正在录课，没有听课教室", "Open class: this room is recorded; no other room takes part")
LONE_NOT_YET = (
    "开放课：录像还没有开始，请照常上课",
    "Open class: the recording has not begun yet; please go on teaching",
)
LONE_UNRECORDED = ("开放课：正在上课，本节课不录像", "Open class: the lesson is on; it is not to be recorded")
"""A lead room that has the session to itself waits for nobody."""
WATCHING_OFF = ("正在观摩，本教室的摄像头和麦克风已关闭", "Watching; this room's camera and microphone are off")
WATCHING: Mapping[Rung, tuple[str, str]] = {
    Rung.BOTH: WATCHING_OFF,
    Rung.ONE_WAY: WATCHING_OFF,
    Rung.SOUND: ("网络很差：只有主讲教室的声音和课件", "Very poor network: only the lead room's sound and slides come"),
    Rung.ALONE: (
        "还没有收到主讲教室的画面和声音，接通后会自动播放",
        "Nothing comes from the lead room; it is shown by itself as soon as it does",
    ),
}
"""No class sits in such a room, so nobody there is asked to teach it."""
WATCHED = ("观摩已结束", "The lesson that was watched is over")
HUB_AWAY = ("中心未连接", "the hub is not in reach")
THIS_ROOM = ("本机：{room}", "This machine: {room}")


Find = Callable[[Material], Path | None]
"""Says where a file of a lesson lies."""


class Recording(Protocol):
    """What keeps the lesson."""

    @property
    def recording(self) -> bool:
        """Whether files are being written."""


class Shown(Protocol):
    """What the screen wants to know of a lesson."""

    @property
    def order(self) -> SessionOrder:
        """What was ordered."""

    @property
    def room(self) -> RoomOrder:
        """This room in it."""

    @property
    def state(self) -> SessionState:
        """Where it stands in this room."""

    @property
    def recorder(self) -> Recording | None:
        """What keeps it, once it does."""

    @property
    def connected(self) -> dict[str, str]:
        """How the connection with each other room stands, by room."""

    @property
    def joined(self) -> bool:
        """Whether at least one other room is connected."""

    @property
    def insight(self) -> InsightState | None:
        """How it goes; None where that is not said."""

    @property
    def marks(self) -> int:
        """Marks set in it."""

    def mark(self, title: str) -> MarkAnswer:
        """Set one at this moment."""


Stands = Callable[[], Mapping[str, Stand]]
"""Says on which rung the lesson stands with each other room."""


class Teacher:
    """Turns what lesson and link say into the state of the teacher's screen."""

    def __init__(
        self,
        socket: Path,
        token: Path,
        wall: Callable[[], float] = time.time,
        mono_s: Callable[[], float] = time.monotonic,
        find: Find = lambda _material: None,
    ) -> None:
        """Prepare.

        Args:
            socket: where the screen connects.
            token: file with its token.
            wall: this machine's wall clock, in seconds, for people.
            mono_s: monotonic seconds, for how long a notice is shown.
            find: where a file of a lesson lies; None while it is not here.
        """
        self._server = OverlayServer(socket, token, self._mark)
        self._wall = wall
        self._mono_s = mono_s
        self._find = find
        self._notice: tuple[str, str] = ("", "")
        self._notice_until_s = 0.0
        self._marked_s = -MARK_GAP_S
        self._lesson: Shown | None = None
        self._stands: Stands = dict
        self._rung, self._rung_since = "", wall()
        self._connected = False
        self._since = wall()

    async def run(self) -> None:
        """Serve the screen until cancelled; without a socket the lesson goes on all the same."""
        try:
            await self._server.start()
        except OSError as error:
            log.warning("the teacher's screen cannot be served: %s", error)
            return
        try:
            while True:
                self._update()
                await asyncio.sleep(LOOK_S)
        finally:
            await self._server.stop()

    def hub(self, *, connected: bool) -> None:
        """The hub came into reach, or went."""
        self._connected, self._since = connected, self._wall()
        self._update()

    def show(self, lesson: Shown | None, stands: Stands = dict) -> None:
        """Show a lesson, or that there is none.

        Args:
            lesson: what is being held; None between lessons.
            stands: asked at each look on which rung the lesson stands with each other room.
        """
        self._lesson, self._stands = lesson, stands
        self._update()

    def identify(self, room: str, seconds: float) -> int:
        """Show for a while which room this is; on how many screens."""
        self._notice = (THIS_ROOM[0].format(room=room), THIS_ROOM[1].format(room=room))
        self._notice_until_s = self._mono_s() + seconds
        self._update()
        return self._server.clients

    def _mark(self, title: str) -> MarkAnswer:
        if self._lesson is None:
            return MarkAnswer.NO_LESSON
        now = self._mono_s()
        if now - self._marked_s < MARK_GAP_S:
            return MarkAnswer.SOON
        answer = self._lesson.mark(title)
        if answer is MarkAnswer.TAKEN:
            self._marked_s = now
            self._update()
        return answer

    def _update(self) -> None:
        stands = self._stands()
        state = overlay_state(self._lesson, stands, connected=self._connected, since=self._since, find=self._find)
        if self._mono_s() < self._notice_until_s:
            zh, en = self._notice
            state = state.model_copy(update={"notice_zh": zh, "notice_en": en})
        if state.rung != self._rung:
            self._rung, self._rung_since = state.rung, self._wall()
        self._server.update(state.model_copy(update={"rung_since": self._rung_since}) if state.rung else state)


def overlay_state(
    lesson: Shown | None,
    stands: Mapping[str, Stand],
    *,
    connected: bool,
    since: float,
    find: Find = lambda _material: None,
) -> OverlayState:
    """The state of the screen; `rung_since` is left to whoever remembers the state before.

    Args:
        lesson: what is being held; None between lessons.
        stands: on which rung it stands with each other room, where that is known.
        connected: whether the hub is in reach.
        since: since when, in seconds of the wall clock.
        find: where a file of the lesson lies; None while it is not here.
    """
    hub = "connected" if connected else "away"
    if lesson is None:
        zh, en = ("", "") if connected else HUB_AWAY
        return OverlayState(words_zh=zh, words_en=en, hub=hub, hub_since=since)
    names = {room.room: room.name or room.room for room in lesson.order.rooms}
    whole = whole_room(stands, names)
    slot = lesson.order.slot_in(lesson.room)
    recording = lesson.recorder is not None and lesson.recorder.recording
    zh, en = WORDS[lesson.state]
    if lesson.state is S.LIVE:
        zh, en = _live_words(lesson, whole, recording=recording) or (zh, en)
    elif lesson.order.watches(lesson.room) and lesson.state in {S.ENDING, S.SEALED, S.UPLOADED}:
        zh, en = WATCHED
    if not connected:
        zh, en = f"{zh}；{HUB_AWAY[0]}", f"{en}; {HUB_AWAY[1]}"
    return OverlayState(
        session=lesson.order.session,
        title=lesson.order.title,
        when_zh=slot.words("zh") if slot is not None else "",
        when_en=slot.words("en") if slot is not None else "",
        state=lesson.state,
        words_zh=zh,
        words_en=en,
        recording=recording,
        hub=hub,
        hub_since=since,
        rung=whole.rung if whole is not None else "",
        rung_zh=whole.rung.zh if whole is not None else "",
        rung_en=whole.rung.en if whole is not None else "",
        insight=lesson.insight,
        marks=lesson.marks,
        materials=tuple(MaterialState(name=one.name, path=str(find(one) or "")) for one in lesson.order.materials),
        peers=tuple(
            _peer(room, names.get(room, room), state, stands.get(room)) for room, state in lesson.connected.items()
        ),
    )


def _live_words(lesson: Shown, whole: WholeRoom | None, *, recording: bool) -> tuple[str, str] | None:
    """What else is to be said of a lesson that is on; None where all is well."""
    if lesson.order.alone:
        if recording:
            return LONE_RECORDED
        return LONE_NOT_YET if lesson.order.policy.record else LONE_UNRECORDED
    if lesson.order.watches(lesson.room):
        return WATCHING[whole.rung if whole is not None else Rung.ALONE]
    if whole is None:
        return None if lesson.joined else ALONE
    return whole.words if whole.rung is not Rung.BOTH or whole.cut_off else None


def _peer(room: str, name: str, state: str, stand: Stand | None) -> PeerState:
    seen = PeerState(room=room, name=name, state=state, connected=state == "connected")
    if stand is None:
        return seen
    told = {"rung": str(stand.rung), "words_zh": stand.words.zh, "words_en": stand.words.en}
    return seen.model_copy(update=told)
